"""What an alert goes by, once a second: demand, power factor, voltage, diagnostics (P-3).

Each is beyond its level, or within it, or there is nothing to judge; then it has nothing to say. There is no
hysteresis: a contact that is told once a second stands for a second, however a load moves about its level.

    alert          nothing to judge
    demand         never
    power factor   every current below the starting current, or no apparent power, or a build without vars for "td"
    voltage        of a coil across two phases, where the angle of one is not known; all, while the service is unknown
    diagnostic     never

In test mode the demand is that of test mode: what is displayed, and what the load at the bench makes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rig.meter.billing.demand import DemandRegisters
from rig.meter.billing.quantity import Quantity
from rig.meter.contacts.functions import Alert, DemandAlert, DiagnosticAlert, PowerFactorAlert, VoltageAlert
from rig.meter.diagnostics import Diagnostic
from rig.meter.elements import ElementEquation
from rig.meter.quantities import Readings
from rig.meter.service_detection import sensed_voltage, voltage_phasors


@dataclass(frozen=True)
class Seen:
    """A second, as alerts look at it: averages by phase and by element, the demand that runs, diagnostics that are on.

    `expected` is the equation whose voltages should be there; None while the service is still to be found.
    """

    phases: Readings
    elements: Readings
    expected: ElementEquation | None
    demand: DemandRegisters | None
    diagnostics: Collection[Diagnostic]


def beyond(alert: Alert, seen: Seen) -> bool | None:
    """Whether it has something to say; None where there is nothing to judge."""
    match alert:
        case DemandAlert(_, quantity, above_nw):
            demand = seen.demand
            return demand is not None and demand.present(demand.settings.quantities.index(quantity)) > above_nw
        case PowerFactorAlert():
            factor = power_factor(alert, seen)
            return None if factor is None else factor < alert.below
        case VoltageAlert(_, below, above):
            volts = sensed_volts(seen)
            if not volts:
                return None
            return any((below is not None and v < below) or (above is not None and v > above) for v in volts)
        case DiagnosticAlert(_, diagnostics):
            return any(diagnostic in seen.diagnostics for diagnostic in diagnostics)


def power_factor(alert: PowerFactorAlert, seen: Seen) -> float | None:
    """|P|/S of the totals; None without a current that starts the meter, or without S."""
    elements = seen.elements
    apparent = elements.rms_va if alert.apparent is Quantity.KVAH_RMS else elements.td_va
    if not apparent or max(seen.phases.i_rms) < alert.least_a:
        return None
    return abs(sum(elements.p_w)) / apparent


def sensed_volts(seen: Seen) -> list[float]:
    """R.m.s. volts of every coil of the service: of a phase, or between two. What the service lacks is not in it."""
    if seen.expected is None:
        return []
    phasors = voltage_phasors(seen.phases)
    volts = []
    for element in seen.expected.sensed:
        lines = [v for v, weight in zip(seen.phases.v_rms, element.volt_weights, strict=True) if weight]
        if len(lines) == 1:
            volts += lines
        elif (phasor := sensed_voltage(element, phasors)) is not None:
            volts.append(abs(phasor))
    return volts
