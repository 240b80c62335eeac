"""A zone by rule against the time zone database, hour by hour, and in both directions."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing.dates import DateRule
from rig.meter.billing.zone import DaylightSaving, RuleZone, ZoneError

rule = DateRule.parse
NORTH_AMERICA = DaylightSaving(rule("second Sunday of March"), rule("first Sunday of November"))
SYDNEY = DaylightSaving(rule("first Sunday of October"), rule("first Sunday of April"), end_minute=180)
LORD_HOWE = DaylightSaving(rule("first Sunday of October"), rule("first Sunday of April"), shift_min=30)
LONDON = DaylightSaving(rule("last Sunday of March"), rule("last Sunday of October"), begin_minute=60)

ZONES = {
    "America/Toronto": (RuleZone(-300, NORTH_AMERICA), 2010, 2030),
    "America/St_Johns": (RuleZone(-210, NORTH_AMERICA), 2024, 2026),
    "Australia/Sydney": (RuleZone(600, SYDNEY), 2018, 2021),
    "Australia/Lord_Howe": (RuleZone(630, LORD_HOWE), 2025, 2025),
    "Europe/London": (RuleZone(0, LONDON), 2024, 2026),
    "America/Regina": (RuleZone(-360), 2024, 2024),
}
HOUR = timedelta(hours=1)


def step(name: str) -> timedelta:
    """Half an hour where shifts are of half an hour."""
    return HOUR / 2 if name == "Australia/Lord_Howe" else HOUR


def reading(local: datetime) -> tuple[datetime, int, timedelta | None, timedelta | None]:
    return local.replace(tzinfo=None, fold=0), local.fold, local.utcoffset(), local.dst()


@pytest.mark.parametrize("name", ZONES)
def test_as_the_database_has_it(name: str) -> None:
    """Each hour of these years."""
    zone, first, last = ZONES[name]
    database = ZoneInfo(name)
    instant, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    while instant < end:
        assert reading(instant.astimezone(zone)) == reading(instant.astimezone(database)), instant
        instant += step(name)


@pytest.mark.parametrize("name", ZONES)
def test_local_times_as_the_database_has_them(name: str) -> None:
    """Both folds of each hour of a year on the wall, a doubled and a missing one among them (PEP 495)."""
    zone, first, _ = ZONES[name]
    database = ZoneInfo(name)
    local = datetime(first, 1, 1)
    doubled = missing = 0
    while local.year == first:
        offsets = []
        for fold in (0, 1):
            ours, theirs = local.replace(tzinfo=zone, fold=fold), local.replace(tzinfo=database, fold=fold)
            assert (ours.utcoffset(), ours.dst()) == (theirs.utcoffset(), theirs.dst()), local
            offsets.append(ours.utcoffset())
        doubled += offsets[0] > offsets[1]
        missing += offsets[0] < offsets[1]
        local += step(name)
    assert (doubled, missing) == ((1, 1) if zone.saving else (0, 0))


INSTANTS = st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC))
SAVINGS = st.builds(
    DaylightSaving,
    st.sampled_from(["second Sunday of March", "10-01", "Sunday before May 25", "09-30"]).map(rule),
    st.sampled_from(["first Sunday of November", "04-01", "12-31", "01-01"]).map(rule),
    begin_minute=st.integers(0, 1439),
    end_minute=st.integers(0, 1439),
    shift_min=st.integers(1, 120),
)


@given(INSTANTS, st.integers(-720, 840), st.none() | SAVINGS)
def test_there_and_back(instant: datetime, standard_min: int, saving: DaylightSaving | None) -> None:
    zone = RuleZone(standard_min, saving)
    local = instant.astimezone(zone)
    assert local.astimezone(UTC) == instant
    assert local.utcoffset() == timedelta(minutes=standard_min) + (local.dst() or timedelta())
    assert local.replace(tzinfo=None) - instant.replace(tzinfo=None) == local.utcoffset()


@given(SAVINGS, st.integers(1960, 2100))
def test_it_is_set_when_the_wall_says_so(saving: DaylightSaving, year: int) -> None:
    zone = RuleZone(0, saving)
    shift = timedelta(minutes=saving.shift_min)
    begin = datetime.combine(saving.begin.on(year), time()) + timedelta(minutes=saving.begin_minute)
    instant = begin.replace(tzinfo=UTC)
    assert (instant - timedelta(microseconds=1)).astimezone(zone).dst() == timedelta()
    assert instant.astimezone(zone).replace(tzinfo=None) == begin + shift
    end = datetime.combine(saving.end.on(year), time()) + timedelta(minutes=saving.end_minute)
    instant = end.replace(tzinfo=UTC) - shift
    assert (instant - timedelta(microseconds=1)).astimezone(zone).dst() == shift
    assert reading(instant.astimezone(zone)) == (end - shift, 1, timedelta(), timedelta())


def test_names_equality_copies() -> None:
    zone = RuleZone(-300, NORTH_AMERICA)
    assert datetime(2026, 1, 1, tzinfo=zone).tzname() == "UTC-05:00"
    assert datetime(2026, 7, 1, tzinfo=zone).tzname() == "UTC-04:00"
    assert time(12, tzinfo=zone).utcoffset() is None
    assert zone == RuleZone(-300, NORTH_AMERICA)
    assert hash(zone) == hash(RuleZone(-300, NORTH_AMERICA))
    assert zone != RuleZone(-300)
    assert zone != timezone(timedelta(hours=-5))
    for twin in (copy.deepcopy(zone), pickle.loads(pickle.dumps(zone))):
        assert twin == zone
        assert datetime(2026, 7, 1, tzinfo=twin).dst() == HOUR


MARCH, MAY, OCTOBER = rule("03-08"), rule("05-01"), rule("10-01")
BAD = {
    "The zone is 900 minutes ahead of UTC: give -720 (west) to 840 (east)": lambda: RuleZone(900),
    "The zone is -721 minutes": lambda: RuleZone(-721),
    "begins on 2026-03-08, which not every year has": lambda: DaylightSaving(rule("2026-03-08"), OCTOBER),
    "ends on 02-29, which not every year has": lambda: DaylightSaving(MARCH, rule("02-29")),
    "begins at minute 1440 of the day: give 0 to 1439": lambda: DaylightSaving(MARCH, OCTOBER, 1440),
    "ends at minute -1 of the day": lambda: DaylightSaving(MARCH, OCTOBER, 120, -1),
    "shifts by 0 minutes: give 1 to 120": lambda: DaylightSaving(MARCH, OCTOBER, shift_min=0),
    "begins on 05-01 and ends on 05-01: give dates at least a week apart": lambda: DaylightSaving(MAY, MAY),
    "begins on first Monday of May and ends on 05-01: give": lambda: DaylightSaving(rule("first Monday of May"), MAY),
}


@pytest.mark.parametrize("sentence", BAD)
def test_errors_name_the_value_and_what_is_right(sentence: str) -> None:
    with pytest.raises(ZoneError) as caught:
        BAD[sentence]()
    assert sentence in str(caught.value)
