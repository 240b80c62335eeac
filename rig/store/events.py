"""What is wrong with a store, as a line of its meter's log (S-3)."""

from __future__ import annotations

from dataclasses import dataclass

from rig.meter.billing.log import LogEvent


@dataclass(frozen=True, slots=True)
class StoreDamaged(LogEvent):
    """Something was damaged or missing in the store, in a sentence; the rest was taken."""

    label = "memory error"
    code = 39

    found: str
