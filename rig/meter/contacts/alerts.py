"""Alerts, judged once a second: demand, power factor, voltage, diagnostics (P-3).

Each is exceeded, or not, or there is nothing to judge; then its contact is open. There is no hysteresis: a contact that
is judged once a second stands for a second, however a load moves about its threshold.

    alert          nothing to judge
    demand         never
    power factor   every current below the starting current, or no apparent power, or a build without vars for "td"
    voltage        the service is still to be found
    diagnostic     never

A voltage is that of a phase that the service has and a coil senses, as it is displayed: not that between two.
In test mode the demand is that of test mode: what is displayed, and what the load at the bench makes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from rig.meter.billing.quantity import NANO, NANO_PER_KILO, Quantity
from rig.meter.contacts.alert_inputs import AlertInputs
from rig.meter.contacts.functions import Alert, ContactRatings, number_text
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.measuring.elements import PHASES


@dataclass(frozen=True)
class DemandAlert(Alert):
    """Closed while the present demand of a quantity is above a threshold, in nW (nvar, nVA)."""

    quantity: Quantity
    above_nw: int

    def exceeded(self, second: AlertInputs) -> bool:
        demand = second.demand
        if demand is None:
            return False
        return demand.present(demand.settings.quantities.index(self.quantity)) > self.above_nw

    def text(self, meter: ContactRatings) -> str:
        return f"demand above {number_text(Fraction(self.above_nw, NANO_PER_KILO))} {self.quantity.demand_name}"

    @property
    def marking(self) -> str:
        return f"ALERT {self.quantity.demand_name}"

    def notes(self, meter: ContactRatings) -> Iterable[str]:
        if self.above_nw > meter.max_w * NANO:
            yield "closes above MAX: never in a meter within its rating"


@dataclass(frozen=True)
class PowerFactorAlert(Alert):
    """Closed while the power factor is below a threshold.

    `apparent` is the energy whose power it is of. Currents that are all below `least_a` make no power factor.
    """

    below: Fraction
    apparent: Quantity
    least_a: Fraction

    def exceeded(self, second: AlertInputs) -> bool | None:
        factor = self.power_factor(second)
        return None if factor is None else factor < self.below

    def power_factor(self, second: AlertInputs) -> float | None:
        """|P|/S of the totals; None without a current that starts the meter, or without S."""
        elements = second.elements
        apparent = elements.rms_va if self.apparent is Quantity.KVAH_RMS else elements.td_va
        if not apparent or max(second.phases.i_rms) < self.least_a:
            return None
        return abs(sum(elements.p_w)) / apparent

    def text(self, meter: ContactRatings) -> str:
        return f"power factor below {number_text(self.below)}"

    @property
    def marking(self) -> str:
        return "ALERT PF"

    def notes(self, meter: ContactRatings) -> Iterable[str]:
        if self.below == 1:
            yield "closes below a power factor of 1: any load but a purely resistive one closes it"


@dataclass(frozen=True)
class VoltageAlert(Alert):
    """Closed while a phase is below or above a threshold, in volts at the meter; None: there is no such one."""

    below_v: Fraction | None
    above_v: Fraction | None

    def exceeded(self, second: AlertInputs) -> bool | None:
        if second.expected is None:
            return None
        each = zip(PHASES, second.phases.v_rms, strict=True)
        volts = [v for phase, v in each if phase in second.expected.volt_phases]
        below, above = self.below_v, self.above_v
        return any((below is not None and v < below) or (above is not None and v > above) for v in volts)

    def text(self, meter: ContactRatings) -> str:
        return "voltage " + " or ".join(f"{side} {number_text(level)} V" for side, level in self._thresholds)

    @property
    def marking(self) -> str:
        return "ALERT V"

    def notes(self, meter: ContactRatings) -> Iterable[str]:
        if self.above_v is not None and self.above_v > meter.rated_v:
            yield f"closes above {number_text(self.above_v)} V: never in a meter within its rating, {meter.rated_v} V"
        known = " and ".join(f"{volts:.0f}" for volts in sorted(meter.nominal_v))
        for side, level in self._thresholds:
            if level > max(meter.nominal_v) if side == "below" else level < min(meter.nominal_v):
                yield f"closes {side} {number_text(level)} V: always, the service has {known} V"

    @property
    def _thresholds(self) -> list[tuple[str, Fraction]]:
        both = (("below", self.below_v), ("above", self.above_v))
        return [(side, level) for side, level in both if level is not None]


@dataclass(frozen=True)
class DiagnosticAlert(Alert):
    """Closed while one of these diagnostics is on."""

    diagnostics: tuple[Diagnostic, ...]

    def exceeded(self, second: AlertInputs) -> bool:
        return any(diagnostic in second.diagnostics for diagnostic in self.diagnostics)

    def text(self, meter: ContactRatings) -> str:
        return f"diagnostics: {', '.join(diagnostic.label for diagnostic in self.diagnostics)}"

    @property
    def marking(self) -> str:
        return "ALERT DIAGNOSTIC"
