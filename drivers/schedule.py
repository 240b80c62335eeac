"""Schedule of outputs' changes: absolute deadlines in integer nanoseconds, with time passed in.

The caller owns the clock, real or virtual, and the sleeping: it waits until next_due_ns and calls run_due.
So nothing drifts, as sleeps of a given length would, and virtual time runs the same code faster.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable

ScheduledAction = Callable[[int], None]
"""What is done at an instant; it is given the time at which it really is done, in ns."""


class OutputSchedule:
    """Actions in order of their due times, and how late they came.

    `late` counts the actions run more than `late_after_ns` behind their due time; `worst_late_ns` is the
    longest delay of any.
    """

    def __init__(self, late_after_ns: int = 1_000_000) -> None:
        self._late_after_ns = late_after_ns
        self._heap: list[tuple[int, int, ScheduledAction]] = []
        self._added = 0
        self.late = 0
        self.worst_late_ns = 0

    @property
    def next_due_ns(self) -> int | None:
        """Instant at which run_due is next needed; None while nothing is planned."""
        return self._heap[0][0] if self._heap else None

    def at(self, due_ns: int, action: ScheduledAction) -> None:
        """Plan an action. Of several due at one instant, the one planned first runs first."""
        heapq.heappush(self._heap, (due_ns, self._added, action))
        self._added += 1

    def run_due(self, now_ns: int) -> int:
        """Run all that is due by now, in order, including what that plans for now; return how many ran."""
        ran = 0
        while self._heap and self._heap[0][0] <= now_ns:
            due_ns, _, action = heapq.heappop(self._heap)
            lateness = now_ns - due_ns
            self.worst_late_ns = max(self.worst_late_ns, lateness)
            self.late += lateness > self._late_after_ns
            action(now_ns)
            ran += 1
        return ran


class EdgeQueue:
    """The edges of one contact or lamp: in order, each left standing for its hold time, none ever lost.

    An edge that is due before the last one has stood long enough waits until it has: two edges never merge into one
    that a counter would miss. `held` counts those that would wait even if every edge were made in time. More than a
    few `waiting` edges mean that pulses come faster than the output can show them. At `free_ns` the last edge made has
    stood long enough; None before any.
    """

    def __init__(self, schedule: OutputSchedule) -> None:
        self._schedule = schedule
        self._edges: deque[tuple[int, ScheduledAction, int]] = deque()
        self.free_ns: int | None = None
        self._in_time_ns: int | None = None
        """As `free_ns`, had every edge been made in time."""
        self.held = 0

    @property
    def waiting(self) -> int:
        """Edges asked for and not yet made."""
        return len(self._edges)

    def add(self, due_ns: int, edge: ScheduledAction, hold_ns: int) -> None:
        """Ask for an edge at `due_ns` and no further one for `hold_ns` after it is made."""
        self._edges.append((due_ns, edge, hold_ns))
        if len(self._edges) == 1:
            self._plan()

    def _plan(self) -> None:
        due_ns, _, hold_ns = self._edges[0]
        in_time_ns = due_ns
        if self._in_time_ns is not None and due_ns < self._in_time_ns:
            self.held += 1
            in_time_ns = self._in_time_ns
        self._in_time_ns = in_time_ns + hold_ns
        self._schedule.at(due_ns if self.free_ns is None else max(due_ns, self.free_ns), self._make)

    def _make(self, now_ns: int) -> None:
        _, edge, hold_ns = self._edges.popleft()
        self.free_ns = now_ns + hold_ns
        if self._edges:
            self._plan()
        edge(now_ns)
