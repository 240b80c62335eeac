"""The calendar of a meter: at each instant the date, day type, season and rate, and how the clock stands (T-1, T-3).

The rate is a function of what a clock on the wall shows, and of nothing else: in a doubled hour the schedule holds in
both passes; a switch in an hour that is left out takes effect when the clock leaps over it. A season begins when its
start date does.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from rig.meter.billing.holidays import holiday_dates
from rig.meter.billing.local_clock import LocalClock
from rig.meter.billing.tariff import ONE_RATE, DayType, Rate, Tariff
from rig.meter.billing.time_units import DAY_S, SECOND_NS

_EPOCH_ORDINAL = dt.date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Span:
    """From `start_ns` until just before `end_ns` (UTC) nothing of the calendar changes; at either end something does.

    `season` is the place in the tariff's seasons. `dst` says that the clock does not show standard time.
    """

    start_ns: int
    end_ns: int
    rate: Rate
    season: int
    day_type: DayType
    date: dt.date
    utc_offset_s: int
    dst: bool


@dataclass(frozen=True, slots=True)
class _Day:
    """A date, and its rates: the second of the day that each begins at, the first 0, none like the one before it."""

    date: dt.date
    season: int
    day_type: DayType
    starts: tuple[int, ...]
    rates: tuple[Rate, ...]


class Calendar:
    """Tariff applied in a time zone: a zoneinfo.ZoneInfo, a RuleZone or a datetime.timezone.

    Without a tariff there is one season and rate A. Instants are UTC nanoseconds since 1970, in the years that datetime
    has.
    """

    def __init__(self, zone: dt.tzinfo, tariff: Tariff | None = None) -> None:
        self.zone = zone
        self.tariff = ONE_RATE if tariff is None else tariff
        self._clock = LocalClock(zone)
        self._spans: dict[int | None, Span] = {}
        self._day = lru_cache(maxsize=8)(self._find_day)
        self._holidays = lru_cache(maxsize=8)(lambda year: holiday_dates(self.tariff.holidays, year))
        self._season_starts = lru_cache(maxsize=8)(self.tariff.season_starts)

    def span(self, utc_ns: int, asked_season: int | None = None) -> Span:
        """The longest stretch around the instant in which nothing of the calendar changes.

        It ends at a switch to another rate, at local midnight, and when the clock is set forward or back. Spans follow
        each other without a gap. With `asked_season` rates are those of that season, whatever the date says; `season`
        is always the date's.
        """
        span = self._spans.get(asked_season)
        if span is None or not span.start_ns <= utc_ns < span.end_ns:
            span = self._spans[asked_season] = self._find_span(utc_ns // SECOND_NS, asked_season)
        return span

    def next_season_ns(self, utc_ns: int) -> int:
        """Return when the next season starts by its date, this one again where there is no other."""
        today = self.local(utc_ns).date()
        start = next(start for start, _ in self._season_starts(today.year) if start > today)
        return self.instant_ns(dt.datetime.combine(start, dt.time()))

    def season_after(self, season: int, utc_ns: int) -> int:
        """Give the season that follows one in the order of the year's dates."""
        return self.tariff.season_after(season, self.local(utc_ns).year)

    def local(self, utc_ns: int) -> dt.datetime:
        """Local time with its zone, rounded down to a microsecond."""
        return self._clock.local(utc_ns)

    def standard_offset_s(self, utc_ns: int) -> int:
        """Seconds that local standard time is ahead of UTC: the same in summer and in winter."""
        return self._clock.standard_offset_s(utc_ns // SECOND_NS)

    def instant_ns(self, local: dt.datetime) -> int:
        """Return the instant at which the local clock shows a time (naive).

        In a doubled hour it is the first pass, or with fold=1 the second. A time that the clock leaps over comes true
        when it leaps. Raises ValueError for an aware time.
        """
        return self._clock.instant_ns(local)

    def _find_span(self, utc_s: int, asked_season: int | None) -> Span:
        offset, dst = self._clock.read(utc_s)
        number, second = divmod(utc_s + offset, DAY_S)
        day = self._day(number, asked_season)
        place = bisect_right(day.starts, second) - 1
        midnight = number * DAY_S - offset
        start = midnight + day.starts[place]
        end = midnight + (*day.starts, DAY_S)[place + 1]
        start, end = self._clock.steady(utc_s, start, end)
        return Span(
            start * SECOND_NS, end * SECOND_NS, day.rates[place], day.season, day.day_type, day.date, offset, dst
        )  # fmt: skip

    def _find_day(self, number: int, asked_season: int | None) -> _Day:
        """Of the local day that begins so many days after 1970-01-01; its rates are of the season asked for, if any."""
        date = dt.date.fromordinal(_EPOCH_ORDINAL + number)
        day_type = DayType.HOLIDAY if date in self._holidays(date.year) else DayType.of(date)
        season = max(start for start in self._season_starts(date.year) if start[0] <= date)[1]
        switches = self.tariff.seasons[season if asked_season is None else asked_season].days[day_type]
        kept = [s for i, s in enumerate(switches) if i == 0 or s.rate != switches[i - 1].rate]
        return _Day(date, season, day_type, tuple(60 * s.minute for s in kept), tuple(s.rate for s in kept))
