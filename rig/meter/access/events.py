"""What the meter's door writes into the log (S-1, S-2; 47 is a code of ANSI C12.19's history log, the others our own).

Times are the meter's, UTC ns. `name` is the asker's, such as a module's; "" where its source says all. `times`: how
many equal ones came since the one before in the log, this one among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Refusal
from rig.meter.source import Source


@dataclass(frozen=True, slots=True)
class LoggedOn:
    """A right key proved a level."""

    label: ClassVar[str] = "logged on"
    code: ClassVar[int] = 2055

    utc_ns: int
    source: Source
    name: str
    level: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class LogOnFailed:
    """A wrong key: how many count now, and for how many seconds it locks its source."""

    label: ClassVar[str] = "log-on failed"
    code: ClassVar[int] = 2056

    utc_ns: int
    source: Source
    name: str
    failures: int
    wait_s: int


@dataclass(frozen=True, slots=True)
class LogOnLockedOut:
    """A key came during a lock-out and was not looked at."""

    label: ClassVar[str] = "log-on during lock-out"
    code: ClassVar[int] = 2057

    utc_ns: int
    source: Source
    name: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class ActionRefused:
    """An action was asked for and refused."""

    label: ClassVar[str] = "refused"
    code: ClassVar[int] = 2058

    utc_ns: int
    source: Source
    name: str
    action: MeterAction
    refusal: Refusal
    times: int = 1


@dataclass(frozen=True, slots=True)
class SealBroken:
    """The seal was broken by the override sequence at the front: C12.19's "tamper detected"."""

    label: ClassVar[str] = "seal broken"
    code: ClassVar[int] = 47

    utc_ns: int


@dataclass(frozen=True, slots=True)
class MeterSealed:
    """A program with the seal setting made the meter sealed."""

    label: ClassVar[str] = "sealed"
    code: ClassVar[int] = 2059

    utc_ns: int


AccessEvent = LoggedOn | LogOnFailed | LogOnLockedOut | ActionRefused | SealBroken | MeterSealed
