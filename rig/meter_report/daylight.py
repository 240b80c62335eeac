"""Marks of daylight saving in the load profile of a reading: where the clock went forward or back by it.

Intervals have the time that the clock showed, and no mark says that it moved. Another maker's have a bit each, daylight
saving on; of ours the program names the zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

import msgspec

from rig.errors import RigError
from rig.files.strict_toml import convert
from rig.meter_report.load_curves import CLOCK_SET, begin_of
from rig.meter_report.meter_data import ProfileLine, ProfileMark
from rig.program.schema import ClockTable
from rig.program.time_of_use import zone_of

_SECOND = timedelta(seconds=1)


def zone_of_program(tables: bytes) -> tzinfo | None:
    """Give the zone of a program's tables as a meter gives them, JSON; None for one that this rig does not know."""
    try:
        clock = msgspec.json.decode(tables, type=dict[str, object]).get("clock")
        return zone_of(convert(clock, ClockTable)) if isinstance(clock, dict) else None
    except (RigError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def marks_by_zone(lines: Sequence[ProfileLine], minutes: int, zone: tzinfo) -> tuple[ProfileMark, ...]:
    """Mark where an interval begins at another time than the one before ended, and at the same instant."""
    return tuple(
        ProfileMark(CLOCK_SET, end, begin)
        for end, begin, _ in _leaps(lines, minutes)
        if _instants(end - _SECOND, zone, _SECOND) & _instants(begin, zone)
    )


def marks_by_bit(lines: Sequence[ProfileLine], minutes: int, saving: Sequence[bool]) -> tuple[ProfileMark, ...]:
    """Mark where the bit of the intervals changes, and the clock with it: forward as it comes, back as it goes."""
    return tuple(
        ProfileMark(CLOCK_SET, end, begin)
        for end, begin, place in _leaps(lines, minutes)
        if saving[place] != saving[place - 1] and saving[place] == (begin > end)
    )


def _leaps(lines: Sequence[ProfileLine], minutes: int) -> Iterator[tuple[datetime, datetime, int]]:
    """Give where an interval does not begin when the one before ended: that end, its beginning, its place."""
    for place, (before, line) in enumerate(pairwise(lines), 1):
        begin = begin_of(line, minutes)
        if begin != before.end:
            yield before.end, begin, place


def _instants(local: datetime, zone: tzinfo, later: timedelta = timedelta(0)) -> set[datetime]:
    """Give the instants at which a clock showed a time, of a doubled hour both; so much later."""
    try:
        return {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) + later for fold in (0, 1)}
    except (OverflowError, ValueError):
        return set()
