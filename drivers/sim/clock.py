"""The simulated board's time as the service's clock: waiting makes the board, and its pins, run."""

from __future__ import annotations

import time
from typing import Protocol

from drivers.sim.board import SimulatedBoard
from drivers.sim.pins import VirtualClock


class PinDriver(Protocol):
    """Moves the simulated pins from outside, at instants of its own."""

    def run_due(self, now_ns: int) -> None:
        """Make happen what is due, each at its instant, advancing the pins' clock to it."""
        ...


class BoardClock:
    """Nanoseconds of the board's modulator clock since it was made.

    `hands`, if set, act on the pins while time passes, whether it is waited or a frame is on the bus, each act at its
    instant to the ns. (The board sees none of it: its own pins are outputs' of the meter.)

    `pins` is the virtual clock of the simulated GPIO, kept at the same time. Waiting takes no longer than the board
    takes to run: one that keeps real time is in a process of its own (board_server.py).
    The time of day goes with the board from `begin_utc_ns` on, by default the computer's at the beginning.
    """

    def __init__(self, board: SimulatedBoard, pins: VirtualClock, begin_utc_ns: int | None = None) -> None:
        self.hands: PinDriver | None = None
        self._begin_utc_ns = time.time_ns() if begin_utc_ns is None else begin_utc_ns
        self._board = board
        self._pins = pins
        self._tick_hz = board.chain.tick_hz

    def now_ns(self) -> int:
        rate = self._tick_hz
        now = self._board.ticks * 1_000_000_000 * rate.denominator // rate.numerator
        if self.hands is not None:
            self.hands.run_due(now)
        self._pins.advance_to(max(now, self._pins.now_ns))
        return now

    def utc_ns(self) -> int:
        return self._begin_utc_ns + self.now_ns()

    def meet(self, instant_ns: int) -> None:
        self.wait_until(instant_ns)

    def wait_until(self, instant_ns: int) -> None:
        rate = self._tick_hz
        tick = -(-instant_ns * rate.numerator // (rate.denominator * 1_000_000_000))
        self._board.advance(tick - self._board.ticks)
        self.now_ns()
