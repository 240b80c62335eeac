"""The calendar against the clock on the wall: minute by minute around every change of a clock, and at any instant."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from functools import cache
from itertools import pairwise
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing.calendar import Calendar, Span
from rig.meter.billing.dates import DateRule
from rig.meter.billing.holidays import Holiday, holiday_dates
from rig.meter.billing.tariff import ONE_RATE, DayType, Rate, RateSwitch, Season, Tariff
from rig.meter.billing.zone import DaylightSaving, RuleZone

NS = 10**9
MINUTE, HOUR, DAY = 60, 3600, 86400
UTC = dt.UTC
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)

A, B, C, D = Rate
BUSY = (
    RateSwitch(0, C),
    RateSwitch(100, C),
    RateSwitch(150, D),
    RateSwitch(420, A),
    RateSwitch(660, B),
    RateSwitch(1020, A),
    RateSwitch(1410, C),
)
"""A switch to the rate that holds already, and one at 02:30, which most zones leave out one night in spring."""
CALM = (RateSwitch(0, C), RateSwitch(30, B), RateSwitch(720, D))
QUIET = (RateSwitch(0, C),)
TARIFF = Tariff(
    (
        Season(
            "summer",
            DateRule.parse("05-01"),
            {DayType.WEEKDAY: BUSY, DayType.SATURDAY: CALM, DayType.SUNDAY: BUSY, DayType.HOLIDAY: QUIET},
        ),
        Season(
            "winter",
            DateRule.parse("first Sunday of November"),
            {DayType.WEEKDAY: CALM, DayType.SATURDAY: BUSY, DayType.SUNDAY: CALM, DayType.HOLIDAY: BUSY},
        ),
    ),
    tuple(map(Holiday.parse, ("01-01 observed nearest weekday", "Good Friday", "12-25", "12-26 observed next Monday"))),
)

NORTH_AMERICA = DaylightSaving(DateRule.parse("second Sunday of March"), DateRule.parse("first Sunday of November"))
AT_MIDNIGHT = DaylightSaving(
    DateRule.parse("third Sunday of October"), DateRule.parse("third Sunday of February"), 0, 0
)
ZONES: dict[str, dt.tzinfo] = {
    name: ZoneInfo(name)
    for name in (
        "America/Toronto", "America/St_Johns", "America/Regina", "America/Sao_Paulo", "Asia/Beirut", "Asia/Kathmandu",
        "Australia/Lord_Howe", "Pacific/Apia", "Europe/Dublin", "Africa/Casablanca", "America/Inuvik",
        "Antarctica/Troll",
    )
} | {
    "rule": RuleZone(-300, NORTH_AMERICA),
    "rule at midnight": RuleZone(-180, AT_MIDNIGHT),
    "fixed": dt.timezone(dt.timedelta(hours=5, minutes=30)),
    "UTC": UTC,
}  # fmt: skip

YEARS = {
    "America/Toronto": 2026,
    "America/St_Johns": 2010,  # back at 00:01, to 23:01 of the day before
    "America/Sao_Paulo": 2018,  # forward at 00:00: no midnight
    "Asia/Beirut": 2022,  # the same
    "Australia/Lord_Howe": 2024,  # half an hour
    "Pacific/Apia": 2011,  # no December 30
    "Europe/Dublin": 2026,
    "Africa/Casablanca": 2024,
    "America/Inuvik": 2024,
    "Antarctica/Troll": 2024,  # two hours
    "rule": 2027,
    "rule at midnight": 2026,
}
"""A year with changes of the clock."""


def at(utc_s: int, zone: dt.tzinfo) -> dt.datetime:
    return (EPOCH + dt.timedelta(seconds=utc_s)).astimezone(zone)


@cache
def holidays(year: int) -> frozenset[dt.date]:
    return holiday_dates(TARIFF.holidays, year)


def expected(local: dt.datetime) -> tuple[Rate, int, DayType, dt.date, int]:
    """By the wall alone: rate, season, day type, date and offset."""
    date = local.date()
    winter = next(d for d in range(1, 8) if dt.date(date.year, 11, d).weekday() == 6)
    season = 0 if (5, 1) <= (date.month, date.day) < (11, winter) else 1
    day_type = DayType.HOLIDAY if date in holidays(date.year) else DayType.of(date)
    switches = TARIFF.seasons[season].days[day_type]
    minute = 60 * local.hour + local.minute
    rate = [switch.rate for switch in switches if switch.minute <= minute][-1]
    offset = local.utcoffset()
    assert offset is not None
    return rate, season, day_type, date, offset // dt.timedelta(seconds=1)


def told(span: Span) -> tuple[Rate, int, DayType, dt.date, int]:
    return span.rate, span.season, span.day_type, span.date, span.utc_offset_s


def spans(calendar: Calendar, start_ns: int, end_ns: int) -> list[Span]:
    """Those that cover this time. Each begins where the one before it ends."""
    found = [calendar.span(start_ns)]
    while found[-1].end_ns < end_ns:
        span = calendar.span(found[-1].end_ns)
        assert found[-1].end_ns == span.start_ns < span.end_ns
        found.append(span)
    return found


def changes(zone: dt.tzinfo, year: int) -> list[int]:
    """Hours of the year (UTC seconds) before whose end the clock is set."""
    first = int((dt.datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
    hours = range(first, first + 366 * DAY, HOUR)
    offsets = [at(hour, zone).utcoffset() for hour in hours]
    return [hour for hour, (now, then) in zip(hours, pairwise(offsets), strict=False) if now != then]


@pytest.mark.parametrize("name", YEARS)
def test_minute_by_minute_where_the_clock_is_set(name: str) -> None:
    """A day and a half before and after each change of the year, and that spans end where something changes."""
    zone = ZONES[name]
    calendar = Calendar(zone, TARIFF)
    around = changes(zone, YEARS[name])
    assert around
    for hour in around:
        first, last = hour - 36 * HOUR, hour + 36 * HOUR
        found = spans(calendar, first * NS, last * NS)
        for left, right in pairwise(found):
            assert (told(left), left.dst) != (told(right), right.dst)
        starts = [span.start_ns for span in found]
        for minute in range(first, last, MINUTE):
            span = found[bisect_right(starts, minute * NS) - 1]
            assert told(span) == expected(at(minute, zone)), at(minute, zone)


INSTANTS = st.integers(-40 * 365 * DAY * NS, 130 * 365 * DAY * NS)
"""1930 to 2100."""


@given(st.sampled_from(list(ZONES)), INSTANTS)
def test_spans_tile_time(name: str, instant: int) -> None:
    """Around any instant: its span is found from any instant in it, its neighbours touch it and differ."""
    calendar = Calendar(ZONES[name], TARIFF)
    span = calendar.span(instant)
    assert span.start_ns <= instant < span.end_ns
    assert told(span) == expected(calendar.local(instant))
    assert told(span) == expected(calendar.local(span.start_ns)) == expected(calendar.local(span.end_ns - 1))
    for inside in (span.start_ns, span.end_ns - 1, (span.start_ns + span.end_ns) // 2):
        assert Calendar(ZONES[name], TARIFF).span(inside) == span
    before, after = calendar.span(span.start_ns - 1), calendar.span(span.end_ns)
    assert (before.end_ns, after.start_ns) == (span.start_ns, span.end_ns)
    for neighbour in (before, after):
        assert (told(neighbour), neighbour.dst) != (told(span), span.dst)


def test_a_day_of_the_schedule() -> None:
    """2026-06-01 is a Monday. The switch at 01:40 changes nothing, so nothing ends there."""
    calendar = Calendar(ZONES["America/Toronto"], TARIFF)
    start = calendar.instant_ns(dt.datetime(2026, 6, 1))
    found = spans(calendar, start, start + DAY * NS)
    clock = [(f"{calendar.local(span.start_ns):%H:%M}", span.rate) for span in found]
    assert clock == [("00:00", C), ("02:30", D), ("07:00", A), ("11:00", B), ("17:00", A), ("23:30", C)]
    assert found[0] == Span(
        start, start + 150 * MINUTE * NS, C, 0, DayType.WEEKDAY, dt.date(2026, 6, 1), -4 * HOUR, True
    )


def test_a_switch_left_out_takes_effect_when_the_clock_leaps() -> None:
    """2026-03-08: from 02:00 to 03:00; made a holiday, because that is BUSY in winter."""
    tariff = Tariff(TARIFF.seasons, (Holiday.parse("2026-03-08"),))
    calendar = Calendar(ZONES["America/Toronto"], tariff)
    leap = calendar.instant_ns(dt.datetime(2026, 3, 8, 3))
    before, after = calendar.span(leap - 1), calendar.span(leap)
    assert (before.rate, after.rate) == (C, D)
    assert (before.end_ns, before.utc_offset_s, before.dst) == (leap, -5 * HOUR, False)
    assert (after.start_ns, after.utc_offset_s, after.dst) == (leap, -4 * HOUR, True)
    assert f"{calendar.local(after.end_ns):%H:%M}" == "07:00"


def test_a_doubled_hour_has_its_schedule_twice() -> None:
    """2026-11-01, also the first day of winter: 01:00 to 02:00 twice, with a switch at 01:30."""
    half_past = {day_type: (RateSwitch(0, A), RateSwitch(90, B)) for day_type in DayType}
    calendar = Calendar(ZONES["America/Toronto"], Tariff((Season("all", DateRule.parse("01-01"), half_past),)))
    start = calendar.instant_ns(dt.datetime(2026, 11, 1))
    found = spans(calendar, start, start + 25 * HOUR * NS)
    minutes = [(span.rate, (span.end_ns - span.start_ns) // (MINUTE * NS), span.dst) for span in found]
    assert minutes == [(A, 90, True), (B, 30, True), (A, 30, False), (B, 22 * 60 + 30, False)]


LENGTHS = {
    ("America/Toronto", "2026-03-08"): 23 * 60,
    ("America/Toronto", "2026-11-01"): 25 * 60,
    ("America/Toronto", "2026-11-02"): 24 * 60,
    ("Australia/Lord_Howe", "2024-04-07"): 24 * 60 + 30,
    ("Australia/Lord_Howe", "2024-10-06"): 23 * 60 + 30,
    ("America/Sao_Paulo", "2018-11-04"): 23 * 60,
    ("America/Sao_Paulo", "2018-02-17"): 25 * 60,
    ("Asia/Beirut", "2022-03-27"): 23 * 60,
    ("Antarctica/Troll", "2024-03-31"): 22 * 60,
    ("Pacific/Apia", "2011-12-29"): 24 * 60,
    ("Pacific/Apia", "2011-12-30"): 0,
    ("Pacific/Apia", "2011-12-31"): 24 * 60,
    ("America/St_Johns", "2010-11-06"): 24 * 60 + 59,
    ("America/St_Johns", "2010-11-07"): 24 * 60 + 1,
}


@pytest.mark.parametrize(("name", "date"), LENGTHS)
def test_length_of_a_day(name: str, date: str) -> None:
    day = dt.date.fromisoformat(date)
    noon = int((dt.datetime.combine(day, dt.time(12), UTC) - EPOCH).total_seconds())
    found = spans(Calendar(ZONES[name], TARIFF), (noon - 2 * DAY) * NS, (noon + 2 * DAY) * NS)
    minutes = sum((span.end_ns - span.start_ns) // (MINUTE * NS) for span in found if span.date == day)
    assert minutes == LENGTHS[name, date]


def test_seasons_begin_at_local_midnight_and_wrap() -> None:
    calendar = Calendar(ZONES["America/Toronto"], TARIFF)
    for date, season in (("2026-01-01", 1), ("2026-04-30", 1), ("2026-05-01", 0), ("2026-10-31", 0), ("2026-11-01", 1)):
        midnight = calendar.instant_ns(dt.datetime.fromisoformat(date))
        assert calendar.span(midnight).season == season
        assert calendar.span(midnight + 23 * HOUR * NS).season == season
    winter = calendar.instant_ns(dt.datetime(2026, 11, 1))
    assert calendar.span(winter - 1).end_ns == winter


def test_a_season_may_start_before_its_year() -> None:
    """The Monday before January 3, 2027 is 2026-12-28."""
    flat = dict.fromkeys(DayType, QUIET)
    starts = {"new": "Monday before January 3", "late": "06-01"}
    calendar = Calendar(UTC, Tariff(tuple(Season(name, DateRule.parse(rule), flat) for name, rule in starts.items())))
    seasons = [calendar.span(calendar.instant_ns(dt.datetime(2026, 12, day))).season for day in (27, 28, 31)]
    assert seasons == [1, 0, 0]


def test_where_starts_meet_the_later_listed_has_the_day() -> None:
    """The first Monday of June is June 1 in 2026, not in 2027."""
    flat = dict.fromkeys(DayType, QUIET)
    starts = {"first": "06-01", "second": "first Monday of June"}
    calendar = Calendar(UTC, Tariff(tuple(Season(name, DateRule.parse(rule), flat) for name, rule in starts.items())))
    assert [calendar.span(calendar.instant_ns(dt.datetime(year, 6, 2))).season for year in (2026, 2027)] == [1, 0]


def test_new_years_day_observed_on_the_last_day_of_the_year() -> None:
    """2022-01-01 was a Saturday."""
    calendar = Calendar(ZONES["America/Toronto"], TARIFF)
    kinds = [calendar.span(calendar.instant_ns(dt.datetime(2021, 12, day))).day_type for day in (30, 31)]
    assert kinds == [DayType.WEEKDAY, DayType.HOLIDAY]
    assert calendar.span(calendar.instant_ns(dt.datetime(2022, 1, 1))).day_type is DayType.SATURDAY


def test_without_a_tariff() -> None:
    """Rate A and one season; days and offsets as ever."""
    calendar = Calendar(ZONES["America/Toronto"])
    assert calendar.tariff is ONE_RATE
    start = calendar.instant_ns(dt.datetime(2026, 3, 7))
    found = spans(calendar, start, start + 71 * HOUR * NS)
    assert [(span.rate, span.season) for span in found] == [(A, 0)] * 4
    assert [span.day_type.value for span in found] == ["saturday", "sunday", "sunday", "weekday"]
    assert [(span.end_ns - span.start_ns) // (HOUR * NS) for span in found] == [24, 2, 21, 24]


def test_the_same_span_is_given_again() -> None:
    calendar = Calendar(ZONES["America/Toronto"], TARIFF)
    span = calendar.span(0)
    assert calendar.span(span.end_ns - 1) is span


@pytest.mark.parametrize("name", ["America/Toronto", "rule", "UTC"])
def test_a_year_of_spans_is_quick(name: str) -> None:
    """Each span once, with the standard offset asked at each: 0.02 to 0.08 s on the computer this was written on."""
    calendar = Calendar(ZONES[name], TARIFF)
    start = calendar.instant_ns(dt.datetime(2026, 1, 1))
    began = process_time()
    found = spans(calendar, start, start + 365 * DAY * NS)
    for span in found:
        calendar.standard_offset_s(span.start_ns)
    assert process_time() - began < 3
    assert len(found) > 1000
