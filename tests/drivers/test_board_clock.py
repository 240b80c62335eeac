"""The simulated board's clock held to real time: it waits, makes up for a little, and lets a long delay go."""

from __future__ import annotations

import pytest

from drivers.sim import clock as module
from drivers.sim.board import SimulatedBoard
from drivers.sim.clock import LOST_NS, BoardClock
from drivers.sim.frontend import FrontEnd
from drivers.sim.pins import VirtualClock
from drivers.sim.playing import lively_load
from drivers.sim.sensors import ideal_sensors
from gateware.chain import Chain

MS = 1_000_000


class Computer:
    """The computer's time, which passes when somebody sleeps, or works."""

    def __init__(self) -> None:
        self.now_ns = 7_000 * MS

    def monotonic_ns(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)

    def time_ns(self) -> int:
        return 0


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> Computer:
    computer = Computer()
    monkeypatch.setattr(module, "time", computer)
    return computer


def opened(*, paced: bool) -> BoardClock:
    chain = Chain()
    board = SimulatedBoard(chain, FrontEnd(lively_load(chain.tick_hz), ideal_sensors(20), chain.tick_hz, 1), "exact")
    return BoardClock(board, VirtualClock(), paced=paced)


def ahead_ns(clock: BoardClock, computer: Computer) -> int:
    return clock.now_ns() - (computer.now_ns - 7_000 * MS)


@pytest.mark.slow
def test_waiting_takes_as_long_as_it_says(computer: Computer) -> None:
    clock = opened(paced=True)
    for instant_ms in (20, 40, 60):
        clock.wait_until(instant_ms * MS)
        assert abs(ahead_ns(clock, computer)) < 1000


def test_without_pace_no_time_passes(computer: Computer) -> None:
    clock = opened(paced=False)
    clock.wait_until(40 * MS)
    assert computer.now_ns == 7_000 * MS


def test_a_short_delay_is_made_up_for(computer: Computer) -> None:
    clock = opened(paced=True)
    computer.now_ns += LOST_NS
    clock.wait_until(20 * MS)
    assert ahead_ns(clock, computer) < -400 * MS
    clock.wait_until(LOST_NS + 40 * MS)
    assert abs(ahead_ns(clock, computer)) < 1000


def test_a_long_delay_is_lost(computer: Computer) -> None:
    """After it, time goes on at its own pace: nothing is hurried."""
    clock = opened(paced=True)
    computer.now_ns += 6_000 * MS
    clock.wait_until(20 * MS)
    late_ns = ahead_ns(clock, computer)
    for instant_ms in (40, 200):
        clock.wait_until(instant_ms * MS)
        assert abs(ahead_ns(clock, computer) - late_ns) < 1000
