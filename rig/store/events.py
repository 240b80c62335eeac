"""Events of a store as lines of its meter's log (S-3; from 2048 on codes of our own)."""

from __future__ import annotations

from dataclasses import dataclass

from rig.meter.billing.log import LogEvent
from rig.meter.billing.source import Source


@dataclass(frozen=True, slots=True)
class StoreDamaged(LogEvent):
    """Something was damaged or missing in the store, in a sentence; the rest was taken."""

    label = "memory error"
    code = 39

    found: str


@dataclass(frozen=True, slots=True)
class StoreAdopted(LogEvent):
    """The store was handed over to another meter, or began another history, by a command."""

    label = "store adopted"
    code = 2083

    was_of: str
    is_of: str
    done: str
    source: Source
