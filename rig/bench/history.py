"""What was seen of something, and since when. Times are ns of the rig's clock."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Observation(Generic[T]):
    """Something was seen so from an instant on."""

    since_ns: int
    state: T


class StateHistory(Generic[T]):
    """Everything seen, in order of time. Empty until something is."""

    def __init__(self) -> None:
        self._seen: list[Observation[T]] = []

    def note(self, at_ns: int, state: T) -> None:
        """It is seen so at an instant; kept where it differs from before."""
        if not self._seen or self._seen[-1].state != state:
            self._seen.append(Observation(at_ns, state))

    @property
    def last(self) -> Observation[T] | None:
        """What stands now."""
        return self._seen[-1] if self._seen else None

    def between(self, from_ns: int, to_ns: int) -> list[Observation[T]]:
        """What stood at any time from one instant to another, both among them; the first may stand since before."""
        end = bisect_right(self._seen, to_ns, key=lambda seen: seen.since_ns)
        begin = bisect_right(self._seen, from_ns, hi=end, key=lambda seen: seen.since_ns)
        return self._seen[max(begin - 1, 0) : end]
