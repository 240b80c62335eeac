"""Stamps of a load's record put on the grid of its intervals, where all of them are near it (review A-10).

    all stamps, seen as the file has them            taken as
    on the grid                                      they are
    up to NEAR off it, either way                    the nearest instant of the grid, told
    ends one minute before it: 00:59, 23:59          the minute that follows, told
    begins one minute after it: 00:01, 00:16         the minute before, told
    ends on the grid, but 23:59 for 24:00            the day's end, told
    any of them farther off                          they are

The grid are the multiples of the interval from midnight on; of an interval longer than an hour, the full hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

NEAR = timedelta(seconds=30)
LEAST_STEP = timedelta(minutes=5)
"""Stamps of shorter intervals stay: what is near an instant of the grid would be near the next one."""

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


def on_grid(stamps: Sequence[datetime], *, ends: bool, step: timedelta | None) -> tuple[list[datetime], str] | None:
    """Give stamps on the grid, and a note; None where they stay. `step` is the interval; None: what most are apart."""
    step = step or _step(stamps)
    if step is None or step < LEAST_STEP or _HOUR % min(step, _HOUR):
        return None
    grid = min(step, _HOUR)
    off = [_off(stamp, grid) for stamp in stamps]
    if not any(off):
        return None
    minute = -_MINUTE if ends else _MINUTE
    if all(each == minute for each in off):
        note = "at the minute before a full interval: taken as the minute that follows" if ends else (
            "a minute after a full interval begins: taken as the minute before"
        )  # fmt: skip
        return [stamp - minute for stamp in stamps], f"all stamps are {note}, the first {_text(stamps[0])}"
    late = [place for place, each in enumerate(off) if abs(each) > NEAR]
    if late:
        if not ends or any(off[place] != -_MINUTE or stamps[place].hour != 23 for place in late):
            return None
        moved = [stamp + _MINUTE if each == -_MINUTE else stamp for stamp, each in zip(stamps, off, strict=True)]
        return moved, (
            f"{len(late)} of {len(stamps)} stamps are 23:59 for the day's end, the first {_text(stamps[late[0]])}: "
            "taken as it"
        )
    count, most = sum(map(bool, off)), max(map(abs, off))
    first = next(stamp for stamp, each in zip(stamps, off, strict=True) if each)
    return [stamp - each for stamp, each in zip(stamps, off, strict=True)], (
        f"{count} of {len(stamps)} stamps are off the full {_minutes(grid)} min by up to {most.total_seconds():g} s, "
        f"the first {_text(first)}: taken as the full ones"
    )


def _step(stamps: Sequence[datetime]) -> timedelta | None:
    """Return what most are apart, to the minute, if that is more than half of them."""
    apart: Counter[timedelta] = Counter()
    for one, other in pairwise(sorted(stamp.replace(tzinfo=None) for stamp in stamps)):
        if rounded := (other - one + _MINUTE / 2) // _MINUTE:
            apart[rounded * _MINUTE] += 1
    if not apart:
        return None
    step, times = apart.most_common(1)[0]
    return step if 2 * times > apart.total() else None


def _off(stamp: datetime, grid: timedelta) -> timedelta:
    """Return how far it is behind the nearest instant of the grid; negative before it."""
    since = timedelta(hours=stamp.hour, minutes=stamp.minute, seconds=stamp.second, microseconds=stamp.microsecond)
    behind = since % grid
    return behind if 2 * behind <= grid else behind - grid


def _text(stamp: datetime) -> str:
    return stamp.replace(tzinfo=None).isoformat(" ", "seconds" if stamp.second or stamp.microsecond else "minutes")


def _minutes(length: timedelta) -> str:
    return f"{length / _MINUTE:g}"
