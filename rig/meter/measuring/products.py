"""The 21 products of a window with DC taken out, and exact linear forms on them.

Everything registered or shown is bilinear in the sample vector, so it is an integer combination of these
products over one denominator: no rounding after the one in ac_products. Requirements Q-1, Q-2; DESIGN.md,
"One idea carries the system".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from operator import add, sub

from gateware.record_words import PRODUCTS, Record
from gateware.registers import CHANNELS, Channel

Products = tuple[int, ...]
"""21 integers in the order of gateware.record_words.PRODUCTS, in sample codes squared, summed over samples."""

NONE: Products = (0,) * len(PRODUCTS)

SQUARES = tuple(PRODUCTS.index((c, c)) for c in Channel)
"""The places of the channels' squares."""

_INDEX = {pair: i for i, pair in enumerate(PRODUCTS)}


@dataclass(frozen=True)
class Mean:
    """The DC of the six channels, exactly: sums[c] / samples sample codes."""

    sums: tuple[int, ...]
    samples: int

    @classmethod
    def of_record(cls, record: Record) -> Mean:
        """A window's own mean."""
        return cls(tuple(record.mean_sum(c) for c in Channel), record.samples)

    @classmethod
    def of_codes(cls, codes: Sequence[Fraction]) -> Mean:
        """Given means, such as the offsets of a calibration."""
        samples = lcm(*(c.denominator for c in codes))
        return cls(tuple(int(c * samples) for c in codes), samples)

    def over(self, samples: int) -> tuple[int, ...]:
        """Return the sums that so many samples of this mean add up to, rounded to codes."""
        return tuple([divide_half_even(s * samples, self.samples) for s in self.sums])

    def codes(self) -> tuple[Fraction, ...]:
        """The mean of each channel in sample codes."""
        return tuple(Fraction(s, self.samples) for s in self.sums)


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over samples, DC included: their number, their sums by channel, their 21 products."""

    samples: int
    sums: tuple[int, ...]
    products: Products

    @classmethod
    def of(cls, record: Record) -> Moments:
        """Take them from a record."""
        return cls(record.samples, tuple([record.mean_sum(c) for c in Channel]), record.sums[: len(PRODUCTS)])

    def plus(self, other: Moments) -> Moments:
        """Add those of other samples."""
        one, two = (self.sums, self.products), (other.sums, other.products)
        sums, products = [tuple([x + y for x, y in zip(*pair, strict=True)]) for pair in zip(one, two, strict=True)]
        return Moments(self.samples + other.samples, sums, products)

    def about(self, mean: Mean) -> Products:
        """Give Σ(a − ā)(b − b̄) for all 21 pairs, each rounded once, half to even, to an integer.

        Expanded it is Σab − b̄Σa − āΣb + n·ā·b̄; with the samples' own mean this is Σab − ΣaΣb/n.
        """
        n, m, dc, sums = self.samples, mean.samples, mean.sums, self.sums
        square = m * m
        return tuple([
            divide_half_even(square * product - m * (dc[b] * sums[a] + dc[a] * sums[b]) + n * dc[a] * dc[b], square)
            for (a, b), product in zip(PRODUCTS, self.products, strict=True)
        ])  # fmt: skip


NO_MOMENTS = Moments(0, (0,) * CHANNELS, NONE)


def ac_products(record: Record, mean: Mean) -> Products:
    """Give a window's 21 products without DC, each rounded once.

    The window's own mean is right over whole cycles of a steady signal only: over part of a cycle, or when the signal
    changes, it would swallow energy. A mean over many windows belongs here (rig/meter/measuring/span.py).
    """
    return Moments.of(record).about(mean)


def divide_half_even(numerator: int, denominator: int) -> int:
    """The quotient rounded to an integer, halves to the even one; `denominator` is positive."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2):
        quotient += 1
    return quotient


def subtracted(one: Products, other: Products) -> Products:
    """Products less those of a part of the same samples, or of the same with another DC."""
    return tuple(map(sub, one, other))


def added(one: Products, other: Products) -> Products:
    """Products of two windows as those of both together."""
    return tuple(map(add, one, other))


Bilinear = Mapping[int, Fraction]
"""Weights by index of product: Σ weight · product. Products that do not occur are left out."""


def bilinear(left: Sequence[Fraction], right: Sequence[Fraction], scale: Fraction = Fraction(1)) -> Bilinear:
    """The form scale · (left·x)(right·x) for weights on the six channels of x."""
    weights: dict[int, Fraction] = {}
    for a in range(CHANNELS):
        for b in range(CHANNELS):
            weight = scale * left[a] * right[b]
            if weight:
                index = _INDEX[Channel(min(a, b)), Channel(max(a, b))]
                weights[index] = weights.get(index, Fraction(0)) + weight
    return weights


@dataclass(frozen=True)
class IntegerForms:
    """Bilinear forms brought to one denominator, so that each is an integer for any products.

    `denominator` is the smallest that does; `rows` hold (index of product, integer weight) pairs.
    """

    rows: tuple[tuple[tuple[int, int], ...], ...]
    denominator: int

    @classmethod
    def of(cls, forms: Sequence[Bilinear]) -> IntegerForms:
        """The integer forms equal to `forms`."""
        denominator = lcm(*(w.denominator for form in forms for w in form.values()))
        return cls(tuple(tuple((i, int(w * denominator)) for i, w in form.items()) for form in forms), denominator)

    def numerators(self, products: Products) -> tuple[int, ...]:
        """The value of each form, in units of 1/denominator."""
        return tuple(sum(weight * products[i] for i, weight in row) for row in self.rows)
