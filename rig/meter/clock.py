"""The meter's clock: UTC for every tick, from the board's crystal, kept right by comparison with a better one (T-1).

Small differences are slewed away, at no more than SLEW of the time that passes, so intervals keep their length. A
difference of more than STEP_NS is not: it is for the meter to be set (Billing.set_clock), as an event of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from rig.meter.billing.time_units import SECOND_NS

STEP_NS = SECOND_NS
SLEW = 2000
"""One part in so many: 0.05 %, ten times what a poor crystal is off."""


class Point(NamedTuple):
    """A tick, and its UTC in ns."""

    tick: int
    utc_ns: int


def tick_at(points: Sequence[Point], utc_ns: int) -> int:
    """The first whole tick by which an instant has come, where time runs evenly from each point to the next.

    At least the first point's tick, at most the last one's.
    """
    for begin, end in pairwise(points):
        if begin.utc_ns < utc_ns <= end.utc_ns:
            ticks, ns = end.tick - begin.tick, end.utc_ns - begin.utc_ns
            return begin.tick - (begin.utc_ns - utc_ns) * ticks // ns
    return points[0].tick if utc_ns <= points[0].utc_ns else points[-1].tick


@dataclass
class ClockState:
    """State of a MeterClock: a tick, its UTC in ns with the remainder, and what is still to be slewed."""

    tick: int
    ns: int
    remainder: int
    owed: int


class MeterClock:
    """Time as the meter has it. It only goes forward, but for `set`."""

    def __init__(self, tick_hz: Fraction, tick: int, utc_ns: int) -> None:
        self._rate, self._per = (SECOND_NS / tick_hz).as_integer_ratio()
        self._tick, self._ns, self._remainder = tick, utc_ns, 0
        self._owed = 0

    @property
    def state(self) -> ClockState:
        """State to continue from."""
        return ClockState(self._tick, self._ns, self._remainder, self._owed)

    @classmethod
    def resume(cls, tick_hz: Fraction, state: ClockState) -> MeterClock:
        """Go on from there, on a board of the same rate."""
        clock = cls(tick_hz, state.tick, state.ns)
        clock._remainder, clock._owed = state.remainder, state.owed
        return clock

    def advance(self, tick: int) -> int:
        """UTC in ns at a tick, none earlier than the one before."""
        ns, self._remainder = divmod((tick - self._tick) * self._rate + self._remainder, self._per)
        most = ns // SLEW
        slew = max(-most, min(most, self._owed))
        self._owed -= slew
        self._tick, self._ns = tick, self._ns + ns + slew
        return self._ns

    @property
    def tick(self) -> int:
        """The last tick that was asked for."""
        return self._tick

    def peek(self, tick: int) -> int:
        """Return what `advance` would, with nothing done. A tick before the last is so much earlier, without slewing.

        So an instant between two ticks is between theirs, whatever is slewed; in a longer step than this one its own
        may come out otherwise, by no more than one part in SLEW of that step.
        """
        ns = ((tick - self._tick) * self._rate + self._remainder) // self._per
        most = max(ns, 0) // SLEW
        return self._ns + ns + max(-most, min(most, self._owed))

    def compare(self, tick: int, utc_ns: int) -> int | None:
        """Compare with another clock's time at a tick near the last one. A small difference will be slewed away.

        Returns the UTC to set the clock to where the difference is too much for that, else None.
        """
        mine = self._ns + (tick - self._tick) * self._rate // self._per
        self._owed = utc_ns - mine
        if abs(self._owed) <= STEP_NS:
            return None
        return self._ns + self._owed

    @property
    def owed_ns(self) -> int:
        """Time still to be slewed away, forward or back."""
        return self._owed

    def set(self, utc_ns: int) -> None:
        """From now on, which is the last tick that was asked for, it is `utc_ns`."""
        self._ns, self._owed = utc_ns, 0
