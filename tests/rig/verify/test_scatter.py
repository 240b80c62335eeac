"""The scatter of edges against closed forms: even intervals have a standard deviation of half their width over √3."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest

from rig.verify.closures import Closure
from rig.verify.scatter import scatter_s

CONSTANT = Fraction(150_000_000)
PULSE_S = 0.075


def closures(late_s: float, half_pulses: Fraction, count: int = 2000, share: float = 1.0) -> list[Closure]:
    """Pulses of `share` of the constant each PULSE_S, each late by any part of `late_s`."""
    chance = Random(7)
    found = []
    for k in range(count):
        at_s = k * PULSE_S + chance.random() * late_s
        flowed = Fraction(at_s / PULSE_S * share) * CONSTANT
        found.append(Closure(k + 1, Fraction(at_s), flowed, None, half_pulses * CONSTANT))
    return found


@pytest.mark.parametrize("share", [1.0, 1.1, 0.9])
@pytest.mark.parametrize(("late_s", "half"), [(0.001, Fraction(0)), (0.01, Fraction(1, 9)), (0.056, Fraction(3, 8))])
def test_it_is_that_of_an_even_interval_whatever_the_constant(late_s: float, half: Fraction, share: float) -> None:
    found = closures(late_s, half, share=share)
    seconds = float(found[-1].at_s - found[0].at_s)
    assert scatter_s(found, CONSTANT, seconds) == pytest.approx(late_s / 12**0.5, rel=0.1)


def test_readings_whose_middles_are_not_pulses_apart_show_how_little_is_known() -> None:
    """A totaliser that is read each 56 ms: middles lie 56 or 112 ms apart, pulses 75 ms. Their median is no pulse."""
    found: list[Closure] = []
    for k in range(1, 3000):
        pulses = int((k * 0.056) / PULSE_S)
        if pulses > (found[-1].number if found else 0):
            middle = Fraction((k - 0.5) * 0.056)
            found.append(Closure(pulses, middle, middle / Fraction(PULSE_S) * CONSTANT, None, CONSTANT * 3 // 8))
    seconds = float(found[-1].at_s - found[0].at_s)
    assert scatter_s(found, CONSTANT, seconds) == pytest.approx(0.056 / 12**0.5, rel=0.1)
