"""The meter's clock: forward only, at the crystal's exact rate, slewed gently to another clock (T-1, S-3)."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateware.registers import TICK_BITS
from rig.meter.billing.time_units import SECOND_NS
from rig.meter.clock import SLEW, STEP_NS, MeterClock, Point, tick_at

BOARD = Fraction(10_000_000, 3)
"""The ULX3S: 300 ns a tick."""

T0 = 1_767_225_600 * SECOND_NS
RATES = st.sampled_from([BOARD, Fraction(3_375_000), Fraction(256), Fraction(10**9, 7)])
STARTS = st.sampled_from([0, 12_345, 2**TICK_BITS - 1000, 2**TICK_BITS, 3 * 2**TICK_BITS + 7])
WINDOWS = st.lists(st.integers(0, 10**6), min_size=1, max_size=40)


@given(RATES, STARTS, WINDOWS)
def test_without_another_clock_the_time_is_that_of_the_ticks_however_they_come(rate, start, windows):
    clock, tick = MeterClock(rate, start, T0), start
    for ticks in windows:
        tick += ticks
        assert clock.advance(tick) == T0 + (tick - start) * SECOND_NS * rate.denominator // rate.numerator


@given(RATES, STARTS, st.lists(st.tuples(st.integers(1, 10**6), st.integers(-STEP_NS, STEP_NS)), min_size=1))
def test_slewed_it_never_goes_back_nor_faster_or_slower_than_the_limit(rate, start, steps):
    """Whatever the other clock says at each window, and each portion begins where the last one ended."""
    clock, tick = MeterClock(rate, start, T0), start
    before = T0
    for ticks, off in steps:
        passed = ticks * SECOND_NS / rate
        tick += ticks
        now = clock.advance(tick)
        assert clock.advance(tick) == now, "no time passes without ticks"
        assert now >= before
        assert abs((now - before) - passed) <= passed / SLEW + 1
        assert clock.compare(tick, now + off) is None
        before = now


@given(st.integers(-STEP_NS, STEP_NS), st.integers(10**4, 10**6))
def test_a_small_difference_is_slewed_away_and_no_more(off, window):
    """To the last ns, in SLEW times the difference and a little: what a window may slew is rounded down to a ns."""
    clock, tick = MeterClock(BOARD, 0, T0), 0
    assert clock.compare(tick, T0 + off) is None
    window_ns = int(window / BOARD * SECOND_NS)
    # A last share and the rounding of each.
    windows = abs(off) // (window_ns // SLEW) + 2
    for _ in range(windows):
        tick += window
        now = clock.advance(tick)
    assert now == T0 + off + tick * 300
    assert clock.advance(tick + window) == T0 + off + (tick + window) * 300, "and then it goes at its own rate"


@pytest.mark.parametrize("ppm", [-200, -50, 0, 50, 200])
def test_a_crystal_that_is_off_stays_within_what_it_is_off_in_a_second(ppm):
    clock, tick = MeterClock(BOARD, 2**TICK_BITS - 10**6, T0), 2**TICK_BITS - 10**6
    begin, off = tick, []
    for window in range(1, 60 * 61):
        tick += 55_556  # 60 Hz
        true_ns = T0 + int((tick - begin) * 300 * (1 - Fraction(ppm, 10**6)))
        off.append(clock.advance(tick) - true_ns)
        if window % 60 == 0:
            assert clock.compare(tick, true_ns) is None
    assert max(map(abs, off)) <= abs(ppm) * 1000 * Fraction(61, 60) + 1


@pytest.mark.parametrize("off", [STEP_NS + 1, -STEP_NS - 1, 3600 * SECOND_NS, -40 * 365 * 86_400 * SECOND_NS])
@pytest.mark.parametrize("late", [0, 100_000])
def test_a_large_difference_is_for_the_meter_to_be_set(off, late):
    """What it is to be set to is of the last tick that was asked for, though the comparison came later."""
    clock = MeterClock(BOARD, 500, T0)
    clock.advance(10_500)
    now_ns = T0 + 10_000 * 300
    set_to = clock.compare(10_500 + late, now_ns + late * 300 + off)
    assert set_to == now_ns + off
    clock.set(set_to)
    assert clock.advance(10_500 + late) == set_to + late * 300
    assert clock.compare(10_500 + late, set_to + late * 300) is None


def test_the_last_comparison_counts():
    clock = MeterClock(BOARD, 0, T0)
    for off in (STEP_NS, -STEP_NS, 0):
        assert clock.compare(0, T0 + off) is None
    ends = [clock.advance(tick) for tick in range(0, 10**6, 10**5)]
    assert {b - a for a, b in pairwise(ends)} == {30_000_000}


def test_what_is_slewed_and_how_fast_in_plain_numbers():
    """A second or less (docs/metering.md), by 0.05 % of the time that passes: ten times what a poor crystal, 50 ppm, is
    off. So half a second takes 1000 s (review I-3)."""
    clock, second = MeterClock(Fraction(1_000_000), 0, T0), 1_000_000
    assert clock.compare(0, T0 + 500_000_000) is None
    assert clock.advance(10 * second) == T0 + 10_005_000_000
    assert clock.advance(999 * second) == T0 + 999_499_500_000
    assert clock.advance(1001 * second) == T0 + 1_001_500_000_000
    assert clock.compare(1001 * second, clock.advance(1001 * second) + 1_000_000_000) is None
    assert clock.compare(1001 * second, clock.advance(1001 * second) + 1_000_000_001) is not None


@pytest.mark.parametrize(
    ("utc_ns", "tick"),
    [(-5, 100), (0, 100), (1, 101), (33, 101), (34, 102), (67, 103), (100, 103), (101, 103)],
)
def test_an_instant_has_come_by_the_next_whole_tick(utc_ns, tick):
    """Three ticks in 100 ns: 33.3 and 66.7 ns. Before the first point and after the last it is theirs."""
    assert tick_at([Point(100, 0), Point(103, 100)], utc_ns) == tick
