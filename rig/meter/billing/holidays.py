"""Holidays, and on which day each is observed (T-1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from rig.meter.billing.dates import DateRule, DateRuleError, Weekday


class Observed(Enum):
    """Day on which a weekend holiday is observed. Observed elsewhere, its own date is a plain Saturday or Sunday.

    NEAREST_WEEKDAY: Saturday's to the Friday before, Sunday's to the Monday after, taken or not. NEXT_MONDAY: to the
    Monday after; if that is a holiday too, to the first day after it that is none, nor of a weekend.
    """

    AS_IT_FALLS = "none"
    NEAREST_WEEKDAY = "nearest weekday"
    NEXT_MONDAY = "next Monday"


_OBSERVED = " observed "


@dataclass(frozen=True)
class Holiday:
    """A holiday by its rule. `str()` of it is the text that `parse` makes it from."""

    rule: DateRule
    observed: Observed = Observed.AS_IT_FALLS

    @classmethod
    def parse(cls, text: str) -> Holiday:
        """A date rule, and where it is observed if that differs: "12-25 observed next Monday". Raises DateRuleError."""
        words = " ".join(text.split())
        at = words.lower().find(_OBSERVED)
        if at < 0:
            return cls(DateRule.parse(words))
        where = words[at + len(_OBSERVED) :]
        for observed in Observed:
            if observed.value.lower() == where.lower():
                return cls(DateRule.parse(words[:at]), observed)
        known = ", ".join(f"'{observed.value}'" for observed in Observed)
        raise DateRuleError(f"Holiday '{text}' is observed '{where}': give one of {known}")

    def on(self, year: int) -> date | None:
        """Its own date, wherever it is observed."""
        return self.rule.on(year)

    def __str__(self) -> str:
        if self.observed is Observed.AS_IT_FALLS:
            return str(self.rule)
        return f"{self.rule}{_OBSERVED}{self.observed.value}"


def holiday_dates(holidays: Iterable[Holiday], year: int) -> frozenset[date]:
    """All days of a calendar year on which a holiday is observed.

    December 31 is one if next year's New Year's Day is a Saturday and observed on the nearest weekday.
    """
    taken: set[date] = set()
    waiting: set[date] = set()
    holidays = tuple(holidays)
    for belongs_to in (year - 1, year, year + 1):
        for holiday in holidays:
            day = holiday.on(belongs_to)
            if day is None:
                continue
            if holiday.observed is Observed.AS_IT_FALLS or not _weekend(day):
                taken.add(day)
            elif holiday.observed is Observed.NEAREST_WEEKDAY:
                taken.add(day + timedelta(days=-1 if day.weekday() == Weekday.SATURDAY else 1))
            else:
                waiting.add(day)
    for day in waiting:  # in any order: together they fill the same days
        while _weekend(day) or day in taken:
            day += timedelta(days=1)
        taken.add(day)
    return frozenset(day for day in taken if day.year == year)


def _weekend(day: date) -> bool:
    return day.weekday() >= Weekday.SATURDAY
