"""The budget against numbers from the GUM's own formulas, worked out here, and against simulated counting."""

from __future__ import annotations

from math import inf, sqrt
from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.budget import Component, Shape, budget, pulses_needed


def test_the_divisors_are_those_of_the_gum() -> None:
    """GUM 4.3.7 and 4.3.9: a/√3 of a rectangle, a/√6 of a triangle."""
    found = [Component("", 1.0, shape).standard_percent for shape in Shape]
    assert found == pytest.approx([1.0, 0.5773502692, 0.4082482905])


def test_components_add_as_squares_and_the_expanded_uncertainty_is_twice_that() -> None:
    made = budget([[Component("a", 0.03), Component("b", 0.04)]], [0.1])
    assert made.combined_percent == pytest.approx(0.05)
    assert made.expanded_percent == pytest.approx(0.1)
    assert made.freedom == inf


def test_only_what_is_random_lessens_with_repeats() -> None:
    parts = [Component("counting", 0.04, random=True), Component("reference", 0.03)]
    made = budget([parts] * 4, [0.1, 0.11, 0.1, 0.11])  # they scatter by 0.0058, less than counting explains
    assert made.combined_percent == pytest.approx(sqrt(0.02**2 + 0.03**2))
    assert {part.source for part in made.components} == {"counting", "reference"}


def test_scatter_beyond_what_is_explained_takes_its_place() -> None:
    parts = [Component("counting", 0.001, random=True), Component("reference", 0.03)]
    errors = [0.0, 0.2, 0.0, 0.2]  # s = 0.11547 with 3 degrees of freedom
    made = budget([parts] * 4, errors)
    assert made.combined_percent == pytest.approx(sqrt((0.1154700538 / 2) ** 2 + 0.03**2))
    assert "counting" not in {part.source for part in made.components}
    assert made.freedom == pytest.approx(3 * made.combined_percent**4 / 0.0577350269**4)


@pytest.mark.parametrize("errors", [[], [0.1]])
def test_an_error_for_each_repeat(errors: list[float]) -> None:
    with pytest.raises(ValueError, match="repeats have"):
        budget([[], []] if errors else [], errors)


def test_the_interval_of_a_gate_that_knows_no_edges_holds_the_truth_in_95_of_100() -> None:
    """Counting in a gate that opens and closes at any phase: errors of a triangle of ±1 pulse. Of it ±2/√6 hold
    1 − (1 − 2/√6)² = 96.6 %; of 4000 tries ±0.9 % is three standard deviations."""
    chance, inside, tries, length = Random(14), 0, 4000, 250.0
    for _ in range(tries):
        begin = chance.random() * 1000
        end = begin + length + chance.random()
        counted, true = int(end) - int(begin), end - begin
        part = Component("count", 100 / true, Shape.TRIANGULAR, random=True)
        error = 100 * (counted - true) / true
        inside += abs(error) <= budget([[part]], [error]).expanded_percent
    assert inside / tries == pytest.approx(0.966, abs=0.009)


def test_the_interval_of_repeats_that_scatter_holds_the_truth() -> None:
    """Thirty repeats of normal scatter: the interval of their mean with k = 2 holds it in 94.5 % (Student, 29)."""
    chance, inside, tries = Random(15), 0, 1500
    for _ in range(tries):
        errors = [chance.gauss(0.3, 0.05) for _ in range(30)]
        made = budget([[Component("count", 1e-6, random=True)]] * 30, errors)
        inside += abs(fmean(errors) - 0.3) <= made.expanded_percent
    assert inside / tries == pytest.approx(0.945, abs=0.02)


@given(
    wanted=st.floats(0.001, 10),
    random=st.floats(0.0001, 1),
    lasting=st.floats(0, 0.01),
)
def test_as_many_pulses_as_needed_reach_it_and_one_less_does_not(wanted: float, random: float, lasting: float) -> None:
    def reached(pulses: int) -> float:
        parts = [Component("count", 100 * random / pulses, random=True), Component("rest", lasting)]
        return budget([parts], [0.0]).expanded_percent

    needed = pulses_needed(wanted, random, lasting)
    if needed is None:
        assert 2 * lasting >= wanted
        return
    assert reached(needed) <= wanted * (1 + 1e-9)
    assert needed == 1 or reached(needed - 1) > wanted * (1 - 1e-9)


@pytest.mark.parametrize("wanted", [0.0, -1.0, float("nan")])
def test_no_count_reaches_nothing(wanted: float) -> None:
    with pytest.raises(ValueError, match="give more than 0"):
        pulses_needed(wanted, 0.4)
