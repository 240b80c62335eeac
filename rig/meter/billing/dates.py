"""Rules for dates, as programs write them: once, each year, by weekday, by Easter (T-1).

What a program writes, and what else it may write in the same way:

    2026-12-25                    once
    12-25                         each year; 02-29 only in leap years
    third Monday of February      first, second, third, fourth or last
    Monday before May 25          before, on or before, on or after, after
    Good Friday                   Easter Sunday, Easter Monday
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, IntEnum

from rig.errors import RigError

LEAP_YEAR = 2000
"""Has all the days that a year can have."""

ALL_KINDS_OF_YEAR = range(2000, 2028)
"""Leap or not, beginning on any weekday."""

LAST = -1
"""Place of the last weekday of a month."""


class DateRuleError(RigError):
    """A text that is not a rule for a date: one sentence with what would be one."""


class Weekday(IntEnum):
    """As `date.weekday()` numbers them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class Month(IntEnum):
    """As `date.month` numbers them."""

    JANUARY = 1
    FEBRUARY = 2
    MARCH = 3
    APRIL = 4
    MAY = 5
    JUNE = 6
    JULY = 7
    AUGUST = 8
    SEPTEMBER = 9
    OCTOBER = 10
    NOVEMBER = 11
    DECEMBER = 12


class DateRule(ABC):
    """Rule for one day of each year. `str()` of a rule is the text that `parse` makes it from."""

    @abstractmethod
    def on(self, year: int) -> date | None:
        """The day that belongs to this year, None if this year has none.

        The Monday before January 3 lies in the year before the one that it belongs to.
        """

    @property
    def every_year(self) -> bool:
        """True if no year is without it."""
        return True

    @classmethod
    def parse(cls, text: str) -> DateRule:
        """Read any of the forms above; case and spacing are free. Raises DateRuleError."""
        words = " ".join(text.split()).lower()
        try:
            rule = _read(words)
        except DateRuleError as error:
            raise DateRuleError(f"'{text}' is no date: {error}") from None
        if rule is None:
            raise DateRuleError(
                f"'{text}' is not a rule for a date: write it like 2026-12-25, 12-25, third Monday of February, "
                "last Monday of May, Monday before May 25, Monday on or after August 1, or Good Friday"
            )
        return rule


@dataclass(frozen=True)
class Once(DateRule):
    """One day of one year."""

    day: date

    def on(self, year: int) -> date | None:
        return self.day if self.day.year == year else None

    @property
    def every_year(self) -> bool:
        return False

    def __str__(self) -> str:
        return self.day.isoformat()


@dataclass(frozen=True)
class Yearly(DateRule):
    """The same day each year; February 29 is there in leap years only."""

    month: Month
    day: int

    def __post_init__(self) -> None:
        days = monthrange(LEAP_YEAR, self.month)[1]
        if not 1 <= self.day <= days:
            raise DateRuleError(f"{_title(self.month)} has days 1 to {days}, not {self.day}")

    def on(self, year: int) -> date | None:
        return date(year, self.month, self.day) if self.day <= monthrange(year, self.month)[1] else None

    @property
    def every_year(self) -> bool:
        return (self.month, self.day) != (Month.FEBRUARY, 29)

    def __str__(self) -> str:
        return f"{self.month:02d}-{self.day:02d}"


@dataclass(frozen=True)
class NthWeekday(DateRule):
    """The first to fourth of a weekday in a month, or the LAST."""

    place: int
    weekday: Weekday
    month: Month

    def on(self, year: int) -> date:
        days = monthrange(year, self.month)[1]
        earliest = days - 6 if self.place == LAST else 7 * self.place - 6
        return _first(self.weekday, date(year, self.month, earliest))

    def __str__(self) -> str:
        place = next(word for word, place in _PLACES.items() if place == self.place)
        return f"{place} {_title(self.weekday)} of {_title(self.month)}"


