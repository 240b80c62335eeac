"""Values of counts as decimals, and their sums without rounding."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

DIGITS = 12
"""As many as a kWh has to its nWh, and a few more."""

SUM_DIGITS = 60
"""Digits of a sum: no profile has so many."""

_LEAST_PULSE = Fraction(1, 10**9)
"""Counts of smaller pulses are not told apart by so many digits."""


def decimal_of(value: Fraction) -> Decimal:
    """Return a value with all its digits, or with as many as are kept."""
    digits = 0
    while digits < DIGITS and (value * 10**digits).denominator != 1:
        digits += 1
    return Decimal(round(value * 10**digits)).scaleb(-digits)


def pulse_text(pulse: Fraction) -> str:
    """Return the value of a count as text that loses nothing: 0.0018, or 1/750."""
    return str(pulse) if (pulse * 10**DIGITS).denominator != 1 else f"{decimal_of(pulse):f}"


def exact_sum(values: Sequence[Decimal], pulse: Fraction | None = None) -> Decimal:
    """Add values of counts. Where `pulse`, the value of one count, is no decimal, such as 4/3 Wh, each was rounded:
    their counts are added, so that the sum is rounded once, if at all."""
    if pulse is not None and pulse >= _LEAST_PULSE and "/" in pulse_text(pulse):
        counts = [round(Fraction(value) / pulse) for value in values]
        if all(decimal_of(pulse * count) == value for count, value in zip(counts, values, strict=True)):
            return decimal_of(pulse * sum(counts))
    with localcontext(prec=SUM_DIGITS):
        return sum(values, Decimal(0))
