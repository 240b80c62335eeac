"""Thermal demand against closed forms and the exact convolution.

Limits: 1e-12 of the highest it has been for float arithmetic, 1 nW for the rounding of what is shown, 3600 ln 10 / T nW
for energy in whole nWh.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import zip_longest

import pytest
from demand_bench import HOUR, MINUTE, RATES, SECOND, WINDOW, Bench, amounts, courses, do, loads, of
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing.maxima import Maximum

LN10 = math.log(10)


def quantum(response_s: int) -> float:
    """What energy in whole nWh can do to thermal demand, in nW."""
    return 3600 * LN10 / response_s


@pytest.mark.parametrize("window", [WINDOW, SECOND, 7 * SECOND, MINUTE, HOUR])
def test_thermal_step_shows_90_percent_in_one_response_time_and_99_in_two(window):
    bench = Bench(of("thermal:15"))
    while bench.now < 45 * MINUTE:
        span = min(window, 45 * MINUTE - bench.now)
        bench.flow(span, (2 * span, span))  # 7.2 kW and 3.6 kvar, exactly
    for (at, demands), share in zip(bench.ends, (0.9, 0.99, 0.999), strict=True):
        assert demands == pytest.approx((7.2e12 * share, 3.6e12 * share), rel=1e-12), at
    bench.outage(15 * MINUTE)
    assert bench.ends[-1][1] == pytest.approx((7.2e12 * 0.0999, 3.6e12 * 0.0999), rel=1e-12)
    assert bench.registers.maximum(0).value == pytest.approx(7.2e12 * 0.999, rel=1e-12)
    assert bench.registers.maximum(0).at_ns == 45 * MINUTE


def test_thermal_ramp_in_windows_of_a_cycle():
    """P = a·t gives D = a·(t − τ(1 − e^(−t/τ))).

    In a window of h the mean power stands for the ramp: its energy is at most a·h²/8 behind, which D shows as at most
    a·h²/(8τ): 1e-10 of D after one τ.
    """
    response_s, window_s = 15 * 60, WINDOW / SECOND
    tau, a = response_s / LN10, 1e13 / response_s  # s, nW per s
    behind = a * window_s**2 / (8 * tau) + quantum(response_s) + 1
    bench, energy = Bench(of("thermal:15")), 0
    slope = Fraction(10**13, 15 * MINUTE)
    for n in range(1, 2 * 900 * SECOND // WINDOW):
        upto = math.floor(slope * (n * WINDOW) ** 2 / 2 / HOUR)
        bench.flow(WINDOW, (upto - energy, 0))
        energy = upto
        if n % 2500 == 0:
            t = n * window_s
            exact = a * (t - tau * -math.expm1(-t / tau))
            assert abs(bench.registers.present(0) - exact) <= behind + 1e-12 * exact
            assert t < tau or behind < 1e-9 * exact


pieces = st.lists(
    st.tuples(st.integers(WINDOW, HOUR), st.integers(0, 10**13), st.integers(0, 10**13)), min_size=1, max_size=12
)


def convolved(loads: list[tuple[int, int]], response_s: int) -> Decimal:
    """Thermal demand after loads of (span in ns, energy in nWh), as the sum of each one's exact response: 40 digits."""
    with localcontext() as context:
        context.prec = 40
        per_ns = Decimal(10).ln() / (response_s * SECOND)
        total, since = Decimal(0), 0
        for span, energy in reversed(loads):
            power = Decimal(energy) * HOUR / span
            total += power * ((-since * per_ns).exp() - (-(since + span) * per_ns).exp())
            since += span
        return total


@given(pieces, st.sampled_from([1, 15, 60]))
def test_thermal_demand_is_the_convolution_of_the_load(loads, minutes):
    """Any piecewise constant load, in windows from 17 ms to an hour."""
    registers, now = of(f"thermal:{minutes}"), 0
    state, highest = registers.state.thermal, [0.0, 0.0]
    assert state is not None
    for span, wh, varh in loads:
        registers.take(amounts(wh, varh), now, now + span, 0)
        now += span
        highest = list(map(max, highest, state.levels))
    for q in (0, 1):
        exact = float(convolved([(load[0], load[1 + q]) for load in loads], minutes * 60))
        assert abs(state.levels[q] - exact) <= 1e-12 * highest[q]
        assert registers.present(q) == round(state.levels[q])


