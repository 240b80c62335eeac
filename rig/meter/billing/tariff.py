"""A tariff: seasons of the year, kinds of day, and the rate by the time of day (T-1). Plain data, checked when made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, IntEnum
from itertools import pairwise

from rig.errors import RigError
from rig.meter.billing.dates import ALL_KINDS_OF_YEAR, DateRule, Month, Weekday, Yearly
from rig.meter.billing.holidays import Holiday
from rig.meter.billing.time_units import MINUTES_A_DAY

MOST_SEASONS = 4


class TariffError(RigError):
    """A tariff that cannot be: one sentence with the season, the value and what is right."""


class Rate(IntEnum):
    """The four rates that energy and demand register in."""

    A = 0
    B = 1
    C = 2
    D = 3

    @property
    def label(self) -> str:
        """A, B, C or D."""
        return self.name


class DayType(Enum):
    """Kind of day for the rate schedule: a holiday is that on whatever weekday it is observed."""

    WEEKDAY = "weekday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"
    HOLIDAY = "holiday"

    @classmethod
    def of(cls, day: date) -> DayType:
        """By the weekday alone."""
        match day.weekday():
            case Weekday.SATURDAY:
                return cls.SATURDAY
            case Weekday.SUNDAY:
                return cls.SUNDAY
        return cls.WEEKDAY


@dataclass(frozen=True)
class RateSwitch:
    """From this minute of the local day on (0 to 1439, as a clock on the wall shows it) this rate holds."""

    minute: int
    rate: Rate

    def __post_init__(self) -> None:
        if not 0 <= self.minute < MINUTES_A_DAY:
            raise TariffError(f"A rate switch is at minute {self.minute} of the day: give 0 to {MINUTES_A_DAY - 1}")


@dataclass(frozen=True)
class Season:
    """A part of the year, from local midnight of `start` until another starts, and its rates on each type of day.

    Each schedule begins with a switch at minute 0 and goes on in order of time.
    """

    name: str
    start: DateRule
    days: Mapping[DayType, tuple[RateSwitch, ...]]

    def __post_init__(self) -> None:
        if not self.start.every_year:
            raise TariffError(
                f"Season '{self.name}' starts on {self.start}, which not every year has: "
                "give a date of each year, like 05-01 or first Monday of May"
            )
        for day_type in DayType:
            where = f"Season '{self.name}', {day_type.value}"
            switches = self.days.get(day_type, ())
            if not switches:
                raise TariffError(f"{where}: there are no rates: give at least the one from 00:00")
            if switches[0].minute != 0:
                raise TariffError(
                    f"{where}: the first switch is at {_clock(switches[0])}: begin with the rate from 00:00"
                )
            for earlier, later in pairwise(switches):
                if later.minute <= earlier.minute:
                    raise TariffError(
                        f"{where}: a switch at {_clock(later)} comes after one at {_clock(earlier)}: "
                        "give them in order of time, each time once"
                    )


@dataclass(frozen=True)
class Tariff:
    """One to four seasons, and the holidays of all of them."""

    seasons: tuple[Season, ...]
    holidays: tuple[Holiday, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.seasons) <= MOST_SEASONS:
            raise TariffError(f"The tariff has {len(self.seasons)} seasons: give 1 to {MOST_SEASONS}")
        for place, season in enumerate(self.seasons):
            for other in self.seasons[:place]:
                if season.name == other.name:
                    raise TariffError(f"Two seasons are named '{season.name}': give each its own name")
                if all(season.start.on(year) == other.start.on(year) for year in ALL_KINDS_OF_YEAR):
                    raise TariffError(
                        f"Seasons '{other.name}' and '{season.name}' both start on {season.start}: "
                        "give each its own start"
                    )

    def season_starts(self, year: int) -> tuple[tuple[date, int], ...]:
        """Return when each season starts, and its place in `seasons`, in order; enough for any day of the year.

        Where rules meet on one day in some year, the season listed later has it.
        """
        return tuple(sorted(start for near in (year - 1, year, year + 1) for start in self._starts_of(near)))

    def season_after(self, place: int, year: int) -> int:
        """Give the season that follows one in the order of a year's dates, after the last the first."""
        order = [other for _, other in self._starts_of(year)]
        return order[(order.index(place) + 1) % len(order)]

    def _starts_of(self, year: int) -> list[tuple[date, int]]:
        """Return when each season starts by its date of a year, in order."""
        starts = []
        for place, season in enumerate(self.seasons):
            start = season.start.on(year)
            assert start is not None  # every_year
            starts.append((start, place))
        return sorted(starts)


ONE_RATE = Tariff((Season("all year", Yearly(Month.JANUARY, 1), dict.fromkeys(DayType, (RateSwitch(0, Rate.A),))),))
"""Without time of use: one season, rate A always."""


def _clock(switch: RateSwitch) -> str:
    return f"{switch.minute // 60:02d}:{switch.minute % 60:02d}"
