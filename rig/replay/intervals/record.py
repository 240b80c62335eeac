"""A load's record as it is billed: intervals of energy, exact, in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from fractions import Fraction
from typing import NamedTuple

from rig.meter.billing.calendar import Calendar
from rig.meter.billing.time_units import DAY_NS, SECOND_NS

LONGEST_NS = 31 * DAY_NS
SHORTEST_NS = SECOND_NS


class LoadInterval(NamedTuple):
    """One interval: UTC in ns, and energies by the load's columns, in kWh and kvarh over the load's `scale`."""

    start_ns: int
    end_ns: int
    energies: tuple[int, ...]


@dataclass(frozen=True)
class LoadRecord:
    """Intervals in order of time, none over another; `minutes` is what most are long.

    `columns` are those of COLUMNS that the file has. `notes` say what was put right.
    """

    intervals: tuple[LoadInterval, ...]
    scale: int
    minutes: Fraction
    columns: tuple[str, ...]
    notes: tuple[str, ...]


def local_text(calendar: Calendar, utc_ns: int, timespec: str = "seconds") -> str:
    """Local time in ISO, with its offset unless the clock is UTC's."""
    local = calendar.local(utc_ns)
    return (local.replace(tzinfo=None) if calendar.zone is UTC else local).isoformat(timespec=timespec)


def counted(number: int, noun: str) -> str:
    """A number and its noun, in the plural but for 1."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
