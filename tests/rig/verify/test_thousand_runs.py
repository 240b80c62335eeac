"""A thousand runs of each counter: no false alarm, each planted fault found, intervals that hold the truth in 95 ± 2 %.

The ordinary suite has a few of each, `make proof` all. Runs come from one long one (count_bench.py), through the code
of `rig verify`. Edges are late by up to 1.2 ms.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from random import Random

import msgspec
import pytest

from calibration.budget import Component
from rig.results.provenance import Provenance, provenance_of_computation
from rig.verify.closures import Fault
from rig.verify.consistency import contradictions
from rig.verify.errors import VerifyError
from rig.verify.frequency import FrequencyRun
from rig.verify.frequency_result import frequency_verification
from rig.verify.plan import Plan
from rig.verify.result import Verification, verification
from rig.verify.run import Output, Run, Timeline
from tests.rig.verify.count_bench import (
    CONSTANT_WH,
    HZ,
    KYZ1,
    LATENCY,
    Change,
    Edge,
    LongRun,
    frequency_run_of,
    run_of,
    unchanged,
)

COUNTERS = ("fpga", "gpio", "totaliser")
PULSES = 40
SECONDS = 5.0
"""At 7.2 kW a pulse of 0.15 Wh comes each 75 ms, give or take a tenth."""

FEW = 25
SIZES = [pytest.param(FEW), pytest.param(1000, marks=pytest.mark.slow)]


@cache
def long_run(true: Fraction = Fraction(1), seconds: float = 900.0) -> LongRun:
    return LongRun(seconds, 20, true=true)


@cache
def even_run(true: Fraction) -> LongRun:
    return LongRun(900.0, 22, swing=0.005, true=true)


@cache
def slow_run(true: Fraction, watts: float = 540.0) -> LongRun:
    """A pulse a second, for counters that are read: minutes go by until two readings are known well enough."""
    return LongRun(1500.0, 23, watts=watts, true=true, cycles=60)


@cache
def provenance() -> Provenance:
    return provenance_of_computation("exact", "abc")


def verified(
    kind: str,
    seed: int,
    *,
    plan: Plan | None = None,
    seconds: float = SECONDS,
    change: Change = unchanged,
    true: Fraction = Fraction(1),
    output: Output = KYZ1,
) -> Verification:
    """The result of a run, as `rig verify` makes it; without a plan closures alone decide, as the limit is wide."""
    plan = Plan(pulses=PULSES, limit_percent=50.0) if plan is None else plan
    run = run_of(kind, long_run(true), plan, seed, seconds, change, output)
    assert run.over, f"seed {seed} ended {run.state}"
    found = verification(run, kind, "meter", provenance())
    assert list(contradictions(found)) == []
    return found


@pytest.mark.parametrize("runs", SIZES)
@pytest.mark.parametrize("kind", COUNTERS)
def test_clean_runs_have_no_false_alarm_and_intervals_that_hold_the_truth(kind: str, runs: int) -> None:
    """95 ± 2 of 100, the issue's figure; of 25 runs no fewer than 20."""
    found = [verified(kind, seed) for seed in range(runs)]
    assert [each.reasons for each in found if not each.passed] == []
    inside = sum(abs(each.error_percent) <= each.uncertainty_percent for each in found)
    assert inside >= 20
    if runs > FEW:
        assert 0.93 <= inside / runs <= 0.97, f"{inside} of {runs}"


# --- a constant that is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize("runs", [pytest.param(5), pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["fpga", "gpio"])
def test_a_constant_error_of_0_05_percent_fails_whenever_it_is_there_and_never_when_not(kind: str, runs: int) -> None:
    """As long as it takes for the uncertainty that is wanted when nothing else is asked for: a third of 0.03 %."""
    for seed in range(runs):
        wrong = verified(kind, seed, plan=Plan(), seconds=25.0, true=Fraction(10_005, 10_000))
        assert not wrong.passed, f"seed {seed}: {wrong.error_percent:+.4f} ± {wrong.uncertainty_percent:.4f}"
        assert wrong.error_percent == pytest.approx(-0.05, abs=0.02)
        assert wrong.kyz_order_errors == []
        right = verified(kind, seed, plan=Plan(), seconds=25.0)
        assert right.passed, f"seed {seed}: {right.reasons}"


