"""A load profile as it was read from a recorder's words: intervals, marks, faults (T-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, Flag

from rig.meter.billing.metric import RecorderSettings


class IntervalFlag(Flag):
    """Flags of an interval, to be known before its counts are used."""

    NONE = 0
    SHORT = 1  # power was on for less than its whole length
    LONG = 2  # the clock was set back in it
    OUTAGE = 4
    CLOCK_SET = 8
    DAMAGED = 16  # a count could not be read
    DOUBTFUL = 32  # words around it do not fit: its time may be another

    @property
    def words(self) -> tuple[str, ...]:
        """short, long, outage, clock set, damaged, doubtful."""
        return tuple(str(flag.name).lower().replace("_", " ") for flag in self)


class MarkKind(Enum):
    """Mark that a sequence of dates and times makes."""

    START = "start"
    DAY = "day"
    OUTAGE = "outage"
    CLOCK_SET = "clock set"


@dataclass(frozen=True, slots=True)
class ProfileInterval:
    """Counts of one interval, None where damaged. `end` is local time, of 6 s where the interval was cut short.

    `seconds`: how long power was on in it, of 6 s. `index`: its first word.
    """

    index: int
    end: datetime
    counts: tuple[int | None, ...]
    seconds: int
    flags: IntervalFlag = IntervalFlag.NONE


@dataclass(frozen=True, slots=True)
class Mark:
    """`at` → `until`, local times of 6 s: down and up, old and new; of START and DAY both the same.

    `index`: its first word.
    """

    index: int
    kind: MarkKind
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class ProfileFault:
    """A word that is damaged or does not fit, and what was made of it: one sentence that names it.

    `lost`: how many words from `index` on are in no interval and no mark for that.
    """

    index: int
    text: str
    lost: int = 0


@dataclass(frozen=True)
class Profile:
    """A recording as it was read. `skipped` words at the beginning belong to a day whose date was overwritten."""

    settings: RecorderSettings
    intervals: tuple[ProfileInterval, ...]
    marks: tuple[Mark, ...]
    faults: tuple[ProfileFault, ...]
    skipped: int
