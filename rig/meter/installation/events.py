"""Events of an installation as lines of the log (M-4, P-3)."""

from __future__ import annotations

from dataclasses import dataclass

from rig.meter.billing.log import LogEvent
from rig.meter.installation.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class ServiceDetected(LogEvent):
    """The voltages are of another service than before; `service` is its text."""

    label = "service detected"
    code = 2052

    service: str


@dataclass(frozen=True, slots=True)
class DiagnosticOn(LogEvent):
    """Something is wrong on these phases, such as "b" or "abc"."""

    label = "diagnostic on"
    code = 2053

    diagnostic: Diagnostic
    phases: str


@dataclass(frozen=True, slots=True)
class DiagnosticOff(LogEvent):
    """It is right again; `phases` are those that failed last."""

    label = "diagnostic off"
    code = 2054

    diagnostic: Diagnostic
    phases: str
