"""Lists of a meter, and how much of each has been read: the unread entries of ST26, ST63, ST74 and ST76 (X-1).

Marks belong to the port, as no reading changes the meter: they last as long as its process. Entries have sequence
numbers that grow, though not always by one; a mark is the number up to which all is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class ListNumber(IntEnum):
    """A list, by its number in procedures 4 and 5."""

    EVENTS = 1
    SELF_READS = 2
    PROFILE = 3
    HISTORY = 7

    @classmethod
    def named(cls, number: int) -> tuple[ListNumber, ...] | None:
        """Give the lists of a number, 255 all; None for a list that the meter does not have."""
        if number == _ALL:
            return tuple(cls)
        return (cls(number),) if number in set(cls) else None


_ALL = 255


class ListMarks:
    """Marks of what was read, of lists as they were when they were seen last in a table."""

    def __init__(self) -> None:
        self._read: dict[ListNumber, int] = dict.fromkeys(ListNumber, -1)
        self._seen: dict[ListNumber, Sequence[int]] = dict.fromkeys(ListNumber, ())

    def unread(self, of: ListNumber, sequences: Sequence[int]) -> int:
        """Give how many entries of a list are unread, and note the list."""
        if sequences and sequences[-1] < self._read[of]:  # the list began anew
            self._read[of] = -1
        self._seen[of] = sequences
        return len(self._unread(of))

    def all_read(self, lists: tuple[ListNumber, ...]) -> None:
        """Mark as read whatever was seen of some lists."""
        for each in lists:
            if self._seen[each]:
                self._read[each] = self._seen[each][-1]

    def read(self, of: ListNumber, count: int) -> bool:
        """Mark the oldest unread entries as read; False for more than there are."""
        unread = self._unread(of)
        if count > len(unread):
            return False
        if count:
            self._read[of] = unread[count - 1]
        return True

    def _unread(self, of: ListNumber) -> list[int]:
        return [number for number in self._seen[of] if number > self._read[of]]
