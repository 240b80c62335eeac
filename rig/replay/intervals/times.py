"""Stamps of a load's record, in ISO, by a format that is given, or as day, month and year in an order that is sure.

first stamp                      order
ISO, 2026-01-15T00:15            ISO, for all
begins with the year             year, month, day
with dots, 15.01.2026            day, month, year; 26.01.15 as the years change less
with / or -, any first above 12  day, month, year; told
with / or -, any second above 12 month, day, year; told
both, or neither                 refused: --time-format says it
years of two digits, as 26/03/15 the order in which the year changes least; told
counts, months by name, …        see stamp_forms.py; zones behind stamps, zones.py
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

from rig.files.strict_toml import shown
from rig.replay.intervals.stamp_forms import counted_times, is_compact, of_ranges, plain_stamp
from rig.replay.intervals.zones import UnknownZone, clock_names, parted, zone_text

YEARS = range(1970, 2200)

_DAY = timedelta(days=1)
_ORDERS = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}
_YEAR = re.compile(r"(?<!\d)(?:19[7-9]|20\d|21\d)\d(?!\d)", re.ASCII)
_PATTERN = re.compile(
    r"(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})"
    r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(?:([AP])\.?\s?M\.?)?)?",
    re.ASCII | re.IGNORECASE,
)


class WrongStamp(ValueError):
    """A stamp at a place, and what it must be."""

    def __init__(self, place: int, rule: str) -> None:
        super().__init__(rule)
        self.place, self.rule = place, rule


class Times(NamedTuple):
    """Instants of all stamps, and a note where the order of a date was found."""

    times: list[datetime]
    note: str | None


def read_times(stamps: Sequence[str], time_format: str | None, clock: tzinfo, *, ends: bool) -> Times:
    """Read all stamps; zones may have names of `clock`. `ends`: of ranges the ends are wanted. Raises WrongStamp."""
    stamps = of_ranges(stamps, ends=ends)
    if time_format is not None:
        rule = f"it must be as --time-format {shown(time_format)} says, in the years {YEARS[0]} to {YEARS[-1]}"
        names = clock_names(clock, _year_of(stamps[:1]))
        return Times(_all(stamps, lambda stamp: _by_format(stamp, time_format, names), rule), None)
    if (found := counted_times(stamps)) is not None:
        times, note = found
        for place, time in enumerate(times):
            if time.year not in YEARS:
                raise WrongStamp(place, f"which is {time}: it must be in the years {YEARS[0]} to {YEARS[-1]}")
        return Times(times, note)
    if not stamps or _plain(stamps[0]):
        return _plain_times(stamps)
    return _zoned(stamps, clock)


def _plain(stamp: str) -> bool:
    """Return whether a stamp is in one of the forms that need no other one."""
    if is_compact(stamp):
        return False
    return _iso_or_none(stamp) is not None or (stamp.isascii() and _PATTERN.fullmatch(stamp) is not None)


def _zoned(stamps: Sequence[str], clock: tzinfo) -> Times:
    """Read stamps of which the first is in another form, or has a zone behind it."""
    names = clock_names(clock, _year_of([plain_stamp(stamp) for stamp in stamps[:1]]))
    bases: list[str] = []
    zones: list[timezone | None] = []
    told: dict[str, str] = {}
    for place, stamp in enumerate(stamps):
        plain = plain_stamp(stamp)
        try:
            base, zone = parted(plain, names)
        except UnknownZone as error:
            raise WrongStamp(
                place,
                f"whose zone {shown(str(error))} the meter's clock does not have: write an offset from UTC, as in "
                "2011-07-01T16:30-04:00, or leave it out if it is the meter's",
            ) from None
        bases.append(base)
        zones.append(zone)
        if zone is not None and plain[len(base) :].strip(" ()").isalpha():
            told[plain[len(base) :].strip(" ()")] = zone_text(zone)
    times, note = _plain_times(bases)
    times = [
        time if zone is None or time.tzinfo is not None else time.replace(tzinfo=zone)
        for time, zone in zip(times, zones, strict=True)
    ]
    if named := ", ".join(f"{name} is {zone}" for name, zone in told.items() if zone != "UTC"):
        note = f"{note}; {named}" if note else f"of the times {named}"
    return Times(times, note)


def _year_of(stamps: Sequence[str]) -> int:
    """Give the year of four digits in the first stamp; of one without, a year like others."""
    return next((int(year[0]) for stamp in stamps if (year := _YEAR.search(stamp))), 2000)


def _plain_times(stamps: Sequence[str]) -> Times:
    """Read stamps in ISO, or of day, month and year in one order."""
    if stamps and _iso_or_none(stamps[0]) is None and (match := _PATTERN.fullmatch(stamps[0])):
        return _dates(stamps, match)
    rule = (
        "it must be as in 2011-07-01T16:30 or 2011-07-01T16:30-04:00, in the years "
        f"{YEARS[0]} to {YEARS[-1]}, or --time-format says how it is written"
    )
    return Times(_all(stamps, _iso, rule), None)


def _all(stamps: Sequence[str], read: Callable[[str], datetime], rule: str) -> list[datetime]:
    times = []
    for place, stamp in enumerate(stamps):
        try:
            time = read(stamp)
            if time.year not in YEARS:
                raise ValueError
        except (ValueError, OverflowError, IndexError, re.error):
            raise WrongStamp(place, rule) from None
        times.append(time)
    return times


def _iso(stamp: str) -> datetime:
    """As it stands there; 24:00 is the 00:00 of the next day."""
    if stamp[11:16] != "24:00":
        return datetime.fromisoformat(stamp)
    time = datetime.fromisoformat(f"{stamp[:11]}00:00{stamp[16:]}")
    if time.second or time.microsecond:
        raise ValueError
    return time + _DAY


def _iso_or_none(stamp: str) -> datetime | None:
    try:
        return _iso(stamp)
    except (ValueError, OverflowError):
        return None


def _by_format(stamp: str, time_format: str, names: Mapping[str, timezone]) -> datetime:
    """As the format says, or so with a zone behind it."""
    try:
        return datetime.strptime(stamp, time_format)
    except ValueError:
        base, zone = parted(stamp, names)
        if zone is None:
            raise
        return datetime.strptime(base, time_format).replace(tzinfo=zone)


def _dates(stamps: Sequence[str], first: re.Match[str]) -> Times:
    note = None
    if len(first[1]) == 4:
        order = "ymd"
    elif first[2] == ".":
        parts = _short_parts(stamps)
        if parts and len({last for _, last in parts}) > len({one for one, _ in parts}):
            order, note = "ymd", _jumping(stamps[0], "ymd")
        else:
            order = "dmy"
    else:
        order, place = _order(stamps)
        if order != "mdy" and _short_years(stamps) is not None:
            note = _jumping(stamps[place], order)
        else:
            note = f"dates are read as {_ORDERS[order]}: {shown(stamps[place])} can be nothing else"
    rule = (
        f"it must be as in the first line, {shown(first.string)}, or --time-format says how it is written, "
        "such as %d/%m/%Y %H:%M"
    )
    return Times(_all(stamps, lambda stamp: _by_order(stamp, order), rule), note)


def _jumping(stamp: str, order: str) -> str:
    return f"dates are read as {_ORDERS[order]}: of {shown(stamp)} the other order would make the years jump"


def _order(stamps: Sequence[str]) -> tuple[str, int]:
    """Give the order of day and month, and the place of a stamp that shows it."""
    day_first = month_first = None
    for place, stamp in enumerate(stamps):
        if match := _PATTERN.fullmatch(stamp):
            if day_first is None and int(match[1]) > 12:
                day_first = place
            if month_first is None and int(match[3]) > 12:
                month_first = place
    if month_first is None and day_first is not None and (years := _short_years(stamps)) is not None:
        return years, day_first
    if (day_first is None) == (month_first is None):
        found = "can be read in two orders" if day_first is None else "and others are in two orders"
        raise WrongStamp(
            month_first or 0,
            f"which {found}: say with --time-format, such as '%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M'",
        )
    return ("dmy", day_first) if day_first is not None else ("mdy", month_first or 0)


def _short_years(stamps: Sequence[str]) -> str | None:
    """Give the order of dates whose first and last parts have two digits and may both be the year; None for others.

    Raises WrongStamp where both stay the same.
    """
    parts = _short_parts(stamps)
    if parts is None:
        return None
    firsts, lasts = (len({pair[k] for pair in parts}) for k in (0, 1))
    if firsts == lasts:
        raise WrongStamp(
            0, "which can be read in two orders: say with --time-format, such as '%d/%m/%y %H:%M' or '%y/%m/%d %H:%M'"
        )
    return "dmy" if firsts > lasts else "ymd"


def _short_parts(stamps: Sequence[str]) -> list[tuple[str, str]] | None:
    """Give first and last parts of dates if both have two digits in all, and both may be a day; else None."""
    parts = [(match[1], match[4]) for stamp in stamps if (match := _PATTERN.fullmatch(stamp))]
    if any(len(part) != 2 for pair in parts for part in pair) or any(int(last) > 31 for _, last in parts):
        return None
    return parts


def _by_order(stamp: str, order: str) -> datetime:
    match = _PATTERN.fullmatch(stamp)
    if match is None:
        raise ValueError
    parts = dict(zip(order, (int(match[1]), int(match[3]), int(match[4])), strict=True))
    year = parts["y"] + (2000 if parts["y"] < 100 else 0)
    hour, minute, second = (int(match[k] or 0) for k in (5, 6, 7))
    micro = int((match[8] or "0").ljust(6, "0")[:6])
    if match[9]:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if match[9].upper() == "P" else 0)
    if hour == 24 and not (minute or second or micro):
        return datetime(year, parts["m"], parts["d"]) + _DAY
    return datetime(year, parts["m"], parts["d"], hour, minute, second, micro)
