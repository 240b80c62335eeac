"""Observations of a counter, and when each was so: the face that every counter has to a verification (P-6).

A counter counts by itself; it is read now and then. What is known of a pulse is that it came after a reading that had
it not, and before one that has: an FPGA or the kernel stamp the edge itself, and both are one instant; a counter on a
bus is read some ten times a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import hypot
from typing import Protocol

from rig.verify.closures import Contact


@dataclass(frozen=True)
class Counted:
    """`pulses` were counted, the last of them between two instants: ticks of the meter's timeline, or ns of the
    computer's monotonic clock, as the counter has them: the middles of two readings, of which it is not known where
    within plus or minus `slack` they were taken; for a stamp both are the same. `contact` is the one that closed, where
    that is known. `comparison` is of which comparison of two clocks the ticks are, known to `clock` ticks; None: they
    are the FPGA's own.
    """

    pulses: int
    earliest: int
    latest: int
    contact: Contact | None = None
    slack: int = 0
    comparison: int | None = None
    clock: int = 0


class PulseCounterInstrument(Protocol):
    """A counter that is not the FPGA's. `name` is how it was asked for.

    `poll` gives what it has counted since the last call, in order; instants are ns of time.monotonic_ns. It takes no
    longer than its time-out, and raises CountLost when the count has broken off. `close` lets it go.
    """

    name: str

    def poll(self) -> list[Counted]: ...

    def close(self) -> None: ...


CRYSTALS = 50e-6
"""By so much two crystals run apart: what a comparison is worth lessens by that with the time from it."""


class TimelineClock:
    """The computer's monotonic clock on the meter's timeline, by comparisons of the two."""

    def __init__(self, tick_hz: Fraction) -> None:
        self._tick_hz = tick_hz
        self._compared: list[tuple[int, int, int]] = []

    def compare(self, tick: int, from_ns: int, to_ns: int) -> None:
        """It was this tick between two instants of the clock."""
        self._compared.append((tick, (from_ns + to_ns) // 2, (to_ns - from_ns) // 2))

    @property
    def known(self) -> bool:
        """True if there is any comparison."""
        return bool(self._compared)

    def placed(self, count: Counted) -> Counted:
        """Give a count, in ns of the clock, in ticks: by the nominal rate from the nearest comparison, which is a
        second away at most while they come."""
        place = self._nearest(count.latest)
        tick, at_ns, half_ns = self._compared[place]
        known_ns = hypot(half_ns, CRYSTALS * (count.latest - at_ns))
        return Counted(
            count.pulses,
            tick + self._ticks(count.earliest - at_ns),
            tick + self._ticks(count.latest - at_ns),
            count.contact,
            self._ticks(count.slack),
            place,
            self._ticks(int(known_ns)),
        )

    def tick_of(self, instant_ns: int) -> int:
        """Give the tick of an instant of the clock."""
        tick, at_ns, _ = self._compared[self._nearest(instant_ns)]
        return tick + self._ticks(instant_ns - at_ns)

    def _nearest(self, instant_ns: int) -> int:
        return min(range(len(self._compared)), key=lambda k: abs(self._compared[k][1] - instant_ns))

    def _ticks(self, ns: int) -> int:
        return int(ns * self._tick_hz / 10**9)
