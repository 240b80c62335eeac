"""A time zone by rule, for a meter that is programmed without a time zone database (T-1)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from itertools import pairwise

from rig.errors import RigError
from rig.meter.billing.dates import ALL_KINDS_OF_YEAR, DateRule
from rig.meter.billing.time_units import MINUTES_A_DAY

WESTMOST_MIN, EASTMOST_MIN = -12 * 60, 14 * 60
LONGEST_SHIFT_MIN = 120
LEAST_APART_S = 7 * 86400

_EPOCH = datetime(1970, 1, 1)
_SECOND = timedelta(seconds=1)


class ZoneError(RigError):
    """A zone that cannot be: one sentence with the value and what is right."""


@dataclass(frozen=True)
class DaylightSaving:
    """Daylight saving: when clocks go forward and back, each year.

    `begin_minute` is a minute of the day in standard time, `end_minute` one in daylight time, as the wall has them when
    clocks are set. South of the equator daylight saving begins late in a year and ends early in the next.
    """

    begin: DateRule
    end: DateRule
    begin_minute: int = 120
    end_minute: int = 120
    shift_min: int = 60

    def __post_init__(self) -> None:
        for what, rule, minute in (("begins", self.begin, self.begin_minute), ("ends", self.end, self.end_minute)):
            if not rule.every_year:
                raise ZoneError(
                    f"Daylight saving {what} on {rule}, which not every year has: "
                    "give a date of each year, like second Sunday of March"
                )
            if not 0 <= minute < MINUTES_A_DAY:
                raise ZoneError(f"Daylight saving {what} at minute {minute} of the day: give 0 to {MINUTES_A_DAY - 1}")
        if not 1 <= self.shift_min <= LONGEST_SHIFT_MIN:
            raise ZoneError(f"Daylight saving shifts by {self.shift_min} minutes: give 1 to {LONGEST_SHIFT_MIN}")
        for (earlier, _), (later, _) in pairwise(self.changes(ALL_KINDS_OF_YEAR)):
            if later - earlier < LEAST_APART_S:
                raise ZoneError(
                    f"Daylight saving begins on {self.begin} and ends on {self.end}: give dates at least a week apart"
                )

    def changes(self, years: Iterable[int]) -> list[tuple[int, bool]]:
        """Return when it begins (True) and ends (False), in order, in seconds of the standard clock since 1970."""
        found = []
        for year in years:
            found.append((_at(self.begin.on(year), self.begin_minute), True))
            found.append((_at(self.end.on(year), self.end_minute - self.shift_min), False))
        return sorted(found)


class RuleZone(tzinfo):
    """A zone `standard_min` minutes ahead of UTC (behind: negative), with daylight saving or without.

    A time in a doubled hour is daylight time, with fold=1 standard time. One in a missing hour is taken as standard
    time, with fold=1 as daylight time (PEP 495). Raises ZoneError.
    """

    def __init__(self, standard_min: int, saving: DaylightSaving | None = None) -> None:
        if not WESTMOST_MIN <= standard_min <= EASTMOST_MIN:
            raise ZoneError(
                f"The zone is {standard_min} minutes ahead of UTC: give {WESTMOST_MIN} (west) to {EASTMOST_MIN} (east)"
            )
        self.standard_min = standard_min
        self.saving = saving
        self._shift_s = saving.shift_min * 60 if saving else 0
        self._around = lru_cache(maxsize=16)(self._changes_around)

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """Of a local time; None without one."""
        return None if dt is None else timedelta(minutes=self.standard_min) + self._shift(dt)

    def dst(self, dt: datetime | None) -> timedelta | None:
        """Return the daylight saving's part of the offset; None without a time."""
        return None if dt is None else self._shift(dt)

    def tzname(self, dt: datetime | None) -> str | None:
        """Like "UTC-05:00"."""
        offset = self.utcoffset(dt)
        return None if offset is None else timezone(offset).tzname(None)

    def fromutc(self, dt: datetime) -> datetime:
        """Local time of a time in UTC; the second pass of a doubled hour has fold=1."""
        standard = dt + timedelta(minutes=self.standard_min)
        seconds = _seconds(standard)
        if self._saves(seconds):
            return standard + timedelta(seconds=self._shift_s)
        return standard.replace(fold=self._saves(seconds - self._shift_s))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RuleZone):
            return NotImplemented
        return (self.standard_min, self.saving) == (other.standard_min, other.saving)

    def __hash__(self) -> int:
        return hash((self.standard_min, self.saving))

    def __repr__(self) -> str:
        return f"RuleZone({self.standard_min}, {self.saving})"

    def __reduce__(self) -> tuple[type[RuleZone], tuple[int, DaylightSaving | None]]:
        return RuleZone, (self.standard_min, self.saving)

    def _shift(self, local: datetime) -> timedelta:
        shown = _seconds(local)
        if_daylight, if_standard = self._saves(shown - self._shift_s), self._saves(shown)
        if if_daylight == if_standard:
            saves = if_daylight
        else:  # doubled: daylight time comes first; missing: neither, and the one before the jump comes first
            saves = if_daylight != bool(local.fold)
        return timedelta(seconds=self._shift_s if saves else 0)

    def _saves(self, standard_s: int) -> bool:
        """Return whether daylight saving is on at a second of the standard clock."""
        if self.saving is None:
            return False
        instants, begins = self._around((_EPOCH + timedelta(seconds=standard_s)).year)
        return begins[bisect_right(instants, standard_s) - 1]

    def _changes_around(self, year: int) -> tuple[tuple[int, ...], tuple[bool, ...]]:
        assert self.saving is not None
        instants, begins = zip(*self.saving.changes((year - 1, year, year + 1)), strict=True)
        return instants, begins


def _at(day: date | None, minute: int) -> int:
    assert day is not None  # every_year
    return (day - _EPOCH.date()).days * 86400 + minute * 60


def _seconds(local: datetime) -> int:
    return (local.replace(tzinfo=None) - _EPOCH) // _SECOND
