"""A day on one line: columns that are the intervals of a day, found by their names.

    names                                    are
    00:15 … 24:00, 0015 … 2400, 12:15 AM …   ends of intervals, by the clock (so are 00:14 … 23:59)
    00:00 … 23:45, 0000 … 2345, 12:00 AM …   begins
    00:00-00:15 …                            both
    1 … 24, HE01 … HE24, Hour 1 … Hour 24    ends of hours, counted
    0 … 23, H00 … H23                        begins of hours, counted
    1 … 96, Interval 1 …, kWh_1 …            counted, whatever their number in a day
    24 and 1, 48 and 2, 96 and 4 …           counted, with the hour more of a long day at the end
    HE02X, HE02*, 02:00 DST, a name again    the second pass of that interval

Words of a name besides, such as a unit, are what its series is told apart by.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from rig.files.strict_toml import shown
from rig.replay.intervals.columns import WrongColumns, words_of

DAY_MIN = 1440
COUNTS = (24, 48, 72, 96, 144, 288, 1440)
"""Intervals of a day."""

LEAST_COLUMNS = 12
_CLOCK = re.compile(r"(?<![\d.])(\d{1,2})[:hH](\d{2})(?::00)?(?:\s*([AaPp])\.?[Mm]?\.?(?![A-Za-z]))?(?!\d)")
_DIGITS = re.compile(r"\d+")
_AGAIN = {"x", "dst", "second", "2nd", "extra", "b"}
_LEFT_OUT = {
    "status",
    "quality",
    "flag",
    "code",
    "estimated",
    "est",
    "validation",
    "uom",
    "unit",
    "temperature",
    "temp",
}
_ENDING = {"he", "ending", "end"}
_BEGINNING = {"hb", "beginning", "begin", "starting", "start"}
_HOURS = {"h", "hr", "hour", "he", "hb"}


class DayColumn(NamedTuple):
    """A column of a day's interval: its place; the minute at which it ends, above 1440 in the hour more of a long day;
    and whether it is the second pass of one that comes twice."""

    place: int
    end_min: int
    again: bool


class DaySeries(NamedTuple):
    """Columns of one quantity in order of their ends. `words` are of their names besides the time; `first` and `last`
    names. `ends`: they are stamps of ends, or else of begins; None: neither is wrong. `counted`: they are counted from
    midnight, and may go on through a change of the clock."""

    words: tuple[str, ...]
    first: str
    last: str
    step_min: int
    ends: bool | None
    counted: bool
    columns: tuple[DayColumn, ...]

    @property
    def name(self) -> str:
        """For people."""
        return f"{shown(self.first)} to {shown(self.last)}"


class _Label(NamedTuple):
    place: int
    name: str
    first: int
    """Minutes of the clock, or the number that it is."""
    second: int | None
    """Minutes of the clock at its end, of a range."""
    clock: bool
    again: bool


def day_series(names: Sequence[str]) -> list[DaySeries]:
    """Find the series of a day's columns; none where there are no such. Raises WrongColumns."""
    groups: dict[tuple[str, ...], list[_Label]] = defaultdict(list)
    for place, name in enumerate(names):
        if (found := _label(place, name)) is not None:
            words, label = found
            if not _LEFT_OUT & set(words):
                groups[words].append(label)
    series = [_series(words, labels) for words, labels in groups.items() if len(labels) >= LEAST_COLUMNS]
    return [each for each in series if each is not None]


def _label(place: int, name: str) -> tuple[tuple[str, ...], _Label] | None:
    """The time in a column's name, and its words besides."""
    clocks = list(_CLOCK.finditer(name))
    rest = _CLOCK.sub(" ", name)
    digits = _DIGITS.findall(rest)
    if clocks and (len(clocks) > 2 or digits):
        return None
    if not clocks and (len(digits) != 1 or len(digits[0]) > 4 or re.search(r"\d[.,/]|[.,/-]\d", name)):
        return None
    words = [word for word in words_of(_DIGITS.sub(" ", rest)) if word != "to"]
    again = "*" in rest or bool(_AGAIN & set(words))
    plain = tuple(word for word in words if word not in _AGAIN)
    if clocks:
        minutes = [_minutes(match) for match in clocks]
        if None in minutes:
            return None
        first, second = minutes[0], minutes[1] if len(minutes) > 1 else None
        return plain, _Label(place, name.strip(), first or 0, second, True, again)
    return plain, _Label(place, name.strip(), int(digits[0]), None, False, again)


def _minutes(match: re.Match[str]) -> int | None:
    hour, minute, half = int(match[1]), int(match[2]), (match[3] or "").lower()
    if minute > 59 or hour > 25 or (half and not 1 <= hour <= 12):
        return None
    return 60 * ((hour % 12 + (12 if half == "p" else 0)) if half else hour) + minute


