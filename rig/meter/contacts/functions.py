"""What the contacts of a meter do, as programmed (P-2, P-3, P-5, T-2).

Outputs are form C: a pulse output changes over at each pulse, every other closes K–Y while it has something to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rig.meter.billing.inputs import InputId
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.outputs import OutputId
from rig.meter.installation.diagnostics import Diagnostic


@dataclass(frozen=True)
class PulsesOutput:
    """A transition for every Kp of a quantity; Kp in Wh (varh, VAh), 0 disables it."""

    id: OutputId
    quantity: Quantity
    kp_wh: Fraction


@dataclass(frozen=True)
class EndOfIntervalOutput:
    """Closed for so long from every end of a demand interval on."""

    id: OutputId
    closed_s: int


@dataclass(frozen=True)
class LoadControlOutput:
    """Closed while one of the rates is in force, outside test mode."""

    id: OutputId
    rates: tuple[Rate, ...]


@dataclass(frozen=True)
class DemandAlert:
    """Closed while the present demand of a quantity is above a level, in nW (nvar, nVA)."""

    id: OutputId
    quantity: Quantity
    above_nw: int


@dataclass(frozen=True)
class PowerFactorAlert:
    """Closed while the power factor is below a level.

    `apparent` is the energy whose power it is of. Currents that are all below `least_a` make no power factor.
    """

    id: OutputId
    below: Fraction
    apparent: Quantity
    least_a: Fraction


@dataclass(frozen=True)
class VoltageAlert:
    """Closed while a phase is below or above a level, in volts at the meter; None: no such level."""

    id: OutputId
    below_v: Fraction | None
    above_v: Fraction | None


@dataclass(frozen=True)
class DiagnosticAlert:
    """Closed while one of these diagnostics is on."""

    id: OutputId
    diagnostics: tuple[Diagnostic, ...]


Alert = DemandAlert | PowerFactorAlert | VoltageAlert | DiagnosticAlert

LevelOutput = EndOfIntervalOutput | LoadControlOutput | Alert
"""What has something to say or not; every output that does not pulse."""

Output = PulsesOutput | LevelOutput


@dataclass(frozen=True)
class RecordedInput:
    """The input is counted; each pulse stands for `weight` in the other meter's unit."""

    id: InputId
    weight: Fraction


@dataclass(frozen=True)
class RateInput:
    """While the input is closed, everything registers in `rate`."""

    id: InputId
    rate: Rate


Input = RecordedInput | RateInput
