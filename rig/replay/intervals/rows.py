"""The lines of a load's record: a CSV file as stamps and numbers, taken strictly.

Columns are found by their names (rig/replay/intervals/columns.py), stamps and decimal signs by all that there are
(times.py, decimals.py). Lines above the columns' names, other columns, lines that are empty or begin with `#` do not
count. Commas, semicolons, tabs or bars separate, whatever a first line `sep=;` says before all.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path

from rig.files.strict_toml import shown
from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.blanks import cell_text, without_footer
from rig.replay.intervals.channel_columns import ChannelLayout
from rig.replay.intervals.channels import ChannelReading, mended
from rig.replay.intervals.columns import (
    COLUMNS,
    ENDING_HOURS,
    INTERVAL_NUMBERS,
    Layout,
    Source,
    WrongColumns,
    plain_name,
)
from rig.replay.intervals.day_totals import check_totals
from rig.replay.intervals.decimals import Notation
from rig.replay.intervals.encoding import IntervalFileError, decode
from rig.replay.intervals.header import SEPARATORS, Header, find_header, text_lines
from rig.replay.intervals.hours import are_counted, as_clock
from rig.replay.intervals.load_rows import LoadRow, Rows
from rig.replay.intervals.net import NET
from rig.replay.intervals.numbered import WrongNumber, are_numbers, interval_minutes, times_of
from rig.replay.intervals.numbers import read_numbers
from rig.replay.intervals.record import counted
from rig.replay.intervals.times import WrongStamp, read_times
from rig.replay.intervals.writing import Writing
from rig.replay.intervals.zones import zones_of

MOST_LINES = 4_000_000
"""Seven years of minutes."""

MOST_SHARED = 1 << 16
"""Values of a line that are held once, however many lines have them."""

MOST_METERS_TOLD = 6
_SCALES = re.compile(r"multiplier|\bfactor\b|\bratio\b|\bscale\b|\bunits?\b|\buom\b|\b[MG]?Wh\b", re.IGNORECASE)
"""In a line above the columns: it may say that numbers are to be multiplied, or in which unit they are."""
_SEP_LINE = re.compile(r'"?sep=(.)"?[ ;,\t|]*\r?\n', re.IGNORECASE)

Cells = tuple[int, list[str]]
"""A line's number and its cells."""


def read_rows(path: Path, data: bytes, *, ends: bool, sure: bool, writing: Writing, calendar: Calendar) -> Rows:
    """Read a file's bytes; `ends` says that the ends of intervals are wanted, `sure` that a person says which.

    Days on one line are by the clock of `calendar`.

    Raises IntervalFileError.
    """
    notes: list[str] = []
    text = decode(path, data, notes)
    if text.count("\n") > MOST_LINES:
        raise IntervalFileError(f"{path} has more than {MOST_LINES} lines: give it in parts")
    separators, begun = SEPARATORS, 0
    if match := _SEP_LINE.match(text):
        separators, begun = match[1], 1
        text = text[match.end() :]
        if match[1] not in SEPARATORS:
            raise IntervalFileError(
                f"{path}, line 1: sep={match[1]} is not a separator, it must be one of , ; | or a tab"
            )
    try:
        header = find_header(path, text, separators, writing, ends)
        lines = text_lines(text, header.separator)
        above = list(islice(lines, header.names.number))
        if len(above) > 1:
            notes.append(f"the columns are named in line {above[-1].number + begun}: what is above it is passed over")
            notes += [
                f"line {line.number + begun} above them, {shown(' '.join(' '.join(line.cells).split()))}, does not "
                "count: the numbers must be as their columns say without it"
                for line in above[:-1]
                if _SCALES.search(" ".join(line.cells))
            ]
        for units in islice(lines, header.unit_rows):
            notes.append(f"units are those of line {units.number + begun}")
        names = above[-1]._replace(cells=header.names.cells)
        reading = _Reading(path, header._replace(names=names), writing, notes, ends=ends, sure=sure)
        return reading.rows(((number + begun, cells) for number, cells in lines), calendar)
    except csv.Error as error:
        raise IntervalFileError(f"{path} is not a CSV file: {error}") from None
    except WrongColumns as error:
        raise IntervalFileError(f"{path}: {error}") from None


