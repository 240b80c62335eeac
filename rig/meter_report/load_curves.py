"""Days, months and durations of a load profile. Sums are exact; what is only drawn is floats."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise

from rig.meter_report.exact_values import SUM_DIGITS, exact_sum
from rig.meter_report.meter_data import LoadProfile, ProfileLine, ProfileMark

CLOCK_SET = "clock set"
"""Kind of a mark, and flag of the intervals beside it, which is all that tables of C12.19 have of it."""

MOST_EMPTY_MONTHS = 24
"""Between two that have intervals; over a longer time the clock was set."""


def begin_of(line: ProfileLine, minutes: int) -> datetime:
    """Return when the interval of a line began by the clock, whole or cut short."""
    since = timedelta(hours=line.end.hour, minutes=line.end.minute, seconds=line.end.second)
    rest = since % timedelta(minutes=minutes)
    try:
        return line.end - (rest or timedelta(minutes=minutes))
    except OverflowError:  # in the first hour of the calendar
        return line.end


@dataclass(frozen=True)
class ChannelSummary:
    """Sum of a channel, how many counts cannot be read, and the line of its highest interval; None without any."""

    total: Decimal
    unreadable: int
    highest: ProfileLine | None
    value: Decimal | None
    load_factor: Decimal | None
    """Mean over the highest, to four decimals, cut off; None where nothing was recorded."""


def summary_of(profile: LoadProfile, channel: int) -> ChannelSummary:
    """Sum a channel up."""
    readable = [(line.values[channel], line) for line in profile.lines]
    values = [(value, line) for value, line in readable if value is not None]
    total = exact_sum([value for value, _ in values], profile.channels[channel].pulse)
    if not values:
        return ChannelSummary(total, len(readable), None, None, None)
    highest, line = max(values, key=lambda pair: pair[0])
    factor = None
    if highest > 0:
        with localcontext(prec=SUM_DIGITS):
            factor = (total / len(values) / highest * 10000).to_integral_value("ROUND_FLOOR").scaleb(-4)
    return ChannelSummary(total, len(readable) - len(values), line, highest, factor)


@dataclass(frozen=True)
class MonthSummary:
    """Sums of a calendar month, by channel, and how many intervals it has."""

    begins: date
    totals: tuple[Decimal, ...]
    intervals: int


def months_of(profile: LoadProfile) -> list[MonthSummary]:
    """Sum each calendar month up, by the clock of the meter; one without an interval between others is there, too."""
    lines: dict[date, list[ProfileLine]] = defaultdict(list)
    for line in profile.lines:
        lines[begin_of(line, profile.minutes).date().replace(day=1)].append(line)
    for before, after in pairwise(sorted(lines)):
        if _months_since(before, after) <= MOST_EMPTY_MONTHS:
            lines.update({month: [] for month in _between(before, after)})
    return [
        MonthSummary(
            begins,
            tuple(
                exact_sum([value for line in found if (value := line.values[place]) is not None], channel.pulse)
                for place, channel in enumerate(profile.channels)
            ),
            len(found),
        )
        for begins, found in sorted(lines.items())
    ]


def _months_since(before: date, after: date) -> int:
    return 12 * (after.year - before.year) + after.month - before.month


def _between(before: date, after: date) -> list[date]:
    """Give the first days of the months between two."""
    numbers = range(12 * before.year + before.month, 12 * after.year + after.month - 1)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def days_of(profile: LoadProfile) -> dict[date, list[ProfileLine]]:
    """Give the lines of each day, in the order of dates."""
    days: dict[date, list[ProfileLine]] = defaultdict(list)
    for line in profile.lines:
        days[begin_of(line, profile.minutes).date()].append(line)
    return dict(sorted(days.items()))


def last_whole_day(profile: LoadProfile, days: dict[date, list[ProfileLine]]) -> date | None:
    """Return the newest day that has as many intervals as a day of 23 hours; None without one."""
    least = 23 * 60 // profile.minutes
    return next((day for day in reversed(days) if len(days[day]) >= least), None)


def gaps_of(profile: LoadProfile) -> list[tuple[datetime, datetime]]:
    """Give the times, by the clock, at which an interval or more is missing. By what the clock was set on, such as an
    hour in spring, is none. In a reading nothing says by how much that was: what is beside it is none either.
    """
    gaps = []
    interval = timedelta(minutes=profile.minutes)
    forward = [mark for mark in profile.marks if mark.kind == CLOCK_SET and mark.until > mark.at]
    for before, line in pairwise(profile.lines):
        begin = begin_of(line, profile.minutes)
        if begin - before.end < interval or (_clock_set(before, line) and not _marked(profile, before, interval)):
            continue
        missing = begin - begin_of(before, profile.minutes) - interval  # one that was cut short goes to its boundary
        for mark in forward:
            if before.end - interval <= mark.at and mark.until <= line.end:
                missing -= mark.until - mark.at
        if missing >= interval:
            gaps.append((before.end, begin))
    return gaps


def repeats_of(profile: LoadProfile) -> list[datetime]:
    """Give the ends of intervals that are no later than the one before, although no setting of the clock says why."""
    interval = timedelta(minutes=profile.minutes)
    back = [mark for mark in profile.marks if mark.kind == CLOCK_SET and mark.until < mark.at]
    return [
        line.end
        for before, line in pairwise(profile.lines)
        if line.end <= before.end
        and not _clock_set(before, line)
        and not any(_explains(mark, before, line, interval) for mark in back)
    ]


def _marked(profile: LoadProfile, before: ProfileLine, interval: timedelta) -> bool:
    """Return whether a mark says by how much the clock was set behind a line."""
    return any(mark.kind == CLOCK_SET and abs(mark.at - before.end) <= interval for mark in profile.marks)


def _clock_set(before: ProfileLine, line: ProfileLine) -> bool:
    return CLOCK_SET in before.flags or CLOCK_SET in line.flags


def _explains(mark: ProfileMark, before: ProfileLine, line: ProfileLine, interval: timedelta) -> bool:
    """Return whether the clock was set back by a mark between two lines."""
    return before.end <= mark.at + interval and mark.until <= line.end


def mean(value: Decimal, minutes: int, unit: str) -> float:
    """Return the mean over an interval: kW of kWh, V² of V²h; of pulses their number."""
    return float(value) * 60 / minutes if unit.endswith("h") else float(value)


def mean_unit(unit: str) -> str:
    """Return the unit of such a mean."""
    return unit.removesuffix("h")
