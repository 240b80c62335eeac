"""Installation of a meter as the meter finds it: the service, and what is wrong with it (M-4, P-3).

Readings are of the time since the last look, once a second; the diagnostics take every fifth.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rig.meter.billing.log import LogEvent
from rig.meter.installation.diagnostics import Diagnostic, Diagnostics, DiagnosticSettings, DiagnosticsState
from rig.meter.installation.events import DiagnosticOff, DiagnosticOn, ServiceDetected
from rig.meter.installation.service_detection import DetectedService, FoundService, ServiceDetector, UnknownService
from rig.meter.measuring.elements import ElementEquation, Form
from rig.meter.measuring.quantities import Readings
from rig.meter.measuring.starting import limits_of_class, starting_amperes


@dataclass
class InstallationState:
    """The name of the service last detected, the diagnostics, and which channels carry enough to register, bit by
    channel (rig/meter/measuring/starting.py)."""

    service: str | None = None
    diagnostics: DiagnosticsState = field(default_factory=DiagnosticsState)
    live: int = 0


class Installation:
    """The service of a meter of one form and current class, and its diagnostics.

    `follow`: the element equation is that of the service detected; without, that of `equation`, as programmed, and
    voltages are of its service or of none that is known. Energy received is no fault: the meter registers it. A current
    below `starting_a` is no load; `limits` are by channel what a value must reach to register.
    """

    def __init__(
        self,
        form: Form,
        current_class: int,
        equation: ElementEquation,
        *,
        follow: bool,
        state: InstallationState | None = None,
    ) -> None:
        self.starting_a = float(starting_amperes(current_class))
        self.limits = limits_of_class(current_class)
        self._form = form if follow else form.on(equation.service)
        self._programmed, self._follow = equation, follow
        self._limits = replace(DiagnosticSettings.of_class(current_class), both_directions=True)
        self._begin(state or InstallationState())

    def _begin(self, state: InstallationState) -> None:
        self.state = state
        self._detector = ServiceDetector(self._form)
        self._diagnostics = Diagnostics(self._limits, state.diagnostics)
        known = self._follow and state.service
        self.equation = self._form.equation(state.service) if known else self._programmed

    def begin_anew(self) -> None:
        """Find the service and what is wrong anew, as on the day it was installed (master reset)."""
        self._begin(InstallationState())

    @property
    def service(self) -> DetectedService | UnknownService | None:
        """Service that the voltages are of; None while nobody knows yet, and without voltage."""
        return self._detector.accepted

    @property
    def found(self) -> FoundService | UnknownService | None:
        """The same as plain data."""
        service = self.service
        return service.found if isinstance(service, DetectedService) else service

    @property
    def expected(self) -> ElementEquation | None:
        """The equation whose voltages should be there: programmed or detected, now or before power failed; of an
        unknown service, the form's usual one. None while nobody knows yet."""
        return self.equation if not self._follow or self.state.service or self.service else None

    @property
    def active(self) -> dict[Diagnostic, str]:
        """The diagnostics that are on, and the phases they are of."""
        return self._diagnostics.active

    @property
    def counters(self) -> dict[Diagnostic, int]:
        """Number of times that each diagnostic came on, 0 to 255."""
        return self._diagnostics.counters

    def due(self, at_ns: int) -> bool:
        """Return whether it is time to look, on a clock that does not go back."""
        return self._detector.due(at_ns)

    def advance(self, readings: Readings, at_ns: int, utc_ns: int) -> list[LogEvent]:
        """Look, at a time of that clock and of the meter's; what is new."""
        before = self.service
        found = self._detector.advance(readings, at_ns)
        events: list[LogEvent] = []
        if found is not None and not _same(found, before):
            events.append(ServiceDetected(utc_ns, found.text))
            if isinstance(found, DetectedService):
                self.state.service = found.equation.service
                if self._follow:
                    self.equation = found.equation
        for change in self._diagnostics.advance(readings, found, at_ns):
            kind = DiagnosticOn if change.on else DiagnosticOff
            events.append(kind(utc_ns, change.diagnostic, change.phases))
        return events


def _same(found: DetectedService | UnknownService, before: DetectedService | UnknownService | None) -> bool:
    """Return whether a finding is no news. An unknown service's reason names voltages, which never stand still."""
    return found == before or (isinstance(found, UnknownService) and isinstance(before, UnknownService))
