"""Waveforms of the accuracy tests, each as the harmonics of its voltage and of its current.

A harmonic is (order, share of the fundamental, degrees at its own frequency), of cosines: the fundamental is at its
crest at 0°, in phase with the other at unity power factor. Where a standard gives sines, its angle is turned by
90° · (order − 1). Waves that a standard describes in words, a phase-fired current and a half-wave, are their Fourier
series up to MOST_ORDER, so that what is applied has a band and its power a closed form. Burst and overcurrent are
courses over time: the sine, switched (`Gate`).

Sources: the fifth, IEC 62053-22 8.2; quadriform and peaked, OIML R 46-1:2012 6.3.9; phase-fired, half-wave and burst,
IEC 62053-21 annexes A to C. No public text has the shapes of ANSI C12.20-2015's pulse and multiple zero crossings:
those here were chosen to have the property that names them (docs/decisions/109-test-points.md).
"""

from __future__ import annotations

from cmath import phase
from dataclasses import dataclass
from enum import Enum
from math import cos, degrees, pi, radians, sin

Harmonic = tuple[int, float, float]

MOST_ORDER = 53
"""The last harmonic of 60 Hz in the meter's band of 3.2 kHz."""

PULSE_WIDTH_DEG = 60.0
"""Of the pulse current, a raised cosine around each crest of the voltage."""


class Gate(Enum):
    """Course of a current over time."""

    STEADY = "steady"
    BURST = "two cycles on, two off"
    OVERCURRENT = "20 Imax for half a second, then the point's own current"


@dataclass(frozen=True)
class Waveform:
    """A waveform: harmonics of the voltage and of the current, the current's DC in parts of its fundamental's crest.

    `scale` is the fundamental of the current, per ampere of the point: of a wave that is cut out of a sine the point's
    current is that sine's.
    """

    volts: tuple[Harmonic, ...] = ()
    amperes: tuple[Harmonic, ...] = ()
    dc: float = 0.0
    scale: float = 1.0
    turned_deg: float = 0.0
    gate: Gate = Gate.STEADY


def _from_sines(*harmonics: Harmonic) -> tuple[Harmonic, ...]:
    """Turn harmonics of sines into those of cosines: sin(hx + a) with x = y + 90° is cos(hy + 90°·(h − 1) + a)."""
    return tuple((h, share, (a + 90.0 * (h - 1)) % 360.0) for h, share, a in harmonics)


def _cut(begin_deg: float, end_deg: float, *, both_halves: bool) -> Waveform:
    """Give the series of cos y between two angles of y, and of the other half-wave too if `both_halves`."""
    begin, end = radians(begin_deg), radians(end_deg)
    halves = 2 if both_halves else 1  # the other is the same, half a cycle later and of the other sign

    def coefficient(order: int) -> complex:  # of the cosine, and of the sine as the imaginary part
        cosine = _integral_cos_cos(order, end) - _integral_cos_cos(order, begin)
        sine = _integral_cos_sin(order, end) - _integral_cos_sin(order, begin)
        return complex(cosine, sine) * halves / pi

    first = coefficient(1)
    rest = []
    for order in range(3, MOST_ORDER + 1, 2) if both_halves else range(2, MOST_ORDER + 1):
        found = coefficient(order)
        if abs(found) > 1e-12:
            # A cos(hy − φ) beside cos(y − ψ), the fundamental: relative to that its angle is hψ − φ.
            rest.append((order, abs(found) / abs(first), degrees(order * phase(first) - phase(found)) % 360.0))
    mean = 0.0 if both_halves else (sin(end) - sin(begin)) / (2 * pi)
    return Waveform(amperes=tuple(rest), dc=mean / abs(first), scale=abs(first), turned_deg=-degrees(phase(first)))


def _integral_cos_cos(order: int, y: float) -> float:
    """Give ∫ cos y · cos(order y) dy."""
    if order == 1:
        return y / 2 + sin(2 * y) / 4
    return (sin((order + 1) * y) / (order + 1) + sin((order - 1) * y) / (order - 1)) / 2


def _integral_cos_sin(order: int, y: float) -> float:
    """Give ∫ cos y · sin(order y) dy."""
    if order == 1:
        return sin(y) ** 2 / 2
    return -(cos((order + 1) * y) / (order + 1) + cos((order - 1) * y) / (order - 1)) / 2


def _pulse() -> Waveform:
    """Give the series of a raised cosine of PULSE_WIDTH_DEG around 0°, and its negative around 180°."""
    half = radians(PULSE_WIDTH_DEG) / 2

    def coefficient(order: int) -> float:  # (2/π) ∫ over ±half of (1 + cos(πy/half))/2 · cos(order y)
        def primitive(rate: float) -> float:
            return 2 * (half if rate == 0 else sin(rate * half) / rate)

        beside = pi / half
        return (primitive(order) + (primitive(order + beside) + primitive(order - beside)) / 2) / pi

    first = coefficient(1)
    rest = [(order, coefficient(order) / first) for order in range(3, MOST_ORDER + 1, 2)]
    return Waveform(amperes=tuple((order, abs(share), 0.0 if share > 0 else 180.0) for order, share in rest))


_QUADRIFORM_V = ((3, 0.038, 180.0), (5, 0.024, 180.0), (7, 0.017, 180.0), (11, 0.011, 180.0), (13, 0.008, 180.0))
_QUADRIFORM_I = ((3, 0.3, 0.0), (5, 0.18, 0.0), (7, 0.14, 0.0), (11, 0.09, 0.0), (13, 0.05, 0.0))
_PEAKED_V = ((3, 0.038, 0.0), (5, 0.024, 180.0), (7, 0.017, 0.0), (11, 0.01, 0.0), (13, 0.008, 180.0))
_PEAKED_I = ((3, 0.3, 180.0), (5, 0.18, 0.0), (7, 0.14, 180.0), (11, 0.09, 180.0), (13, 0.05, 0.0))

WAVEFORMS: dict[str, Waveform] = {
    "sinusoid": Waveform(),
    "fifth": Waveform(_from_sines((5, 0.1, 0.0)), _from_sines((5, 0.4, 0.0))),
    "quadriform": Waveform(_from_sines(*_QUADRIFORM_V), _from_sines(*_QUADRIFORM_I)),
    "peaked": Waveform(_from_sines(*_PEAKED_V), _from_sines(*_PEAKED_I)),
    "phase-fired": _cut(0.0, 90.0, both_halves=True),
    "half-wave": _cut(-90.0, 90.0, both_halves=False),
    "pulse": _pulse(),
    "current crossings": Waveform(amperes=_from_sines((3, 0.4, 180.0))),
    "voltage crossings": Waveform(volts=_from_sines((3, 0.4, 180.0))),
    "burst": Waveform(gate=Gate.BURST),
    "overcurrent": Waveform(gate=Gate.OVERCURRENT),
}
"""Every waveform by its name. Phase-fired: on from a quarter after each zero to the next zero."""
