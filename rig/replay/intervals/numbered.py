"""Intervals of a day by their number in a column beside the date, 1 for the one that begins at midnight.

highest number of the file     intervals of
24, or up to 25                an hour
48, or up to 50                half an hour, as settlement periods are
96, or up to 100               15 min
144, or up to 150              10 min
288, or up to 300              5 min
1440, or up to 1500            a minute
any other, or a 0              refused

On a day on which the clock changes the numbers count the time that passed where they end with that day, the hour that
is twice included; where the day of 23 hours has the numbers of 24, or that of 25 has no more, they are of the clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction

from rig.files.strict_toml import shown
from rig.meter.billing.calendar import Calendar
from rig.meter.billing.time_units import MINUTE_NS
from rig.replay.intervals.columns import WrongColumns

DAY_MIN = 24 * 60
COUNTS = (24, 48, 96, 144, 288, 1440)
LONGEST_DAY = Fraction(25, 24)
_NUMBER = re.compile(r"\d{1,4}", re.ASCII)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class WrongNumber(ValueError):
    """A number that its day does not have: its place; the sentence goes on after the file and the line."""

    def __init__(self, place: int, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place


def are_numbers(days: Sequence[str]) -> bool:
    """Return whether a column of numbers is needed: some dates come more than once."""
    return len(set(days)) < len(days)


def interval_minutes(cells: Sequence[str], name: str) -> int:
    """Give how long the intervals are, in minutes, by the highest of their numbers. Raises WrongColumns."""
    odd = next((cell for cell in cells if not _NUMBER.fullmatch(cell) or not int(cell)), None)
    if odd is not None:
        raise WrongColumns(f"column {shown(name)} has {shown(odd)}, it must be the interval's number, from 1 on")
    highest = max(map(int, cells))
    count = next((count for count in COUNTS if count <= highest <= count * LONGEST_DAY), None)
    if count is None:
        raise WrongColumns(
            f"column {shown(name)} has numbers up to {highest}, it must be up to {', '.join(map(str, COUNTS[:-1]))} or "
            f"{COUNTS[-1]} in a day: give each line its time in a column of its own"
        )
    return DAY_MIN // count


def times_of(
    days: Sequence[datetime], cells: Sequence[str], step_min: int, calendar: Calendar, *, ends: bool
) -> list[datetime]:
    """Give the clock's times at the intervals' ends, or begins. Raises WrongNumber."""
    highest: dict[date, int] = {}
    for day, cell in zip(days, cells, strict=True):
        highest[day.date()] = max(highest.get(day.date(), 0), int(cell))
    passed = {day: begin_ns for day, most in highest.items() if (begin_ns := _passed(day, most, step_min, calendar))}
    times = []
    for place, (day, cell) in enumerate(zip(days, cells, strict=True)):
        minute = (int(cell) - (0 if ends else 1)) * step_min
        begin_ns = passed.get(day.date())
        if begin_ns is not None:
            times.append(calendar.local(begin_ns + minute * MINUTE_NS).replace(tzinfo=None, fold=0))
            continue
        if int(cell) * step_min > DAY_MIN:
            hours = _minutes(day, calendar)[1] // 60
            raise WrongNumber(
                place,
                f"interval {cell} of {step_min} min is not in {day:%Y-%m-%d}, which has {hours} hours by the meter's "
                "clock: is [clock] of the program that of the file?",
            )
        times.append(day + _MINUTE * minute)
    return times


def _minutes(day: date, calendar: Calendar) -> tuple[int, int]:
    """A day's beginning, in ns of UTC, and its minutes."""
    midnight = datetime(day.year, day.month, day.day)
    begin_ns = calendar.instant_ns(midnight)
    return begin_ns, (calendar.instant_ns(midnight + _DAY) - begin_ns) // MINUTE_NS


def _passed(day: date, highest: int, step_min: int, calendar: Calendar) -> int | None:
    """The beginning of a day on which the clock changes and numbers count what passed; else None."""
    begin_ns, minutes = _minutes(day, calendar)
    last = highest * step_min
    if minutes < DAY_MIN:
        return begin_ns if last <= minutes else None
    return begin_ns if DAY_MIN < last <= minutes else None
