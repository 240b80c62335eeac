"""What an alert goes by, once a second: demand, power factor, voltage, diagnostics (P-3).

Each is beyond its level, or within it, or there is nothing to judge; then it has nothing to say. There is no
hysteresis: a contact that is told once a second stands for a second, however a load moves about its level.

    alert          nothing to judge
    demand         never
    power factor   every current below the starting current, or no apparent power, or a build without vars for "td"
    voltage        the service is still to be found
    diagnostic     never

A voltage is that of a phase that the service has and a coil senses, as it is displayed: not that between two.
In test mode the demand is that of test mode: what is displayed, and what the load at the bench makes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rig.meter.billing.demand import DemandRegisters
from rig.meter.billing.quantity import Quantity
from rig.meter.contacts.functions import Alert, DemandAlert, DiagnosticAlert, PowerFactorAlert, VoltageAlert
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.measuring.elements import PHASES, ElementEquation
from rig.meter.measuring.quantities import Readings


@dataclass(frozen=True)
class AlertInputs:
    """A second, as alerts look at it: averages by phase and by element, the demand that runs, diagnostics that are on.

    `expected` is the equation whose voltages should be there; None while the service is still to be found.
    """

    phases: Readings
    elements: Readings
    expected: ElementEquation | None
    demand: DemandRegisters | None
    diagnostics: Collection[Diagnostic]


def beyond(alert: Alert, seen: AlertInputs) -> bool | None:
    """Whether it has something to say; None where there is nothing to judge."""
    match alert:
        case DemandAlert(_, quantity, above_nw):
            demand = seen.demand
            return demand is not None and demand.present(demand.settings.quantities.index(quantity)) > above_nw
        case PowerFactorAlert():
            factor = power_factor(alert, seen)
            return None if factor is None else factor < alert.below
        case VoltageAlert(_, below, above):
            if seen.expected is None:
                return None
            each = zip(PHASES, seen.phases.v_rms, strict=True)
            volts = [v for phase, v in each if phase in seen.expected.volt_phases]
            return any((below is not None and v < below) or (above is not None and v > above) for v in volts)
        case DiagnosticAlert(_, diagnostics):
            return any(diagnostic in seen.diagnostics for diagnostic in diagnostics)


def power_factor(alert: PowerFactorAlert, seen: AlertInputs) -> float | None:
    """|P|/S of the totals; None without a current that starts the meter, or without S."""
    elements = seen.elements
    apparent = elements.rms_va if alert.apparent is Quantity.KVAH_RMS else elements.td_va
    if not apparent or max(seen.phases.i_rms) < alert.least_a:
        return None
    return abs(sum(elements.p_w)) / apparent