class Side(Enum):
    """Place of a weekday relative to a date: its name, and how far from the date its seven possible days begin."""

    BEFORE = "before", -7
    ON_OR_BEFORE = "on or before", -6
    ON_OR_AFTER = "on or after", 0
    AFTER = "after", 1

    def __init__(self, label: str, begins: int) -> None:
        self.label = label
        self.begins = begins


@dataclass(frozen=True)
class WeekdayNear(DateRule):
    """The weekday next to a date: Victoria Day is the Monday before May 25, never May 25 itself."""

    weekday: Weekday
    side: Side
    anchor: Yearly

    def on(self, year: int) -> date | None:
        anchor = self.anchor.on(year)
        return anchor and _first(self.weekday, anchor + timedelta(days=self.side.begins))

    @property
    def every_year(self) -> bool:
        return self.anchor.every_year

    def __str__(self) -> str:
        return f"{_title(self.weekday)} {self.side.label} {_title(self.anchor.month)} {self.anchor.day}"


class Feast(Enum):
    """Name, and days from Easter Sunday."""

    GOOD_FRIDAY = "Good Friday", -2
    EASTER_SUNDAY = "Easter Sunday", 0
    EASTER_MONDAY = "Easter Monday", 1

    def __init__(self, label: str, days: int) -> None:
        self.label = label
        self.days = days


@dataclass(frozen=True)
class ByEaster(DateRule):
    """A day counted from Easter Sunday of the Gregorian calendar."""

    feast: Feast

    def on(self, year: int) -> date:
        return easter(year) + timedelta(days=self.feast.days)

    def __str__(self) -> str:
        return self.feast.label


def easter(year: int) -> date:
    """Easter Sunday by the Gregorian computus (the anonymous algorithm, as in Meeus, Astronomical Algorithms)."""
    golden = year % 19
    century, of_century = divmod(year, 100)
    leap_centuries, century_rest = divmod(century, 4)
    moon_drift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - moon_drift + 15) % 30
    leap_years, year_rest = divmod(of_century, 4)
    to_sunday = (32 + 2 * century_rest + 2 * leap_years - epact - year_rest) % 7
    late = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


_PLACES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": LAST}


def _one_of(names: list[str]) -> str:
    return f"({'|'.join(name.lower() for name in names)})"


_WEEKDAY = _one_of([weekday.name for weekday in Weekday])
_MONTH = _one_of([month.name for month in Month])
_SIDE = _one_of([side.label for side in Side])
_ONCE = re.compile(r"([12]\d{3})-(\d\d)-(\d\d)", re.ASCII)
_YEARLY = re.compile(r"(\d\d)-(\d\d)", re.ASCII)
_NTH = re.compile(f"{_one_of(list(_PLACES))} {_WEEKDAY} of {_MONTH}")
_NEAR = re.compile(rf"{_WEEKDAY} {_SIDE} {_MONTH} (\d\d?)", re.ASCII)


def _read(words: str) -> DateRule | None:
    if found := _ONCE.fullmatch(words):
        year, month, day = map(int, found.groups())
        once = Yearly(_month(month), day).on(year)
        if once is None:
            raise DateRuleError(f"{year} is not a leap year")
        return Once(once)
    if found := _YEARLY.fullmatch(words):
        return Yearly(_month(int(found[1])), int(found[2]))
    if found := _NTH.fullmatch(words):
        return NthWeekday(_PLACES[found[1]], Weekday[found[2].upper()], Month[found[3].upper()])
    if found := _NEAR.fullmatch(words):
        side = next(side for side in Side if side.label == found[2])
        return WeekdayNear(Weekday[found[1].upper()], side, Yearly(Month[found[3].upper()], int(found[4])))
    return next((ByEaster(feast) for feast in Feast if feast.label.lower() == words), None)


def _month(number: int) -> Month:
    if not 1 <= number <= 12:
        raise DateRuleError(f"months are 01 to 12, not {number:02d}")
    return Month(number)


def _first(weekday: Weekday, earliest: date) -> date:
    """The first such weekday, that day itself included."""
    return earliest + timedelta(days=(weekday - earliest.weekday()) % 7)


def _title(name: Weekday | Month) -> str:
    return name.name.capitalize()
