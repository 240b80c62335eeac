"""The states seen of one thing, and since when. Instants are ns of the rig's clock; memory is bounded.

Kept are the state that stood at the last mark, the first KEPT_CHANGES changes after it, and the last KEPT_CHANGES:

    mark ── first ──┤ ······ dropped ······ ├── recent ── now

A mark is set by every action, which is what expectations are measured from. Asking for dropped ones is an error.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from rig.bench.errors import BenchError, NoLongerKept

T = TypeVar("T")

KEPT_CHANGES = 4096
"""On either side: 68 s of a contact that changes 60 times a second, seven hours of a display that goes on every 6 s."""


@dataclass(frozen=True, slots=True)
class Observation(Generic[T]):
    """A state, and the instant from which on it was seen."""

    since_ns: int
    state: T


class StateHistory(Generic[T]):
    """The states of one thing, in order of time. At most 2 · `kept` of them."""

    def __init__(self, kept: int = KEPT_CHANGES) -> None:
        self._kept = kept
        self._first: list[Observation[T]] = []
        self._recent: deque[Observation[T]] = deque(maxlen=kept)
        self._dropped = 0
        self._dropped_from_ns = 0

    def note(self, at_ns: int, state: T) -> None:
        """Take in what is seen at an instant; kept where it differs from before."""
        if (self._first or self._recent) and self.last.state == state:
            return
        if len(self._first) < self._kept:
            self._first.append(Observation(at_ns, state))
            return
        if len(self._recent) == self._kept:
            if not self._dropped:
                self._dropped_from_ns = self._recent[0].since_ns
            self._dropped += 1
        self._recent.append(Observation(at_ns, state))

    def mark(self, at_ns: int) -> None:
        """Forget what was before an instant, but for the state that stood then."""
        if self._dropped and at_ns < self._recent[0].since_ns:
            return  # what stood then is not known, and may still be asked for
        known = [*self._first, *self._recent]
        known = known[_standing(known, at_ns) :]
        self._dropped = 0
        self._first = known[: self._kept]
        self._recent = deque(known[self._kept :], maxlen=self._kept)

    @property
    def last(self) -> Observation[T]:
        """The state that stands now. Raises BenchError before anything was seen."""
        if self._recent:
            return self._recent[-1]
        if self._first:
            return self._first[-1]
        raise BenchError("nothing has been observed yet: start the rig first")

    def between(self, from_ns: int, to_ns: int) -> Iterator[Observation[T]]:
        """Give what stood at any time from one instant to another, both among them; the first may stand since before.

        Raises NoLongerKept on coming to what was dropped.
        """
        if not self._dropped:
            yield from _cut([*self._first, *self._recent], from_ns, to_ns)
            return
        if from_ns < self._dropped_from_ns:
            yield from _cut(self._first, from_ns, min(to_ns, self._dropped_from_ns - 1))
        if to_ns < self._dropped_from_ns:
            return
        if from_ns < self._recent[0].since_ns:
            raise NoLongerKept(
                f"{self._dropped} changes are no longer known: kept are the first {self._kept} after the last action, "
                f"and the last {self._kept}; ask sooner after the action, or for a shorter time"
            )
        yield from _cut([*self._recent], from_ns, to_ns)

    def latest(self, from_ns: int, to_ns: int, most: int) -> tuple[tuple[Observation[T], ...], int]:
        """Give the last `most` of what stood from one instant to another, and how many others did."""
        stood = _cut([*self._first, *self._recent], from_ns, to_ns)
        gap = self._dropped and from_ns < self._recent[0].since_ns and to_ns >= self._dropped_from_ns
        return tuple(stood[-most:]), max(len(stood) - most, 0) + (self._dropped if gap else 0)


def _standing(known: list[Observation[T]], at_ns: int) -> int:
    """The place of what stood at an instant; of the first, if that came later."""
    return max(bisect_right(known, at_ns, key=lambda each: each.since_ns) - 1, 0)


def _cut(known: list[Observation[T]], from_ns: int, to_ns: int) -> list[Observation[T]]:
    end = bisect_right(known, to_ns, key=lambda each: each.since_ns)
    return known[_standing(known[:end], from_ns) : end]
