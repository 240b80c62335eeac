"""Events of the link and the board of a meter in service, as lines of its log."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from rig.meter.billing.log import LogEvent
from rig.meter.billing.source import Source


@dataclass(frozen=True, slots=True)
class LinkFailed(LogEvent):
    """The FPGA cannot be read, for the reason in the sentence; it goes on summing."""

    label = "link failed"
    code = 2076

    found: str


@dataclass(frozen=True, slots=True)
class LinkRestored(LogEvent):
    """The FPGA is read again, after so many whole seconds."""

    label = "link restored"
    code = 2077
    named = MappingProxyType({"failed_s": "seconds"})

    failed_s: int


@dataclass(frozen=True, slots=True)
class LinkLost(LogEvent):
    """The FPGA could not be read for longer than its memory holds: energy is missing from here on."""

    label = "link lost"
    code = 2078

    found: str


@dataclass(frozen=True, slots=True)
class TookOver(LogEvent):
    """A process goes on where the one before had ended or was killed, so many ms later. Nothing is missing."""

    label = "metering taken over"
    code = 2084
    named = MappingProxyType({"gone_ms": "milliseconds"})

    gone_ms: int


@dataclass(frozen=True, slots=True)
class HostTimeDoubted(LogEvent):
    """The computer's time of day cannot be right, for the reason in the sentence; the meter's clock does not follow."""

    label = "time of day doubted"
    code = 2081

    found: str


@dataclass(frozen=True, slots=True)
class HostTimeBelieved(LogEvent):
    """The computer's time of day is plausible again, or was confirmed, and followed."""

    label = "time of day believed"
    code = 2082


@dataclass(frozen=True, slots=True)
class ConstantsWritten(LogEvent):
    """Other constants were written, by their digests; the meter meters with them from its next start on."""

    label = "constants written"
    code = 2085

    before: str
    after: str
    source: Source


@dataclass(frozen=True, slots=True)
class BoardChanged(LogEvent):
    """The board was reset, reloaded or replaced, as the sentence has it; metering goes on with it."""

    label = "board changed"
    code = 2079

    found: str


@dataclass(frozen=True, slots=True)
class BoardForeign(LogEvent):
    """Another board or design answers, with which this meter cannot go on; metering ends."""

    label = "board foreign"
    code = 2080

    found: str
