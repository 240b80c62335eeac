"""Flow of one quantity up to a tick, from the windows of the meter: what edges are compared with.

Within a window energy flows evenly, as the meter has it when it places its pulses (rig/meter/contacts/pulses.py), so
that at the instant of a pulse exactly that pulse's energy has flowed. Between windows that do not meet, nothing did.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from fractions import Fraction

from rig.verify.errors import CountLost

KEPT_WINDOWS = 4096
"""A minute and more of cycles at 60 Hz: edges come 0.12 s after their energy."""


class Flow:
    """Energy in nWh (nvarh, nVAh), as rationals, since the first window; ticks are the meter's timeline."""

    def __init__(self, kept: int = KEPT_WINDOWS) -> None:
        self._begins: deque[int] = deque(maxlen=kept)
        self._ends: deque[int] = deque(maxlen=kept)
        self._totals: deque[int] = deque(maxlen=kept)
        self._last = 0

    @property
    def total_nwh(self) -> int:
        """Energy up to the end of the last window."""
        return self._last

    @property
    def begin_tick(self) -> int | None:
        """Tick from when on it is known; None before the first window."""
        return self._begins[0] if self._begins else None

    @property
    def end_tick(self) -> int | None:
        """Up to when it is known; None before the first window."""
        return self._ends[-1] if self._ends else None

    def add(self, begin_tick: int, end_tick: int, nwh: int) -> None:
        """Take in the next window. Raises ValueError for one that does not follow, or has no length."""
        if end_tick <= begin_tick or (self._ends and begin_tick < self._ends[-1]):
            raise ValueError(f"a window from {begin_tick} to {end_tick} does not follow one that ends {self.end_tick}")
        self._last += nwh
        self._begins.append(begin_tick)
        self._ends.append(end_tick)
        self._totals.append(self._last)

    def at(self, tick: int) -> Fraction | None:
        """Give what had flowed by a tick; None where its window has not come yet.

        Raises CountLost for a tick before what is known.
        """
        if not self._ends or tick > self._ends[-1]:
            return None
        if tick < self._begins[0]:
            raise CountLost(f"the energy at tick {tick} is not known: it is, from tick {self._begins[0]} on")
        k = bisect_left(self._ends, tick)
        before = self._totals[k - 1] if k else 0
        if not k and len(self._ends) == self._ends.maxlen:
            raise CountLost(f"the energy at tick {tick} is known no longer: it is, from tick {self._ends[0]} on")
        begin, end = self._begins[k], self._ends[k]
        if tick <= begin:
            return Fraction(before)
        return before + Fraction((self._totals[k] - before) * (tick - begin), end - begin)
