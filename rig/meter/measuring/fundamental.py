"""The fundamental of every channel, from the sums with the line-frequency oscillator (Q-3, Q-6).

Over one window a channel is taken as x[n] = Re(X·e^(jωn)) plus the rest, ω from the measured line frequency. The record
has Z = Σ x[n]·e^(−jΩn), Ω the oscillator's step, and for a pure fundamental

    Z = p·X + q·X*,   p = ½·D(ω − Ω),   q = ½·D(−ω − Ω),   D(α) = Σ e^(jαn) over the window,

which is solved for X. Neither need the window be a whole number of cycles, nor Ω equal ω: q and the sums of D take
care of both. Harmonics do leak: a share of about (ω − Ω)/ω, hence the oscillator follows the line
(rig/meter/measuring/oscillator.py), and of u/N, u the part of a sample by which the window is not whole cycles. That
is at most 1/N in one window, and over windows in a row no more, as each one's end is the next one's beginning.
"""

from __future__ import annotations

from cmath import rect
from dataclasses import dataclass
from fractions import Fraction
from math import pi, sin

from gateware.record_words import OSCILLATOR_AMPLITUDE, PRODUCTS, Record
from gateware.registers import Channel
from rig.meter.measuring.products import NONE, SQUARES, Mean, Products, added

OFF_LINE = 0.005
"""An oscillator further than this share from the line lets too much of the harmonics in: no fundamental."""

SLIP_CYCLES = 0.25
"""Nor is there one where oscillator and line drift apart by more than this within a (long) record."""


@dataclass(frozen=True)
class Fundamental:
    """Fundamentals of the channels over `samples` samples, as integers in codes squared.

    For channels a and b in the order of PRODUCTS `along` is Σ ½·Re(X_a·X_b*) and `across` Σ ½·Im(X_a·X_b*), positive
    where b lags a: of a voltage and a current they are active and reactive power, as the linear forms of the products
    take them. `rest` is by channel what its fundamental and its mean leave of Σ x², the harmonics' part.
    """

    samples: int
    along: Products
    across: Products
    rest: tuple[int, ...]

    def __add__(self, other: Fundamental) -> Fundamental:
        return Fundamental(
            self.samples + other.samples,
            added(self.along, other.along),
            added(self.across, other.across),
            added(self.rest, other.rest),
        )


NO_FUNDAMENTAL = Fundamental(0, NONE, NONE, (0,) * len(Channel))


class FundamentalFit:
    """Finds the fundamental in records of one sample rate."""

    def __init__(self, sample_hz: Fraction) -> None:
        self._sample_hz = float(sample_hz)

    def of(self, record: Record, mean: Mean, products: Products, hz: float | None) -> Fundamental:
        """The fundamental in a window of line frequency `hz`, whose `products` are free of DC.

        NO_FUNDAMENTAL without a frequency, and where the oscillator was not near it (a step of 0: there is none).
        """
        n = record.samples
        turns = record.oscillator_step / 2**32
        if hz is None or not n:
            return NO_FUNDAMENTAL
        slip = abs(hz / self._sample_hz - turns) * n
        if slip > min(OFF_LINE * n * hz / self._sample_hz, SLIP_CYCLES):
            return NO_FUNDAMENTAL
        line, own = 2 * pi * hz / self._sample_hz, 2 * pi * turns
        p, q = _turning(line - own, n) / 2, _turning(-line - own, n) / 2
        determinant = abs(p) ** 2 - abs(q) ** 2
        unit = _turning(-own, n)
        dc = [s / mean.samples for s in mean.sums]
        found = []
        for c in Channel:
            cosine, sine = record.phasor(c)
            z = complex(cosine, -sine) / OSCILLATOR_AMPLITUDE - dc[c] * unit
            found.append((p.conjugate() * z - q * z.conjugate()) / determinant)
        once, twice = _turning(line, n), _turning(2 * line, n)
        # What this window's own mean has beyond the mean so far and the fundamental's part of a cycle is no distortion.
        constants = [(record.mean_sum(c) - (found[c] * once).real) / n - dc[c] for c in Channel]
        crossed = [n / 2 * found[a] * found[b].conjugate() for a, b in PRODUCTS]
        return Fundamental(
            samples=n,
            along=tuple(round(x.real) for x in crossed),
            across=tuple(round(x.imag) for x in crossed),
            rest=tuple(
                products[square] - round(abs(x) ** 2 * n / 2 + (x * x * twice).real / 2 + n * constant**2)
                for x, square, constant in zip(found, SQUARES, constants, strict=True)
            ),
        )


def _turning(angle: float, n: int) -> complex:
    """Σ e^(j·angle·k) for k from 0 to n − 1."""
    half = sin(angle / 2)
    return rect(sin(angle * n / 2) / half, angle * (n - 1) / 2) if half else complex(n)
