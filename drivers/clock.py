"""Clocks of the service: integer nanoseconds that only go forward, and a way to wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

AWAKE_NS = 500_000
"""A process is woken as late as this now and then, even by a kernel that is asked for real time: whoever has an instant
to meet is awake so long before it. At the 53 + 53 edges a second of a fully loaded rig that is 5 % of a core."""

MAKING_NS = 60_000
"""From the decision to make an edge until its pin has changed: what is remembered first, and gpiozero."""

Meanwhile = Callable[[], int | None]
"""Does what is due while something else is waited for; gives how long, in ns, it has nothing to do then; None: ever."""


class Clock(Protocol):
    def now_ns(self) -> int:
        """The present, ns since some fixed instant."""
        ...

    def utc_ns(self) -> int:
        """The time of day, UTC in ns since 1970. It may be set, and step."""
        ...

    def wait_until(self, instant_ns: int) -> None:
        """Return at `instant_ns` or as soon after it as the system wakes a sleeper; at once if it is past."""
        ...

    def meet(self, instant_ns: int) -> None:
        """Return when an edge of `instant_ns` is to be begun, having been awake a little before: sooner by what making
        one takes, where the clock goes on meanwhile. At once if it is past."""
        ...


class MonotonicClock:
    """The computer's monotonic clock, never set, never stepped, and beside it its time of day."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def utc_ns(self) -> int:
        return time.time_ns()

    def wait_until(self, instant_ns: int) -> None:
        sleep_until(instant_ns)

    def meet(self, instant_ns: int) -> None:
        meet(instant_ns)


def sleep_until(monotonic_ns: int) -> None:
    """Sleep until an instant of the computer's monotonic clock."""
    left = monotonic_ns - time.monotonic_ns()
    if left > 0:
        time.sleep(left / 1e9)


def meet(monotonic_ns: int) -> None:
    """Sleep until AWAKE_NS before an instant of the computer's monotonic clock; watch until MAKING_NS before it."""
    sleep_until(monotonic_ns - AWAKE_NS)
    begin_ns = monotonic_ns - MAKING_NS
    while time.monotonic_ns() < begin_ns:
        pass
