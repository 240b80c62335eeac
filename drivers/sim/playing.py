"""Courses of loads as sources, and the lively load of the usual meter."""

from __future__ import annotations

from fractions import Fraction

from drivers.sim.scenarios import Scenario
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import WYE, Course


def lively_load(f_mod: Fraction, current_class: int = 20) -> SyntheticLoad:
    """Give the lively load of a 4-wire wye as a source on the grid of a modulator clock, in Hz."""
    return played(f_mod, Scenario(WYE, current_class, 60.0).lively())


def played(f_mod: Fraction, course: Course) -> SyntheticLoad:
    """Give a course as a source."""
    return SyntheticLoad(f_mod, course.steps, course.repeat_s)
