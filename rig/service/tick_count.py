"""The board's tick count judged by the computer's clock: it ran on, began anew, or jumped (H-5, H-8).

Two crystals never differ by more than DRIFT. A reading takes up to COMPARED_NS, and as long as it took nobody knows
which instant the count was of.

    the count, since the last comparison                    verdict
    has gone by what the clock has, within these bounds     ran on
    is no more than the clock has gone, so it began since   began anew
    neither                                                 jumped
"""

from __future__ import annotations

from enum import Enum
from fractions import Fraction

from gateware.registers import TICK_BITS
from rig.service.board_time import COMPARED_NS, DRIFT

_TICKS = 1 << TICK_BITS


class Verdict(Enum):
    """Verdict on the board's count."""

    RAN_ON = "ran on"
    BEGAN_ANEW = "began anew"
    JUMPED = "jumped"


class TickCount:
    """A count of `tick_hz` modulo 2**48, as it was read last: `follow` after each comparison that held."""

    def __init__(self, tick_hz: Fraction) -> None:
        self._tick_hz = tick_hz
        self._tick = 0
        self._at_ns = 0

    def follow(self, tick: int, now_ns: int) -> None:
        """Take a count for right: from here on it is judged."""
        self._tick, self._at_ns = tick, now_ns

    def judge(self, tick: int, now_ns: int, took_ns: int = 0) -> Verdict:
        """Judge a count that was read at an instant known to within half of what it took."""
        elapsed, slack = self._elapsed(now_ns), self._slack(now_ns, took_ns)
        gone = (tick - self._tick) % _TICKS
        if gone >= _TICKS // 2:
            gone -= _TICKS
        if abs(gone - elapsed) <= slack:
            return Verdict.RAN_ON
        return Verdict.BEGAN_ANEW if tick <= elapsed + slack else Verdict.JUMPED

    def instant_ns(self, tick: int) -> int:
        """Clock at a tick of the count that is near the last comparison."""
        gone = (tick - self._tick) % _TICKS
        if gone >= _TICKS // 2:
            gone -= _TICKS
        return self._at_ns + int(gone * 1_000_000_000 / self._tick_hz)

    def _elapsed(self, now_ns: int) -> Fraction:
        return (now_ns - self._at_ns) * self._tick_hz / 1_000_000_000

    def _slack(self, now_ns: int, took_ns: int) -> Fraction:
        return self._elapsed(now_ns) * DRIFT + (COMPARED_NS + took_ns) * self._tick_hz / 1_000_000_000
