"""Events of billing: lines of the log, ends of intervals, the load profile's status words (T-3, T-4, P-4, S-3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from rig.meter.billing.log import AskedEvent, LogEvent
from rig.meter.billing.source import Source
from rig.meter.billing.tariff import Rate


class Cause(Enum):
    """Cause of an end of interval, a demand reset or a snapshot."""

    INTERVAL = "interval"
    SWITCH = "switch"
    COMMUNICATION = "communication"
    SELF_READ = "self read"
    SEASON = "season"
    TEST_MODE_BEGIN = "test mode begin"
    TEST_MODE_END = "test mode end"
    CLOCK_SET = "clock set"
    PROGRAMMED = "programmed"
    CLEAR = "clear data"
    MASTER_RESET = "master reset"
    COLD_START = "cold start"


# --- power, clock and program -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PowerDown(LogEvent):
    """Power failed."""

    label = "power down"
    code = 1


@dataclass(frozen=True, slots=True)
class PowerUp(LogEvent):
    """Power is back, after whole seconds."""

    label = "power up"
    code = 2
    named = MappingProxyType({"outage_s": "seconds"})

    outage_s: int


@dataclass(frozen=True, slots=True)
class ClockSetFrom(AskedEvent):
    """The clock is set; this is the old time."""

    label = "clock set from"
    code = 3

    source: Source


@dataclass(frozen=True, slots=True)
class ClockSetTo(AskedEvent):
    """The clock was set; this is the new time, so many whole seconds later than the old one, or earlier."""

    label = "clock set to"
    code = 4
    named = MappingProxyType({"by_s": "seconds"})

    by_s: int
    source: Source


@dataclass(frozen=True, slots=True)
class ClockSlewed(AskedEvent):
    """The clock was to be set, but is so little off that it is slewed instead: later by so many ms, or earlier."""

    label = "clock slewed"
    code = 2060
    named = MappingProxyType({"by_ms": "milliseconds"})

    by_ms: int
    source: Source


@dataclass(frozen=True, slots=True)
class Programmed(AskedEvent):
    """The meter has another program; `program` is its digest. `source` is None where it was found so at the start."""

    label = "programmed"
    code = 11

    program: str
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class DaylightSavingBegan(LogEvent):
    """The clock went forward."""

    label = "daylight saving on"
    code = 22


@dataclass(frozen=True, slots=True)
class DaylightSavingEnded(LogEvent):
    """The clock went back to standard time."""

    label = "daylight saving off"
    code = 23


# --- registers --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DemandWasReset(AskedEvent):
    """Billing's demand was reset, for the `resets`th time."""

    label = "demand reset"
    code = 20

    cause: Cause
    resets: int
    source: Source


@dataclass(frozen=True, slots=True)
class TestDemandWasReset(AskedEvent):
    """Test mode's own demand was reset; billing's stands."""

    __test__ = False  # no test class, whatever its name

    label = "test demand reset"
    code = 2061

    cause: Cause
    source: Source


@dataclass(frozen=True, slots=True)
class ResetRefused(AskedEvent):
    """A reset at the switch came within the lockout, which lasts `wait_s` more seconds, rounded up."""

    label = "demand reset refused"
    code = 2048
    named = MappingProxyType({"wait_s": "seconds left"})

    wait_s: int
    source: Source


@dataclass(frozen=True, slots=True)
class SelfReadTaken(AskedEvent):
    """The registers were copied."""

    label = "self read"
    code = 21

    source: Source


@dataclass(frozen=True, slots=True)
class SeasonChanged(AskedEvent):
    """A season closed, and `season`, from 0, is in force."""

    label = "season change"
    code = 24

    season: int
    source: Source


@dataclass(frozen=True, slots=True)
class RateChanged(LogEvent):
    """By the calendar another rate is in force."""

    label = "rate change"
    code = 25

    rate: Rate


@dataclass(frozen=True, slots=True)
class RateForced(AskedEvent):
    """A rate is in force whatever the calendar has."""

    label = "rate forced"
    code = 2049

    rate: Rate
    source: Source


@dataclass(frozen=True, slots=True)
class RateReleased(AskedEvent):
    """No rate is forced any more; `rate` is the calendar's."""

    label = "rate released"
    code = 2050

    rate: Rate
    source: Source


@dataclass(frozen=True, slots=True)
class TestModeBegan(AskedEvent):
    """From here on energy is the test's."""

    __test__ = False  # no test class, whatever its name

    label = "test mode begin"
    code = 32

    source: Source


@dataclass(frozen=True, slots=True)
class TestModeEnded(AskedEvent):
    """From here on energy is billed. `source` is None where an outage or a new program ended it."""

    __test__ = False  # no test class, whatever its name

    label = "test mode end"
    code = 33

    source: Source | None


@dataclass(frozen=True, slots=True)
class RecorderOverflowed(LogEvent):
    """A count of the load profile did not fit its word, which has now happened in so many intervals."""

    label = "recorder overflow"
    code = 2051

    intervals: int


@dataclass(frozen=True, slots=True)
class RegistersCleared(AskedEvent):
    """All that is registered begins anew: base of the three events that do so, and nothing else may."""

    source: Source


@dataclass(frozen=True, slots=True)
class DataCleared(RegistersCleared):
    """Registers and load profile begin anew; program, clock, log and security stay."""

    label = "data cleared"
    code = 2062


@dataclass(frozen=True, slots=True)
class MasterResetDone(RegistersCleared):
    """So do lockout, forced rate, seasons, self-reads, and what was found of the installation."""

    label = "master reset"
    code = 2063


@dataclass(frozen=True, slots=True)
class ColdStarted(MasterResetDone):
    """A master reset, after which the meter has the program that it was configured with."""

    label = "cold start"
    code = 2064


# --- what is no line of the log ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EndOfInterval:
    """A demand interval, or in sliding demand a sub-interval, ended: what the EOI contact closes for (P-4).

    `demands` are those of the interval that ended, in nW by quantity of the program; `rate` is the one in force.
    `test_mode`: they are test mode's. Intervals that end while power is off close no contact, and none is emitted.
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