def _series(words: tuple[str, ...], labels: list[_Label]) -> DaySeries | None:
    numbers = [label.first for label in labels if not label.again]
    if all(label.clock for label in labels):
        return _by_clock(words, labels)
    if any(label.clock for label in labels):
        return None
    distinct = sorted(set(numbers))
    if distinct == list(range(distinct[0], distinct[-1] + 1)) and distinct[0] in (0, 1) and len(distinct) < 1600:
        return _counted(words, labels, distinct)
    if max(distinct) <= 2500 and all(number % 100 < 60 for number in distinct):
        by_clock = [each._replace(first=each.first // 100 * 60 + each.first % 100, clock=True) for each in labels]
        return _by_clock(words, by_clock)
    return None


def _counted(words: tuple[str, ...], labels: list[_Label], numbers: Sequence[int]) -> DaySeries | None:
    base = next((n for n in COUNTS if len(numbers) in (n, n + n // 24)), None)
    if base is None:
        return None
    step, offset = DAY_MIN // base, 1 - numbers[0]
    ends: bool | None = None
    if base == 24 and (not words or _HOURS & set(words)):
        ends = numbers[0] == 1
    if (ends is True and _BEGINNING & set(words)) or (ends is False and _ENDING & set(words)):
        first, last = labels[0].name, labels[-1].name
        raise WrongColumns(f"has columns {shown(first)} to {shown(last)}, whose numbers are not those of their names")
    seen: set[int] = set()
    columns = []
    for label in labels:
        again = label.again or label.first in seen
        seen.add(label.first)
        columns.append(DayColumn(label.place, (label.first + offset) * step, again))
    return _checked(words, labels, step, ends, True, columns)


def _by_clock(words: tuple[str, ...], labels: list[_Label]) -> DaySeries | None:
    if all(label.second is not None for label in labels):
        return _ranges(words, labels)
    if any(label.second is not None for label in labels):
        return None
    minutes = [label.first for label in labels]
    if all(minute % 5 == 4 for minute in minutes):  # 00:14 for the end of a quarter
        minutes = [minute + 1 for minute in minutes]
    if minutes[-1] == 0 and minutes[0] != 0:
        minutes[-1] = DAY_MIN
    distinct = sorted(set(minutes))
    step = min((b - a for a, b in pairwise(distinct)), default=0)
    if step == 0 or DAY_MIN // step not in COUNTS or any(minute % step for minute in distinct):
        return None
    if 0 in distinct and distinct[-1] >= DAY_MIN:
        raise WrongColumns(
            f"has columns {shown(labels[0].name)} to {shown(labels[-1].name)}, with 00:00 and 24:00: it must have one"
        )
    ends = distinct[-1] >= DAY_MIN
    if not ends and 0 not in distinct:
        raise WrongColumns(
            f"has columns {shown(labels[0].name)} to {shown(labels[-1].name)}, which are no whole day: it must have "
            "00:00 or 24:00"
        )
    seen: set[int] = set()
    columns = []
    for label, minute in zip(labels, minutes, strict=True):
        columns.append(DayColumn(label.place, minute if ends else minute + step, label.again or minute in seen))
        seen.add(minute)
    return _checked(words, labels, step, ends, False, columns)


def _ranges(words: tuple[str, ...], labels: list[_Label]) -> DaySeries | None:
    lengths = {((label.second or 0) - label.first) % DAY_MIN for label in labels}
    if lengths <= {14, 29, 59}:  # 00:00-00:14
        lengths = {length + 1 for length in lengths}
    step = min(lengths)
    if len(lengths) != 1 or step == 0 or DAY_MIN // step not in COUNTS or any(each.first % step for each in labels):
        return None
    seen: set[int] = set()
    columns = []
    for label in labels:
        columns.append(DayColumn(label.place, label.first + step, label.again or label.first in seen))
        seen.add(label.first)
    return _checked(words, labels, step, None, False, columns)


def _checked(
    words: tuple[str, ...],
    labels: Sequence[_Label],
    step: int,
    ends: bool | None,
    counted: bool,
    columns: list[DayColumn],
) -> DaySeries:
    """Give the series; columns that are neither a day's nor an hour more are wrong."""
    again = [column for column in columns if column.again]
    if len(again) * step > 60 or any(column.end_min > DAY_MIN + 60 for column in columns):
        name = next(label.name for label in labels if label.place == (again or columns)[-1].place)
        raise WrongColumns(
            f"has columns {shown(labels[0].name)} to {shown(labels[-1].name)} for more than 25 hours of a day: is "
            f"{shown(name)} one of them?"
        )
    ordered = tuple(sorted(columns, key=lambda column: (column.end_min, column.again)))
    return DaySeries(words, labels[0].name, labels[-1].name, step, ends, counted, ordered)
