"""Decade 5: clock, daylight saving, calendar of rates (ST50 to ST56; X-1, T-1).

The meter's calendar goes by rules, such as "first Sunday of November", which ST54's dates cannot all say. So it gives
the dates that the rules come to, of the meter's year and as many years after as there is room for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache

from rig.communication.c1219.facts import YEARS, MeterFacts, Need
from rig.communication.c1219.layout import Array, Bit, BitField, Field, Layout, Ref, constant
from rig.communication.c1219.table import Table, TableContents
from rig.communication.c1219.types import DATE, I16, LTIME, TIME, U8, U16
from rig.meter.billing.calendar import Calendar
from rig.meter.billing.holidays import holiday_dates
from rig.meter.billing.tariff import DayType, RateSwitch
from rig.meter.billing.time_units import DAY_S, MINUTE_S, SECOND_NS

MOST_DATES = 250
MOST_YEARS = 5
NO_SPECIAL = 15
MOST_U16 = 0xFFFF

DST_ON, DST_OFF, SEASON_0, SPECIAL_0 = 1, 2, 3, 19

_MATRIX = (DayType.SATURDAY, DayType.SUNDAY, DayType.WEEKDAY, DayType.HOLIDAY)


@dataclass(frozen=True)
class ClockChange:
    """A change of the clock: the instant, the local time at which it comes, and seconds from UTC before and after."""

    at_ns: int
    local: datetime
    before_s: int
    after_s: int

    @property
    def forward(self) -> bool:
        """True if daylight saving begins."""
        return self.after_s > self.before_s


def clock_changes(calendar: Calendar, year: int) -> Iterator[ClockChange]:
    """Give the changes of the clock in a year, in order: none is nearer than a day to the next."""
    noon = datetime(year - 1, 12, 31, 12)
    before_ns = calendar.instant_ns(noon)
    while noon < datetime(year, 12, 31):
        noon += timedelta(days=1)
        after_ns = calendar.instant_ns(noon)
        if after_ns - before_ns != DAY_S * SECOND_NS:
            yield from _changes_between(calendar, before_ns, after_ns)
        before_ns = after_ns


def _changes_between(calendar: Calendar, before_ns: int, after_ns: int) -> Iterator[ClockChange]:
    span = calendar.span(before_ns)
    while span.end_ns <= after_ns:
        following = calendar.span(span.end_ns)
        if following.utc_offset_s != span.utc_offset_s:
            local = calendar.local(span.end_ns).replace(tzinfo=None)
            local += timedelta(seconds=span.utc_offset_s - following.utc_offset_s)
            yield ClockChange(span.end_ns, local, span.utc_offset_s, following.utc_offset_s)
        span = following


class CalendarYears:
    """A calendar in a year and those after it, as ST51 to ST54 have it."""

    def __init__(self, calendar: Calendar, year: int) -> None:
        self.calendar, self.year = calendar, year

    @property
    def seasons(self) -> int:
        """Number of seasons."""
        return len(self.calendar.tariff.seasons)

    @cached_property
    def changes(self) -> list[ClockChange]:
        """Changes of the clock this year."""
        return list(clock_changes(self.calendar, self.year))

    @property
    def begins(self) -> ClockChange | None:
        """The beginning of this year's daylight saving."""
        return next((change for change in self.changes if change.forward), None)

    @cached_property
    def dates(self) -> list[tuple[date, int]]:
        """Dates and what happens on them, in order, of whole years; at least this one's, as far as there is room."""
        found: list[tuple[date, int]] = []
        for year in range(max(self.year, YEARS.start), min(self.year + MOST_YEARS, YEARS.stop)):
            dates = sorted(self._dates(year))
            if found and len(found) + len(dates) > MOST_DATES:
                break
            found += dates[:MOST_DATES]
        return found

    def _dates(self, year: int) -> Iterator[tuple[date, int]]:
        for change in clock_changes(self.calendar, year):
            yield change.local.date(), DST_ON if change.forward else DST_OFF
        if self.seasons > 1:
            for start, season in self.calendar.tariff.season_starts(year):
                if start.year == year:
                    yield start, SEASON_0 + season
        for day in holiday_dates(self.calendar.tariff.holidays, year):
            yield day, SPECIAL_0

    @cached_property
    def schedules(self) -> list[tuple[RateSwitch, ...]]:
        """Days of switches that differ, in order; a schedule is a place in it."""
        days = [season.days[kind] for season in self.calendar.tariff.seasons for kind in _MATRIX]
        return list(dict.fromkeys(days))

    @property
    def switches(self) -> list[tuple[RateSwitch, int]]:
        """Every switch and its schedule."""
        return [(switch, n) for n, day in enumerate(self.schedules) for switch in day]

    @property
    def matrix(self) -> list[list[int]]:
        """Schedules by season, then Saturday, Sunday, weekday, holiday."""
        return [
            [self.schedules.index(season.days[kind]) for kind in _MATRIX] for season in self.calendar.tariff.seasons
        ]

    @property
    def size(self) -> int:
        """Bytes of ST54."""
        return 3 * len(self.dates) + 3 * len(self.switches) + 4 * self.seasons


