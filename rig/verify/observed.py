"""Observations of a counter, and when each was so: the face that every counter has to a verification (P-6).

A counter counts by itself; it is read now and then. What is known of a pulse is that it came after a reading that had
it not, and before one that has: an FPGA or the kernel stamp the edge itself, and both are one instant; a counter on a
bus is read some ten times a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from rig.verify.closures import Contact


@dataclass(frozen=True)
class Counted:
    """`pulses` were counted, the last of them between two instants: ticks of the meter's timeline, or ns of the
    computer's monotonic clock, as the counter has them. `contact` is the one that closed, where that is known.
    """

    pulses: int
    earliest: int
    latest: int
    contact: Contact | None = None


class PulseCounterInstrument(Protocol):
    """A counter that is not the FPGA's. `name` is how it was asked for.

    `poll` gives what it has counted since the last call, in order; instants are ns of time.monotonic_ns. It takes no
    longer than its time-out, and raises CountLost when the count has broken off. `close` lets it go.
    """

    name: str

    def poll(self) -> list[Counted]: ...

    def close(self) -> None: ...


class TimelineClock:
    """The computer's monotonic clock on the meter's timeline, by comparisons of the two: a line through the last two
    that are apart enough, so that their crystals need not agree."""

    def __init__(self, tick_hz: Fraction) -> None:
        self._tick_hz = tick_hz
        self._compared: list[tuple[int, int]] = []
        self.half_width_ns = 0

    def compare(self, tick: int, from_ns: int, to_ns: int) -> None:
        """It was this tick between two instants of the clock."""
        self.half_width_ns = max(self.half_width_ns, (to_ns - from_ns) // 2)
        self._compared.append((tick, (from_ns + to_ns) // 2))

    @property
    def known(self) -> bool:
        """True if there is any comparison."""
        return bool(self._compared)

    def tick_at(self, instant_ns: int) -> int:
        """The tick of an instant of the clock, near the comparisons: by the nominal rate from the one that is nearest,
        which is a second away at most while they come."""
        tick, at_ns = min(self._compared, key=lambda each: abs(each[1] - instant_ns))
        return tick + int((instant_ns - at_ns) * self._tick_hz / 10**9)