@pytest.mark.parametrize("runs", [pytest.param(3), pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("share", [Fraction(10_005, 10_000), Fraction(1)], ids=["wrong", "right"])
def test_a_constant_error_of_0_05_percent_fails_by_a_totaliser_in_as_long_as_it_chooses(
    share: Fraction, runs: int
) -> None:
    """It has no stamps: of a reading every 55 ms or so, half is 28 ms, and k √2 · 28 ms / (√3 T) = 0.01 % takes
    T = 457 s; edges that are late by up to 1.2 ms add little."""
    for seed in range(runs):
        run = run_of("totaliser", slow_run(share), Plan(), seed, 700.0)
        assert run.over
        found = verification(run, "totaliser", "meter", provenance())
        assert 400 < found.seconds < 600
        assert found.uncertainty_percent <= 0.01
        assert found.passed is (share == 1), f"seed {seed}: {found.reasons}"
        assert found.error_percent == pytest.approx(float(100 / share - 100), abs=0.02)
        assert found.kyz_order_errors == []


@pytest.mark.slow
@pytest.mark.parametrize("share", [Fraction(10_005, 10_000), Fraction(1)], ids=["wrong", "right"])
def test_a_totaliser_that_sees_13_pulses_a_second_chooses_as_long(share: Fraction) -> None:
    """The middles of two readings are multiples of 55 ms apart, of which none is a pulse: gaps show no scatter."""
    for seed in range(50):
        run = run_of("totaliser", long_run(share), Plan(), seed, 700.0)
        assert run.over
        found = verification(run, "totaliser", "meter", provenance())
        assert 400 < found.seconds < 600
        assert found.passed is (share == 1), f"seed {seed}: {found.reasons}"
        assert found.kyz_order_errors == []


@pytest.mark.parametrize("runs", [pytest.param(5), pytest.param(1000, marks=pytest.mark.slow)])
def test_a_constant_error_of_0_05_percent_fails_by_frequency_in_as_long_as_it_chooses(runs: int) -> None:
    """On an even load: crystals of 50 ppm are 0.0058 % of it, the scatter of gates lessens to the rest."""
    for seed in range(runs):
        for share in (Fraction(10_005, 10_000), Fraction(1)):
            run = frequency_run_of(even_run(share), Plan(), seed, 600.0)
            assert run.over
            found = frequency_verification(run, "frequency", "meter", provenance())
            assert found.uncertainty_percent <= 0.01
            assert found.passed is (share == 1), f"seed {seed}: {found.reasons}"
            assert found.error_percent == pytest.approx(float(100 / share - 100), abs=0.02)


@pytest.mark.parametrize("runs", SIZES)
@pytest.mark.parametrize("kind", COUNTERS)
@pytest.mark.parametrize("kp", [Fraction(9, 80), Fraction(33, 200)])
def test_a_wrong_kp_fails_and_is_no_missing_closure(kind: str, runs: int, kp: Fraction) -> None:
    """The label says 25 % less, or 10 % more: 0.1125 and 0.165 Wh for 0.15 Wh."""
    for seed in range(runs):
        wrong = verified(kind, seed, plan=Plan(pulses=PULSES, limit_percent=3.0), output=replace(KYZ1, constant_wh=kp))
        assert not wrong.passed
        assert wrong.error_percent == pytest.approx(float(100 * (kp / CONSTANT_WH - 1)), abs=3.0)
        assert wrong.kyz_order_errors == [], f"seed {seed}: {wrong.reasons}"


@pytest.mark.parametrize("runs", SIZES)
def test_intervals_of_a_frequency_counter_hold_the_truth(runs: int) -> None:
    """Eleven gates of a second, on a load that swings by a tenth with each cycle."""
    inside = 0
    for seed in range(runs):
        run = frequency_run_of(long_run(), Plan(seconds=12.0, limit_percent=50.0), seed, 20.0)
        found = frequency_verification(run, "frequency", "meter", provenance())
        assert found.passed, f"seed {seed}: {found.reasons}"
        assert list(contradictions(msgspec.structs.replace(found, counter="frequency:a"))) == []
        inside += abs(found.error_percent) <= found.uncertainty_percent
    assert inside >= 20
    if runs > FEW:
        assert 0.93 <= inside / runs <= 0.97, f"{inside} of {runs}"


@pytest.mark.parametrize("runs", [pytest.param(2), pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("crystal", [1e-4, -1e-4])
def test_a_counter_whose_time_base_is_0_01_percent_off_is_known_by_its_certificate(crystal: float, runs: int) -> None:
    """Without it crystals of 50 ppm and the scatter make ±0.01 %, which half of all runs would be beyond."""
    plan, certificate = Plan(seconds=100.0, limit_percent=0.06), (Component("certificate of the counter", 0.02 / 2),)
    for seed in range(runs):
        run = frequency_run_of(even_run(Fraction(1)), plan, seed, 110.0, crystal=crystal, lasting=certificate)
        found = frequency_verification(run, "frequency", "meter", provenance())
        assert found.error_percent == pytest.approx(100 * crystal, abs=0.02)
        assert abs(found.error_percent) <= found.uncertainty_percent
        assert 0.02 < found.uncertainty_percent <= 0.03
        assert found.passed


def test_an_uncertainty_that_crystals_alone_exceed_is_refused_at_once() -> None:
    """Two crystals of 50 ppm: 2 · 0.005 / √3 = 0.0058 %; with a certificate of 0.02 % it is 0.0208 %."""
    certificate = (Component("certificate of the counter", 0.02 / 2),)
    for wanted, lasting in ((0.005, ()), (0.0057, ()), (0.02, certificate)):
        with pytest.raises(
            VerifyError, match=r"cannot be reached, as crystals and certificates alone make 0\.0(058|208) %"
        ):
            FrequencyRun(KYZ1, Plan(uncertainty_percent=wanted), Timeline(HZ, LATENCY), lasting=lasting)
    with pytest.raises(VerifyError, match="alone make 0\\.0200 %"):
        Run(KYZ1, Plan(uncertainty_percent=0.02), Timeline(HZ, LATENCY), lasting=certificate)
    FrequencyRun(KYZ1, Plan(uncertainty_percent=0.006), Timeline(HZ, LATENCY))
    FrequencyRun(KYZ1, Plan(limit_percent=0.001), Timeline(HZ, LATENCY))


@pytest.mark.parametrize("runs", [pytest.param(3), pytest.param(300, marks=pytest.mark.slow)])
def test_a_constant_error_of_0_1_percent_fails_by_frequency(runs: int) -> None:
    """On an even load, until its uncertainty is 0.02 %: the limit of 0.06 % is passed without it and not with it."""
    plan = Plan(limit_percent=0.06)
    for seed in range(runs):
        for true, passed in ((Fraction(1001, 1000), False), (Fraction(1), True)):
            run = frequency_run_of(even_run(true), plan, seed, 60.0)
            assert run.over
            found = frequency_verification(run, "frequency", "meter", provenance())
            assert found.passed is passed, f"seed {seed}: {found.error_percent:+.4f} ± {found.uncertainty_percent:.4f}"


# --- closures --------------------------------------------------------------------------------------------------


def place(edges: list[Edge], chance: Random) -> int:
    """Somewhere in the count, with a closure before it and one after."""
    return chance.randrange(4, min(PULSES, len(edges)) - 6)


def lost(edges: list[Edge], chance: Random) -> list[Edge]:
    at = place(edges, chance)
    return edges[:at] + edges[at + 1 :]


def doubled(edges: list[Edge], chance: Random) -> list[Edge]:
    """A contact that bounces: it closes again 5 ms later."""
    at = place(edges, chance)
    again = replace(edges[at], tick=edges[at].tick + 0.005 * float(HZ))
    return [*edges[: at + 1], again, *edges[at + 1 :]]


def swapped(edges: list[Edge], chance: Random) -> list[Edge]:
    """From somewhere on K–Y and K–Z are exchanged."""
    at = place(edges, chance)
    return edges[:at] + [replace(edge, closes_y=not edge.closes_y) for edge in edges[at:]]


def debounced(edges: list[Edge], chance: Random) -> list[Edge]:
    """A counter that is deaf for 74.5 ms after each edge: half of the pulses come sooner after the last."""
    heard: list[Edge] = []
    for edge in edges:
        if not heard or edge.tick - heard[-1].tick > 0.0745 * float(HZ):
            heard.append(edge)
    return heard


FAULTS: dict[str, tuple[Change, Fault, tuple[str, ...]]] = {
    "lost": (lost, Fault.MISSED, COUNTERS),
    "doubled": (doubled, Fault.DOUBLED, COUNTERS),
    "swapped": (swapped, Fault.SWAPPED, ("gpio",)),
    "debounced": (debounced, Fault.MISSED, COUNTERS),
}


@pytest.mark.parametrize("runs", SIZES)
@pytest.mark.parametrize(("fault", "kind"), [(name, kind) for name, (_, _, kinds) in FAULTS.items() for kind in kinds])
def test_every_planted_fault_is_found_by_its_kind(fault: str, kind: str, runs: int) -> None:
    change, expected, _ = FAULTS[fault]
    for seed in range(runs):
        found = verified(kind, seed, change=change, seconds=8.0 if fault == "debounced" else SECONDS)
        assert not found.passed, f"seed {seed}"
        kinds = {error.fault for error in found.kyz_order_errors}
        assert expected.value in kinds, f"seed {seed}: {found.reasons}"
        if fault in ("lost", "doubled", "swapped"):
            assert [(error.fault, error.count) for error in found.kyz_order_errors] == [(expected.value, 1)], (
                f"seed {seed}"
            )


def cut(edges: list[Edge], at: int, count: int = 1) -> list[Edge]:
    return edges[:at] + edges[at + count :]


def bounced(edges: list[Edge], at: int, seconds: float) -> list[Edge]:
    again = replace(edges[at], tick=edges[at].tick + seconds * float(HZ))
    return [*edges[: at + 1], again, *edges[at + 1 :]]


def a_cycle_lost(edges: list[Edge], chance: Random) -> list[Edge]:
    """Both closures of a K–Y and K–Z in turn: the order of contacts stays right."""
    return cut(edges, place(edges, chance), 2)


def bounced_for_half_a_millisecond(edges: list[Edge], chance: Random) -> list[Edge]:
    return bounced(edges, place(edges, chance), 0.0005)


def lost_and_doubled(edges: list[Edge], chance: Random) -> list[Edge]:
    """The count is right in the end."""
    first, second = chance.sample(range(4, PULSES - 6), 2)
    if abs(first - second) < 3:
        second = first + 3 if first < PULSES // 2 else first - 3
    if first < second:
        return bounced(cut(edges, first), second, 0.005)
    return cut(bounced(edges, second, 0.005), first + 1)


def the_last_lost(edges: list[Edge], chance: Random) -> list[Edge]:
    """The closure that would have ended the count."""
    return cut(edges, PULSES)


def lost_as_contacts_were_exchanged(edges: list[Edge], chance: Random) -> list[Edge]:
    """The one that is lost is the first that would have come on the wrong contact."""
    at = place(edges, chance)
    return cut(edges[:at] + [replace(edge, closes_y=not edge.closes_y) for edge in edges[at:]], at)


def both_edges(edges: list[Edge], chance: Random) -> list[Edge]:
    """A counter that counts the beginning of a pulse and its end, 30 ms later."""
    return [each for edge in edges for each in (edge, replace(edge, tick=edge.tick + 0.03 * float(HZ)))]


SIBLINGS: dict[str, tuple[Change, dict[str, int], tuple[str, ...]]] = {
    "a cycle lost": (a_cycle_lost, {"missed": 2}, COUNTERS),
    "bounced for 0.5 ms": (bounced_for_half_a_millisecond, {"doubled": 1}, COUNTERS),
    "lost and doubled": (lost_and_doubled, {"missed": 1, "doubled": 1}, COUNTERS),
    "the last lost": (the_last_lost, {"missed": 1}, COUNTERS),
    "lost as contacts were exchanged": (lost_as_contacts_were_exchanged, {"missed": 1, "swapped": 1}, ("gpio",)),
    "both edges": (both_edges, {"doubled": PULSES // 2}, ("fpga", "gpio")),
}


@pytest.mark.parametrize("runs", [pytest.param(4), pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("fault", "kind"), [(name, kind) for name, (_, _, kinds) in SIBLINGS.items() for kind in kinds]
)
def test_faults_at_an_end_or_two_at_once_are_found_each(fault: str, kind: str, runs: int) -> None:
    change, expected, _ = SIBLINGS[fault]
    for seed in range(runs):
        found = verified(kind, seed, change=change, seconds=8.0)
        assert not found.passed, f"seed {seed}"
        counts: dict[str, int] = {}
        for error in found.kyz_order_errors:
            counts[error.fault] = counts.get(error.fault, 0) + error.count
        if kind == "totaliser":  # of two that are lost between readings it is sure of one at least
            assert counts.keys() == expected.keys()
            assert all(1 <= count <= expected[fault] for fault, count in counts.items()), f"seed {seed}: {counts}"
        else:
            assert counts == expected, f"seed {seed}: {found.reasons}"


@pytest.mark.parametrize("runs", [pytest.param(4), pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", COUNTERS)
def test_a_closure_lost_under_a_wrong_constant_is_both(kind: str, runs: int) -> None:
    """The label says 0.1425 Wh, 5 % less, a pulse is 0.05 % more than it should be, and one of 41 does not come: 0.95 /
    1.0005 · 40 / 41 are −7.36 %."""
    label = replace(KYZ1, constant_wh=Fraction(1425, 10_000))
    for seed in range(runs):
        plan = Plan(pulses=PULSES, limit_percent=50.0)
        found = verified(kind, seed, plan=plan, change=lost, true=Fraction(10_005, 10_000), output=label, seconds=8.0)
        faults = [(error.fault, error.count) for error in found.kyz_order_errors]
        assert ("missed", 1) in faults, f"seed {seed}"
        assert kind == "totaliser" or len(faults) == 1, f"seed {seed}: {faults}"  # whose level drifts meanwhile
        assert found.error_percent == pytest.approx(-7.36, abs=found.uncertainty_percent + 0.03)
        assert not found.passed


FORM_C = {
    "lost": {"missed": 2, "both closed": 1},
    "doubled": {"both closed": 1},
    "swapped": {"missed": 1, "both closed": 1},
}
"""What the FPGA's counter makes of each: a contact that closes twice running does not count."""


@pytest.mark.parametrize("runs", SIZES)
@pytest.mark.parametrize("fault", [None, *FORM_C])
def test_faults_of_a_form_c_are_found_by_the_fpga_too(fault: str | None, runs: int) -> None:
    change = unchanged if fault is None else FAULTS[fault][0]
    for seed in range(runs):
        found = verified("form c", seed, change=change)
        counts = {each.fault: each.count for each in found.kyz_order_errors}
        assert counts == FORM_C.get(fault or "", {}), f"seed {seed}"
        assert found.passed is (fault is None)


@pytest.mark.slow
@pytest.mark.parametrize("kind", COUNTERS)
def test_one_pulse_lost_in_ten_thousand_is_found_where_it_was(kind: str) -> None:
    gone: list[int] = []

    def lose(edges: list[Edge], chance: Random) -> list[Edge]:
        at = chance.randrange(100, 9900)
        gone.append(at)
        return edges[:at] + edges[at + 1 :]

    plan = Plan(pulses=10_000, limit_percent=0.03)
    run = run_of(kind, LongRun(800.0, 21), plan, 5, 790.0, lose)
    assert run.over
    found = verification(run, kind, "meter", provenance())
    (error,) = found.kyz_order_errors
    assert (error.fault, error.count) == ("missed", 1)
    assert 0 <= gone[0] - error.after <= (10 if kind == "totaliser" else 0)
    assert found.error_percent == pytest.approx(-0.01, abs=found.uncertainty_percent + 0.001)
    assert not found.passed
