"""Raw edges on their way out of the metering process, in order of time, none lost and none waited for (C-3).

Edges come when their burst is over, those of one contact in order. They wait until nothing earlier can come any more,
then go as messages, a few at a time; what the server has no room for waits here, for the next poll. If that goes on
until MOST_WAITING wait, the newest are dropped, and counted: who records hears of it.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

from drivers.debounce import BURST_NS, LATE_NS, STEADY_NS
from drivers.switches import RawEdge
from rig.daemon.protocol import EdgesSeen

SETTLED_NS = BURST_NS + STEADY_NS + LATE_NS
"""What happened longer ago has its verdict: a burst ends BURST_NS after its first edge, or is another's beginning."""

BATCH = 200
"""Edges of a message, some 12 kB; one message a poll, made in 0.3 ms."""

MOST_WAITING = 200_000
"""Of a person's hands these are hours."""


TakeEdges = Callable[[EdgesSeen], bool]
"""Sends a message, or returns False where there is no room now."""


class EdgeFeed:
    """Takes edges by `hear`, at instants of the hardware's clock; messages are in ns from `begin`.

    `dropped` counts those that nobody took in time.
    """

    def __init__(self) -> None:
        self._begin_ns = 0
        self._unsettled: list[tuple[int, int, RawEdge]] = []
        self._heard = 0
        self._waiting: deque[RawEdge] = deque()
        self.dropped = 0

    def begin(self, begin_ns: int) -> None:
        """The run begins. What was heard before counts as at its begin."""
        self._begin_ns = begin_ns

    def hear(self, edge: RawEdge) -> None:
        """An edge and its verdict."""
        self._heard += 1
        heapq.heappush(self._unsettled, (edge.at_ns, self._heard, edge))

    def poll(self, now_ns: int, offer: TakeEdges | None) -> None:
        """Send some of what is certain, after the contacts were polled at `now_ns`; None: nobody wants it."""
        self._settle(now_ns - SETTLED_NS)
        if offer is None:
            self._waiting.clear()
        else:
            self._send(offer)

    def finish(self, offer: TakeEdges) -> None:
        """Send the rest, as far as it is taken: the contacts are let go, all verdicts have fallen."""
        self._settle(None)
        while self._waiting and self._send(offer):
            pass

    def _settle(self, until_ns: int | None) -> None:
        while self._unsettled and (until_ns is None or self._unsettled[0][0] <= until_ns):
            edge = heapq.heappop(self._unsettled)[2]
            if len(self._waiting) >= MOST_WAITING:
                self.dropped += 1
            else:
                self._waiting.append(replace(edge, at_ns=max(0, edge.at_ns - self._begin_ns)))

    def _send(self, offer: TakeEdges) -> bool:
        batch = list(islice(self._waiting, BATCH))
        if not batch or not offer(EdgesSeen(batch)):
            return False
        for _ in batch:
            self._waiting.popleft()
        return True