def test_thermal_demand_does_not_stick_short_of_its_load():
    """Within 3e-12 of the load, a window of 17 ms moves it by less than a float of its size can: it must get on all
    the same, to a tenth of that in one response time."""
    registers, response = of("thermal:30"), 30 * MINUTE
    registers.take(amounts(2 * 23 * response // 2), 0, 23 * response // 2, 0)  # 10^−11.5 short of 7.2 kW
    state, now = registers.state.thermal, 23 * response // 2
    assert state is not None
    assert 1 - state.levels[0] / 7.2e12 == pytest.approx(10**-11.5, rel=1e-3)
    for _ in range(response // WINDOW):
        registers.take(amounts(2 * WINDOW), now, now + WINDOW, 0)
        now += WINDOW
    assert 1 - state.levels[0] / 7.2e12 < 4e-13


@given(loads, st.integers(2, 50), st.sampled_from([1, 15, 60]))
def test_splitting_windows_changes_thermal_demand_by_less_than_1e_12(loads, parts, minutes):
    whole, split, now = of(f"thermal:{minutes}"), of(f"thermal:{minutes}"), 0
    assert whole.continuous
    for span, wh, varh, rate in loads:
        whole.take(amounts(wh * parts, varh * parts), now, now + span * parts, rate)
        for part in range(parts):
            split.take(amounts(wh, varh), now + part * span, now + (part + 1) * span, rate)
        now += span * parts
    for q in (0, 1):
        limit = 1e-12 * whole.maximum(q).value + 1
        for bin in range(1 + RATES):
            assert abs(split.maximum(q, bin).value - whole.maximum(q, bin).value) <= limit
            assert abs(split.present(q, bin) - whole.present(q, bin)) <= limit


@given(loads, st.data())
def test_thermal_demand_of_energy_split_in_whole_nwh(loads, data):
    whole, split = Bench(of("thermal:60")), Bench(of("thermal:60"))
    for span, wh, varh, rate in loads:
        whole.flow(span, (wh, varh), rate)
        split.flow(span, (wh, varh), rate, tuple(sorted(data.draw(st.sets(st.integers(1, span), max_size=5)))))
    # The whole is itself cut at boundaries, so the allowance is for both.
    for q in (0, 1):
        limit = 1e-12 * whole.registers.maximum(q).value + 1 + 2 * quantum(3600)
        assert abs(split.registers.present(q) - whole.registers.present(q)) <= limit


class Lag:
    """What thermal registers must show of the first quantity: the sum of the responses to all loads so far."""

    def __init__(self, minutes: int, course: list[tuple]) -> None:
        self.per_ns, sub = LN10 / (minutes * MINUTE), minutes * MINUTE
        self.loads: list[tuple[int, int, float]] = []
        self.maxima = [0.0] * (1 + RATES)
        self.cumulative = [0.0] * (1 + RATES)
        highest, now = [0.0], 0  # of each interval
        for step in course:
            match step:
                case ("flow" | "outage", span, *flow):
                    end = now + span
                    while now < end:
                        start, now = now, min(end, (now // sub + 1) * sub)
                        if flow:
                            seen = self.demand(start)
                            self.loads.append((start, now, flow[0][0] * HOUR / span))
                            seen = max(seen, self.demand(now))
                            highest[-1] = max(highest[-1], seen)
                            for bin in (0, 1 + flow[1]):
                                self.maxima[bin] = max(self.maxima[bin], seen)
                        if now % sub == 0:
                            highest.append(0.0)
                case ("reset",):
                    self.cumulative = [c + m for c, m in zip(self.cumulative, self.maxima, strict=True)]
                    self.maxima = [self.demand(now), *[0.0] * RATES]
                    highest = [self.demand(now)]
                case ("cut",):
                    highest.append(self.demand(now))
        self.present = self.demand(now)
        self.peaks = sorted((h for h in highest if round(h)), reverse=True)[:5]

    def demand(self, t: int) -> float:
        return sum(
            power * math.exp((end - t) * self.per_ns) * -math.expm1((start - end) * self.per_ns)
            for start, end, power in self.loads
        )


@given(courses)
def test_thermal_registers_are_those_of_a_model_that_works_everything_out_anew(course):
    """Resets, rates and outages: one lag; what is highest in each rate is found wherever it is."""
    bench, model = Bench(of("thermal:5")), Lag(5, course)
    for step in course:
        do(bench, step)
    r = bench.registers
    limit = 1e-12 * r.continuous_cumulative(0) + 1 + quantum(300)
    assert abs(r.present(0) - model.present) <= limit
    for bin in range(1 + RATES):
        assert abs(r.maximum(0, bin).value - model.maxima[bin]) <= limit
        assert abs(r.cumulative(0, bin) - model.cumulative[bin]) <= limit * len(course)
        assert r.present(0, bin) == r.present(0)
    for value, exact in zip_longest((peak.value for peak in r.peaks()), model.peaks, fillvalue=0):
        assert abs(value - exact) <= limit
    if r.peaks():
        assert r.peaks()[0] == r.maximum(0)


def test_a_rate_that_begins_on_a_falling_thermal_demand_has_what_it_began_with():
    r = of("thermal:15")
    r.take(amounts(10**13), 0, 10 * MINUTE, 0)
    high = r.present(0)
    r.take(amounts(0), 10 * MINUTE, 12 * MINUTE, 1)
    assert r.present(0) < high
    assert r.maximum(0, 2) == Maximum(high, 10 * MINUTE, (0,))
    r.reset(12 * MINUTE)
    now = r.present(0)
    assert (r.maximum(0, 0).value, r.maximum(0, 1).value, r.maximum(0, 2).value) == (now, 0, 0)
    r.take(amounts(0), 12 * MINUTE, 13 * MINUTE, 1)
    assert (r.maximum(0, 0).value, r.maximum(0, 1).value, r.maximum(0, 2).value) == (now, 0, now)
