"""Expectation of a meter's figures under a load, in closed form: sums over its elements, harmonic by harmonic."""

from __future__ import annotations

from cmath import rect
from collections.abc import Iterator
from math import radians, sqrt

from drivers.sim.waves import LoadState, Wave
from rig.meter.measuring.elements import ElementEquation, Weights


def active_power_w(state: LoadState, equation: ElementEquation) -> float:
    """Give the watts that elements of that equation register, positive when delivered. DC is none of it."""
    return sum(power.real for power in _powers(state, equation, _orders(state)))


def reactive_power_var(state: LoadState, equation: ElementEquation) -> float:
    """Give the vars of the fundamental, positive when the current lags delivered power."""
    return sum(power.imag for power in _powers(state, equation, {1}))


def rms(wave: Wave) -> float:
    """Give volts or amperes r.m.s., harmonics included, without DC."""
    return wave.rms * sqrt(1 + sum(fraction**2 for fraction, _ in wave.harmonics.values()))


def _powers(state: LoadState, equation: ElementEquation, orders: set[int]) -> Iterator[complex]:
    for order in orders:
        phasors = [_phasor(wave, order) for wave in state.channels]
        for element in equation.elements:
            volts = _sum(element.volt_weights, phasors[:3])
            amperes = _sum(element.ampere_weights, phasors[3:])
            yield float(element.scale) * volts * amperes.conjugate()


def _orders(state: LoadState) -> set[int]:
    return {1}.union(*(wave.harmonics for wave in state.channels))


def _phasor(wave: Wave, order: int) -> complex:
    """Give it r.m.s., at the fundamental's time zero."""
    fraction, angle_deg = (1.0, 0.0) if order == 1 else wave.harmonics.get(order, (0.0, 0.0))
    return rect(wave.rms * fraction, radians(order * wave.angle_deg + angle_deg))


def _sum(weights: Weights, phasors: list[complex]) -> complex:
    return sum((float(w) * p for w, p in zip(weights, phasors, strict=True)), 0j)
