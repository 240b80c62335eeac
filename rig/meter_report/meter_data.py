"""Data of a meter for its report: registers, demand, load profile, events, each figure exactly as it was read.

Energy is in kWh, kvarh, kVAh, demand in kW, kvar, kVA, as decimals with the digits of the source; all is the meter's
own, no VT or CT ratio is in it. Times are as the source has them: `zone` says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction

RATES = ("A", "B", "C", "D")


class SetKind(Enum):
    """Kind of a set of registers."""

    PRESENT = "present registers"
    SEASON = "previous season"
    RESET = "demand reset"
    SELF_READ = "self-read"


@dataclass(frozen=True)
class EnergyRow:
    """An energy register: in total, and at each rate where there are rates."""

    quantity: str
    total: Decimal
    rates: tuple[Decimal, ...] = ()


@dataclass(frozen=True)
class DemandRow:
    """A demand quantity in total (`rate` None) or at a rate; None: the source does not have it."""

    quantity: str
    rate: str | None
    present: Decimal | None
    previous: Decimal | None
    maximum: Decimal
    at: datetime | None
    cumulative: Decimal | None
    continuous: Decimal | None


@dataclass(frozen=True)
class RegisterSet:
    """Registers at an instant; `season` counts from 0."""

    kind: SetKind
    at: datetime | None
    season: int | None
    resets: int | None
    energy: tuple[EnergyRow, ...]
    demand: tuple[DemandRow, ...]


@dataclass(frozen=True)
class Peak:
    """One of the highest demands of the first quantity."""

    value: Decimal
    at: datetime | None


@dataclass(frozen=True)
class LoggedLine:
    """A line of the meter's log: the event's name, and what belongs to it as the log has it."""

    at: datetime | None
    name: str
    details: dict[str, object]


@dataclass(frozen=True)
class ProfileChannel:
    """A channel of the load profile; `pulse` is the value of one count, None where that is not known."""

    name: str
    unit: str
    pulse: Fraction | None = None


@dataclass(frozen=True)
class ProfileLine:
    """An interval: its end, local; flags in words; each channel's value, None where it cannot be read."""

    end: datetime
    flags: tuple[str, ...]
    values: tuple[Decimal | None, ...]


@dataclass(frozen=True)
class ProfileMark:
    """A mark between intervals: "starts", "outage" or "clock set", from when to when; of a start both the same."""

    kind: str
    at: datetime
    until: datetime


@dataclass(frozen=True)
class LoadProfile:
    """A load profile; `skipped` words before its first date could not be dated, `notes` are faults, a sentence each."""

    minutes: int
    channels: tuple[ProfileChannel, ...]
    lines: tuple[ProfileLine, ...]
    marks: tuple[ProfileMark, ...] = ()
    skipped: int = 0
    notes: tuple[str, ...] = ()


class SourceKind(Enum):
    """Kind of what was read."""

    STORE = "store"
    READING = "reading"
    FILE = "file"


@dataclass(frozen=True)
class MeterData:
    """Everything that a report is made of.

    `kind` and `path` say what was read; `mark` is such as SIMULATED, "" for none. `provenance` and
    `plate` are rows of names and texts. `notes` are sentences on what of the source could not be used.
    """

    kind: SourceKind
    path: str
    mark: str
    made_utc: str
    zone: str
    provenance: tuple[tuple[str, str], ...]
    plate: tuple[tuple[str, str], ...] = ()
    sets: tuple[RegisterSet, ...] = ()
    peaks: tuple[Peak, ...] = ()
    events: tuple[LoggedLine, ...] = ()
    profile: LoadProfile | None = None
    notes: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Name of what was read, such as "store FOLDER"."""
        return f"{self.kind.value} {self.path}"
