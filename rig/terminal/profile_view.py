"""A load profile on the terminal: its last intervals as a table, a day of a channel as a curve (T-4)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rig.meter.billing.profile import IntervalFlag, Mark, MarkKind, Profile, ProfileInterval
from rig.profile.reading import ProfileError, cell, column_names, mark_text, skipped, title, value_of
from rig.terminal.continued import BETWEEN

ROWS = 8
"""Lines of a curve; a line has eight steps."""

LEFT = 11
"""Columns of the scale before it."""

AROUND = 32
"""Columns of a table that its channels leave: the day before them, flags and marks, broken, behind."""

MOST_FAULTS = 5
"""So many are shown below a table; files have all."""

_BLOCKS = " ▁▂▃▄▅▆▇█"
_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def table(
    profile: Profile, last: int = 96, channels: Sequence[int] = (), said: str = "", width: int = 80
) -> RenderableType:
    """The last intervals with their days, outages and clock sets; `channels` are places, none means all.

    Channels that are too many for the width follow in further tables, all digits of each.
    """
    places = channels or range(len(profile.settings.channels))
    intervals = profile.intervals[-last:] if last > 0 else ()
    marks = [mark for mark in profile.marks if mark.kind is not MarkKind.DAY]
    if intervals:
        # A mark stands before the interval it fell into: those behind the last interval not shown belong here.
        before = profile.intervals[-len(intervals) - 1].index if len(intervals) < len(profile.intervals) else -1
        marks = [mark for mark in marks if mark.index > before]
    items: list[ProfileInterval | Mark] = [*intervals, *marks]
    items.sort(key=lambda item: item.index)
    names = column_names(profile)
    columns = [
        [names[place], *(cell(profile.settings.channels[place], interval.counts[place], "?") for interval in intervals)]
        for place in places
    ]
    head = ([Text(said, style="bold yellow")] if said else []) + [Text(title(profile), style="italic")]
    return Group(*head, *(_grid(items, some) for some in _beside(columns, width)), *_troubles(profile))


def _beside(columns: list[list[str]], width: int) -> Iterator[list[list[str]]]:
    """Columns, a name and its cells each, as many as fit; where not all do, names are broken at their blanks."""
    if sum(_needed(column) for column in columns) > width - AROUND:
        columns = [[name.replace(" ", "\n"), *cells] for name, *cells in columns]
    some: list[list[str]] = []
    for column in columns:
        if some and sum(map(_needed, [*some, column])) > width - AROUND:
            yield some
            some = []
        some.append(column)
    yield some


def _needed(column: list[str]) -> int:
    return max(len(line) for text in column for line in text.splitlines()) + BETWEEN


def _grid(items: Sequence[ProfileInterval | Mark], columns: list[list[str]]) -> Table:
    """Rows of time, cells and what there is to say; `columns` have a cell for each interval among the items."""
    shown = Table(box=None, padding=(0, BETWEEN, 0, 0))
    shown.add_column("until", no_wrap=True)
    for name, *_ in columns:
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("")
    rows = zip(*(cells for _, *cells in columns), strict=True)
    day: date | None = None
    for item in items:
        at = _day(item.end) if isinstance(item, ProfileInterval) else item.until.date()
        if at != day:
            day = at
            shown.add_row(Text(f"{day:%a %Y-%m-%d}", style="bold"))
        if isinstance(item, Mark):
            shown.add_row(Text(_clock(item.until)), *[""] * len(columns), Text(mark_text(item), style="yellow"))
        else:
            shown.add_row(_clock(item.end, day), *next(rows), Text(", ".join(item.flags.words)))
    return shown


def plot(profile: Profile, channel: int, width: int, day: date | None = None, said: str = "") -> RenderableType:
    """A day's curve of the channel at a place, by default of the last day there is.

    Energies show as average kW over the whole length of the interval, as demand does; squares as r.m.s. V and A, of
    intervals that nothing cut or stretched. Raises ProfileError for a day without any.
    """
    days = sorted({_day(interval.end) for interval in profile.intervals})
    if not days:
        raise ProfileError("the profile has no intervals yet")
    chosen = day or days[-1]
    points = [point for point in _points(profile, channel) if point.day == chosen]
    if not points:
        raise ProfileError(f"the profile has nothing of {chosen}: give a day from {days[0]} to {days[-1]}")
    columns = max(24, width - LEFT - 4)
    heights = list(_averages(points, columns))
    known = [height for height in heights if height is not None]
    unit, top = points[0].unit, max(known)
    bottom = 0.9 * min(known) if unit == "V" else 0.0  # seen from nought, volts are a wall
    rows: list[RenderableType] = []
    for row, line in enumerate(_bars(heights, bottom, top)):
        scale = {0: f"{top:.4g} {unit}", ROWS - 1: f"{bottom:.4g} {unit}"}.get(row, "")
        text = Text(f"{scale:>{LEFT - 2}} ┤" if scale else " " * (LEFT - 1) + "│", style="dim")
        rows.append(text.append(line, style="cyan"))
    rows += [*_hours(columns), Text(" " * LEFT + _summary(profile, channel, chosen, points))]
    for mark in profile.marks:
        if mark.kind is not MarkKind.DAY and chosen in (mark.at.date(), mark.until.date()):
            rows.append(Text(" " * LEFT + mark_text(mark), style="yellow"))
    name = f"{column_names(profile)[channel]}   {chosen:%a %Y-%m-%d}"
    return Panel(Group(*rows), title=name, subtitle=said or None, width=LEFT + columns + 4)


@dataclass(frozen=True)
class _Point:
    """One interval on a curve: from `begin` to `end` in days since midnight."""

    day: date
    begin: float
    end: float
    height: float
    unit: str
    at: datetime


def _points(profile: Profile, place: int) -> Iterator[_Point]:
    """The intervals of which there is something to draw."""
    channel, length = profile.settings.channels[place], timedelta(minutes=profile.settings.interval_min)
    for interval in profile.intervals:
        pulses = interval.counts[place]
        if pulses is None:
            continue
        height, unit = float(channel.unit_value * pulses), channel.metric.unit
        if channel.metric.quantity is not None:
            height, unit = height * 60 / profile.settings.interval_min, channel.metric.quantity.demand_unit
        elif channel.metric.square is not None:
            if interval.flags & (IntervalFlag.SHORT | IntervalFlag.LONG):
                continue  # in a minute between outages one pulse more or less is the whole of it
            height, unit = math.sqrt(height * 60 / profile.settings.interval_min), unit[0]
        midnight = datetime.combine(_day(interval.end), time())
        begin = (interval.end - _INSTANT - midnight) // length * length
        yield _Point(midnight.date(), begin / _DAY, (interval.end - midnight) / _DAY, height, unit, interval.end)


def _averages(points: Sequence[_Point], columns: int) -> Iterator[float | None]:
    """The height of each column: the mean of the intervals in it, None where there are none."""
    for column in range(columns):
        begin, end = column / columns, (column + 1) / columns
        inside = [p.height for p in points if p.begin < end and p.end > begin]
        yield sum(inside) / len(inside) if inside else None


def _bars(heights: Sequence[float | None], bottom: float, top: float) -> Iterator[str]:
    """Lines from the top down."""
    span = top - bottom
    steps = [0 if h is None or not span else round((h - bottom) / span * ROWS * 8) for h in heights]
    for row in range(ROWS - 1, -1, -1):
        yield "".join(_BLOCKS[min(8, max(0, step - 8 * row))] for step in steps)


def _hours(columns: int) -> Iterator[Text]:
    """The axis, a tick each three hours, and its labels."""
    line, labels = ["─"] * columns, [" "] * columns
    for hour in range(0, 24, 3):
        x = hour * columns // 24
        line[x] = "┬"
        if hour % 6 == 0:
            labels[x : x + 2] = f"{hour:<2}"
    line[-1], labels[-4:] = "┐", "24 h"
    yield Text(" " * (LEFT - 1) + "└" + "".join(line), style="dim")
    yield Text(" " * LEFT + "".join(labels), style="dim")


def _summary(profile: Profile, place: int, day: date, points: Sequence[_Point]) -> str:
    """Sum of the day, and when it was most."""
    channel = profile.settings.channels[place]
    peak = max(points, key=lambda point: point.height)
    said = f"most {peak.height:.4g} {peak.unit} in the interval to {_clock(peak.at, day)}"
    if channel.metric.square is not None:
        least = min(points, key=lambda point: point.height)
        return f"{said}, least {least.height:.4g} {least.unit} to {_clock(least.at, day)}"
    pulses = sum(i.counts[place] or 0 for i in profile.intervals if _day(i.end) == day)
    return f"{value_of(channel, pulses):f} {channel.metric.unit}   {said}"


def _troubles(profile: Profile) -> Iterator[Text]:
    if profile.skipped:
        yield Text(skipped(profile), style="dim")
    for fault in profile.faults[:MOST_FAULTS]:
        yield Text(fault.text, style="bold red")
    if more := len(profile.faults[MOST_FAULTS:]):
        yield Text(f"and {more} more such words", style="bold red")


def _day(end: datetime) -> date:
    """An interval that ends at midnight is the last of its day."""
    return (end - _INSTANT).date()


def _clock(moment: datetime, day: date | None = None) -> str:
    """The time; midnight at a day's end is 24:00."""
    if day is not None and moment.date() > day:
        return "24:00"
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
