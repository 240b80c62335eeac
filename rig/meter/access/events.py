"""Events of the meter's door for the log (S-1, S-2). Codes below 2048 are of ANSI C12.19's history log.

Times are the meter's, UTC ns. `name` is the asker's, such as a module's; "" where its source says all. `times`: how
many equal ones came since the one before in the log, this one among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Refusal
from rig.meter.access.readable import Readable
from rig.meter.billing.log import LogEvent
from rig.meter.billing.source import Source


@dataclass(frozen=True, slots=True)
class LoggedOn(LogEvent):
    """A right key proved a level."""

    label = "logged on"
    code = 2055

    source: Source
    name: str
    level: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class LogOnFailed(LogEvent):
    """A wrong key: how many count now, and for how many seconds it locks its source."""

    label = "log-on failed"
    code = 2056
    named = MappingProxyType({"wait_s": "seconds left"})

    source: Source
    name: str
    failures: int
    wait_s: int


@dataclass(frozen=True, slots=True)
class LogOnLockedOut(LogEvent):
    """A key came during a lock-out and was not looked at."""

    label = "log-on during lock-out"
    code = 2057

    source: Source
    name: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class ActionRefused(LogEvent):
    """An action was asked for and refused."""

    label = "refused"
    code = 2058

    source: Source
    name: str
    action: MeterAction
    refusal: Refusal
    times: int = 1


@dataclass(frozen=True, slots=True)
class ReadingRefused(LogEvent):
    """A part of the meter's readings was asked for by a module and refused."""

    label = "reading refused"
    code = 2065

    source: Source
    name: str
    part: Readable
    refusal: Refusal
    times: int = 1


@dataclass(frozen=True, slots=True)
class SealBroken(LogEvent):
    """The seal was broken by the override sequence at the front: C12.19's "tamper detected"."""

    label = "seal broken"
    code = 47


@dataclass(frozen=True, slots=True)
class MeterSealed(LogEvent):
    """A program with the seal setting made the meter sealed."""

    label = "sealed"
    code = 2059


@dataclass(frozen=True, slots=True)
class PortRead(LogEvent):
    """A session at a port read tables: C12.19's "accessed for read"."""

    label = "accessed for read"
    code = 7

    source: Source
    times: int = 1


@dataclass(frozen=True, slots=True)
class PortWritten(LogEvent):
    """A session at a port wrote tables: C12.19's "accessed for write"."""

    label = "accessed for write"
    code = 8

    source: Source
    times: int = 1


@dataclass(frozen=True, slots=True)
class ProcedureInvoked(LogEvent):
    """A session at a port invoked procedures."""

    label = "procedure invoked"
    code = 9

    source: Source
    times: int = 1


@dataclass(frozen=True, slots=True)
class SessionEnded(LogEvent):
    """A session at a port ended as it should."""

    label = "session ended"
    code = 12

    source: Source
    times: int = 1


@dataclass(frozen=True, slots=True)
class SessionBrokeOff(LogEvent):
    """A session at a port ended by a time-out, or with its line."""

    label = "session broke off"
    code = 13

    source: Source
    times: int = 1


@dataclass(frozen=True, slots=True)
class PendingWritten(LogEvent):
    """A program was written to wait, by its digest; for so many seconds, None: until its activation is asked for."""

    label = "pending written"
    code = 2086
    named = MappingProxyType({"wait_s": "seconds"})

    program: str
    wait_s: int | None
    source: Source


@dataclass(frozen=True, slots=True)
class PendingRefused(LogEvent):
    """The time of a program that waited came, and it was refused, for the reason in the sentence."""

    label = "pending refused"
    code = 2087

    program: str
    found: str
    source: Source


@dataclass(frozen=True, slots=True)
class PendingActivated(LogEvent):
    """The program that waited is in force; `source` asked for it, or at its time had written it."""

    label = "pending activated"
    code = 28

    program: str
    source: Source


@dataclass(frozen=True, slots=True)
class PendingCleared(LogEvent):
    """No program waits any more; `source` is None where it was refused at its time."""

    label = "pending cleared"
    code = 29

    program: str
    source: Source | None


AccessEvent = (
    LoggedOn | LogOnFailed | LogOnLockedOut | ActionRefused | ReadingRefused | SealBroken | MeterSealed
    | PortRead | PortWritten | ProcedureInvoked | SessionEnded | SessionBrokeOff | PendingWritten | PendingRefused
    | PendingActivated | PendingCleared
)  # fmt: skip
