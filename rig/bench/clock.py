"""The clock of the rig: nothing happens on it but what it lets happen.

On a simulated rig time is virtual and passes only here; on hardware it is real. Instants are ns of the hardware's
clock.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import TypeVar

from drivers.clock import Clock
from rig.bench.errors import WrongArgument
from rig.meter.billing.time_units import SECOND_NS

T = TypeVar("T")

LOOK_NS = 40_000_000
"""How long the rig runs between two looks at whether what is awaited has come."""


class RigClock:
    """Time of the rig, which `advance` makes pass up to an instant. `begin_ns` is when the meter started."""

    def __init__(self, clock: Clock, advance: Callable[[int], None]) -> None:
        self._clock, self._advance = clock, advance
        self.begin_ns = clock.now_ns()

    @property
    def now_ns(self) -> int:
        """The present."""
        return self._clock.now_ns()

    @property
    def seconds(self) -> float:
        """Seconds since the meter started."""
        return (self.now_ns - self.begin_ns) / SECOND_NS

    def after_ns(self, seconds: float) -> int:
        """Give the instant so many seconds from now. Raises WrongArgument for none that is still to come."""
        if not (isfinite(seconds) and seconds >= 0):
            raise WrongArgument(f"the rig cannot run for {seconds:g} s: give 0 or more")
        return self.now_ns + round(seconds * SECOND_NS)

    def run(self, seconds: float) -> None:
        """Let the rig run. Raises WrongArgument where `seconds` is less than 0 or no number."""
        self.run_until(self.after_ns(seconds))

    def run_until(self, until_ns: int) -> None:
        """Let the rig run up to an instant."""
        self._advance(until_ns)

    def wait_for(self, found: Callable[[], T | None], seconds: float) -> T | None:
        """Run until `found` gives something, and give that; None: it did not in so many seconds."""
        limit_ns = self.after_ns(seconds)
        while (value := found()) is None and self.now_ns < limit_ns:
            self.run_until(min(self.now_ns + LOOK_NS, limit_ns))
        return value

    def restart(self) -> None:
        """The meter starts now."""
        self.begin_ns = self.now_ns
