"""Holidays against the lists of Ontario and of the United States, and the rules of where they are observed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing.dates import DateRuleError, Month, Yearly
from rig.meter.billing.holidays import Holiday, Observed, holiday_dates

ONTARIO = [
    Holiday.parse(text)
    for text in (
        "01-01 observed next Monday",
        "third Monday of February",
        "Good Friday",
        "Monday before May 25",
        "07-01 observed next Monday",
        "first Monday of August",
        "first Monday of September",
        "second Monday of October",
        "12-25 observed next Monday",
        "12-26 observed next Monday",
    )
]
ONTARIO_DAYS = {
    2020: "01-01 02-17 04-10 05-18 07-01 08-03 09-07 10-12 12-25 12-28",
    2021: "01-01 02-15 04-02 05-24 07-01 08-02 09-06 10-11 12-27 12-28",
    2022: "01-03 02-21 04-15 05-23 07-01 08-01 09-05 10-10 12-26 12-27",
    2023: "01-02 02-20 04-07 05-22 07-03 08-07 09-04 10-09 12-25 12-26",
    2024: "01-01 02-19 03-29 05-20 07-01 08-05 09-02 10-14 12-25 12-26",
    2025: "01-01 02-17 04-18 05-19 07-01 08-04 09-01 10-13 12-25 12-26",
    2026: "01-01 02-16 04-03 05-18 07-01 08-03 09-07 10-12 12-25 12-28",
    2027: "01-01 02-15 03-26 05-24 07-01 08-02 09-06 10-11 12-27 12-28",
    2028: "01-03 02-21 04-14 05-22 07-03 08-07 09-04 10-09 12-25 12-26",
    2029: "01-01 02-19 03-30 05-21 07-02 08-06 09-03 10-08 12-25 12-26",
    2030: "01-01 02-18 04-19 05-20 07-01 08-05 09-02 10-14 12-25 12-26",
}
FEDERAL = [
    Holiday.parse(text)
    for text in (
        "01-01 observed nearest weekday",
        "third Monday of January",
        "third Monday of February",
        "last Monday of May",
        "06-19 observed nearest weekday",
        "07-04 observed nearest weekday",
        "first Monday of September",
        "second Monday of October",
        "11-11 observed nearest weekday",
        "fourth Thursday of November",
        "12-25 observed nearest weekday",
    )
]
FEDERAL_DAYS = {
    2021: "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31",
    2022: "01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26",
    2023: "01-02 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25",
    2026: "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25",
}


def written(days: frozenset[date]) -> str:
    return " ".join(f"{day:%m-%d}" for day in sorted(days))


@pytest.mark.parametrize("year", ONTARIO_DAYS)
def test_ontario(year: int) -> None:
    assert written(holiday_dates(ONTARIO, year)) == ONTARIO_DAYS[year]


@pytest.mark.parametrize("year", FEDERAL_DAYS)
def test_united_states(year: int) -> None:
    """New Year's Day of 2022 was observed on the last day of 2021, and not in 2022."""
    assert written(holiday_dates(FEDERAL, year)) == FEDERAL_DAYS[year]


def test_from_one_year_into_the_next() -> None:
    """2022-12-31 was a Saturday and 2023-01-01 a Sunday: Monday and Tuesday."""
    holidays = [Holiday.parse("12-31 observed next Monday"), Holiday.parse("01-01 observed next Monday")]
    assert holiday_dates(holidays, 2023) == {date(2023, 1, 2), date(2023, 1, 3)}
    assert holiday_dates(holidays, 2022) == {date(2022, 1, 3)}


def test_as_it_falls() -> None:
    """2026-12-26 is a Saturday and stays one."""
    holiday = Holiday.parse("12-26")
    assert holiday.observed is Observed.AS_IT_FALLS
    assert holiday_dates([holiday], 2026) == {date(2026, 12, 26)}


def test_its_own_date_is_where_it_falls() -> None:
    assert Holiday.parse("12-26 observed next Monday").on(2026) == date(2026, 12, 26)


HOLIDAYS = st.lists(
    st.builds(Holiday, st.builds(Yearly, st.integers(2, 10).map(Month), st.integers(1, 28)), st.sampled_from(Observed)),
    unique_by=lambda holiday: holiday.rule,
    max_size=8,
)
"""From February to October, so that none is observed in another year than its own."""


@given(HOLIDAYS, st.integers(1990, 2100))
def test_only_what_stays_is_on_a_weekend(holidays: list[Holiday], year: int) -> None:
    staying = {holiday.on(year) for holiday in holidays if holiday.observed is Observed.AS_IT_FALLS}
    found = holiday_dates(holidays, year)
    assert staying <= found
    assert {day for day in found if day.weekday() >= 5} <= staying


@given(HOLIDAYS, st.integers(1990, 2100))
def test_holidays_that_move_to_monday_never_meet(holidays: list[Holiday], year: int) -> None:
    kept = [holiday for holiday in holidays if holiday.observed is not Observed.NEAREST_WEEKDAY]
    assert len(holiday_dates(kept, year)) == len(kept)


@given(HOLIDAYS)
def test_its_text_makes_it_again(holidays: list[Holiday]) -> None:
    assert [Holiday.parse(str(holiday)) for holiday in holidays] == holidays
    assert [Holiday.parse(str(holiday).upper()) for holiday in holidays] == holidays


BAD = {
    "12-25 observed tomorrow": "Holiday '12-25 observed tomorrow' is observed 'tomorrow': give one of 'none', 'nearest",
    "12-32 observed next Monday": "'12-32' is no date: December has days 1 to 31, not 32",
    "Boxing Day": "'Boxing Day' is not a rule for a date",
}


@pytest.mark.parametrize("text", BAD)
def test_errors_name_the_text_and_what_is_right(text: str) -> None:
    with pytest.raises(DateRuleError) as caught:
        Holiday.parse(text)
    assert BAD[text] in str(caught.value)