_years = lru_cache(maxsize=4)(CalendarYears)
"""What is found of a calendar takes a tenth of a second, and holds for a year."""


def _of(contents: TableContents) -> CalendarYears:
    facts = contents.facts
    return _years(facts.calendar, facts.now.year)


def _standard_min(contents: TableContents) -> int:
    facts = contents.facts
    return facts.calendar.standard_offset_s(facts.reading.utc_ns) // MINUTE_S


TIME_DIMENSIONS = Layout(
    (
        Field(
            "TIME_FUNC_FLAG1",
            BitField(
                1,
                (
                    Bit("TOU_SELF_READ_FLAG", 0, 0, constant(0)),
                    Bit("SEASON_SELF_READ_FLAG", 1, 1, constant(0)),
                    Bit(
                        "SEASON_DEMAND_RESET_FLAG",
                        2,
                        2,
                        lambda c: c.facts.has_demand and c.facts.program.billing.season_change_resets_demand,
                    ),
                    Bit("SEASON_CHNG_ARMED_FLAG", 3, 3, constant(0)),
                    Bit("SORT_DATES_FLAG", 4, 4, constant(0)),
                    Bit("ANCHOR_DATE_FLAG", 5, 5, constant(0)),
                ),
            ),
        ),
        Field(
            "TIME_FUNC_FLAG2",
            BitField(
                1,
                (
                    Bit("CAP_DST_AUTO_FLAG", 0, 0, lambda c: bool(_of(c).changes)),
                    Bit("SEPARATE_WEEKDAYS_FLAG", 1, 1, constant(0)),
                    Bit("SEPARATE_SUM_DEMANDS_FLAG", 2, 2, constant(0)),
                    Bit("SORT_TIER_SWITCHES_FLAG", 3, 3, constant(0)),
                    Bit("CAP_TM_ZN_OFFSET_FLAG", 4, 4, constant(1), "ST53 has the offset of standard time"),
                ),
            ),
        ),
        Field(
            "CALENDAR_FUNC",
            BitField(
                1,
                (
                    Bit("NBR_SEASONS", 0, 3, lambda c: _of(c).seasons),
                    Bit("NBR_SPECIAL_SCHED", 4, 7, constant(1), "holidays"),
                ),
            ),
        ),
        Field("NBR_NON_RECURR_DATES", U8, lambda c: len(_of(c).dates)),
        Field("NBR_RECURR_DATES", U8, constant(0), "dates are given year by year"),
        Field("NBR_TIER_SWITCHES", U16, lambda c: len(_of(c).switches)),
        Field("CALENDAR_TBL_SIZE", U16, lambda c: _of(c).size, "bytes of ST54"),
    )
)


