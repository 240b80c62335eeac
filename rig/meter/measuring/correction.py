"""Correction of a window's sums by what a gain and a whole number of ticks leave of a channel's error (Q-1).

A channel that lags by α has, with t = tan(α/2), the exact complex factor (1 + jt)² / (1 + t²) of size 1; a transformer
one more by its curve, and a ratio. For channels a and b with the lag α = α_b − α_a too much, of active and reactive
sums P and Q in the place of their product,

    P' = r·(P·cos α + Q·sin α),   Q' = r·(Q·cos α − P·sin α),   r = r_a·r_b,

each one ratio of integers, rounded once, half to even, as its products are. Q of a voltage and a current is the
quarter-cycle reactive sum; for other pairs, and where a build has none, the fundamental's. Harmonics are turned by the
angle of the fundamental, not by a time (docs/decisions/105-residual-turn.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log

from calibration.constants import Calibration, ChannelConstants
from gateware.record_words import PRODUCTS
from gateware.registers import CHANNELS, VOLTAGES
from rig.meter.measuring.fundamental import Fundamental
from rig.meter.measuring.products import SQUARES, Moments, Products, divide_half_even

CURVE_BITS = 40
"""Ratios and turns between two points of a curve are multiples of 2**-40: 10⁻¹², and then exact."""

_WEIGHT_BITS = 20
_ONE = 1 << CURVE_BITS


@dataclass(frozen=True)
class Factor:
    """The complex rational (re + j·im) / norm."""

    re: int
    im: int
    norm: int

    @classmethod
    def of(cls, ratio: Fraction, turn: Fraction) -> Factor:
        """The factor of a ratio, and of the angle whose half has the tangent `turn`."""
        p, q = turn.as_integer_ratio()
        n, d = ratio.as_integer_ratio()
        return cls(n * (q * q - p * p), n * 2 * p * q, d * (q * q + p * p))

    def times(self, other: Factor) -> Factor:
        """The product of both."""
        re = self.re * other.re - self.im * other.im
        return Factor(re, self.re * other.im + self.im * other.re, self.norm * other.norm)

    def conjugate(self) -> Factor:
        """The factor that turns as much the other way."""
        return Factor(self.re, -self.im, self.norm)

    def along(self, active: int, reactive: int) -> int:
        """P' of P and Q."""
        return divide_half_even(self.re * active + self.im * reactive, self.norm)

    def across(self, active: int, reactive: int) -> int:
        """Q' of P and Q."""
        return divide_half_even(self.re * reactive - self.im * active, self.norm)


UNITY = Factor(1, 0, 1)


class Curve:
    """A transformer's curve by the mean square of sample codes."""

    def __init__(self, channel: ChannelConstants) -> None:
        self._levels = [2 * log(point.amperes / channel.gain) for point in channel.curve]
        self._ratios = [round(point.ratio * _ONE) for point in channel.curve]
        self._turns = [round(point.turn * _ONE) for point in channel.curve]

    def at(self, square: int, samples: int) -> tuple[int, int]:
        """Give ratio and turn in 2**-40 for the sum of the squares of so many samples."""
        level = log(square / samples) if square > 0 else self._levels[0]
        last = len(self._levels) - 1
        place = next((n for n, each in enumerate(self._levels) if level < each), last + 1)
        if place in (0, last + 1):
            end = min(place, last)
            return self._ratios[end], self._turns[end]
        low, high = self._levels[place - 1], self._levels[place]
        weight = round((level - low) / (high - low) * (1 << _WEIGHT_BITS))
        return _between(self._ratios, place, weight), _between(self._turns, place, weight)


def _between(values: Sequence[int], place: int, weight: int) -> int:
    rest = (1 << _WEIGHT_BITS) - weight
    return values[place - 1] * rest + values[place] * weight >> _WEIGHT_BITS


@dataclass(frozen=True)
class Corrected:
    """A window's sums after the correction."""

    products: Products
    reactive: Products
    fundamental: Fundamental
    moments: Moments
    dc: tuple[int, ...]


class Correction:
    """The correction that a calibration asks for; `needed` is false for one without turns and curves."""

    def __init__(self, calibration: Calibration) -> None:
        self._fixed = [Factor.of(Fraction(1), channel.turn) for channel in calibration.channels]
        self._curves = [Curve(channel) if channel.curve else None for channel in calibration.channels]
        self.needed = any(c.turn or c.curve for c in calibration.channels)
        self._without_curves = None if any(self._curves) else self._pairs(self._fixed, [UNITY] * CHANNELS)

    def of(
        self, products: Products, reactive: Products, turned: Products, fundamental: Fundamental, moments: Moments,
        dc: tuple[int, ...], has_quarter: bool,
    ) -> Corrected:  # fmt: skip
        """Correct a window's products, its reactive sums, which are of the products `turned` (its own, and of windows
        that waited for their frequency), its fundamental, its moments and the DC in its sums."""
        ratios, pairs = [Fraction(1)] * CHANNELS, self._without_curves
        if pairs is None:
            bent = [self._bent(c, products[SQUARES[c]], moments.samples) for c in range(CHANNELS)]
            ratios, pairs = [ratio for ratio, _ in bent], self._pairs(self._fixed, [factor for _, factor in bent])
        quadrature = [
            reactive[k] if has_quarter and a < VOLTAGES <= b else fundamental.across[k]
            for k, (a, b) in enumerate(PRODUCTS)
        ]
        return Corrected(
            tuple(map(Factor.along, pairs, products, quadrature)),
            tuple(map(Factor.across, pairs, turned, reactive)) if has_quarter else reactive,
            Fundamental(
                fundamental.samples,
                tuple(map(Factor.along, pairs, fundamental.along, fundamental.across)),
                tuple(map(Factor.across, pairs, fundamental.along, fundamental.across)),
                tuple(_times(rest, ratio * ratio) for rest, ratio in zip(fundamental.rest, ratios, strict=True)),
            ),
            Moments(
                moments.samples,
                tuple(map(_times, moments.sums, ratios)),
                tuple(_times(x, ratios[a] * ratios[b]) for x, (a, b) in zip(moments.products, PRODUCTS, strict=True)),
            ),
            tuple(map(_times, dc, ratios)),
        )

    def _bent(self, channel: int, square: int, samples: int) -> tuple[Fraction, Factor]:
        """Ratio and factor of a channel at its level."""
        curve = self._curves[channel]
        if curve is None or not samples:
            return Fraction(1), UNITY
        ratio, turn = curve.at(square, samples)
        return Fraction(ratio, _ONE), Factor.of(Fraction(ratio, _ONE), Fraction(turn, _ONE))

    @staticmethod
    def _pairs(fixed: Sequence[Factor], bent: Sequence[Factor]) -> list[Factor]:
        """The factors of the products, in the order of PRODUCTS."""
        both = [one.times(other) for one, other in zip(fixed, bent, strict=True)]
        return [both[b].times(both[a].conjugate()) for a, b in PRODUCTS]


def _times(value: int, ratio: Fraction) -> int:
    return divide_half_even(value * ratio.numerator, ratio.denominator)
