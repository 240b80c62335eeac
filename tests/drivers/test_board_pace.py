"""Pace of the simulated board: none in its meter's own process; real time in its own, of which a long delay is lost."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from drivers.sim import board_server, clock
from drivers.sim.board_server import BoardServer
from drivers.sim.clock import BoardClock
from drivers.sim.hands import Hands
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory

MS = 1_000_000
TICK_HZ = Fraction(10_000_000, 3)


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


class Board:
    """A board that takes no time: its ticks alone."""

    chain = SimpleNamespace(tick_hz=TICK_HZ)

    def __init__(self) -> None:
        self.ticks = 0

    def advance(self, ticks: int) -> None:
        self.ticks += max(0, ticks)


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> Computer:
    computer = Computer()
    for module in (board_server, clock):
        monkeypatch.setattr(module, "time", computer)
    return computer


def test_in_the_meters_own_process_no_time_passes(computer: Computer) -> None:
    board: Any = Board()
    made = BoardClock(board, VirtualClock())
    made.wait_until(40 * MS)
    assert 40 * MS <= made.now_ns() < 40 * MS + 300
    assert computer.now_ns == 7_000 * MS


class Served:
    """A board in a process of its own, here without one, on the computer's time."""

    def __init__(self, computer: Computer) -> None:
        self.board: Any = Board()
        self._computer = computer
        pins = VirtualClockMockFactory(VirtualClock())
        self.server = BoardServer(self.board, pins, Hands({}, pins), {}, b"")
        self._offset_ms = self._board_ms - computer.now_ns / MS

    @property
    def _board_ms(self) -> float:
        return float(self.board.ticks * 1000 / TICK_HZ)

    @property
    def behind_ms(self) -> float:
        """By how much the board is behind the computer, from its beginning on."""
        return self._computer.now_ns / MS + self._offset_ms - self._board_ms

    def pass_ms(self, ms: int) -> int:
        """Let so much time pass, and the board catch up: in how many steps it did."""
        self._computer.now_ns += ms * MS
        steps = 1
        while self.server._catch_up():
            steps += 1
        return steps


def test_a_board_of_its_own_keeps_real_time(computer: Computer) -> None:
    served = Served(computer)
    for ms in (20, 2, 0, 11):
        served.pass_ms(ms)
        assert 0 <= served.behind_ms < 0.001


def test_a_short_delay_is_made_up_for_in_steps(computer: Computer) -> None:
    """Half a second at most, 20 ms at a time: messages are looked at in between."""
    served = Served(computer)
    assert served.pass_ms(490) == 25
    assert 0 <= served.behind_ms < 0.001


def test_a_long_delay_is_lost(computer: Computer) -> None:
    """After it, time goes on at its own pace: nothing is hurried."""
    served = Served(computer)
    assert served.pass_ms(6_000) == 1
    assert 5_999.99 < served.behind_ms < 6_000.01
    for ms in (20, 160):
        served.pass_ms(ms)
        assert 5_999.99 < served.behind_ms < 6_000.01
