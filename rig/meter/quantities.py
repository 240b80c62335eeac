"""From a window's products to energy, exactly, and to volts, amperes, watts and volt-amperes for people.

Requirements Q-1 (VA is computed here, not in the FPGA), Q-2, Q-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from calibration.constants import Calibration
from gateware.registers import CHANNELS
from rig.meter.elements import ElementEquation, Weights, form_named
from rig.meter.products import IntegerForms, Products, bilinear

_ZERO = Fraction(0)


@dataclass(frozen=True)
class Readings:
    """What one window, or a run of them, averages to: r.m.s. volts and amperes of the three channels, and by
    element of the form its watts and volt-amperes (product of the r.m.s. values of its two factors)."""

    seconds: float
    v_rms: tuple[float, ...]
    i_rms: tuple[float, ...]
    p_w: tuple[float, ...]
    s_va: tuple[float, ...]


class Scaling:
    """What products are worth under one element equation, calibration and sample rate.

    Energy comes in integers of 1/units_per_wh watt-hours. That unit is the largest in which every product of
    sample codes is a whole number, so nothing is rounded from here to the registers.
    """

    def __init__(self, equation: ElementEquation, calibration: Calibration, sample_hz: Fraction) -> None:
        self.sample_hz = sample_hz
        gains = [c.gain for c in calibration.channels]
        volts = [_on_volts(e.volt_weights, gains) for e in equation.elements]
        amperes = [_on_amperes(e.ampere_weights, gains) for e in equation.elements]
        scales = [e.scale for e in equation.elements]
        wh = 1 / (sample_hz * 3600)
        self._energy = IntegerForms.of(
            [bilinear(v, i, wh * scale) for v, i, scale in zip(volts, amperes, scales, strict=True)]
        )
        channels = [[g if c == k else _ZERO for c, g in enumerate(gains)] for k in range(CHANNELS)]
        self._channel_squares = IntegerForms.of([bilinear(x, x) for x in channels])
        self._volt_squares = IntegerForms.of([bilinear(v, v) for v in volts])
        self._ampere_squares = IntegerForms.of([bilinear(i, i) for i in amperes])
        self._scales = [float(s) for s in scales]

    @classmethod
    def by_phase(cls, calibration: Calibration, sample_hz: Fraction) -> Scaling:
        """One element for each phase, whatever the meter's form: what its voltage, current and power are."""
        return cls(form_named("9S").equation(), calibration, sample_hz)

    @property
    def units_per_wh(self) -> int:
        """How many units of energy make a watt-hour."""
        return self._energy.denominator

    def energy(self, products: Products) -> tuple[int, ...]:
        """The energy of each element in units of 1/units_per_wh Wh; their sum is what registers."""
        return self._energy.numerators(products)

    def readings(self, products: Products, samples: int) -> Readings:
        """Averages over `samples` samples, exact up to the last division and square root. All 0 for none."""
        channel = self._rms(self._channel_squares, products, samples)
        # Watts = units / units_per_wh / hours, as one division of integers.
        rate, per = self.sample_hz.as_integer_ratio()
        divisor = self.units_per_wh * samples * per
        return Readings(
            seconds=samples * per / rate,
            v_rms=channel[:3],
            i_rms=channel[3:],
            p_w=tuple(units * 3600 * rate / divisor if samples else 0.0 for units in self.energy(products)),
            s_va=tuple(
                v * i * scale
                for v, i, scale in zip(
                    self._rms(self._volt_squares, products, samples),
                    self._rms(self._ampere_squares, products, samples),
                    self._scales,
                    strict=True,
                )
            ),
        )

    @staticmethod
    def _rms(squares: IntegerForms, products: Products, samples: int) -> tuple[float, ...]:
        divisor = squares.denominator * samples
        # An element's square sums several rounded products, so near zero it may come out a unit below it.
        return tuple(sqrt(max(n, 0) / divisor) if samples else 0.0 for n in squares.numerators(products))


def _on_volts(weights: Weights, gains: Sequence[Fraction]) -> list[Fraction]:
    return [w * g for w, g in zip(weights, gains[:3], strict=True)] + [_ZERO] * 3


def _on_amperes(weights: Weights, gains: Sequence[Fraction]) -> list[Fraction]:
    return [_ZERO] * 3 + [w * g for w, g in zip(weights, gains[3:], strict=True)]


class RunTotals:
    """The products of a whole run, summed: its readings are exact until the last square root."""

    def __init__(self, scaling: Scaling) -> None:
        self._scaling = scaling
        self.samples = 0
        self._products: Products | None = None

    def add(self, products: Products, samples: int) -> None:
        """Take in one window."""
        if self._products is None:
            self._products = products
        else:
            self._products = tuple(a + b for a, b in zip(self._products, products, strict=True))
        self.samples += samples

    def readings(self) -> Readings | None:
        """The averages of the run; None before its first window."""
        if self._products is None:
            return None
        return self._scaling.readings(self._products, self.samples)
