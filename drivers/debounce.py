"""From the raw, time-stamped edges of one contact to its changes, free of bounce. Pure: time is passed in, in ns.

A contact bounces: one press is a burst of edges. It has changed once it has stood on its new level for `steady_ns`,
and the change is stamped with the first edge of its burst, so bouncing moves no instant. What returns sooner is a
glitch and never counts.

    state   what comes                                      then
    QUIET   an edge                                         BURST, which begins with it
    BURST   an edge within steady_ns of the one before      BURST, steady_ns begins anew
    BURST   steady_ns without an edge, level as counted     QUIET; it was a glitch
    BURST   steady_ns without an edge, level another        QUIET; a change, stamped with the burst's first edge
    BURST   an edge, burst_ns after the burst's first       BURST, which begins with this edge: no contact bounces
                                                            so long, it chatters, and until it rests nothing counts
    any     a level that was read, as the edges have it     as before
    any     a level that was read, another: an edge is lost as with an edge at the instant of reading
    any     an edge to the level it has already             as with any edge: the one away from it was lost

Edges may be told out of order, each up to `late_ns` after its instant: they wait so long and are then taken in order
of their stamps. (lgpio keeps edges 500 µs to sort them and tells them then; its thread and ours may wait some more.)
One told later still is taken as if it had come at the last instant not yet decided, and `too_late` counts it. How
calls of advance() split the time makes no difference.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

STEADY_NS = 20_000_000
"""For switches that people operate: longer than any of them bounces, shorter than anyone can press."""

BURST_NS = 100_000_000
"""No switch bounces so long (worst of 18 measured by J. Ganssle, leaving out a broken one: 6.2 ms)."""

LATE_NS = 2_000_000
"""lgpio tells an edge 0.5 ms after its instant, or as soon after that as its thread gets to run."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A contact has closed (`operated`) or opened, at the first edge of its bounce."""

    at_ns: int
    operated: bool


Verdict = Callable[[int, bool, bool], None]
"""Told of every edge, once its burst is over, in order: its instant, the level from then on, whether it counted."""


class Debouncer:
    """One contact, found `operated` or not at `at_ns`: that is where it begins, not a change.

    `operated` is the level that counts, `level` the one that the edges say it has. Raises ValueError for times that
    cannot be.
    """

    def __init__(
        self,
        operated: bool,
        at_ns: int,
        steady_ns: int = STEADY_NS,
        *,
        burst_ns: int = BURST_NS,
        late_ns: int = LATE_NS,
        verdict: Verdict | None = None,
    ) -> None:
        if steady_ns < 0 or late_ns < 0 or burst_ns < steady_ns:
            raise ValueError(f"no contact is steady for {steady_ns} ns in a burst of {burst_ns} ns, {late_ns} ns late")
        self.operated = self.level = operated
        self.too_late = 0
        self.steady_ns = steady_ns
        self._burst_ns = burst_ns
        self._late_ns = late_ns
        self._verdict = verdict
        self._decided_ns = at_ns - late_ns
        self._waiting: list[tuple[int, int, bool, bool, bool]] = []
        self._told = 0
        self._first_ns: int | None = None
        self._first_level = operated
        self._bounces: list[tuple[int, bool]] = []
        self._since_ns = at_ns

    @property
    def next_due_ns(self) -> int | None:
        """Instant at which advance() is next needed; None while nothing happens."""
        if self._waiting:
            return self._waiting[0][0] + self._late_ns
        return None if self._first_ns is None else self._since_ns + self.steady_ns + self._late_ns

    @property
    def earliest_ns(self) -> int | None:
        """No change yet to be given can be stamped before this; None: before `late_ns` ago."""
        if self._first_ns is not None:
            return self._first_ns
        return self._waiting[0][0] if self._waiting else None

    def edge(self, at_ns: int, operated: bool, *, after_lost: bool = False) -> None:
        """The contact has this level from `at_ns` on. `after_lost`: what it did before, since the last edge told, is
        not known, so the level it had then has not stood until now.
        """
        self._tell(at_ns, operated, True, after_lost)

    def read(self, at_ns: int, operated: bool) -> None:
        """The contact was read at `at_ns` and had this level: if edges were lost, this tells what came of them."""
        self._tell(at_ns, operated, False, False)

    def advance(self, now_ns: int) -> list[Settled]:
        """Let time pass; what has settled by now, in order."""
        settled: list[Settled] = []
        until_ns = max(now_ns - self._late_ns, self._decided_ns)
        while self._waiting and self._waiting[0][0] <= until_ns:
            at_ns, _, operated, is_edge, after_lost = heapq.heappop(self._waiting)
            if not after_lost:
                self._settle(at_ns, settled)
            if is_edge or operated != self.level:
                self._bounce(at_ns, operated)
        self._settle(until_ns, settled)
        self._decided_ns = until_ns
        return settled

    def end(self) -> None:
        """Nothing comes any more: a burst that has not settled has not counted."""
        if self._first_ns is not None:
            self._judge(False)

    def _tell(self, at_ns: int, operated: bool, is_edge: bool, after_lost: bool) -> None:
        if at_ns < self._decided_ns:
            self.too_late += 1
            at_ns = self._decided_ns
        self._told += 1
        heapq.heappush(self._waiting, (at_ns, self._told, operated, is_edge, after_lost))

    def _bounce(self, at_ns: int, operated: bool) -> None:
        if self._first_ns is not None and at_ns - self._first_ns > self._burst_ns:
            self._judge(False)
        if self._first_ns is None:
            self._first_ns, self._first_level = at_ns, operated
        elif self._verdict:
            self._bounces.append((at_ns, operated))
        self.level, self._since_ns = operated, at_ns

    def _settle(self, until_ns: int, settled: list[Settled]) -> None:
        if self._first_ns is None or self._since_ns + self.steady_ns > until_ns:
            return
        changed = self.level != self.operated
        if changed:
            settled.append(Settled(self._first_ns, self.level))
            self.operated = self.level
        self._judge(changed)

    def _judge(self, accepted: bool) -> None:
        """The burst is over, or has gone on for too long to be one."""
        assert self._first_ns is not None
        if self._verdict:
            self._verdict(self._first_ns, self._first_level, accepted)
            for at_ns, operated in self._bounces:
                self._verdict(at_ns, operated, False)
            self._bounces.clear()
        self._first_ns = None
