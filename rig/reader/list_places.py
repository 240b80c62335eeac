"""Order of a list's entries by its own head: ST26, ST63, ST74 and ST76 of any meter (X-2).

A list is in order of time or against it. One that goes round keeps its entries where they are: the newest is at the
place that it says, and behind it the next one overwrites the oldest.
"""

from __future__ import annotations


def oldest_first(count: int, valid: int, newest: int, *, descending: bool, circular: bool) -> list[int]:
    """Give the places of a list's valid entries, of `count` in all, the oldest first; `newest` is where it says."""
    valid = min(valid, count)
    if not circular or newest >= count:
        places = list(range(valid))
        return places[::-1] if descending else places
    step = 1 if descending else -1
    return [(newest + step * k) % count for k in reversed(range(valid))]
