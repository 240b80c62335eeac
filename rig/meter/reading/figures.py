"""Registers as figures, made in one way wherever they appear: nano-units given in kilo-units.

Text is truncated as a register is, never rounded, and made of integers alone: fewer decimals are the same digits, cut
short. A float is the nearest to the exact figure. A `ratio` of transformers makes a figure primary.
"""

from __future__ import annotations

from fractions import Fraction

from rig.meter.billing.quantity import NANO, NANO_PER_KILO

AT_THE_METER = Fraction(1)


def kilo(nano: int, ratio: Fraction = AT_THE_METER) -> float:
    """kWh of nWh, kW of nW and so on: the nearest float."""
    return nano * ratio.numerator / (NANO_PER_KILO * ratio.denominator)


def units(nano: int, ratio: Fraction = AT_THE_METER) -> float:
    """Wh of nWh and so on: the nearest float."""
    return nano * ratio.numerator / (NANO * ratio.denominator)


def kilo_steps(nano: int, decimals: int, ratio: Fraction = AT_THE_METER) -> int:
    """The size of a figure, without its sign, in units of its last decimal, truncated."""
    scale: int = 10**decimals
    return abs(nano) * ratio.numerator * scale // (NANO_PER_KILO * ratio.denominator)


def kilo_text(nano: int, decimals: int, ratio: Fraction = AT_THE_METER) -> str:
    """A figure with so many decimals, truncated; what is all zeros has no sign."""
    steps = kilo_steps(nano, decimals, ratio)
    digits = f"{steps:0{decimals + 1}}"
    whole = len(digits) - decimals
    return ("-" if nano < 0 and steps else "") + digits[:whole] + ("." + digits[whole:] if decimals else "")
