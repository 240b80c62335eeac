"""What a tariff must be, and what is said of one that is not."""

from __future__ import annotations

from datetime import date

import pytest

from rig.meter.billing.dates import DateRule
from rig.meter.billing.tariff import DayType, Rate, RateSwitch, Season, Tariff, TariffError

FLAT = dict.fromkeys(DayType, (RateSwitch(0, Rate.A),))


def season(name: str, start: str, days: dict[DayType, tuple[RateSwitch, ...]] = FLAT) -> Season:
    return Season(name, DateRule.parse(start), days)


def on_saturday(*switches: RateSwitch) -> dict[DayType, tuple[RateSwitch, ...]]:
    return {**FLAT, DayType.SATURDAY: switches}


SUMMER, WINTER = season("summer", "05-01"), season("winter", "11-01")

BAD = {
    "A rate switch is at minute 1440 of the day: give 0 to 1439": lambda: RateSwitch(1440, Rate.A),
    "A rate switch is at minute -1 of the day": lambda: RateSwitch(-1, Rate.A),
    "Season 'once' starts on 2026-05-01, which not every year has: give a date of each year, like 05-01": lambda: (
        season("once", "2026-05-01")
    ),
    "Season 'leap' starts on 02-29, which not every year has": lambda: season("leap", "02-29"),
    "Season 's', weekday: there are no rates: give at least the one from 00:00": lambda: season("s", "05-01", {}),
    "Season 's', saturday: there are no rates": lambda: season("s", "05-01", on_saturday()),
    "Season 's', saturday: the first switch is at 07:05: begin with the rate from 00:00": lambda: season(
        "s", "05-01", on_saturday(RateSwitch(425, Rate.A))
    ),
    "Season 's', saturday: a switch at 07:00 comes after one at 11:00: give them in order of time": lambda: season(
        "s", "05-01", on_saturday(RateSwitch(0, Rate.A), RateSwitch(660, Rate.B), RateSwitch(420, Rate.C))
    ),
    "a switch at 07:00 comes after one at 07:00": lambda: season(
        "s", "05-01", on_saturday(RateSwitch(0, Rate.A), RateSwitch(420, Rate.B), RateSwitch(420, Rate.C))
    ),
    "The tariff has 0 seasons: give 1 to 4": lambda: Tariff(()),
    "The tariff has 5 seasons: give 1 to 4": lambda: Tariff(tuple(season(str(k), f"0{k}-01") for k in range(1, 6))),
    "Two seasons are named 'summer': give each its own name": lambda: Tariff((SUMMER, season("summer", "06-01"))),
    "Seasons 'summer' and 'warm' both start on 05-01: give each its own start": lambda: Tariff(
        (SUMMER, WINTER, season("warm", "05-01"))
    ),
    "Seasons 'May' and 'spring' both start on Monday on or after May 1: give each its own start": lambda: Tariff(
        (season("May", "first Monday of May"), WINTER, season("spring", "Monday on or after May 1"))
    ),
}


@pytest.mark.parametrize("sentence", BAD)
def test_errors_name_the_value_and_what_is_right(sentence: str) -> None:
    with pytest.raises(TariffError) as caught:
        BAD[sentence]()
    assert sentence in str(caught.value)


def test_starts_of_the_years_around() -> None:
    """Listed in any order; the Monday before January 3 of 2027 lies in 2026."""
    tariff = Tariff((WINTER, season("new", "Monday before January 3"), SUMMER))
    assert tariff.season_starts(2026) == (
        (date(2024, 12, 30), 1), (date(2025, 5, 1), 2), (date(2025, 11, 1), 0),
        (date(2025, 12, 29), 1), (date(2026, 5, 1), 2), (date(2026, 11, 1), 0),
        (date(2026, 12, 28), 1), (date(2027, 5, 1), 2), (date(2027, 11, 1), 0),
    )  # fmt: skip


def test_starts_may_meet_in_some_years() -> None:
    """On Monday, 1 May 2028, the season listed later has the day."""
    tariff = Tariff((SUMMER, season("May", "first Monday of May")))
    assert [start for start in tariff.season_starts(2028) if start[0].year == 2028] == [
        (date(2028, 5, 1), 0),
        (date(2028, 5, 1), 1),
    ]


def test_day_types() -> None:
    monday = date(2026, 6, 1).toordinal()
    assert [DayType.of(date.fromordinal(monday + k)).value for k in range(7)] == [
        *["weekday"] * 5,
        "saturday",
        "sunday",
    ]
