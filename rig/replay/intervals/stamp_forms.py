"""Stamps of load records in other forms than ISO: counts of time, months by name, digits alone; as ISO or dotted dates.

in all lines                              is
1768438800, 1768438800000 (ms, µs, ns)    seconds since 1970, UTC, told
46037.0416667, 46037,04                   days since 1900 as spreadsheets count them, told
202601150100, 20260115010000              year, month, day, hour, minute, perhaps second
15-Jan-2026 01:00, Jan 15, 2026 1:00 AM   day and month as they say
Thu 2026-01-15 01:00                      without the day's name
15.01.2026 01.00, 2026-01-15 13h00        hours and minutes
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHEETS_EPOCH = datetime(1899, 12, 30)
_DAY_S = 86400
_LAST_DAY = 110_000
"""Of the year 2201, as spreadsheets count."""

_BLANKS = str.maketrans(dict.fromkeys("\u00a0\u202f\u2007\u2009", " "))
_COUNTS = {10: (1, "seconds"), 13: (10**3, "ms"), 16: (10**6, "µs"), 19: (10**9, "ns")}
_COUNT = re.compile(r"(\d{10}|\d{13}|\d{16}|\d{19})(?:\.0*)?", re.ASCII)
_SERIAL = re.compile(r"(\d{5}(?:[.,]\d{1,15})?)(?:\s+(0?[.,]\d{1,15}|0|\d{1,2}:\d\d(?::\d\d)?))?", re.ASCII)
_SHORT = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII)
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)[ T]?(\d\d)(\d\d)(\d\d)?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = f"({'|'.join(_MONTHS)})[a-z]{{0,6}}"
_DAY_FIRST = re.compile(
    rf"(\d{{1,2}})[ ./-]{{0,2}}{_MONTH}[ ,./-]{{1,2}}(\d{{4}}|\d\d)(?!\d)", re.IGNORECASE | re.ASCII
)
_MONTH_FIRST = re.compile(rf"{_MONTH}[ .]{{1,2}}(\d{{1,2}})(?:st|nd|rd|th)?,? +(\d{{4}})", re.IGNORECASE | re.ASCII)
_WEEKDAY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,? +(?=\S)", re.IGNORECASE)
_CLOCK = r"\d{1,2}:[0-5]\d(?::[0-5]\d)?(?:\s*[AaPp]\.?\s?[Mm]\.?)?"
_RANGE = re.compile(rf"(.*?)\b({_CLOCK})\s+(?:-|\u2013|to)\s+(.*?)({_CLOCK})")
_MIDNIGHT = re.compile(r"0?0:00(?::00)?|12:00(?::00)?\s*[Aa]\.?\s?[Mm]\.?")
_POINTS = re.compile(r"(.*\d[./-]\d.*[ T])(\d{1,2})(?:\.|[hH])([0-5]\d)(?:[.mM]([0-5]\d))?")


def counted_times(stamps: Sequence[str]) -> tuple[list[datetime], str] | None:
    """Read stamps that count time since 1970 or 1900, with a note; None for any others, and what may be dates."""
    first = stamps[0] if stamps else ""
    if (match := _COUNT.fullmatch(first)) and not all(map(_is_short_date, stamps)):
        per_second, unit = _COUNTS[len(match[1])]
        times = _all(stamps, _COUNT, lambda found: _EPOCH + timedelta(microseconds=int(found[1]) * 10**6 // per_second))
        return None if times is None else (times, f"times are {unit} since 1970, of UTC: the first is {times[0]}")
    if _SERIAL.fullmatch(first):
        times = _all(stamps, _SERIAL, _of_sheet)
        if times is not None:
            return times, f"times are days as spreadsheets count them: the first is {times[0]}"
    return None


def of_ranges(stamps: Sequence[str], *, ends: bool) -> Sequence[str]:
    """Give the ends, or begins, of stamps that are ranges, as 01/15/2026 12:00 AM - 12:30 AM; others as they are."""
    if not stamps or not _RANGE.fullmatch(stamps[0]):
        return stamps
    found = []
    for stamp in stamps:
        match = _RANGE.fullmatch(stamp)
        if match is None:
            return stamps
        end = f"{match[3]}{match[4]}"
        if not match[3].strip():  # of the day on which it begins
            end = f"{match[1]}{'24:00' if _MIDNIGHT.fullmatch(match[4]) else match[4]}"
        found.append(end if ends else f"{match[1]}{match[2]}")
    return found


def is_compact(stamp: str) -> bool:
    """Return whether a stamp is of digits alone, with perhaps a blank between date and time."""
    return _DIGITS.fullmatch(stamp) is not None


def plain_stamp(stamp: str) -> str:
    """Give a stamp as ISO, or with a dotted date; what is in no form from above as it is, with plain blanks."""
    plain = _WEEKDAY.sub("", stamp.translate(_BLANKS).strip(), count=1)
    if match := _DIGITS.fullmatch(plain):
        return f"{match[1]}-{match[2]}-{match[3]} {match[4]}:{match[5]}:{match[6] or '00'}"
    plain = _DAY_FIRST.sub(lambda found: f"{found[1]}.{_month(found[2])}.{found[3]}", plain, count=1)
    plain = _MONTH_FIRST.sub(lambda found: f"{found[2]}.{_month(found[1])}.{found[3]}", plain, count=1)
    if match := _POINTS.fullmatch(plain):
        return f"{match[1]}{match[2]:0>2}:{match[3]}:{match[4] or '00'}"
    return plain


def _all(
    stamps: Sequence[str], pattern: re.Pattern[str], read: Callable[[re.Match[str]], datetime]
) -> list[datetime] | None:
    times = []
    for stamp in stamps:
        match = pattern.fullmatch(stamp)
        if match is None:
            return None
        try:
            times.append(read(match))
        except (ValueError, OverflowError):
            return None
    return times


def _of_sheet(match: re.Match[str]) -> datetime:
    if match[2] and ":" in match[2]:
        hours, minutes, *seconds = map(int, match[2].split(":"))
        part = Fraction((hours * 60 + minutes) * 60 + sum(seconds), _DAY_S)
    else:
        part = Fraction((match[2] or "0").replace(",", "."))
    days = Fraction(match[1].replace(",", ".")) + part
    if not days < _LAST_DAY:
        raise ValueError
    return _SHEETS_EPOCH + timedelta(seconds=round(days * _DAY_S))


def _is_short_date(stamp: str) -> bool:
    """Return whether ten digits may be a date of a year of two digits, as 2601150100."""
    match = _SHORT.fullmatch(stamp)
    return match is not None and _possible(match[2], match[3], match[4], match[5])


def _possible(month: str, day: str, hour: str, minute: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31 and int(hour) <= 24 and int(minute) < 60


def _month(name: str) -> str:
    return f"{_MONTHS.index(name.lower()) + 1:02}"
