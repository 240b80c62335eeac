"""Where the service gets its time: integer nanoseconds that only go forward, and a way to wait."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now_ns(self) -> int:
        """The present, ns since some fixed instant."""
        ...

    def utc_ns(self) -> int:
        """The time of day, UTC in ns since 1970. It may be set, and step."""
        ...

    def wait_until(self, instant_ns: int) -> None:
        """Return at `instant_ns` or as soon after it as possible; at once if it is past."""
        ...


class MonotonicClock:
    """The computer's monotonic clock, never set, never stepped, and beside it its time of day."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def utc_ns(self) -> int:
        return time.time_ns()

    def wait_until(self, instant_ns: int) -> None:
        left = instant_ns - time.monotonic_ns()
        if left > 0:
            time.sleep(left / 1e9)
