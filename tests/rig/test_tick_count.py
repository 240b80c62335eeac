"""The board's count judged by the clock: plain numbers for the ULX3S, 3 333 333.3 ticks a second."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.service.tick_count import TickCount, Verdict

TICK_HZ = Fraction(10_000_000, 3)
SECOND_NS = 10**9
WRAP = 1 << 48


def count(tick: int = 5_000_000_000) -> TickCount:
    found = TickCount(TICK_HZ)
    found.follow(tick % WRAP, 1_000 * SECOND_NS)
    return found


@pytest.mark.parametrize(
    ("tick", "after_s", "verdict"),
    [
        (5_000_000_000 + 3_333_333, 1, Verdict.RAN_ON),
        (5_000_000_000 + 3_333_333 + 66_000, 1, Verdict.RAN_ON),  # 19.8 ms: how long a comparison may take
        (5_000_000_000 + 3_333_333 + 70_000, 1, Verdict.JUMPED),  # 21 ms
        (5_000_000_000 + 8_000_000_000 + 3_900_000, 2400, Verdict.RAN_ON),  # 487 ppm in forty minutes
        (5_000_000_000 + 8_000_000_000 + 4_200_000, 2400, Verdict.JUMPED),  # 525 ppm
        (0, 1, Verdict.BEGAN_ANEW),
        (3_333_333, 1, Verdict.BEGAN_ANEW),
        (3_500_000, 1, Verdict.JUMPED),  # more than the second since
        (5_000_000_000, 1, Verdict.JUMPED),  # it stands still
        (5_000_000_000 - 1, 0, Verdict.RAN_ON),
        (WRAP - 1, 1, Verdict.JUMPED),
    ],
)
def test_verdicts(tick: int, after_s: int, verdict: Verdict) -> None:
    assert count().judge(tick, (1_000 + after_s) * SECOND_NS) is verdict


def test_a_count_that_wraps_ran_on() -> None:
    assert count(WRAP - 10).judge(3_333_323, 1_001 * SECOND_NS) is Verdict.RAN_ON


def test_a_reading_that_was_held_up_is_judged_as_loosely() -> None:
    late = 5_000_000_000 + 3_333_333 + 300_000  # 90 ms
    assert count().judge(late, 1_001 * SECOND_NS) is Verdict.JUMPED
    assert count().judge(late, 1_001 * SECOND_NS, 80_000_000) is Verdict.RAN_ON


@given(st.integers(0, WRAP - 1), st.integers(0, 3600 * SECOND_NS), st.integers(-400, 400))
def test_every_crystal_that_is_sold_ran_on(begin: int, elapsed_ns: int, ppm: int) -> None:
    found = count(begin)
    tick = (begin + int(elapsed_ns * TICK_HZ * (10**6 + ppm) / 10**15)) % WRAP
    assert found.judge(tick, 1_000 * SECOND_NS + elapsed_ns) is Verdict.RAN_ON
    assert abs(found.instant_ns(tick) - 1_000 * SECOND_NS - elapsed_ns) <= elapsed_ns * abs(ppm) // 10**6 + 400
