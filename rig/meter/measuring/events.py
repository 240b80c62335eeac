"""Faults of the measurement as lines of the log."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from rig.meter.billing.log import LogEvent
from rig.meter.measuring.measurement import Fault


@dataclass(frozen=True, slots=True)
class MeasurementError(LogEvent):
    """Records have these faults, others than those before."""

    label = "measurement error"
    code = 43

    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class EnergyMissing(LogEvent):
    """For so long, up to here, nothing was registered: records were missing, or had faults. Rounded up to ms."""

    label = "energy missing"
    code = 2075
    named = MappingProxyType({"missing_ms": "milliseconds missing"})

    missing_ms: int


@dataclass(frozen=True, slots=True)
class WindowsMerged(LogEvent):
    """So many windows came as one record, as nobody read: its energy is whole, quadrant and VAh are of all of it.

    It begins at `tick`, modulator ticks on the meter's timeline, and took `length_ms`.
    """

    label = "windows merged"
    code = 2090
    named = MappingProxyType({"tick": "from tick", "length_ms": "milliseconds"})

    windows: int
    tick: int
    length_ms: int
