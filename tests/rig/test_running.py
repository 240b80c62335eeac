"""When a board is taken to have run on: what a start compares, row by row (rig/service/running.py)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import pytest

from gateware.record_words import HEADER_WORDS, RECORD_WORDS, Record, RecordFlag
from rig.meter.meter import RunningState
from rig.service.running import Running

TICK_HZ = Fraction(10_000_000, 3)
SECOND_NS = 10**9
MINUTES_40 = 40 * 60 * SECOND_NS
RESET_TICKS = 12_345
WRAP = 1 << 48


class _Measured:
    """The parts of a measurement that are asked for: the last record ended at a tick of the board, and of the meter."""

    def __init__(self, board_tick: int, tick: int) -> None:
        record = Record(
            7, 1, RecordFlag(0), (board_tick - 55_552) % WRAP, board_tick, 217, 1, 0, 0, 0, 0, 0, 0,
            (0,) * (RECORD_WORDS - HEADER_WORDS),
        )  # fmt: skip
        self.last, self.tick = record.to_words(), tick


class _Meter:
    def __init__(self, measured: _Measured) -> None:
        self.measurement = measured


def running(board_tick: int, tick: int, then_ns: int) -> Running:
    """A state whose last comparison was at the end of its last record."""
    nothing = cast(Any, None)
    meter = cast(RunningState, _Meter(_Measured(board_tick, tick)))
    return Running(nothing, (tick, then_ns), 0, {}, {}, nothing, meter, nothing, [], False)


def ticks(ns: int) -> int:
    return int(ns * TICK_HZ / SECOND_NS)


@pytest.mark.parametrize(
    ("passed_ns", "off_ns", "runs"),
    [
        (0, 0, True),
        (SECOND_NS, 0, True),
        (SECOND_NS, 49_000_000, True),  # two readings of the bus, 20 ms each at most, and the line through them
        (SECOND_NS, -49_000_000, True),
        (SECOND_NS, 51_000_000, False),
        (SECOND_NS, -51_000_000, False),
        (600 * SECOND_NS, 100_000_000, True),  # 167 ppm: two poor crystals
        (600 * SECOND_NS, 200_000_000, False),  # 333 ppm
        (-SECOND_NS, -SECOND_NS, False),  # a clock that began anew
        (MINUTES_40, 0, True),
        (MINUTES_40 * 2, 0, False),  # its sums may have overflowed
    ],
)
def test_a_board_ran_on_if_its_ticks_are_the_clocks_time(passed_ns: int, off_ns: int, runs: bool) -> None:
    for board_tick in (10**9, WRAP - 1000):  # also where its count wraps meanwhile
        state = running(board_tick, 5 * 10**12, 77 * SECOND_NS)
        now = (board_tick + ticks(passed_ns + off_ns)) % WRAP
        assert state.ran_on(now, 77 * SECOND_NS + passed_ns, TICK_HZ, 256) is runs


@pytest.mark.parametrize("dead_ns", [0, SECOND_NS, 300 * SECOND_NS])
def test_a_board_that_was_reset_did_not(dead_ns: int) -> None:
    state = running(10**9, 10**9, 77 * SECOND_NS)
    assert not state.ran_on(RESET_TICKS, 77 * SECOND_NS + dead_ns, TICK_HZ, 256)


def test_ticks_go_on_on_the_meters_timeline() -> None:
    state = running(WRAP - 10, 3 * WRAP - 10, 0)
    assert state.timeline(5) == 3 * WRAP + 5
    assert state.last.sequence == 7
