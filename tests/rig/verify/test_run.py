"""A verification fed with a load, an output and a counter made here: each of its states, and what is planted found."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random

import pytest

from rig.verify.closures import Fault
from rig.verify.errors import CountLost, VerifyError
from rig.verify.observed import Counted, TimelineClock
from rig.verify.plan import Plan
from rig.verify.run import Output, Run, State, Timeline

HZ = 10_000_000 // 3
LATENCY = 400_000
WINDOW = 55_556
KYZ1 = Output("KYZ1", "kWh delivered", Fraction(3, 20))
WATTS = 2350


def planned(**asked: float | int | Fraction | None) -> Plan:
    return Plan(**asked)  # type: ignore[arg-type]


class Bench:
    """A load of `watts`, and an output with its true constant whose edges are late by up to `late_ticks`.

    `change` takes the list of edges, (pulses counted, tick), and gives what the counter has of them.
    """

    def __init__(
        self,
        plan: Plan,
        output: Output = KYZ1,
        *,
        watts: Callable[[float], float] = lambda seconds: WATTS,
        true_wh: float = 0.15,
        late_ticks: int = 0,
        seed: int = 1,
        half_ticks: int = 0,
        change: Callable[[list[tuple[int, int]]], list[tuple[int, int]]] = lambda edges: edges,
    ) -> None:
        self.run = Run(output, plan, Timeline(Fraction(HZ), LATENCY))
        self.watts, self.true_nwh = watts, true_wh * 1e9
        self.late_ticks, self.chance, self.half_ticks, self.change = late_ticks, Random(seed), half_ticks, change

    def go(self, seconds: float) -> Run:
        windows, edges, flowed, pulses, tick = [], [(0, 0)], 0, 0, 0
        while tick < seconds * HZ:
            nwh = round(self.watts(tick / HZ) * WINDOW / HZ / 3600 * 1e9)
            windows.append((tick, tick + WINDOW, nwh))
            while nwh and flowed + nwh >= (pulses + 1) * self.true_nwh:
                pulses += 1
                at = tick + (pulses * self.true_nwh - flowed) / nwh * WINDOW
                edges.append((pulses, int(at) + LATENCY + self.chance.randint(0, self.late_ticks)))
            flowed += nwh
            tick += WINDOW
        edges = self.change(edges)
        for begin, end, nwh in windows:
            self.run.add_window(begin, end, nwh)
            while edges and edges[0][1] <= end:
                number, at = edges.pop(0)
                self.run.counted(Counted(number, at - self.half_ticks, at + self.half_ticks))
            if self.run.over:
                break
        return self.run


def test_states_follow_each_other() -> None:
    bench = Bench(planned(pulses=20))
    assert bench.run.state is State.WAITING
    states = {bench.run.state}
    run = bench.go(1.0)
    assert run.state is State.COUNTING
    assert run.progress.wanted == 20
    assert run.progress.seconds_left == pytest.approx((20 - run.progress.pulses) * 0.15 * 3600 / WATTS, rel=1e-3)
    states |= {run.state, Bench(planned(pulses=20)).go(10).state}
    assert states == {State.WAITING, State.COUNTING, State.DONE}


def test_a_clean_run_has_no_error_within_its_uncertainty() -> None:
    run = Bench(planned(), late_ticks=600).go(60)
    assert run.state is State.DONE
    assert abs(run.error_percent) <= run.budget.expanded_percent <= 0.0101
    assert run.faults == []


@pytest.mark.parametrize("percent", [0.5, -0.5, 0.05, -0.05, 20.0])
def test_a_wrong_constant_is_found_within_the_uncertainty(percent: float) -> None:
    told = Output("KYZ1", "kWh delivered", Fraction(3, 20) * (1 + Fraction(percent) / 100))
    run = Bench(planned(), told, late_ticks=600).go(60)
    assert run.error_percent == pytest.approx(percent, abs=run.budget.expanded_percent * (1 + abs(percent) / 100))
    assert run.faults == [], "it is an error of the constant, and no closure is missing"


def test_a_load_that_goes_up_and_down_makes_no_error() -> None:
    run = Bench(planned(pulses=40), watts=lambda s: 1000 + 900 * (int(s * 3) % 2)).go(60)
    assert run.state is State.DONE
    assert abs(run.error_percent) < 1e-4
    assert run.faults == []


def all_late(ticks: int) -> Callable[[list[tuple[int, int]]], list[tuple[int, int]]]:
    """Every edge so late, as by a relay; the first is where counting begins, and no edge."""
    return lambda edges: [(number, at + (ticks if number else 0)) for number, at in edges]


def test_edges_that_are_all_late_make_an_error_as_the_load_moves_and_the_interval_holds_it() -> None:
    """From 1 to 9 kW, that is 1.85 to 16.7 pulses a second, with every edge 0.9 ms late, as by a relay: 0.9 ms · 14.8/s
    are 0.013 pulses, of 20 0.07 %, and no edge scatters. At an even load it cancels."""

    moved = Bench(planned(pulses=20), watts=lambda s: min(9000, 1000 + 3000 * s), change=all_late(3000)).go(60)
    assert 0.03 < abs(moved.error_percent) <= moved.budget.expanded_percent < 0.12
    assert moved.faults == []
    even = Bench(planned(pulses=20), change=all_late(3000)).go(60)
    assert abs(even.error_percent) <= even.budget.expanded_percent < 0.001


def test_a_count_that_chooses_its_length_goes_on_until_the_load_that_moved_is_little_of_it() -> None:
    for late in (0, 1000, 3000):
        run = Bench(planned(), watts=lambda s: min(9000, 1000 + 3000 * s), change=all_late(late)).go(60)
        assert run.state is State.DONE
        assert abs(run.error_percent) <= run.budget.expanded_percent <= 0.0101


def lose(edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(n - (n > 12), at) for n, at in edges if n != 12]


def double(edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    again = [(n + (n > 12), at) for n, at in edges]
    return sorted([*again, (13, edges[12][1] + 20_000)])


@pytest.mark.parametrize(("change", "fault", "error"), [(lose, Fault.MISSED, -1), (double, Fault.DOUBLED, 1)])
def test_a_closure_lost_or_doubled_is_named_and_is_in_the_error(
    change: Callable[[list[tuple[int, int]]], list[tuple[int, int]]], fault: Fault, error: int
) -> None:
    run = Bench(planned(pulses=50), change=change).go(60)
    (found,) = run.faults
    assert found.fault is fault
    assert found.after == 11 if fault is Fault.MISSED else 12
    assert found.from_s < 12 * 0.15 * 3600 / WATTS + 0.12 + 0.03 <= found.to_s + Fraction(1, 4)
    comparison = run.repeats[0].comparison
    assert round(comparison.reference_wh / Fraction(3, 20)) == comparison.pulses - error


def test_a_counter_that_stops_in_mid_count_stops_it() -> None:
    run = Bench(planned(pulses=100), change=lambda edges: edges[:15]).go(60)
    assert run.state is State.STOPPED
    (fault,) = run.faults
    assert (fault.fault, fault.after) == (Fault.MISSED, 14)
    assert fault.count >= 3
    assert run.repeats[0].comparison.pulses == 13


def test_without_a_load_there_is_no_count() -> None:
    with pytest.raises(CountLost, match=r"no kWh delivered has flowed in 10 s: put a load on"):
        Bench(planned(pulses=10), watts=lambda s: 0).go(60)


def test_a_counter_that_is_not_connected_has_nothing() -> None:
    with pytest.raises(CountLost, match="the counter has counted nothing: see to its wiring"):
        Bench(planned(pulses=10), change=lambda edges: edges[:1]).go(60)


def test_a_counter_that_goes_back_was_reset_or_rolled_over() -> None:
    def roll(edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return [((n + (1 << 32) - 10) % (1 << 32), at) for n, at in edges]

    with pytest.raises(CountLost, match=r"has 0 pulses and had 4294967295: it was reset, or rolled over"):
        Bench(planned(pulses=50), change=roll).go(60)


def test_repeats_follow_each_other_and_their_mean_is_better_known() -> None:
    once = Bench(planned(pulses=20), late_ticks=3000).go(60)
    run = Bench(planned(pulses=20, repeats=9), late_ticks=3000).go(120)
    assert [repeat.comparison.pulses for repeat in run.repeats] == [20] * 9
    assert run.budget.expanded_percent < once.budget.expanded_percent
    assert run.error_percent == pytest.approx(sum(run.errors_percent) / 9)


def test_a_counter_that_is_read_now_and_then_has_instants_that_are_less_known() -> None:
    """Read 20 times a second: each edge is known to ±25 ms, so over T seconds √2 · 25 ms/√3 / T, twice that with k."""
    run = Bench(planned(pulses=100), half_ticks=HZ // 40).go(60)
    repeat = run.repeats[0]
    assert run.budget.expanded_percent == pytest.approx(200 * 2**0.5 * 0.025 / 3**0.5 / repeat.seconds, rel=1e-3)


def test_the_stated_interval_holds_the_truth_in_95_of_100() -> None:
    """Edges late by 0 to 1.2 ms, as a host makes them. Of 100 runs 95 ± 6.6 are three standard deviations."""
    inside = 0
    for seed in range(100):
        run = Bench(planned(pulses=20), late_ticks=4000, seed=seed).go(7)
        inside += abs(run.error_percent) <= run.budget.expanded_percent
    assert inside >= 88


@pytest.mark.slow
def test_the_stated_interval_holds_the_truth_in_95_of_100_of_a_thousand() -> None:
    """The issue's figure: 95 ± 2 %. No false alarm in any."""
    inside = 0
    for seed in range(1000):
        run = Bench(planned(pulses=60), late_ticks=4000, seed=seed).go(16)
        inside += abs(run.error_percent) <= run.budget.expanded_percent
        assert run.faults == []
    assert 0.93 <= inside / 1000 <= 0.97


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"pulses": 10, "seconds": 3}, "--pulses and --seconds both say how long"),
        ({"pulses": 1}, "it must be 2 to"),
        ({"pulses": 10**7}, "it must be 2 to"),
        ({"seconds": -1.0}, "--seconds is -1, it must be more than 0"),
        ({"seconds": float("nan")}, "must be more than 0"),
        ({"limit_percent": 0.0}, "--limit is 0"),
        ({"uncertainty_percent": float("inf")}, "--uncertainty is inf"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(asked: dict[str, float], why: str) -> None:
    with pytest.raises(VerifyError, match=why):
        planned(**asked)


def test_how_long_is_chosen_from_the_load() -> None:
    """4.35 pulses a second: 20 s have 87, 1.5 Wh has 10; 0.001 % with 1 ms/√3 a side wants 4.35 · 163 s of them."""
    rate = WATTS / 3600 / 0.15
    assert planned(seconds=20).pulses_of(Fraction(3, 20), rate, 1e-3) == 87
    assert planned(energy_wh=Fraction(3, 2)).pulses_of(Fraction(3, 20), rate, 1e-3) == 10
    needed = planned(uncertainty_percent=0.001).pulses_of(Fraction(3, 20), rate, 1e-3 / 3**0.5)
    assert needed == pytest.approx(2 * 2**0.5 * 1e-3 / 3**0.5 / 1e-5 * rate, abs=1)
    with pytest.raises(VerifyError, match="1e\\+09 s have 4351851851 pulses, more than 1000000: ask for less"):
        planned(seconds=1e9).pulses_of(Fraction(3, 20), rate, 1e-3)
    with pytest.raises(VerifyError, match="more than 1000000"):
        planned(uncertainty_percent=1e-9).pulses_of(Fraction(3, 20), rate, 1e-3)


def test_the_computers_clock_is_put_on_the_timeline() -> None:
    clock = TimelineClock(Fraction(HZ))
    clock.compare(1000, 0, 2_000_000)
    clock.compare(1000 + HZ, 1_000_000_000, 1_000_500_000)
    first = clock.placed(Counted(1, 1_000_000, 1_000_000))
    assert (first.earliest, first.latest, first.comparison, first.clock) == (1000, 1000, 0, 3333)
    then = clock.placed(Counted(2, 1_000_250_000, 1_000_250_000 + 3_000_000, slack=300_000))
    assert (then.earliest, then.latest, then.slack) == (1000 + HZ, 1000 + HZ + 9999, 999)
    assert (then.comparison, then.clock) == (1, 833)
