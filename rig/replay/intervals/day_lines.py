"""Days on one line each, as intervals one after another, by the clock of the calendar.

A day that the clock changes on has an hour less or more than its columns:

    spring, columns by the clock     those of the hour that is skipped are empty or 0
    spring, columns that are counted the same; or the last ones are empty or 0, and they count through the change
    spring, all have energy          the file is in standard time all year (stamps.py)
    autumn, columns of an hour more  named again: the second pass; counted, 25 or 97 … 100: the hours as they passed,
                                     or the second pass where spring shows that columns are by the clock
    autumn, none of them             the hour once: its first pass, and a gap
    another day, an hour more        refused, unless empty or 0
    a date again                     its first line counts, told
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from rig.files.strict_toml import shown
from rig.meter.billing.calendar import Calendar
from rig.meter.billing.time_units import MINUTE_NS
from rig.replay.intervals.day_columns import DAY_MIN, DayColumn, DaySeries
from rig.replay.intervals.encoding import IntervalFileError

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class DayLine(NamedTuple):
    """A line of the file: its date, and its cells."""

    line: int
    day: datetime
    cells: Sequence[str]


class Entry(NamedTuple):
    """An interval of one quantity: its line, its stamp as the local clock shows it, and its number as text."""

    line: int
    time: datetime
    text: str


class _OddDay(NamedTuple):
    """A day on which the clock changes: its minutes, those of begins that it skips, and has twice; and by minute since
    midnight what the clock shows."""

    minutes: int
    skipped: frozenset[int]
    doubled: tuple[int, ...]
    walls: Mapping[int, datetime]


class DayReading:
    """Takes the lines of one series. `ends`: stamps are wanted of ends. `notes` are added to."""

    def __init__(self, path: Path, series: DaySeries, calendar: Calendar, notes: list[str], *, ends: bool) -> None:
        self._path, self._series, self._calendar, self._notes, self._ends = path, series, calendar, notes, ends
        self._odd: dict[date, _OddDay | None] = {}

    def entries(self, lines: Sequence[DayLine]) -> list[Entry]:
        """All intervals, day by day. Raises IntervalFileError."""
        lines = self._once(lines)
        through = self._counts_through(lines)
        found: list[Entry] = []
        for line in lines:
            odd = self._odd_day(line.day)
            if odd is None:
                found += self._plain(line)
            elif through and (odd.minutes < DAY_MIN or self._flows_after(line, DAY_MIN)):
                found += self._passed(line, odd)
            else:
                found += self._by_clock(line, odd)
        return found

    def _once(self, lines: Sequence[DayLine]) -> list[DayLine]:
        """Lines in order of their days, of each date the first."""
        first: dict[datetime, DayLine] = {}
        twice: list[DayLine] = []
        differing = 0
        for line in lines:
            before = first.setdefault(line.day, line)
            if before is not line:
                twice.append(line)
                differing += [*self._texts(before)] != [*self._texts(line)]
        if twice:
            differ = f", {differing} of them with other numbers" if differing else ""
            self._notes.append(
                f"{len(twice)} {'days' if len(twice) > 1 else 'day'} again, the first in line {twice[0].line}{differ}: "
                "of each the first line counts"
            )
        return [first[day] for day in sorted(first)]

    def _texts(self, line: DayLine) -> list[str]:
        return [line.cells[column.place].strip() for column in self._series.columns]

    # --- a day ----------------------------------------------------------------------------------------------

    def _plain(self, line: DayLine) -> list[Entry]:
        """A day of 24 hours."""
        found = []
        for column in self._series.columns:
            if column.again or column.end_min > DAY_MIN:
                if _flows(line.cells[column.place]):
                    raise IntervalFileError(
                        f"{self._path}, line {line.line}: {shown(line.cells[column.place].strip())} in the hour more "
                        f"than 24, but {line.day:%Y-%m-%d} has 24 hours by the meter's clock: is [clock] of the "
                        "program that of the file?"
                    )
                continue
            found.append(self._entry(line, column, self._stamp(line.day, column.end_min)))
        return found

    def _by_clock(self, line: DayLine, odd: _OddDay) -> list[Entry]:
        """A day whose columns are those of the clock."""
        again = iter(odd.doubled)
        found: list[Entry] = []
        second: list[Entry] = []
        after = 0
        for column in self._series.columns:
            end_min = column.end_min
            if end_min > DAY_MIN or column.again:
                if not line.cells[column.place].strip():
                    continue
                if end_min > DAY_MIN:
                    begin = next(again, None)
                    if begin is None and not _flows(line.cells[column.place]):
                        continue
                    if begin is None:
                        raise self._no_such_hour(line, column)
                    end_min = begin + self._series.step_min
                elif end_min - self._series.step_min not in odd.doubled:
                    if _flows(line.cells[column.place]):
                        raise self._no_such_hour(line, column)
                    continue
                second.append(self._entry(line, column, self._stamp(line.day, end_min)))
                continue
            found.append(self._entry(line, column, self._stamp(line.day, end_min)))
            if odd.doubled and self._begin(column) <= odd.doubled[-1]:
                after = len(found)
        return [*found[:after], *second, *found[after:]]

    def _passed(self, line: DayLine, odd: _OddDay) -> list[Entry]:
        """A day whose columns count the time that passed."""
        found = []
        for column in self._series.columns:
            if column.end_min <= odd.minutes and not column.again:
                minute = column.end_min - (0 if self._ends else self._series.step_min)
                found.append(self._entry(line, column, odd.walls[minute]))
            elif _flows(line.cells[column.place]):
                raise self._no_such_hour(line, column)
        return found

    def _no_such_hour(self, line: DayLine, column: DayColumn) -> IntervalFileError:
        return IntervalFileError(
            f"{self._path}, line {line.line}: {shown(line.cells[column.place].strip())} stands in an hour that "
            f"{line.day:%Y-%m-%d} does not have by the meter's clock: is [clock] of the program that of the file?"
        )

    def _stamp(self, day: datetime, end_min: int) -> datetime:
        return day + _MINUTE * (end_min - (0 if self._ends else self._series.step_min))

    @staticmethod
    def _entry(line: DayLine, column: DayColumn, time: datetime) -> Entry:
        return Entry(line.line, time, line.cells[column.place].strip())

    # --- days that the clock changes on ---------------------------------------------------------------------

    def _counts_through(self, lines: Sequence[DayLine]) -> bool:
        """Return whether columns count the time that passed on days of 23 or 25 hours; told where it matters."""
        if not self._series.counted:
            return False
        by_clock = through = None
        for line in lines:
            odd = self._odd_day(line.day)
            if odd is None:
                continue
            if odd.minutes > DAY_MIN:
                through = through or (line if self._flows_after(line, DAY_MIN) else None)
            elif not self._flows_after(line, odd.minutes):
                through = line
            elif not any(_flows(line.cells[c.place]) for c in self._series.columns if self._begin(c) in odd.skipped):
                by_clock = line
        if by_clock is not None:
            return False
        if through is not None:
            self._notes.append(
                f"line {through.line}, {through.day:%Y-%m-%d}, on which the clock changes: columns {self._series.name} "
                "count the time that passed from midnight on"
            )
        return through is not None

    def _begin(self, column: DayColumn) -> int:
        return column.end_min - self._series.step_min

    def _flows_after(self, line: DayLine, minute: int) -> bool:
        """Return whether there is energy beyond so many minutes."""
        return any(_flows(line.cells[column.place]) for column in self._series.columns if column.end_min > minute)

    def _odd_day(self, day: datetime) -> _OddDay | None:
        if day.date() not in self._odd:
            self._odd[day.date()] = self._look(day)
        return self._odd[day.date()]

    def _look(self, day: datetime) -> _OddDay | None:
        begin_ns = self._calendar.instant_ns(day)
        minutes = (self._calendar.instant_ns(day + _DAY) - begin_ns) // MINUTE_NS
        if minutes == DAY_MIN:
            return None
        step = self._series.step_min
        walls = {
            minute: self._calendar.local(begin_ns + minute * MINUTE_NS).replace(tzinfo=None, fold=0)
            for minute in range(0, minutes + 1, step)
        }
        begins = Counter((walls[minute] - day) // _MINUTE for minute in range(0, minutes, step))
        skipped = frozenset(range(0, DAY_MIN, step)) - begins.keys()
        doubled = tuple(sorted(minute for minute, times in begins.items() if times > 1))
        return _OddDay(minutes, skipped, doubled, walls)


def _flows(text: str) -> bool:
    """Return whether a cell has a number other than 0."""
    return any(sign in "123456789" for sign in text)
