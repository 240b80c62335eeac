"""Error and registration against numbers worked out by hand, and energy by tick against a sum over single ticks."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.verify.comparison import Comparison
from rig.verify.errors import CountLost, VerifyError
from rig.verify.flow import Flow


def test_a_hundred_pulses_of_1_8_wh_over_a_reference_of_180_wh_are_right() -> None:
    found = Comparison(100, Fraction(9, 5), Fraction(180))
    assert (found.energy_wh, found.error_percent, found.registration_percent) == (180, 0, 100)


def test_a_reference_that_is_less_makes_the_error_positive() -> None:
    """1005 Wh over 1000 Wh: +0.5 %."""
    assert Comparison(1005, Fraction(1), Fraction(1000)).error_percent == Fraction(1, 2)
    assert Comparison(995, Fraction(1), Fraction(1000)).registration_percent == Fraction(199, 2)


@pytest.mark.parametrize("reference", [0, -3])
def test_without_energy_by_the_reference_there_is_no_error(reference: int) -> None:
    with pytest.raises(VerifyError, match="must be more than 0: see that the load is on"):
        Comparison(12, Fraction(9, 5), Fraction(reference))


@given(
    windows=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6), st.integers(0, 1000)), min_size=1, max_size=8),
    tick=st.integers(0, 80),
)
def test_what_had_flowed_is_the_sum_of_what_flows_each_tick(windows: list[tuple[int, int, int]], tick: int) -> None:
    flow, now, each = Flow(), 0, [Fraction(0)] * 100
    for pause, length, nwh in windows:
        flow.add(now + pause, now + pause + length, nwh)
        for k in range(now + pause, now + pause + length):
            each[k] = Fraction(nwh, length)
        now += pause + length
    first = windows[0][0]
    if tick < first:
        if tick <= now:
            with pytest.raises(CountLost, match="is not known"):
                flow.at(tick)
    elif tick > now:
        assert flow.at(tick) is None
    else:
        assert flow.at(tick) == sum(each[:tick])
    assert flow.total_nwh == sum(nwh for _, _, nwh in windows)


def test_what_is_known_is_bounded_and_says_so() -> None:
    flow = Flow(kept=3)
    assert (flow.begin_tick, flow.end_tick, flow.at(0)) == (None, None, None)
    for k in range(5):
        flow.add(10 * k, 10 * k + 10, 100)
    assert flow.at(45) == 450
    for tick, why in ((5, "is not known"), (25, "known no longer")):
        with pytest.raises(CountLost, match=why):
            flow.at(tick)


@pytest.mark.parametrize(("begin", "end"), [(5, 15), (20, 20), (20, 19)])
def test_a_window_that_does_not_follow_is_refused(begin: int, end: int) -> None:
    flow = Flow()
    flow.add(0, 10, 1)
    with pytest.raises(ValueError, match="does not follow"):
        flow.add(begin, end, 1)
