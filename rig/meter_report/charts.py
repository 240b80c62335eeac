"""Plots of a load profile and of rates, on the canvas of rig/report/chart.py."""

from __future__ import annotations

import math
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from rig.meter_report.load_curves import begin_of, days_of, last_whole_day, mean, mean_unit, months_of, summary_of
from rig.meter_report.meter_data import EnergyRow, LoadProfile, ProfileLine
from rig.meter_report.words import Words
from rig.report.chart import BLACK, BLUE, GREY, WIDTH, Axis, Bar, Chart, Line, Part
from rig.report.chart import Words as Label

LEFT, RIGHT, TOP, HEIGHT = 78.0, 18.0, 28.0, 220.0
BOTTOM = TOP + HEIGHT

MOST_DAYS = 366
"""Of a heat map: one year; older days are left out of it."""

MOST_POINTS = 400
"""Of a duration curve: more are no wider than a line."""

WEEK_MINUTES = 15
"""A week is drawn by intervals of at least so long: shorter ones are narrower than a line."""

MOST_VALUE = 1e15
"""Nothing larger is drawn: no meter has it, and axes end somewhere."""

MOST_NAME = 60

_GRID = "#d8dbe0"
_RAMP = ("#f4f7fb", "#d6e4f2", "#a9cbe6", "#6fabd6", "#3f87c1", "#f2c14e", "#ee9a3a", "#dd6b2c", "#bf3a23", "#8c1d18")
"""From the lowest to the highest: pale to dark in blue, then in red; told apart on a grey printer too."""
_NOTHING = "#ececec"

_ROOM = 62
"""Of a date below a heat map."""


def charts_of(profile: LoadProfile, channel: int, words: Words) -> list[Chart]:
    """Draw a channel: its highest day and its last, a week, a month, months, its duration curve, its heat map."""
    days = days_of(profile)
    if not days or not all(
        value is None or abs(value) < MOST_VALUE for line in profile.lines for value in [line.values[channel]]
    ):
        return []
    name = cut(words.quantity(profile.channels[channel].name))
    charts: list[Chart] = []
    highest = summary_of(profile, channel).highest
    if highest is not None:
        day = begin_of(highest, profile.minutes).date()
        title = words.say("{}, day of the highest interval", name)
        charts.append(_curve(words.say("{}: {}", title, words.day(day)), profile, channel, days[day], day, 1, words))
    last = last_whole_day(profile, days)
    if last is not None:
        title = words.say("{}, last whole day", name)
        charts.append(_curve(words.say("{}: {}", title, words.day(last)), profile, channel, days[last], last, 1, words))
    first = max(days) - timedelta(days=6) if max(days).toordinal() > 6 else date.min
    week = [line for day, lines in days.items() if day >= first for line in lines]
    span = f"{words.day(first)} – {words.day(max(days))}"
    title = words.say("{}: {}", words.say("{}, last week", name), span)
    charts.append(_curve(title, profile, channel, week, first, 7, words))
    charts.append(_month(profile, channel, days, name, words))
    if len(months_of(profile)) > 1:
        charts.append(_months(profile, channel, name, words))
    charts += _duration(profile, channel, name, words)
    charts.append(_heat_map(profile, channel, days, name, words))
    return charts


def rate_chart(row: EnergyRow, rates: Sequence[str], words: Words) -> list[Chart]:
    """Draw an energy register by rate; nothing where there is nothing to compare."""
    values = [float(value) for value in row.rates]
    top = max(values, default=0.0)
    if not 0 < top < MOST_VALUE:
        return []
    axis = Axis(0.0, top, 120.0, WIDTH - 220.0)
    parts: list[Part] = []
    for k, (rate, value) in enumerate(zip(rates, row.rates, strict=False)):
        y = 8 + 26.0 * k
        parts.append(Label(axis.begin - 10, y + 15, words.say("rate {}", rate), "end"))
        parts.append(Bar(axis.begin, y + 2, max(1.0, axis.at(float(value)) - axis.begin), 18, BLUE))
        parts.append(Label(axis.at(float(value)) + 8, y + 15, words.number(value)))
    title = words.say("{} by rate", cut(words.quantity(row.quantity)))
    return [Chart(title, 16 + 26.0 * len(values), parts)]


