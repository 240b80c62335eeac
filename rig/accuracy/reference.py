"""The true energy of what is applied, in closed form, between any two instants.

Each voltage and current is a sum of harmonics, x(t) = Σ c_k e^(jkωt), k from −H to H. The product of two is such a sum,
its coefficients the convolution of theirs, and so the integral of power is

    ∫ p dt = p_0 (t₁ − t₀) + Σ_{k≠0} p_k (e^(jkωt₁) − e^(jkωt₀)) / (jkω),

exact for part cycles too: nothing depends on where a window ends. Reactive power is that of the voltage's fundamental,
a quarter of a cycle late, with the current. A course of several states is integrated state by state.
"""

from __future__ import annotations

from cmath import exp
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import pi, radians, sqrt

import numpy as np
import numpy.typing as npt

from drivers.sim.source import GRID_TICKS
from drivers.sim.waves import Course, LoadState, Wave
from rig.meter.billing.time_units import HOUR_S
from rig.meter.measuring.elements import ElementEquation

Coefficients = npt.NDArray[np.complex128]


class Reference:
    """True energy of a course from its begin on, as the elements of an equation see it.

    `grid_hz` is the rate of the points at which the source changes from one state to the next, `phase` the phase it
    begins with, in 2⁻⁶⁴ turns, as in drivers/sim/synthetic.py.
    """

    def __init__(self, course: Course, equation: ElementEquation, f_mod: Fraction, phase: int = 0) -> None:
        self._course, self._equation = course, equation
        self._grid_hz = f_mod / GRID_TICKS
        self._turn = phase / 2**64
        self._powers: dict[tuple[int, bool], Coefficients] = {}

    def watt_hours(self, begin_s: float, end_s: float) -> float:
        """Active energy."""
        return self._energy(begin_s, end_s, reactive=False)

    def var_hours(self, begin_s: float, end_s: float) -> float:
        """Reactive energy of the fundamental, positive where the current lags."""
        return self._energy(begin_s, end_s, reactive=True)

    def _energy(self, begin_s: float, end_s: float, *, reactive: bool) -> float:
        total = 0.0
        for k, first, last in self._stretches(begin_s, end_s):
            omega = 2 * pi * self._course.steps[k].state.frequency_hz
            total += _integral(self._power(k, reactive), omega, first, last)
        return total / HOUR_S

    def _stretches(self, begin_s: float, end_s: float) -> list[tuple[int, float, float]]:
        """Give which state is applied between which instants."""
        steps, repeat_s = self._course.steps, self._course.repeat_s
        if len(steps) == 1:
            return [(0, begin_s, end_s)]
        changes: list[tuple[int, float]] = []
        lap = 0
        while True:
            offset = Fraction(0) if repeat_s is None else lap * Fraction(repeat_s)
            changes += [(k, self._change(Fraction(step.time_s) + offset)) for k, step in enumerate(steps)]
            if repeat_s is None or changes[-1][1] > end_s:
                break
            lap += 1
        changes.append((len(steps) - 1 if repeat_s is None else 0, float("inf")))
        found = []
        for (k, first), (_, last) in pairwise(changes):
            if (a := max(first, begin_s)) < (b := min(last, end_s)):
                found.append((k, a, b))
        return found

    def _change(self, time_s: Fraction) -> float:
        """Give the middle between the last point of one state and the first of the next."""
        point = round(time_s * self._grid_hz)
        return float((point - Fraction(1, 2)) / self._grid_hz) if point else -1.0

    def _power(self, k: int, reactive: bool) -> Coefficients:
        if (k, reactive) not in self._powers:
            self._powers[k, reactive] = self._power_of(self._course.steps[k].state, reactive)
        return self._powers[k, reactive]

    def _power_of(self, state: LoadState, reactive: bool) -> Coefficients:
        waves = state.channels
        most = max([1, *(order for wave in waves for order in wave.harmonics)])
        channels = [_coefficients(wave, most, self._turn) for wave in waves]
        if reactive:
            channels[:3] = [_late(channel, most) for channel in channels[:3]]
        total = np.zeros(4 * most + 1, np.complex128)
        for element in self._equation.elements:
            volts = _combined(element.volt_weights, channels[:3])
            amperes = _combined(element.ampere_weights, channels[3:])
            total += float(element.scale) * np.convolve(volts, amperes)
        return total


def _coefficients(wave: Wave, most: int, turn: float) -> Coefficients:
    found = np.zeros(2 * most + 1, np.complex128)
    found[most] = wave.dc
    for order, (share, angle) in {1: (1.0, 0.0), **wave.harmonics}.items():
        half = (
            wave.rms * share / sqrt(2) * exp(1j * (order * (radians(wave.angle_deg) + 2 * pi * turn) + radians(angle)))
        )
        found[most + order], found[most - order] = half, half.conjugate()
    return found


def _late(channel: Coefficients, most: int) -> Coefficients:
    """Give the fundamental alone, a quarter of a cycle later."""
    found = np.zeros_like(channel)
    found[most + 1], found[most - 1] = -1j * channel[most + 1], 1j * channel[most - 1]
    return found


def _combined(weights: Sequence[Fraction], channels: Sequence[Coefficients]) -> Coefficients:
    return np.asarray(sum(float(weight) * channel for weight, channel in zip(weights, channels, strict=True)))


def _integral(power: Coefficients, omega: float, begin_s: float, end_s: float) -> float:
    most = len(power) // 2
    orders = np.arange(1, most + 1)
    ends = np.exp(1j * omega * orders * end_s) - np.exp(1j * omega * orders * begin_s)
    swing = 2 * np.real(power[most + 1 :] * ends / (1j * omega * orders)).sum()
    return float(power[most].real * (end_s - begin_s) + swing)
