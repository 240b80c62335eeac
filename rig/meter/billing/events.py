"""What happens to a meter, as its log has it (T-3, S-3; codes of ANSI C12.19's history log)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class EventKind(Enum):
    """Name in reports, and the event code of ANSI C12.19's history log; from 2048 on those of our own."""

    POWER_DOWN = "power down", 1
    POWER_UP = "power up", 2
    CLOCK_SET_FROM = "clock set from", 3
    CLOCK_SET_TO = "clock set to", 4
    PROGRAMMED = "programmed", 11
    DEMAND_RESET = "demand reset", 20
    SELF_READ = "self read", 21
    DST_ON = "daylight saving on", 22
    DST_OFF = "daylight saving off", 23
    SEASON_CHANGE = "season change", 24
    RATE_CHANGE = "rate change", 25
    TEST_MODE_BEGIN = "test mode begin", 32
    TEST_MODE_END = "test mode end", 33
    MEMORY_ERROR = "memory error", 39
    CLOCK_ERROR = "clock error", 42
    MEASUREMENT_ERROR = "measurement error", 43
    DEMAND_OVERLOAD = "demand overload", 46
    RESET_REFUSED = "demand reset refused", 2048
    RATE_FORCED = "rate forced", 2049
    RATE_RELEASED = "rate released", 2050
    RECORDER_OVERFLOW = "recorder overflow", 2051
    SERVICE_DETECTED = "service detected", 2052
    DIAGNOSTIC_ON = "diagnostic on", 2053
    DIAGNOSTIC_OFF = "diagnostic off", 2054

    def __init__(self, label: str, code: int) -> None:
        self.label = label
        self.code = code


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log: when (UTC ns), what, and what belongs to it as named numbers and texts."""

    utc_ns: int
    kind: EventKind
    details: tuple[tuple[str, int | str], ...] = ()


class Cause(Enum):
    """Why an end of interval, a demand reset or a snapshot came about."""

    INTERVAL = "interval"
    SWITCH = "switch"
    COMMUNICATION = "communication"
    SELF_READ = "self read"
    SEASON = "season"
    TEST_MODE_BEGIN = "test mode begin"
    TEST_MODE_END = "test mode end"
    CLOCK_SET = "clock set"
    PROGRAMMED = "programmed"


@dataclass(frozen=True, slots=True)
class EndOfInterval:
    """A demand interval, or in sliding demand a sub-interval, ended: what the EOI contact closes for (P-4).

    `demands` are those of the interval that ended, in nW by quantity of the program; `rate` is the one in force.
    `test_mode`: they are test mode's. Intervals that end while power is off close no contact and are not told.
    """

    utc_ns: int
    cause: Cause
    demands: tuple[int, ...]
    rate: int
    test_mode: bool = False


@dataclass(frozen=True, slots=True)
class ProfileWords:
    """Words for the load profile's memory, the first with number `first` since the recording began (T-4)."""

    first: int
    words: tuple[int, ...]
