"""Time zones as load records write them: in a column's name, behind a stamp.

Time (UTC), Time_GMT                      of UTC
Time (UTC-05:00), Timestamp GMT+1         so far ahead of UTC; Etc/GMT+5, which is behind it, is no such name
… 01:00 UTC, … 01:00 GMT-5, … 01:00 Z     the same, stamp by stamp
… 01:00 EST                               as far as the meter's clock is when it has that name; others are refused
… 01:00-05:00[America/Toronto]            the offset counts
a column Time Zone, UTC Offset, TZ        the same, of EST, UTC-05:00, -05:00, -5; of anything else it does not count
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_OFFSET = r"([+\-\u2212])\s*(\d{1,2})(?::?([0-5]\d))?"
_ZONE = re.compile(rf"(?<![A-Za-z0-9/])(?:UTC|GMT)(?:\s*{_OFFSET})?(?![A-Za-z0-9:])", re.IGNORECASE)
_BEHIND = re.compile(rf"(.*?\d(?:\s*[AaPp]\.?\s?[Mm]\.?)?)\s*\(?((?:UTC|GMT)\s*{_OFFSET}|[A-Za-z]{{1,5}})\)?", re.ASCII)
_NAME = re.compile(r"(.*(?:\d\d|Z))\[[\w/+-]+\]", re.ASCII)
_CELL = re.compile(rf"(?:(?:UTC|GMT)\s*)?{_OFFSET}", re.IGNORECASE)
_HALVES = {"am", "pm", "a", "p"}


class UnknownZone(ValueError):
    """A zone's name behind a stamp that is not of the meter's clock."""


def zone_in(name: str) -> timezone | None:
    """Give the zone in a column's name; None where there is none."""
    match = _ZONE.search(name)
    return None if match is None else _ahead(match[1], match[2], match[3])


def without_zone(name: str) -> str:
    """Give a column's name without the zone in it."""
    return _ZONE.sub(" ", name)


def zone_text(zone: timezone) -> str:
    """Give a zone for people, as UTC or UTC-05:00."""
    return str(zone)


def clock_names(clock: tzinfo, year: int) -> dict[str, timezone]:
    """Give the names that a clock has in a year, such as EST and EDT, with how far it is ahead of UTC."""
    found = dict.fromkeys(("UTC", "GMT", "Z"), UTC)
    for month in (1, 4, 7, 10):
        time = datetime(year, month, 1, tzinfo=clock)
        name, offset = time.tzname(), time.utcoffset()
        if name and name.isalpha() and offset is not None:
            found[name.upper()] = timezone(offset)
    return found


def parted(stamp: str, names: Mapping[str, timezone]) -> tuple[str, timezone | None]:
    """Part a stamp from the zone behind it; None where there is none. Raises UnknownZone."""
    if named := _NAME.fullmatch(stamp):
        stamp = named[1]
    match = _BEHIND.fullmatch(stamp)
    if match is None or match[2].lower() in _HALVES:
        return stamp, None
    if match[3]:
        return match[1], _ahead(match[3], match[4], match[5])
    zone = names.get(match[2].upper())
    if zone is None:
        raise UnknownZone(match[2])
    return match[1], zone


def zones_of(cells: Sequence[str], times: Sequence[datetime], clock: tzinfo) -> list[timezone] | None:
    """Give the zones in a column's cells beside local times; None where one is not sure.

    EST in July may be standard time all year, or the name of the place: names count as far as `clock` has them then.
    """
    names = clock_names(clock, times[0].year)
    found = []
    for cell, time in zip(cells, times, strict=True):
        if match := _CELL.fullmatch(cell):
            found.append(_ahead(match[1], match[2], match[3]))
            continue
        zone = names.get(cell.upper())
        local = time.replace(tzinfo=clock)
        if zone is None or zone.utcoffset(None) not in (local.utcoffset(), local.replace(fold=1).utcoffset()):
            return None
        found.append(zone)
    return found


def _ahead(sign: str | None, hours: str | None, minutes: str | None) -> timezone:
    if sign is None:
        return UTC
    ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return timezone(ahead if sign == "+" else -ahead) if ahead < timedelta(hours=24) and ahead else UTC