def cut(text: str, most: int = MOST_NAME) -> str:
    """Return a name as it fits a title."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _curve(
    title: str, profile: LoadProfile, channel: int, lines: Sequence[ProfileLine], first: date, days: int, words: Words
) -> Chart:
    """Draw the mean of each interval as steps, over so many days."""
    unit = profile.channels[channel].unit
    drawn = [
        (begin_of(line, profile.minutes), line.end, mean(value, profile.minutes, unit))
        for line in lines
        if (value := line.values[channel]) is not None
    ]
    what = words.say("mean of an interval")
    if days > 1 and profile.minutes < WEEK_MINUTES:
        drawn = _joined(drawn)
        what = words.say("mean of {} min", WEEK_MINUTES)
    down = _scale([value for *_, value in drawn])
    across = Axis(0.0, 24.0 * days, LEFT, WIDTH - RIGHT)
    midnight = datetime(first.year, first.month, first.day)

    def x(at: datetime) -> float:
        return min(max(across.at((at - midnight).total_seconds() / 3600), LEFT), WIDTH - RIGHT)

    parts: list[Part] = list(_frame(down, mean_unit(unit), what, words))
    for hour in range(0, 24 * days + 1, 3 if days == 1 else 24):
        at = across.at(hour)
        parts.append(Line(at, BOTTOM, at, BOTTOM + 5, GREY))
        if days == 1:
            parts.append(Label(at, BOTTOM + 20, f"{hour} h" if words.french else f"{hour:02}:00", "middle", size=12))
        elif hour < 24 * days:
            parts.append(Line(at, TOP, at, BOTTOM, _GRID))
            day = first + timedelta(days=hour // 24)
            parts.append(Label(across.at(hour + 12), BOTTOM + 20, words.day(day), "middle", size=12))
    before: tuple[datetime, float] | None = None
    for begin, end, height in drawn:
        y = down.at(height)
        parts.append(Bar(x(begin), min(y, down.at(0)), max(x(end) - x(begin), 0.4), abs(down.at(0) - y), "#cfe0f1"))
        if before is not None and before[0] == begin:
            parts.append(Line(x(begin), down.at(before[1]), x(begin), y, BLUE, 1.4))
        parts.append(Line(x(begin), y, x(end), y, BLUE, 1.4))
        before = end, height
    return Chart(title, BOTTOM + 30, parts)


def _joined(drawn: Sequence[tuple[datetime, datetime, float]]) -> list[tuple[datetime, datetime, float]]:
    """Join short intervals to quarters of an hour, each with their mean."""
    quarters: dict[datetime, list[tuple[datetime, datetime, float]]] = defaultdict(list)
    for each in drawn:
        begin = each[0]
        quarters[begin.replace(minute=begin.minute - begin.minute % WEEK_MINUTES, second=0)].append(each)
    return [(found[0][0], found[-1][1], sum(value for *_, value in found) / len(found)) for found in quarters.values()]


def _month(profile: LoadProfile, channel: int, days: dict[date, list[ProfileLine]], name: str, words: Words) -> Chart:
    newest = max(days)
    this = {day: lines for day, lines in days.items() if (day.year, day.month) == (newest.year, newest.month)}
    sums = {day: _sum(lines, channel) for day, lines in this.items()}
    down = _scale(list(sums.values()))
    parts: list[Part] = list(_frame(down, profile.channels[channel].unit, "", words))
    count = monthrange(newest.year, newest.month)[1]
    step = (WIDTH - LEFT - RIGHT) / count
    for number in range(1, count + 1):
        left = LEFT + (number - 1) * step
        parts.append(Label(left + step / 2, BOTTOM + 18, str(number), "middle", size=12))
        value = next((value for day, value in sums.items() if day.day == number), None)
        if value is not None:
            parts.append(_column(left + 3, step - 6, down, value))
    return Chart(words.say("{}, {} by day", name, words.month(newest)), BOTTOM + 28, parts)


def _months(profile: LoadProfile, channel: int, name: str, words: Words) -> Chart:
    months = months_of(profile)[-24:]
    values = [float(month.totals[channel]) if month.intervals else None for month in months]
    down = _scale([value for value in values if value is not None])
    parts: list[Part] = list(_frame(down, profile.channels[channel].unit, "", words))
    step = (WIDTH - LEFT - RIGHT) / max(len(months), 6)
    every = 1 if len(months) <= 13 else 2
    for k, (month, value) in enumerate(zip(months, values, strict=True)):
        left = LEFT + k * step
        if value is not None:
            parts.append(_column(left + 4, step - 8, down, value))
        if k % every == 0:
            label = f"{month.begins.year:04}-{month.begins.month:02}"
            parts.append(Label(left + step / 2, BOTTOM + 18, label, "middle", size=12))
    return Chart(words.say("{} by month", name), BOTTOM + 28, parts)


def _duration(profile: LoadProfile, channel: int, name: str, words: Words) -> Iterator[Chart]:
    unit = profile.channels[channel].unit
    values = sorted(
        (mean(value, profile.minutes, unit) for line in profile.lines if (value := line.values[channel]) is not None),
        reverse=True,
    )
    if not values:
        return
    down = _scale(values)
    across = Axis(0.0, 100.0, LEFT, WIDTH - RIGHT)
    parts: list[Part] = list(_frame(down, mean_unit(unit), words.say("mean of an interval"), words))
    for percent in range(0, 101, 10):
        at = across.at(percent)
        parts.append(Line(at, TOP, at, BOTTOM, _GRID))
        parts.append(Label(at, BOTTOM + 18, str(percent), "middle", size=12))
    parts.append(Label((LEFT + WIDTH - RIGHT) / 2, BOTTOM + 36, words.say("% of the time"), "middle", size=12))
    count = min(len(values), MOST_POINTS)
    points = [
        (across.at(100 * k / count), down.at(values[k * len(values) // count]), across.at(100 * (k + 1) / count))
        for k in range(count)
    ]
    for k, (begin, y, end) in enumerate(points):
        if k:
            parts.append(Line(begin, points[k - 1][1], begin, y, BLUE, 2.0))
        parts.append(Line(begin, y, end, y, BLUE, 2.0))
    yield Chart(words.say("{}, duration curve", name), BOTTOM + 46, parts)


def _heat_map(
    profile: LoadProfile, channel: int, days: dict[date, list[ProfileLine]], name: str, words: Words
) -> Chart:
    """Draw the mean of each hour: days across, hours down."""
    newest = max(days)
    oldest = max(min(days), date.fromordinal(max(newest.toordinal() - MOST_DAYS + 1, 1)))
    count = (newest - oldest).days + 1
    unit = profile.channels[channel].unit
    hours = max(1, profile.minutes // 60)  # that an interval is long, of other makers' meters
    sums: dict[tuple[int, int], list[float]] = defaultdict(list)
    for day, lines in days.items():
        if day < oldest:
            continue
        for line in lines:
            if (value := line.values[channel]) is not None:
                begin = 24 * (day - oldest).days + begin_of(line, profile.minutes).hour
                for hour in range(begin, min(begin + hours, 24 * count)):
                    sums[divmod(hour, 24)].append(
                        mean(value / hours if unit == "pulses" else value, profile.minutes, unit)
                    )
    cells = {place: sum(found) if unit == "pulses" else sum(found) / len(found) for place, found in sums.items()}
    low, high = min([0.0, *cells.values()]), max([0.0, *cells.values()])
    span = high - low or 1.0
    wide, tall = (WIDTH - LEFT - RIGHT) / max(count, 7), 10.0
    bottom = TOP + 24 * tall
    parts: list[Part] = [Bar(LEFT, TOP, wide * count, 24 * tall, _NOTHING)]
    for (x, hour), height in sorted(cells.items()):
        colour = _RAMP[min(int((height - low) / span * len(_RAMP)), len(_RAMP) - 1)]
        parts.append(Bar(LEFT + x * wide, TOP + hour * tall, wide + 0.15, tall + 0.15, colour))
    for hour in range(0, 25, 6):
        label = f"{hour} h" if words.french else f"{hour:02}:00"
        parts.append(Label(LEFT - 8, TOP + hour * tall + 4, label, "end", size=12))
    firsts = [x for x in range(count) if count <= 14 or (oldest + timedelta(days=x)).day == 1]
    begun = [] if firsts and firsts[0] * wide <= _ROOM else [0]  # the rest of a month gives way to a whole one
    last_label = -1e9
    for x in (*begun, *firsts):
        at = LEFT + x * wide
        parts.append(Line(at, bottom, at, bottom + 5, GREY))
        if at - last_label > _ROOM and at < WIDTH - RIGHT - 50:
            label = words.day(oldest + timedelta(days=x))[: 7 if count > 62 else 10]
            parts.append(Label(at + 2, bottom + 18, label, size=12))
            last_label = at + (20 if count <= 62 else 0)
    y = bottom + 34
    for k, colour in enumerate(_RAMP):
        parts.append(Bar(LEFT + 46 * k, y, 46, 12, colour))
    for k in (0, len(_RAMP) // 2, len(_RAMP)):
        text = words.figure(_short(low + span * k / len(_RAMP)))
        parts.append(Label(LEFT + 46 * k, y + 27, f"{text} {words.unit(mean_unit(unit))}" if k == len(_RAMP) else text,
                           "middle" if k else "start", size=12))  # fmt: skip
    parts.append(Bar(LEFT + 46 * len(_RAMP) + 80, y, 30, 12, _NOTHING))
    parts.append(Label(LEFT + 46 * len(_RAMP) + 118, y + 11, words.say("no data"), size=12))
    return Chart(words.say("{}, hour by hour (heat map)", name), y + 36, parts)


def _column(x: float, width: float, down: Axis, value: float) -> Bar:
    y, zero = down.at(value), down.at(0)
    return Bar(x, min(y, zero), width, max(abs(zero - y), 0.5), BLUE)


def _sum(lines: Sequence[ProfileLine], channel: int) -> float:
    return float(sum((value for line in lines if (value := line.values[channel]) is not None), Decimal(0)))


def _scale(values: Sequence[float]) -> Axis:
    low, high = min([0.0, *values]), max([0.0, *values])
    if high - low < 1e-12:
        high = low + 1.0
    return Axis(low * 1.05, high * 1.05 if high > 0 else 0.0, BOTTOM, TOP)


def _frame(down: Axis, unit: str, what: str, words: Words) -> Iterator[Part]:
    yield Bar(LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT, "#f9fafb")
    most = max(abs(down.low), abs(down.high))
    exponent = 0 if 1e-2 <= most < 1e5 else 3 * math.floor(math.log10(most) / 3)
    for value, _ in down.ticks:
        yield Line(LEFT, down.at(value), WIDTH - RIGHT, down.at(value), BLACK if abs(value) < 1e-12 else _GRID)
        text = f"{value / 10.0**exponent:.6g}".replace("-", "\N{MINUS SIGN}")
        yield Label(LEFT - 8, down.at(value) + 4, words.figure(text), "end", size=12)
    unit = words.unit(unit)
    yield Label(LEFT - 8, TOP - 13, f"10^{exponent} {unit}" if exponent else unit, "end", size=12)
    if what:
        yield Label(LEFT, TOP - 13, what, size=12, colour=GREY)


def _short(value: float) -> str:
    """Return a figure of a legend with three digits."""
    if not value:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}"