class _Reading:
    """The lines below the columns' names on their way to Rows."""

    def __init__(
        self, path: Path, header: Header, writing: Writing, notes: list[str], *, ends: bool, sure: bool
    ) -> None:
        self._path, self._separator, self._writing = path, header.separator, writing
        self._names, self._layout = header.names.cells, header.layout
        self._notes = [*notes, *header.layout.notes]
        self._ends, self._sure = ends, sure

    def rows(self, lines: Iterator[Cells], calendar: Calendar) -> Rows:
        """All of them."""
        layout = self._layout
        if isinstance(layout, Layout):
            return self._plain(layout, lines, calendar)
        return self._channels(layout, list(lines), calendar)

    def _plain(self, layout: Layout, lines: Iterator[Cells], calendar: Calendar) -> Rows:
        """A column for each quantity, a line for each interval; only what is wanted of a line is held."""
        names = self._names
        if not {"kwh_delivered", "kwh_net"} & layout.sources.keys():
            raise IntervalFileError(
                f"{self._path}: no column kwh_delivered: its first line has {', '.join(map(shown, names[:8]))}, it "
                "must name time and kwh_delivered, or --columns says which they are"
            )
        columns = tuple(column for column in (*COLUMNS, *NET) if column in layout.sources)
        sources = tuple(layout.sources[column] for column in columns)
        places = [source.place for source in sources]
        others = self._others({*layout.times, *places, layout.meter})
        empty: Counter[str] = Counter()
        numbers: list[int] = []
        stamps: list[list[str]] = [[] for _ in layout.times]
        values: list[tuple[str, ...]] = []
        zones: list[str] = []
        known: dict[tuple[str, ...], tuple[str, ...]] = {}
        for line, cells in self._kept(without_footer(layout.times, lines, self._notes)):
            numbers.append(line)
            for column, place in zip(stamps, layout.times, strict=True):
                column.append(cells[place].strip())
            if layout.zones is not None:
                zones.append(cells[layout.zones].strip())
            texts = tuple([cell_text(cells[place].strip(), empty) for place in places])
            values.append(known.setdefault(texts, texts) if len(known) < MOST_SHARED else known.get(texts, texts))
        if empty:
            told = ", ".join(map(shown, empty))
            self._notes.append(f"{counted(empty.total(), 'cell')} with {told}: taken as empty")
        table, _ = self._table(columns, sources, others, numbers, values)
        texts_of, times = self._times(numbers, stamps, calendar)
        offsets = zones_of(zones, times, calendar.zone) if zones else None
        if layout.zones is not None and offsets is not None:
            times = [time.replace(tzinfo=time.tzinfo or zone) for time, zone in zip(times, offsets, strict=True)]
            table.others = self._others({*layout.times, *places, layout.meter, layout.zones})
            self._notes.append(f"column {shown(names[layout.zones].strip())} has the zones of the times")
        return self._filled(table, numbers, texts_of, times, values)

    def _channels(self, layout: ChannelLayout, lines: list[Cells], calendar: Calendar) -> Rows:
        """A line for each channel, or for each day."""
        names = self._names
        kept = list(self._kept(mended(lines, layout, names, self._notes)))
        columns = [[cells[place].strip() for _, cells in kept] for place in layout.times]
        _, times = self._times([line for line, _ in kept], columns, calendar)
        reading = ChannelReading(
            self._path,
            names,
            layout,
            calendar if layout.zone is None else Calendar(layout.zone),
            self._notes,
            ends=self._ends,
        )
        found = reading.rows(kept, times, self._writing.columns)
        in_days = {column.place for value in layout.values if value.series for column in value.series.columns}
        known = {*layout.times, *layout.channel, *layout.totals, layout.unit, layout.meter, *in_days}
        others = self._others({*known, *(source.place for source in found.sources)})
        table, notation = self._table(found.columns, found.sources, others, found.lines, found.values)
        self._notes += check_totals(self._path, names, found, table.numbers, notation)
        stamps = [time.isoformat(" ") for time in found.times]
        return self._filled(table, found.lines, stamps, found.times, found.values)

    # --- steps ----------------------------------------------------------------------------------------------

    def _others(self, known: set[int | None]) -> tuple[str, ...]:
        """Names of columns that do not count."""
        names = [name.strip().lower().replace(" ", "_") for place, name in enumerate(self._names) if place not in known]
        return tuple(name for name in names if name)

    def _kept(self, lines: Iterable[Cells]) -> Iterator[Cells]:
        """Lines of the meter that is read. Raises IntervalFileError at the last, too."""
        width, place, wanted = len(self._names), self._layout.meter, self._writing.meter
        kept = False
        meters: dict[str, int] = {}
        for line, cells in lines:
            if len(cells) != width and (len(cells) < width or any(cell.strip() for cell in cells[width:])):
                raise IntervalFileError(f"{self._path}, line {line}: {len(cells)} cells under {width} columns")
            if place is not None:
                meter = cells[place].strip()
                meters.setdefault(meter, line)
                if wanted is not None and meter != wanted:
                    continue
            kept = True
            yield line, cells
        _check_meters(self._path, place, meters, wanted)
        if not kept:
            raise IntervalFileError(f"{self._path} has no intervals: give at least one line below the columns")

    def _stamps(self, columns: list[list[str]]) -> list[str]:
        """Texts of the lines' times, of the columns that have a part of them."""
        *dates, clocks = columns
        if not dates:
            return clocks
        clocks = as_clock(clocks, self._names[self._layout.times[-1]].strip(), ends=self._ends, sure=self._sure)
        return [" ".join(parts).strip() for parts in zip(*dates, clocks, strict=True)]

    def _table(
        self,
        columns: tuple[str, ...],
        sources: tuple[Source, ...],
        others: tuple[str, ...],
        lines: Sequence[int],
        values: Sequence[tuple[str, ...]],
    ) -> tuple[Rows, Notation]:
        """Numbers, without lines, and how they are written."""
        found = read_numbers(self._path, columns, sources, lines, values, self._separator, self._writing)
        self._notes += found.notes
        table = Rows(columns, sources, self._layout.named, others, numbers=found.by_column, notes=self._notes)
        return table, found.notation

    def _times(
        self, lines: Sequence[int], columns: list[list[str]], calendar: Calendar
    ) -> tuple[list[str], list[datetime]]:
        """Texts of the lines' times, and the times."""
        name = plain_name(self._names[self._layout.times[-1]])
        if len(columns) > 1 and name in INTERVAL_NUMBERS:
            return self._numbered(lines, columns, calendar)
        if len(columns) > 1 and name in ENDING_HOURS and self._ends and are_counted(*columns[-2:]):
            return self._numbered(lines, columns, calendar, 60)
        stamps = self._stamps(columns)
        return stamps, self._read_times(lines, stamps, calendar.zone)

    def _numbered(
        self, lines: Sequence[int], columns: list[list[str]], calendar: Calendar, minutes: int | None = None
    ) -> tuple[list[str], list[datetime]]:
        """The same where a column has the intervals' numbers."""
        *dates, numbers = columns
        days = [" ".join(parts) for parts in zip(*dates, strict=True)]
        times = self._read_times(lines, days, calendar.zone)
        if minutes is None and not are_numbers(days):
            return days, times
        name = self._names[self._layout.times[-1]].strip()
        minutes = minutes or interval_minutes(numbers, name)
        self._notes.append(f"column {shown(name)} has the numbers of intervals of {minutes} min from midnight on")
        try:
            times = times_of(times, numbers, minutes, calendar, ends=self._ends)
        except WrongNumber as error:
            raise IntervalFileError(f"{self._path}, line {lines[error.place]}: {error}") from None
        return [f"{day} {number}" for day, number in zip(days, numbers, strict=True)], times

    def _read_times(self, lines: Sequence[int], stamps: Sequence[str], clock: tzinfo) -> list[datetime]:
        try:
            times, note = read_times(stamps, self._writing.time_format, clock, ends=self._ends)
        except WrongStamp as error:
            raise IntervalFileError(
                f"{self._path}, line {lines[error.place]}: time is {shown(stamps[error.place])}, {error.rule}"
            ) from None
        if note is not None:
            self._notes.append(note)
        return times

    def _filled(
        self,
        table: Rows,
        lines: Sequence[int],
        stamps: Sequence[str],
        times: list[datetime],
        values: Sequence[tuple[str, ...]],
    ) -> Rows:
        """With lines, net columns in their parts."""
        values = table.part_net(values)
        if (zone := self._layout.zone) is not None:
            times = [time if time.tzinfo is not None else time.replace(tzinfo=zone) for time in times]
        for line, stamp, time, texts in zip(lines, stamps, times, values, strict=True):
            table.rows.append(LoadRow(line, time, texts if any(texts) else None))
            if (time.tzinfo is None) != (times[0].tzinfo is None):
                raise IntervalFileError(
                    f"{self._path}, line {line}: time is {shown(stamp)}, but the first time is "
                    f"{'without' if times[0].tzinfo is None else 'with'} an offset from UTC: give all one, or none"
                )
        return table


def _check_meters(path: Path, place: int | None, meters: Mapping[str, int], wanted: str | None) -> None:
    if wanted is None and len(meters) < 2:
        return
    found = ", ".join(map(shown, [*meters][:MOST_METERS_TOLD])) + (", …" if len(meters) > MOST_METERS_TOLD else "")
    if wanted is None:
        raise IntervalFileError(f"{path} has {len(meters)} meters, {found}: say which with --meter")
    if place is None:
        raise IntervalFileError(f"{path} has no column of meters for --meter: name it with --columns meter=NAME")
    if wanted not in meters:
        raise IntervalFileError(f"{path} has no meter {shown(wanted)} for --meter: it has {found}")
