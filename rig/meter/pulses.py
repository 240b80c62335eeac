"""Pulse outputs (P-1, P-2): pulses × constant follows the registered energy, to less than one pulse, always.

One pulse of the test LED is one flash. One pulse of a KYZ output is one transition: from K–Y closed to K–Z
closed or back, so two pulses make a full cycle of the contact.
"""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from math import lcm

KP_DIVISOR = 12
"""The least Kp is Ks/12 (P-2)."""


class PulseConstantError(ValueError):
    """A Kp that the meter cannot have: one sentence with the least value."""


class PulseQuantity(Enum):
    """The energy an output follows. The test LED follows Wh in either direction: delivered + received."""

    KWH_DELIVERED = "kWh delivered"
    KWH_RECEIVED = "kWh received"
    WH_EITHER = "Wh in either direction"

    def part(self, units: int) -> int:
        """What a window's signed energy adds to this quantity: never negative."""
        match self:
            case PulseQuantity.KWH_DELIVERED:
                return max(units, 0)
            case PulseQuantity.KWH_RECEIVED:
                return max(-units, 0)
            case PulseQuantity.WH_EITHER:
                return abs(units)


class PulseOutput:
    """One output: counts its pulses and finds their instants. `constant_wh` 0 disables it.

    `carried_wh` is the energy registered since the last pulse, at least 0 and less than the constant.
    """

    def __init__(self, name: str, quantity: PulseQuantity, constant_wh: Fraction) -> None:
        if constant_wh < 0:
            raise PulseConstantError(f"{name} has a constant of {_wh(constant_wh)}: give 0 or more")
        self.name = name
        self.quantity = quantity
        self.constant_wh = constant_wh
        self.count = 0
        self.carried_wh = Fraction(0)

    def advance(self, energy_wh: Fraction, tick_start: int, ticks: int) -> list[int]:
        """Register energy that flowed evenly over a window; return the tick of each pulse it completes.

        A pulse falls on the first whole tick by which its energy has flowed: instants are rounded up, lie in
        (tick_start, tick_start + ticks], and never decrease from one pulse to the next.
        """
        if not self.constant_wh:
            return []
        # In integers of one common unit, because a record that spans minutes holds thousands of pulses.
        unit = lcm(*(q.denominator for q in (self.carried_wh, energy_wh, self.constant_wh)))
        carried, energy, constant = (int(q * unit) for q in (self.carried_wh, energy_wh, self.constant_wh))
        pulses, remainder = divmod(carried + energy, constant)
        self.count += pulses
        self.carried_wh = Fraction(remainder, unit)
        return [tick_start - (carried - k * constant) * ticks // energy for k in range(1, pulses + 1)]


def kyz_output(name: str, quantity: PulseQuantity, kp_wh: Fraction, ks_wh: Fraction) -> PulseOutput:
    """A KYZ output with constant Kp: 0 disables, else at least Ks/12 (P-2). Raises PulseConstantError."""
    least = ks_wh / KP_DIVISOR
    if kp_wh != 0 and kp_wh < least:
        raise PulseConstantError(
            f"{name} has Kp {_wh(kp_wh)}: give at least Ks/{KP_DIVISOR} = {_wh(least)}, or 0 to disable it"
        )
    return PulseOutput(name, quantity, kp_wh)


def led_output(ks_wh: Fraction) -> PulseOutput:
    """The test LED of the normal mode: a flash every Ks watt-hours in either direction (P-1)."""
    return PulseOutput("test_led", PulseQuantity.WH_EITHER, ks_wh)


def _wh(value: Fraction) -> str:
    return f"{float(value):g} Wh"