# --- clock -----------------------------------------------------------------------------------------------------


def _weekday(facts: MeterFacts) -> int:
    """Give the day of the week, 0 Sunday."""
    return facts.now.isoweekday() % 7


def _dst(facts: MeterFacts) -> bool:
    return facts.calendar.span(facts.reading.utc_ns).dst


_QUALIFIER = BitField(
    1,
    (
        Bit("DAY_OF_WEEK", 0, 2, lambda c: _weekday(c.facts), "0 Sunday … 6 Saturday"),
        Bit("DST_FLAG", 3, 3, lambda c: _dst(c.facts), "daylight saving is on"),
        Bit("GMT_FLAG", 4, 4, constant(0)),
        Bit("TM_ZN_APPLIED_FLAG", 5, 5, constant(1), "the time is local"),
        Bit("DST_APPLIED_FLAG", 6, 6, constant(1), "daylight saving is in the time"),
    ),
)

_CLOCK = (
    Field("CLOCK_CALENDAR", LTIME, lambda c: c.facts.local(c.facts.reading.utc_ns), "local time"),
    Field("TIME_DATE_QUAL", _QUALIFIER),
)

CLOCK = Layout(_CLOCK)


def _begin_time(contents: TableContents) -> time:
    begins = _of(contents).begins
    return time() if begins is None else begins.local.time()


def _amount(contents: TableContents) -> int:
    begins = _of(contents).begins
    return 0 if begins is None else (begins.after_s - begins.before_s) // MINUTE_S


TIME_OFFSET = Layout(
    (
        Field("DST_TIME_EFF", TIME, _begin_time, "when daylight saving begins on its day; zeros without"),
        Field("DST_TIME_AMT", U8, _amount, "minutes"),
        Field(
            "TIME_ZONE_OFFSET",
            I16,
            _standard_min,
            "minutes that standard time is ahead of UTC",
            Ref(51, "TIME_FUNC_FLAG2.CAP_TM_ZN_OFFSET_FLAG"),
        ),
    )
)


# --- calendar --------------------------------------------------------------------------------------------------

_ACTION = BitField(
    1,
    (
        Bit("CALENDAR_CTRL", 0, 4, lambda entry: entry[1], "1, 2 daylight saving; 3… season from 0; 19 holiday"),
        Bit("DEMAND_RESET_FLAG", 5, 5, constant(0)),
        Bit("SELF_READ_FLAG", 6, 6, constant(0)),
    ),
)

