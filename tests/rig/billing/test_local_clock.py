"""A clock on the wall: from local time to the instant and back, and standard time all year round."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing.dates import DateRule
from rig.meter.billing.local_clock import LocalClock
from rig.meter.billing.time_units import DAY_S, SECOND_NS
from rig.meter.billing.zone import DaylightSaving, RuleZone

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NORTH_AMERICA = DaylightSaving(DateRule.parse("second Sunday of March"), DateRule.parse("first Sunday of November"))
ZONES: dict[str, dt.tzinfo] = {
    name: ZoneInfo(name)
    for name in (
        "America/Toronto", "America/St_Johns", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia",
        "Europe/Dublin", "Africa/Casablanca", "Asia/Kathmandu",
    )
} | {"rule": RuleZone(-300, NORTH_AMERICA), "fixed": dt.timezone(dt.timedelta(hours=-6))}  # fmt: skip


def seconds(iso: str) -> int:
    return int((dt.datetime.fromisoformat(iso) - EPOCH).total_seconds())


@given(st.sampled_from(list(ZONES)), st.integers(-40 * 365 * DAY_S * SECOND_NS, 130 * 365 * DAY_S * SECOND_NS))
def test_there_and_back(name: str, utc_ns: int) -> None:
    """In a doubled hour too, by the fold that `local` gives."""
    clock = LocalClock(ZONES[name])
    local = clock.local(utc_ns)
    assert local == EPOCH + dt.timedelta(microseconds=utc_ns // 1000)
    assert clock.instant_ns(local.replace(tzinfo=None)) == utc_ns // 1000 * 1000


LEAPS = {
    ("America/Toronto", "2026-03-08T02:00"): "2026-03-08T07:00Z",
    ("America/Toronto", "2026-03-08T02:59:59.999999"): "2026-03-08T07:00Z",
    ("rule", "2026-03-08T02:30"): "2026-03-08T07:00Z",
    ("America/Sao_Paulo", "2018-11-04T00:00"): "2018-11-04T03:00Z",
    ("Australia/Lord_Howe", "2024-10-06T02:15"): "2024-10-05T15:30Z",
    ("Pacific/Apia", "2011-12-30T00:00"): "2011-12-30T10:00Z",
    ("Pacific/Apia", "2011-12-30T12:00"): "2011-12-30T10:00Z",
}


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize(("name", "local"), LEAPS)
def test_a_time_leapt_over_comes_true_at_the_leap(name: str, local: str, fold: int) -> None:
    missing = dt.datetime.fromisoformat(local).replace(fold=fold)
    clock = LocalClock(ZONES[name])
    leap = clock.instant_ns(missing)
    assert leap == seconds(LEAPS[name, local]) * SECOND_NS
    assert clock.local(leap - 1).replace(tzinfo=None) < missing < clock.local(leap).replace(tzinfo=None)


def test_both_passes_of_a_doubled_hour() -> None:
    clock = LocalClock(ZONES["America/Toronto"])
    twice = dt.datetime(2026, 11, 1, 1, 30)
    assert clock.instant_ns(twice) == seconds("2026-11-01T05:30Z") * SECOND_NS
    assert clock.instant_ns(twice.replace(fold=1)) == seconds("2026-11-01T06:30Z") * SECOND_NS


def test_an_aware_time_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"The local time 2026-01-01 00:00:00\+00:00 has a zone of its own: give it without"
    ):
        LocalClock(dt.UTC).instant_ns(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


STANDARD = {
    "America/Toronto": (-5, 1980, 2060),
    "America/St_Johns": (-3.5, 1980, 2060),  # two hours of daylight saving in 1988
    "Australia/Lord_Howe": (10.5, 1990, 2060),
    "Australia/Sydney": (10, 1980, 2060),
    "America/Inuvik": (-7, 1981, 2060),  # the database's flags read as two hours of daylight saving
    "America/Bahia_Banderas": (-6, 2011, 2040),  # the same
    "Pacific/Rarotonga": (-10, 1980, 2040),  # an hour in place of half an hour
    "Antarctica/Troll": (0, 2006, 2060),
    "Asia/Kathmandu": (5.75, 1990, 2060),
    "America/Regina": (-6, 1980, 2060),
    "Europe/London": (0, 1975, 2060),
}


@pytest.mark.parametrize("name", STANDARD)
def test_standard_time(name: str) -> None:
    """The same on each eleventh day of all these years."""
    hours, first, last = STANDARD[name]
    clock = LocalClock(ZoneInfo(name))
    found = {
        clock.standard_offset_s(s)
        for s in range(seconds(f"{first}-01-02T00Z"), seconds(f"{last}-12-30T00Z"), 11 * DAY_S)
    }
    assert found == {hours * 3600}


@pytest.mark.parametrize(("name", "since"), [("Europe/Dublin", 1973), ("Africa/Casablanca", 2019)])
def test_standard_time_where_daylight_saving_is_negative(name: str, since: int) -> None:
    """Winter, and Ramadan, are the deviation: the clock is then behind standard time. Editions of the database for old
    readers have it the other way round; either way standard time is one and the same all the time.
    """
    clock = LocalClock(ZoneInfo(name))
    instants = range(seconds(f"{since}-01-02T00Z"), seconds("2040-12-30T00Z"), 5 * DAY_S)
    (standard,) = {clock.standard_offset_s(s) for s in instants}
    readings = {clock.read(s) for s in instants}
    assert {reading.offset_s for reading in readings} == {0, 3600}
    assert all(reading.dst == (reading.offset_s != standard) for reading in readings)


def test_standard_time_under_double_summer_time() -> None:
    """London, 1947: an hour ahead from March, two from April, one from August, none from November."""
    days = {"1947-03-01": 0, "1947-04-01": 1, "1947-06-01": 2, "1947-09-01": 1, "1947-12-01": 0}
    for day, hours in days.items():
        clock = LocalClock(ZoneInfo("Europe/London"))
        assert clock.read(seconds(f"{day}T12Z")) == (hours * 3600, hours > 0)
        assert clock.standard_offset_s(seconds(f"{day}T12Z")) == 0


def test_standard_time_where_none_is_in_sight() -> None:
    """Daylight time without end: what the zone states."""

    class Always(dt.tzinfo):
        def utcoffset(self, when: dt.datetime | None) -> dt.timedelta:
            return dt.timedelta(hours=3)

        def dst(self, when: dt.datetime | None) -> dt.timedelta:
            return dt.timedelta(hours=1)

    assert LocalClock(Always()).standard_offset_s(0) == 7200
