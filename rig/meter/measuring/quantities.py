"""From a window's sums to energy, exactly, and to volts, amperes, watts, vars, angles and distortion for people.

Watts, vars by quarter cycle, watts and vars of the fundamental: each is one set of products, and every element equation
is the same linear form of each. Requirements Q-1 (VA is computed here, not in the FPGA), Q-2, Q-3, Q-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import atan2, degrees, hypot, sqrt

from calibration.constants import Calibration
from gateware.record_words import PRODUCTS
from gateware.registers import CHANNELS, Channel
from rig.meter.measuring.elements import ElementEquation, Weights, form_named
from rig.meter.measuring.fundamental import NO_FUNDAMENTAL, Fundamental
from rig.meter.measuring.products import (
    NO_MOMENTS,
    NONE,
    SQUARES,
    IntegerForms,
    Mean,
    Moments,
    Products,
    added,
    bilinear,
)

_ZERO = Fraction(0)
_WITH_V1 = tuple(PRODUCTS.index((Channel.V1, c)) for c in Channel)


@dataclass(frozen=True)
class Sums:
    """Sums of a window, or of a run of them, exact to one rounding a window.

    `products` are those that register, free of the DC that was known then. `moments` are all there is to r.m.s. values,
    DC and all, and `dc` what of it counts as DC: of windows from crossing to crossing their own sums by channel, of
    others as many samples of the DC known then. `cycles` counts at least one for each window. `reactive` are the var
    products (reactive.py). They and the fundamental have sample counts of their own: a window's vars may come with the
    next one, not every window has a fundamental, and a build may have neither.
    """

    samples: int = 0
    products: Products = NONE
    reactive: Products = NONE
    reactive_samples: int = 0
    fundamental: Fundamental = NO_FUNDAMENTAL
    moments: Moments = NO_MOMENTS
    dc: tuple[int, ...] = (0,) * CHANNELS
    cycles: int = 0

    @property
    def squares(self) -> Products:
        """The products for r.m.s. values: free of the DC of all these windows together."""
        return self.moments.about(Mean(self.dc, self.moments.samples)) if self.moments.samples else NONE

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.samples + other.samples,
            added(self.products, other.products),
            added(self.reactive, other.reactive),
            self.reactive_samples + other.reactive_samples,
            self.fundamental + other.fundamental,
            self.moments.plus(other.moments),
            tuple([one + two for one, two in zip(self.dc, other.dc, strict=True)]),
            self.cycles + other.cycles,
        )


@dataclass(frozen=True)
class Readings:
    """Averages of one window, or of a run of them.

    Of three channels each: r.m.s. volts and amperes. `neutral_a` is the r.m.s. of the three currents' sum.
    By element of the form: watts, and volt-amperes as the product of the r.m.s. values of its two factors ("VA rms");
    vars by quarter cycle ("td"); watts and vars of the fundamental. Vars are positive where the current lags.
    Of all six channels: how far its fundamental lags that of V1, 0 to 360°, and its total distortion ratio, the r.m.s.
    of all but DC and fundamental, up to 3.2 kHz, over that of the fundamental: harmonics, interharmonics and noise.
    None where no fundamental of a code or more is there to compare. Tuples are None as a whole where no window had the
    sums for them.
    """

    seconds: float
    v_rms: tuple[float, ...]
    i_rms: tuple[float, ...]
    neutral_a: float
    p_w: tuple[float, ...]
    s_va: tuple[float, ...]
    q_var: tuple[float, ...] | None
    p1_w: tuple[float, ...] | None
    q1_var: tuple[float, ...] | None
    lag_deg: tuple[float | None, ...] | None
    tdr: tuple[float | None, ...] | None

    @property
    def rms_va(self) -> float:
        """Apparent power of all elements, arithmetic: the sum of their Vrms·Irms (Q-3)."""
        return sum(self.s_va)

    @property
    def td_va(self) -> float | None:
        """Apparent power of all elements, vectorial: √(ΣP² + ΣQ²) of the totals, Q by quarter cycle (Q-3)."""
        return None if self.q_var is None else hypot(sum(self.p_w), sum(self.q_var))


class Scaling:
    """Scale of products under one element equation, calibration and sample rate.

    Energy comes in integers of 1/units_per_wh watt-hours. That unit is the largest in which every product of
    sample codes is a whole number. The mean squares are forms too: of the channels, of each element's volts and
    amperes, whose product counts `scales` times, and of the neutral current.
    """

    def __init__(self, equation: ElementEquation, calibration: Calibration, sample_hz: Fraction) -> None:
        self.sample_hz = sample_hz
        gains = [c.gain for c in calibration.channels]
        volts = [_on_volts(e.volt_weights, gains) for e in equation.elements]
        amperes = [_on_amperes(e.ampere_weights, gains) for e in equation.elements]
        scales = self.scales = [e.scale for e in equation.elements]
        wh = 1 / (sample_hz * 3600)
        self._energy = IntegerForms.of(
            [bilinear(v, i, wh * scale) for v, i, scale in zip(volts, amperes, scales, strict=True)]
        )
        channels = [[g if c == k else _ZERO for c, g in enumerate(gains)] for k in range(CHANNELS)]
        self.channel_squares = IntegerForms.of([bilinear(x, x) for x in channels])
        self.volt_squares = IntegerForms.of([bilinear(v, v) for v in volts])
        self.ampere_squares = IntegerForms.of([bilinear(i, i) for i in amperes])
        neutral = _on_amperes((Fraction(1),) * 3, gains)
        self.neutral_square = IntegerForms.of([bilinear(neutral, neutral)])

    @classmethod
    def by_phase(cls, calibration: Calibration, sample_hz: Fraction) -> Scaling:
        """One element for each phase, whatever the meter's form: what its voltage, current and power are."""
        return cls(form_named("9S").equation(), calibration, sample_hz)

    @property
    def units_per_wh(self) -> int:
        """Units of energy in a watt-hour."""
        return self._energy.denominator

    def energy(self, products: Products) -> tuple[int, ...]:
        """The energy of each element in units of 1/units_per_wh Wh; their sum is what registers.

        Of var products, or of a fundamental's `along` and `across`, it is theirs: varh in the same units.
        """
        return self._energy.numerators(products)

    def readings(self, sums: Sums) -> Readings:
        """Averages, exact up to the last division and square root. All 0 for no samples."""
        samples, first, squares = sums.samples, sums.fundamental, sums.squares
        channel = self._rms(self.channel_squares, squares, samples)
        rate, per = self.sample_hz.as_integer_ratio()
        return Readings(
            seconds=samples * per / rate,
            v_rms=channel[:3],
            i_rms=channel[3:],
            neutral_a=self._rms(self.neutral_square, squares, samples)[0],
            p_w=self._power(sums.products, samples) or (0.0,) * len(self.scales),
            s_va=tuple(
                v * i * float(scale)
                for v, i, scale in zip(
                    self._rms(self.volt_squares, squares, samples),
                    self._rms(self.ampere_squares, squares, samples),
                    self.scales,
                    strict=True,
                )
            ),
            q_var=self._power(sums.reactive, sums.reactive_samples),
            p1_w=self._power(first.along, first.samples),
            q1_var=self._power(first.across, first.samples),
            lag_deg=_lags(first) if first.samples else None,
            tdr=_distortions(first) if first.samples else None,
        )

    def _power(self, products: Products, samples: int) -> tuple[float, ...] | None:
        if not samples:
            return None
        # Watts = units / units_per_wh / hours, as one division of integers.
        rate, per = self.sample_hz.as_integer_ratio()
        divisor = self.units_per_wh * samples * per
        return tuple(units * 3600 * rate / divisor for units in self.energy(products))

    @staticmethod
    def _rms(squares: IntegerForms, products: Products, samples: int) -> tuple[float, ...]:
        divisor = squares.denominator * samples
        # An element's square sums several rounded products, so near zero it may come out a unit below it.
        return tuple(sqrt(max(n, 0) / divisor) if samples else 0.0 for n in squares.numerators(products))


def _on_volts(weights: Weights, gains: Sequence[Fraction]) -> list[Fraction]:
    return [w * g for w, g in zip(weights, gains[:3], strict=True)] + [_ZERO] * 3


def _on_amperes(weights: Weights, gains: Sequence[Fraction]) -> list[Fraction]:
    return [_ZERO] * 3 + [w * g for w, g in zip(weights, gains[3:], strict=True)]


def _present(first: Fundamental) -> list[bool]:
    """By channel, whether its fundamental has at least a code r.m.s.: below, angle and distortion are noise."""
    return [first.along[square] >= first.samples for square in SQUARES]


def _lags(first: Fundamental) -> tuple[float | None, ...]:
    present = _present(first)
    return tuple(
        degrees(atan2(first.across[place], first.along[place])) % 360 if there and present[Channel.V1] else None
        for place, there in zip(_WITH_V1, present, strict=True)
    )


def _distortions(first: Fundamental) -> tuple[float | None, ...]:
    # What is left of a pure sine may come out a unit below zero.
    return tuple(
        sqrt(max(rest, 0) / first.along[square]) if there else None
        for rest, square, there in zip(first.rest, SQUARES, _present(first), strict=True)
    )
