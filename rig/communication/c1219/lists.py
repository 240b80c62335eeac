"""Lists of a meter, and how much of each has been read: the unread entries of ST26, ST63, ST74 and ST76 (X-1).

Marks belong to the port, as no reading changes the meter: they last as long as its process. An entry has a sequence
number that grows by one; a mark is the number up to which all is read.
"""

from __future__ import annotations

from enum import IntEnum


class ListNumber(IntEnum):
    """A list, by its number in procedures 4 and 5."""

    EVENT_LOG = 1
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
        self._read: dict[ListNumber, int] = dict.fromkeys(ListNumber, 0)
        self._last: dict[ListNumber, int] = dict.fromkeys(ListNumber, 0)

    def unread(self, of: ListNumber, last: int, valid: int) -> int:
        """Give how many of the `valid` entries up to sequence number `last` are unread, and note them."""
        self._last[of] = last
        if last < self._read[of]:  # the list began anew
            self._read[of] = 0
        self._read[of] = max(self._read[of], last - valid)  # what has gone cannot be read any more
        return last - self._read[of]

    def all_read(self, lists: tuple[ListNumber, ...]) -> None:
        """Mark as read whatever was seen of some lists."""
        for each in lists:
            self._read[each] = self._last[each]

    def read(self, of: ListNumber, count: int) -> bool:
        """Mark the oldest unread entries as read; False for more than there are."""
        if self._read[of] + count > self._last[of]:
            return False
        self._read[of] += count
        return True
