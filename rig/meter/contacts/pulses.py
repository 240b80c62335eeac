"""Pulse outputs (P-1, P-2): pulses × constant follows the registered energy, to less than one pulse, always.

One pulse of the test LED is one flash. One pulse of a KYZ output is one transition: from K–Y closed to K–Z
closed or back, so two pulses make a full cycle of the contact.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rig.errors import RigError
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.contacts.outputs import OutputId

KP_DIVISOR = 12
"""The least Kp is Ks/12 (P-2)."""


def least_kp(ks_wh: Fraction) -> Fraction:
    """The least Kp of a KYZ output in Wh, which is the K of the nameplate (P-2)."""
    return ks_wh / KP_DIVISOR


def kp_is_allowed(kp_wh: Fraction, ks_wh: Fraction) -> bool:
    """Return whether a KYZ output can have this Kp: no less than the least, or 0, which disables the output."""
    return kp_wh == 0 or kp_wh >= least_kp(ks_wh)


class PulseConstantError(RigError):
    """A Kp that the meter cannot have: one sentence with the least value."""


@dataclass
class PulseState:
    """State of an output: pulses so far, and the energy since the last, in nWh over the constant's denominator."""

    count: int = 0
    carried: int = 0


class PulseOutput:
    """One output: counts its pulses and finds their instants. `constant_wh` 0 disables it.

    The energy carried since the last pulse is at least 0 and less than the constant.
    """

    def __init__(
        self, id: OutputId, quantity: Quantity, constant_wh: Fraction, state: PulseState | None = None
    ) -> None:
        if constant_wh < 0:
            raise PulseConstantError(f"{id.label} has a constant of {_wh(constant_wh)}: give 0 or more")
        self.id = id
        self.quantity = quantity
        self.constant_wh = constant_wh
        self._constant, self._unit = (constant_wh * NANO).as_integer_ratio()
        self.state = state or PulseState()

    @property
    def count(self) -> int:
        """Pulses so far."""
        return self.state.count

    @property
    def carried_nwh(self) -> Fraction:
        """The energy registered since the last pulse."""
        return Fraction(self.state.carried, self._unit)

    def advance(self, energy_nwh: int, tick_start: int, ticks: int) -> list[int]:
        """Register energy that flowed evenly over a window; return the tick of each pulse it completes.

        A pulse falls on the first whole tick by which its energy has flowed: instants are rounded up, lie in
        (tick_start, tick_start + ticks], and never decrease from one pulse to the next.
        """
        if not self._constant or not energy_nwh:
            return []
        state, constant = self.state, self._constant
        carried, energy = state.carried, energy_nwh * self._unit
        pulses, state.carried = divmod(carried + energy, constant)
        state.count += pulses
        return [tick_start - (carried - k * constant) * ticks // energy for k in range(1, pulses + 1)]


def kyz_output(
    id: OutputId, quantity: Quantity, kp_wh: Fraction, ks_wh: Fraction, state: PulseState | None = None
) -> PulseOutput:
    """A KYZ output with constant Kp. Raises PulseConstantError for one that it cannot have."""
    if not kp_is_allowed(kp_wh, ks_wh):
        least = f"Ks/{KP_DIVISOR} = {_wh(least_kp(ks_wh))}"
        raise PulseConstantError(f"{id.label} has Kp {_wh(kp_wh)}: give at least {least}, or 0 to disable it")
    return PulseOutput(id, quantity, kp_wh, state)


def led_output(ks_wh: Fraction, state: PulseState | None = None) -> PulseOutput:
    """The test LED of the normal mode: a flash every Ks watt-hours in either direction (P-1)."""
    return PulseOutput(OutputId.TEST_LED, Quantity.KWH_EITHER, ks_wh, state)


def _wh(value: Fraction) -> str:
    return f"{float(value):g} Wh"
