"""Rules for dates: every form on known days, Easter by another algorithm, errors that say what would be right."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing.dates import (
    LAST,
    ByEaster,
    DateRule,
    DateRuleError,
    Feast,
    Month,
    NthWeekday,
    Once,
    Side,
    Weekday,
    WeekdayNear,
    Yearly,
    easter,
)

KNOWN = {
    "2026-12-25": {2025: None, 2026: "2026-12-25", 2027: None},
    "12-25": {2026: "2026-12-25", 2027: "2027-12-25"},
    "02-29": {2023: None, 2024: "2024-02-29", 2100: None, 2000: "2000-02-29"},
    "third Monday of February": {2024: "2024-02-19", 2026: "2026-02-16", 2027: "2027-02-15"},
    "first Monday of August": {2026: "2026-08-03", 2022: "2022-08-01"},
    "fourth Thursday of November": {2026: "2026-11-26", 2028: "2028-11-23"},
    "last Monday of May": {2026: "2026-05-25", 2027: "2027-05-31"},
    "last Sunday of February": {2024: "2024-02-25", 2026: "2026-02-22"},
    "Monday before May 25": {2026: "2026-05-18", 2020: "2020-05-18", 2021: "2021-05-24"},
    "Monday on or before May 25": {2026: "2026-05-25", 2021: "2021-05-24"},
    "Monday on or after August 1": {2022: "2022-08-01", 2023: "2023-08-07"},
    "Tuesday after November 1": {2022: "2022-11-08", 2020: "2020-11-03", 2028: "2028-11-07"},
    "Monday before January 3": {2027: "2026-12-28", 2028: "2027-12-27", 2030: "2029-12-31", 2029: "2029-01-01"},
    "Friday before February 29": {2024: "2024-02-23", 2023: None},
    "Good Friday": {2026: "2026-04-03", 2024: "2024-03-29"},
    "Easter Monday": {2026: "2026-04-06", 2024: "2024-04-01"},
    "Easter Sunday": {2025: "2025-04-20", 2038: "2038-04-25"},
}


@pytest.mark.parametrize("text", KNOWN)
def test_known_days(text: str) -> None:
    rule = DateRule.parse(text)
    for year, day in KNOWN[text].items():
        assert rule.on(year) == (day and date.fromisoformat(day))


@pytest.mark.parametrize("text", KNOWN)
def test_every_year(text: str) -> None:
    rule = DateRule.parse(text)
    assert rule.every_year == all(rule.on(year) is not None for year in range(1990, 2110))


MONTH_DAYS = st.builds(Yearly, st.sampled_from(Month), st.integers(1, 28)) | st.just(Yearly(Month.FEBRUARY, 29))
WEEKDAYS = st.sampled_from(Weekday)
NTH = st.builds(NthWeekday, st.sampled_from([1, 2, 3, 4, LAST]), WEEKDAYS, st.sampled_from(Month))
NEAR = st.builds(WeekdayNear, WEEKDAYS, st.sampled_from(Side), MONTH_DAYS)
RULES = st.one_of(
    st.builds(Once, st.dates(date(1000, 1, 1), date(2999, 12, 31))),
    MONTH_DAYS,
    NTH,
    NEAR,
    st.builds(ByEaster, st.sampled_from(Feast)),
)
YEARS = st.integers(1900, 2200)


@given(RULES)
def test_its_text_makes_it_again(rule: DateRule) -> None:
    assert DateRule.parse(str(rule)) == rule
    assert DateRule.parse(f"  {str(rule).upper()} ".replace(" ", "  ")) == rule


@given(NTH, YEARS)
def test_a_weekday_of_a_month_counted_day_by_day(rule: NthWeekday, year: int) -> None:
    first = date(year, rule.month, 1).toordinal()
    days = [date.fromordinal(first + k) for k in range(31)]
    fitting = [day for day in days if day.month == rule.month and day.weekday() == rule.weekday]
    assert rule.on(year) == fitting[rule.place if rule.place == LAST else rule.place - 1]


@given(NEAR, YEARS)
def test_the_next_weekday_found_day_by_day(rule: WeekdayNear, year: int) -> None:
    anchor = rule.anchor.on(year)
    if anchor is None:
        assert rule.on(year) is None
        return
    step = 1 if rule.side in (Side.AFTER, Side.ON_OR_AFTER) else -1
    day = anchor.toordinal() + (step if rule.side in (Side.AFTER, Side.BEFORE) else 0)
    while date.fromordinal(day).weekday() != rule.weekday:
        day += step
    assert rule.on(year) == date.fromordinal(day)


def easter_by_knuth(year: int) -> date:
    """The Art of Computer Programming, section 1.3.2, exercise 14: golden number, century, epact, full moon, Sunday."""
    golden, century = year % 19 + 1, year // 100 + 1
    leap_years_dropped, moon = 3 * century // 4 - 12, (8 * century + 5) // 25 - 5
    sunday = 5 * year // 4 - leap_years_dropped - 10
    epact = (11 * golden + 20 + moon - leap_years_dropped) % 30
    if epact == 24 or (epact == 25 and golden > 11):
        epact += 1
    full_moon = 44 - epact
    if full_moon < 21:
        full_moon += 30
    day = full_moon + 7 - (sunday + full_moon) % 7
    return date(year, 3, day) if day <= 31 else date(year, 4, day - 31)


def test_easter_of_the_gregorian_calendar() -> None:
    for year in range(1583, 5000):
        assert easter(year) == easter_by_knuth(year)


def test_easter_as_it_was() -> None:
    """The earliest and the latest among them, and the two exceptions of 1954 and 1981."""
    for year, month, day in (
        (1818, 3, 22), (1943, 4, 25), (1954, 4, 18), (1981, 4, 19), (2000, 4, 23), (2008, 3, 23), (2024, 3, 31),
    ):  # fmt: skip
        assert easter(year) == date(year, month, day)


BAD = {
    "": "is not a rule for a date: write it like 2026-12-25",
    "Christmas": "'Christmas' is not a rule for a date",
    "fifth Monday of May": "third Monday of February",
    "third Mon of May": "is not a rule for a date",
    "25-12-2026": "is not a rule for a date",
    "13-01": "'13-01' is no date: months are 01 to 12, not 13",
    "00-10": "months are 01 to 12, not 00",
    "04-31": "'04-31' is no date: April has days 1 to 30, not 31",
    "02-30": "February has days 1 to 29, not 30",
    "12-00": "December has days 1 to 31, not 0",
    "2026-02-29": "'2026-02-29' is no date: 2026 is not a leap year",
    "2026-06-31": "June has days 1 to 30, not 31",
    "Monday before June 31": "June has days 1 to 30, not 31",
    "٠٥-٠١": "is not a rule for a date",
    "٢٠٢٦-12-25": "is not a rule for a date",
    "Monday before May ٢٥": "is not a rule for a date",
}


@pytest.mark.parametrize("text", BAD)
def test_errors_name_the_text_and_what_is_right(text: str) -> None:
    with pytest.raises(DateRuleError) as caught:
        DateRule.parse(text)
    assert f"'{text}'" in str(caught.value)
    assert BAD[text] in str(caught.value)
