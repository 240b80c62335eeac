"""True energy of what is applied, against sums over finely sampled volts and amperes."""

from __future__ import annotations

from fractions import Fraction
from math import pi, radians, sqrt

import numpy as np
import pytest

from calibration.point_tables import point_table
from drivers.sim.waves import NOTHING, Course, LoadState, Step, Wave
from rig.accuracy.applied import course_of
from rig.accuracy.ratings import ratings_of
from rig.accuracy.reference import Reference
from rig.meter.measuring.elements import form_named
from rig.program.build import default_program

F_MOD = Fraction(10_000_000, 3)
SPANS = [(0.1, 0.1 + 1 / 60), (0.1234, 0.1391), (0.2, 0.2003)]
"""A cycle, most of one, and a bit."""

WYE = form_named("9S").equation()


def sampled(wave: Wave, hertz: float, t: np.ndarray, quarter: bool = False) -> np.ndarray:
    theta = 2 * pi * hertz * t + radians(wave.angle_deg)
    if quarter:  # the fundamental, a quarter of a cycle later
        return sqrt(2) * wave.rms * np.sin(theta)
    shape = np.cos(theta) + sum(share * np.cos(h * theta + radians(a)) for h, (share, a) in wave.harmonics.items())
    return sqrt(2) * wave.rms * shape + wave.dc


def summed(state: LoadState, begin: float, end: float, reactive: bool = False) -> float:
    """Watt-hours by the midpoint rule over 200 000 pieces."""
    n = 200_000
    t = begin + (np.arange(n) + 0.5) * (end - begin) / n
    power = sum(
        sampled(state.channels[k], state.frequency_hz, t, reactive)
        * sampled(state.channels[k + 3], state.frequency_hz, t)
        for k in range(3)
    )
    return float(np.mean(power) * (end - begin) / 3600)


def some_state() -> LoadState:
    volts = tuple(Wave(120 + k, -120.0 * k, {3: (0.1, 20.0), 5: (0.05, 300.0)}) for k in range(3))
    amperes = tuple(Wave(2.0 - k / 2, -120.0 * k - 35.0, {3: (0.3, 77.0), 2: (0.2, 10.0)}, dc=0.4) for k in range(3))
    return LoadState(volts, amperes, 58.8)


@pytest.mark.parametrize(("begin", "end"), SPANS)
def test_watt_hours_and_var_hours_are_the_sums(begin, end):
    state = some_state()
    reference = Reference(Course((Step(0.0, state),)), WYE, F_MOD)
    assert reference.watt_hours(begin, end) == pytest.approx(summed(state, begin, end), rel=1e-9)
    assert reference.var_hours(begin, end) == pytest.approx(summed(state, begin, end, reactive=True), rel=1e-9)


def test_a_phase_is_time_gone_by():
    state = some_state()
    course = Course((Step(0.0, state),))
    later = Reference(course, WYE, F_MOD, phase=2**62)  # a quarter of a turn
    quarter = 0.25 / state.frequency_hz
    assert later.watt_hours(0.1, 0.103) == pytest.approx(summed(state, 0.1 + quarter, 0.103 + quarter), rel=1e-8)


def test_states_are_summed_one_by_one():
    state = some_state()
    off = LoadState(state.voltages, (NOTHING,) * 3, state.frequency_hz)
    course = Course((Step(0.0, state), Step(0.01, off), Step(0.03, state)), repeat_s=0.05)
    reference = Reference(course, WYE, F_MOD)
    point = 64 / float(F_MOD)
    changes = [(round(t / point) - 0.5) * point for t in (0.05, 0.06, 0.08, 0.1, 0.11)]
    expected = summed(state, 0.052, changes[1]) + summed(state, changes[2], changes[4])
    assert reference.watt_hours(0.052, 0.125) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("name", "watts"),
    [  # of 120 V and In = 5 A, Imax = 20 A, by hand
        ("0.2S PF1 5", 3 * 120 * 0.25),
        ("0.2S 0.5L 100", 3 * 120 * 5 * 0.5),
        ("0.2S 0.8C 10", 3 * 120 * 0.5 * 0.8),
        ("0.2S single-phase load B PF1 Imax", 120 * 20),
        ("0.2S voltage -10% 1 100", 3 * 108 * 5),
        ("0.2S 5th harmonic in V and I", 3 * 120 * 10 * 1.04),
        ("0.2S reversed phase sequence", 3 * 120 * 0.5),
        ("0.2S voltage unbalance, B and C interrupted", 120 * 5),
        ("0.2S sub-harmonics (burst 2 on / 2 off)", 3 * 120 * 2.5 / 2),
    ],
)
def test_points_apply_the_power_that_they_say(name, watts):
    ratings = ratings_of(default_program())
    point = next(p for p in point_table("iec62053-22").points if p.name == name)
    course = course_of(point, ratings)
    reference = Reference(course, ratings.equation, F_MOD)
    span = 12 / course.steps[-1].state.frequency_hz  # whole bursts too
    # A burst changes at whole points of 19 µs: half of one in 33 ms at most.
    assert reference.watt_hours(0.5, 0.5 + span) * 3600 / span == pytest.approx(
        watts, rel=1e-9 if "burst" not in name else 6e-4
    )


def test_reactive_points_apply_vars():
    ratings = ratings_of(default_program())
    for name, sign in (("reactive class 2 sin0.5L 10", 1), ("reactive class 2 sin0.5C 10", -1)):
        point = next(p for p in point_table("iec62053-23").points if p.name == name)
        reference = Reference(course_of(point, ratings), ratings.equation, F_MOD)
        assert reference.var_hours(0, 1) * 3600 == pytest.approx(sign * 3 * 120 * 0.5 * 0.5, rel=1e-9)


def test_a_delta_is_metered_by_two_elements():
    from rig.accuracy.ratings import Ratings

    ratings: Ratings = ratings_of(default_program("5S"))
    point = next(p for p in point_table("iec62053-22").points if p.name == "0.2S 0.5L 100")
    reference = Reference(course_of(point, ratings), ratings.equation, F_MOD)
    volts = ratings.line.voltages[0][0]
    assert reference.watt_hours(0, 1) * 3600 == pytest.approx(sqrt(3) * volts * 5 * 0.5, rel=1e-9)


def test_a_load_alone_has_its_power_factor_between_its_own_terminals():
    ratings = ratings_of(default_program("5S"))
    volts = ratings.line.voltages[0][0]
    for phase in "AC":
        point = next(
            p for p in point_table("iec62053-22").points if p.name == f"0.2S single-phase load {phase} 0.5L 100"
        )
        reference = Reference(course_of(point, ratings), ratings.equation, F_MOD)
        assert reference.watt_hours(0, 1) * 3600 == pytest.approx(volts * 5 * 0.5, rel=1e-9)