CALENDAR = Layout(
    (
        Field(
            "NON_RECURR_DATES",
            Array(
                Ref(51, "NBR_NON_RECURR_DATES"),
                Layout((Field("NON_RECURR_DATE", DATE, lambda entry: entry[0]), Field("CALENDAR_ACTION", _ACTION))),
            ),
            lambda c: _of(c).dates,
            "of the meter's year and those after it",
        ),
        Field(
            "TIER_SWITCHES",
            Array(
                Ref(51, "NBR_TIER_SWITCHES"),
                Layout(
                    (
                        Field(
                            "TIER_SWITCH",
                            BitField(
                                2,
                                (
                                    Bit("NEW_TIER", 0, 2, lambda entry: entry[0].rate, "0 to 3: rate A to D"),
                                    Bit("SUMMATION_SWITCH_FLAG", 3, 3, constant(1)),
                                    Bit("DEMANDS_SWITCH_FLAG", 4, 4, constant(1)),
                                    Bit("SWITCH_MIN", 5, 10, lambda entry: entry[0].minute % 60),
                                    Bit("SWITCH_HOUR", 11, 15, lambda entry: entry[0].minute // 60),
                                ),
                            ),
                        ),
                        Field("DAY_SCH_NUM", U8, lambda entry: entry[1]),
                    )
                ),
            ),
            lambda c: _of(c).switches,
        ),
        Field(
            "DAILY_SCHEDULE_ID_MATRIX",
            Array(
                Ref(51, "CALENDAR_FUNC.NBR_SEASONS"),
                Layout(
                    (
                        Field("SATURDAY_SCHEDULE", U8, lambda row: row[0]),
                        Field("SUNDAY_SCHEDULE", U8, lambda row: row[1]),
                        Field("WEEKDAY_SCHEDULE", U8, lambda row: row[2]),
                        Field(
                            "SPECIAL_SCHEDULE",
                            Array(Ref(51, "CALENDAR_FUNC.NBR_SPECIAL_SCHED"), U8),
                            lambda row: row[3:],
                            "holidays",
                        ),
                    )
                ),
            ),
            lambda c: _of(c).matrix,
            "the schedule of each kind of day, by season",
        ),
    )
)


# --- state -----------------------------------------------------------------------------------------------------


def _special(facts: MeterFacts) -> int:
    return 0 if facts.calendar.span(facts.reading.utc_ns).day_type is DayType.HOLIDAY else NO_SPECIAL


def _rate_left(facts: MeterFacts) -> int:
    """Give the minutes until the calendar has another rate, up to a day, rounded down; 65535: no other today."""
    calendar, now_ns = facts.calendar, facts.reading.utc_ns
    span = calendar.span(now_ns)
    rate, end_ns = span.rate, span.end_ns
    while end_ns < now_ns + DAY_S * SECOND_NS:
        span = calendar.span(end_ns)
        if span.rate != rate:
            return (end_ns - now_ns) // (MINUTE_S * SECOND_NS)
        end_ns = span.end_ns
    return MOST_U16


def _self_read_days(facts: MeterFacts) -> int:
    next_ns = facts.reading.next_self_read_ns
    if next_ns is None:
        return 255
    return min(254, max(0, next_ns - facts.reading.utc_ns) // (DAY_S * SECOND_NS))


CLOCK_STATE = Layout(
    (
        *_CLOCK,
        Field(
            "STATUS",
            BitField(
                2,
                (
                    Bit("CURR_SUMM_TIER", 0, 2, lambda c: c.facts.reading.rate, "0 to 3: rate A to D"),
                    Bit("CURR_DEMAND_TIER", 3, 5, lambda c: c.facts.reading.rate),
                    Bit("TIER_DRIVE", 6, 7, lambda c: c.facts.reading.rate_forced, "0 calendar, 1 forced"),
                    Bit("SPECIAL_SCHD_ACTIVE", 8, 11, lambda c: _special(c.facts), "0 holiday, 15 none"),
                    Bit("SEASON", 12, 15, lambda c: c.facts.reading.season, "counted from 0"),
                ),
            ),
        ),
    )
)

TIME_REMAINING = Layout(
    (
        Field(
            "TIER_TIME_REMAIN",
            U16,
            lambda c: _rate_left(c.facts),
            "minutes until the calendar has another rate; 65535: not within a day",
        ),
        Field(
            "SELF_READ_DAYS_REMAIN",
            U8,
            lambda c: _self_read_days(c.facts),
            "whole days until the next self-read; 255: none is programmed",
        ),
    )
)

_BOTH = frozenset({Need.READING, Need.PROGRAM})

TIME_TABLES = (
    Table(
        50, "time and rate dimensions", TIME_DIMENSIONS, "the most that ST51 can have, which is what it has", (), _BOTH
    ),
    Table(51, "actual time and rates", TIME_DIMENSIONS, "how many dates and switches there are", (), _BOTH),
    Table(52, "clock", CLOCK, "the meter's clock", (51,), _BOTH),
    Table(53, "time offset", TIME_OFFSET, "daylight saving and the zone", (51,), _BOTH),
    Table(54, "calendar", CALENDAR, "seasons, holidays, switches of rates", (51,), _BOTH),
    Table(55, "clock state", CLOCK_STATE, "clock, rate and season", (51,), _BOTH),
    Table(56, "time remaining", TIME_REMAINING, "until the rate changes, until the next self-read", (51,), _BOTH),
)
