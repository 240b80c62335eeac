"""What is wrong with what is measured, as a line of the log."""

from __future__ import annotations

from dataclasses import dataclass

from rig.meter.billing.log import LogEvent
from rig.meter.measuring.measurement import Fault


@dataclass(frozen=True, slots=True)
class MeasurementError(LogEvent):
    """Records have these faults, others than those before."""

    label = "measurement error"
    code = 43

    faults: tuple[Fault, ...]
