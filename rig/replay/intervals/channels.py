"""Lines of channels and of days as lines of a load record: one for each interval, with the numbers of all channels.

in the file                                      taken as
cells of date, meter, channel or unit empty      those of the line above (merged cells), told
under a first one
no number of a channel where another has one     0, told with how many
a total that is not the sum of its line          told with how many, and the first (day_totals.py)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from rig.files.strict_toml import shown
from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.blanks import cell_text, without_footer
from rig.replay.intervals.channel_choice import Channel, chosen_channels
from rig.replay.intervals.channel_columns import ChannelLayout
from rig.replay.intervals.columns import Source, WrongColumns
from rig.replay.intervals.day_lines import DayLine, DayReading, Entry
from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.record import counted

MOST_ENTRIES = 2_000_000
"""Intervals of all channels: eleven years of five minutes and two channels."""


Cells = tuple[int, list[str]]
"""A line of the file: its number and its cells."""


class DayTotal(NamedTuple):
    """A cell that may be the sum of its line's intervals: its line, its column's place, its text; the texts of the
    intervals, and by which column they are read."""

    line: int
    place: int
    text: str
    texts: tuple[str, ...]
    at: int


class ChannelRows(NamedTuple):
    """By interval its line, its stamp and the texts of its numbers, by columns."""

    columns: tuple[str, ...]
    sources: tuple[Source, ...]
    channels: tuple[Channel, ...]
    totals: list[DayTotal]
    lines: list[int]
    times: list[datetime]
    values: list[tuple[str, ...]]


def mended(lines: list[Cells], layout: ChannelLayout, names: Sequence[str], notes: list[str]) -> list[Cells]:
    """Lines with the cells that were merged with those above, and without those below the intervals."""
    keys = layout.channel or (() if layout.unit is None else (layout.unit,))
    if keys:
        _fill_down(lines, layout.times[:1], names, notes, where=keys)
    lines = list(without_footer(layout.times, lines, notes))
    places = [place for place in (layout.meter, layout.unit) if place is not None]
    _fill_down(lines, (*layout.channel, *places), names, notes, where=layout.times)
    return lines


def _fill_down(
    lines: Sequence[Cells], places: Sequence[int], names: Sequence[str], notes: list[str], *, where: Sequence[int]
) -> None:
    """Give cells that are empty at these places what stands above them, in lines that have something at `where`."""
    for place in places:
        above, filled = "", 0
        for _, cells in lines:
            if len(cells) != len(names):
                continue
            if cell := cells[place].strip():
                above = cell
            elif above and any(cells[key].strip() for key in where):
                cells[place] = above
                filled += 1
        if filled:
            notes.append(
                f"{counted(filled, 'cell')} of column {shown(names[place].strip())} empty: taken as the one above"
            )


class ChannelReading:
    """Takes a file's lines under a layout of channels. `ends`: stamps are wanted of ends, and `sure` that a person says
    so. Methods raise IntervalFileError and WrongColumns; `notes` are added to."""

    def __init__(
        self,
        path: Path,
        names: Sequence[str],
        layout: ChannelLayout,
        calendar: Calendar,
        notes: list[str],
        *,
        ends: bool,
    ) -> None:
        self._path, self._names, self._layout, self._calendar = path, names, layout, calendar
        self._notes, self._ends = notes, ends
        for value in layout.values:
            if value.series is not None and value.series.ends is not None and value.series.ends != ends:
                kind = "end" if value.series.ends else "begin"
                raise WrongColumns(f"columns {value.series.name} say when intervals {kind}: give --stamps {kind}")

    def rows(self, lines: Sequence[Cells], times: Sequence[datetime], given: Mapping[str, str]) -> ChannelRows:
        """Give the intervals of all lines, with the time that each line has."""
        layout = self._layout
        by_key: dict[tuple[tuple[str, ...], str], list[int]] = {}
        for place, (_, cells) in enumerate(lines):
            unit = "" if layout.unit is None else cells[layout.unit].strip()
            by_key.setdefault((tuple([cells[at].strip() for at in layout.channel]), unit), []).append(place)
        channels = [Channel(value, *key) for key in by_key for value in layout.values]
        chosen = chosen_channels(channels, given, self._names, self._notes)
        empty: Counter[str] = Counter()
        entries: list[list[Entry]] = []
        totals: list[DayTotal] = []
        total = 0
        for channel, _ in chosen.values():
            places = by_key[channel.channel, channel.unit]
            total += len(places) * (1 if channel.value.series is None else len(channel.value.series.columns))
            if total > MOST_ENTRIES:
                raise IntervalFileError(f"{self._path} has more than {MOST_ENTRIES} intervals: give it in parts")
            totals += self._totals(len(entries), channel, places, lines)
            entries.append(self._entries(channel, places, lines, times, empty))
        if empty:
            told = ", ".join(map(shown, empty))
            self._notes.append(f"{counted(empty.total(), 'cell')} with {told}: taken as empty")
        columns = tuple(chosen)
        joined = self._joined(columns, entries)
        sources = tuple(source for _, source in chosen.values())
        used = tuple(channel for channel, _ in chosen.values())
        return ChannelRows(columns, sources, used, totals, *joined)

    def _entries(
        self,
        channel: Channel,
        places: Sequence[int],
        lines: Sequence[Cells],
        times: Sequence[datetime],
        empty: Counter[str],
    ) -> list[Entry]:
        value = channel.value
        if value.series is None:
            return [
                Entry(lines[place][0], times[place], cell_text(lines[place][1][value.place].strip(), empty))
                for place in places
            ]
        days = []
        for place in places:
            line, cells = lines[place]
            day = times[place]
            if day.tzinfo is not None or (day.hour, day.minute, day.second, day.microsecond) != (0, 0, 0, 0):
                raise IntervalFileError(
                    f"{self._path}, line {line}: its day is {day.isoformat(' ')}, under columns of a day's intervals "
                    "it must be a date alone"
                )
            days.append(DayLine(line, day, cells))
        reading = DayReading(self._path, value.series, self._calendar, self._notes, ends=self._ends)
        return [entry._replace(text=cell_text(entry.text, empty)) for entry in reading.entries(days)]

    def _totals(self, at: int, channel: Channel, places: Sequence[int], lines: Sequence[Cells]) -> Iterator[DayTotal]:
        """Cells that may be sums of days."""
        series = channel.value.series
        if series is None:
            return
        for place in places:
            line, cells = lines[place]
            texts = tuple([cells[column.place].strip() for column in series.columns])
            for total in self._layout.totals:
                if text := cells[total].strip():
                    yield DayTotal(line, total, text, texts, at)

    def _joined(
        self, columns: Sequence[str], entries: Sequence[Sequence[Entry]]
    ) -> tuple[list[int], list[datetime], list[tuple[str, ...]]]:
        """Numbers of one stamp together; of one that a channel has again, as in autumn, the second ones, and so on."""
        if len(entries) == 1:
            (only,) = entries
            return [e.line for e in only], [e.time for e in only], [(e.text,) for e in only]
        found: dict[tuple[datetime, int], tuple[int, list[str]]] = {}
        for at, ones in enumerate(entries):
            so_far: Counter[datetime] = Counter()
            for line, time, text in ones:
                row = found.setdefault((time, so_far[time]), (line, [""] * len(entries)))
                so_far[time] += 1
                row[1][at] = text
        lacking: Counter[int] = Counter()
        for _, texts in found.values():
            if any(texts):
                for at, text in enumerate(texts):
                    if not text:
                        texts[at] = "0"
                        lacking[at] += 1
        for at, times in sorted(lacking.items()):
            self._notes.append(
                f"{columns[at]}: no number in {times} of {counted(len(found), 'interval')}, where there are others: "
                "taken as 0"
            )
        keys = [*found]
        if len(found) > len(entries[0]):  # what the first channel has not is at the end
            falls = len(entries[0]) > 1 and entries[0][0].time > entries[0][-1].time
            keys.sort(key=_without_zone, reverse=falls)
        rows = [found[key] for key in keys]
        return [line for line, _ in rows], [time for time, _ in keys], [tuple(texts) for _, texts in rows]


def _without_zone(key: tuple[datetime, int]) -> datetime:
    return key[0].replace(tzinfo=None)
