"""A second of a meter, as alerts look at it (P-3)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rig.meter.billing.demand import DemandRegisters
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.measuring.elements import ElementEquation
from rig.meter.measuring.quantities import Readings


@dataclass(frozen=True)
class AlertInputs:
    """Averages by phase and by element, the demand that runs, and the diagnostics that are on.

    `expected` is the equation whose voltages should be there; None while the service is still to be found.
    """

    phases: Readings
    elements: Readings
    expected: ElementEquation | None
    demand: DemandRegisters | None
    diagnostics: Collection[Diagnostic]
