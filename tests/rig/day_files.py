"""Writes load records with a day on each line, or a line for each channel, from a closed form in plain integers.

It shares nothing with the reader. Local days are those of a zone by zoneinfo: intervals follow one another in UTC, and
a day has those that begin on its date.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo


def watt_hours(k: int, channel: int = 0) -> int:
    """A load without a pattern that a reader could make up; never 0."""
    return 250 + (k * 7919 + channel * 131) % 997


@dataclass(frozen=True)
class Interval:
    """Its begin in UTC, its local begin, and its Wh (varh) of each channel."""

    begin: datetime
    local: datetime
    amounts: tuple[int, ...]


def intervals(first: date, days: int, step_min: int, zone: tzinfo = UTC, channels: int = 1) -> list[Interval]:
    begin = datetime(first.year, first.month, first.day, tzinfo=zone).astimezone(UTC)
    last = first + timedelta(days=days)
    end = datetime(last.year, last.month, last.day, tzinfo=zone).astimezone(UTC)
    found = []
    while begin < end:
        amounts = tuple(watt_hours(len(found), channel) for channel in range(channels))
        found.append(Interval(begin, begin.astimezone(zone).replace(tzinfo=None), amounts))
        begin += timedelta(minutes=step_min)
    return found


def by_day(load: Sequence[Interval]) -> dict[date, list[Interval]]:
    found: dict[date, list[Interval]] = {}
    for one in load:
        found.setdefault(one.local.date(), []).append(one)
    return found


def kwh(amount: int) -> str:
    """Wh as kWh in plain digits."""
    return f"{amount // 1000}.{amount % 1000:03}"


def clock_labels(step_min: int, *, ends: bool) -> list[str]:
    """00:15 … 24:00, or 00:00 … 23:45."""
    shift = step_min if ends else 0
    return [f"{(m + shift) // 60:02}:{(m + shift) % 60:02}" for m in range(0, 1440, step_min)]


def day_cells(day: Sequence[Interval], step_min: int, cell: Callable[[int], str], channel: int = 0) -> list[str]:
    """Cells by the clock, the skipped hour empty; of an hour that comes twice the first pass."""
    found = [""] * (1440 // step_min)
    for one in reversed(day):
        found[(one.local.hour * 60 + one.local.minute) // step_min] = cell(one.amounts[channel])
    return found


def passed_cells(day: Sequence[Interval], width: int, cell: Callable[[int], str], channel: int = 0) -> list[str]:
    """Cells counted from midnight on, the rest empty."""
    found = [cell(one.amounts[channel]) for one in day]
    return found + [""] * (width - len(found))


def lines(rows: Sequence[Sequence[str]], separator: str = ",", quoted: bool = False) -> str:
    cells = [[f'"{cell}"' for cell in row] if quoted else row for row in rows]
    return "".join(separator.join(row) + "\n" for row in cells)
