"""The kilowatt-hour registers (Q-2): delivered and received, integers that carry their own remainder."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction


class EnergyRegisters:
    """kWh delivered and received, in integers of 1/units_per_wh Wh.

    Energy is registered window by window: a window whose total is not negative counts as delivered (Q1 + Q4),
    any other as received (Q2 + Q3). So delivered - received is the sum of the windows, exactly and always.
    """

    def __init__(self, units_per_wh: int) -> None:
        self.units_per_wh = units_per_wh
        self.delivered = 0
        self.received = 0

    def register(self, units: int) -> None:
        """Take in the total of one window."""
        if units >= 0:
            self.delivered += units
        else:
            self.received -= units

    def wh(self, units: int) -> Fraction:
        """An amount of energy in watt-hours, exactly."""
        return Fraction(units, self.units_per_wh)

    def reading_kwh(self, units: int, decimals: int) -> Decimal:
        """A register as a display shows it: kWh cut off, never rounded up, after `decimals` places."""
        steps = units * 10**decimals // (self.units_per_wh * 1000)
        return Decimal(f"{steps}e-{decimals}")
