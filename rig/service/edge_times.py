"""Edges at their instants, on the one thread that does all else that metering does.

Whatever takes time makes room first: the edges that would fall due meanwhile are waited for, and then there is time.
What that comes to: docs/decisions/072-edges-are-met-awake.md.
"""

from __future__ import annotations

from drivers.clock import AWAKE_NS, Clock
from drivers.schedule import OutputSchedule

FRAME_NS = 1_000_000
"""Longer than a frame on the SPI bus keeps us busy: 64 bytes at 3 MHz are 0.17 ms, and so much again in the system."""

WORK_NS = 4_000_000
"""Longer than any one thing that is done between two edges takes. On a busy computer registering a record, 0.7 ms in
the median, has taken 3.2, and saving a state, 0.35, has taken 2."""


class EdgeTimes:
    """The edges of a schedule on a clock."""

    def __init__(self, clock: Clock, schedule: OutputSchedule) -> None:
        self._clock = clock
        self._schedule = schedule

    def make_room(self, ns: int = WORK_NS) -> None:
        """Make the edges that fall due in the next `ns` first, but do not wait long; then there is time to work."""
        clock = self._clock
        limit = clock.now_ns() + 2 * ns
        while (due := self._schedule.next_due_ns) is not None and due <= min(clock.now_ns() + ns, limit):
            self.wait_until(due)

    def make_due(self) -> int | None:
        """Make the edges that fall due just now; gives how long, in ns, there is until the next, None for none."""
        while (due := self._schedule.next_due_ns) is not None:
            if (left_ns := due - self._clock.now_ns() - AWAKE_NS) > 0:
                return left_ns
            self._make(due)
        return None

    def make_late(self) -> None:
        """Make the edges that have fallen due meanwhile, and wait for none."""
        self._schedule.run_due(self._clock.now_ns())

    def wait_until(self, instant_ns: int) -> None:
        """Wait, and make the edges that fall due until then."""
        while (due := self._schedule.next_due_ns) is not None and due <= instant_ns:
            self._make(due)
        self._clock.wait_until(instant_ns)

    def _make(self, due_ns: int) -> None:
        self._clock.meet(due_ns)
        self._schedule.run_due(max(due_ns, self._clock.now_ns()))
