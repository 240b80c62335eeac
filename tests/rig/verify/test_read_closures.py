"""Closures known only between two readings: what is told of readings that were timed worse than they say."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest

from rig.verify.read_closures import Moved, moves

PULSE = Fraction(1_800_000_000)


def read_five_times_a_pulse(random: Random, lost: int | None, late: float, label: Fraction = PULSE) -> list[Moved]:
    """Sixty closures with a pulse each and readings a fifth of a pulse apart, each up to `late` pulses later than it
    says; `lost` of them was not counted."""
    numbers, flowed = [], []
    for pulse in range(60):
        number = pulse - (lost is not None and pulse >= lost)
        seen = pulse + random.uniform(0, 0.2) + random.uniform(0, late)
        numbers.append(number)
        flowed.append(Fraction(seen - 0.1) * PULSE)
    if lost is not None:
        del numbers[lost], flowed[lost]
    return moves(numbers, flowed, [PULSE / 10] * len(numbers), PULSE)


@pytest.mark.parametrize("late", [0.0, 0.1, 0.25])
def test_a_reading_that_comes_late_is_no_closure_missed_or_doubled(late: float) -> None:
    found = [read_five_times_a_pulse(Random(seed), None, late) for seed in range(200)]
    assert found == [[]] * 200


@pytest.mark.parametrize("late", [0.0, 0.1, 0.25])
def test_a_closure_that_is_missing_among_late_readings_is_found_once(late: float) -> None:
    for seed in range(200):
        found = read_five_times_a_pulse(Random(seed), 30, late)
        assert [each.pulses for each in found] == [1]
        assert found[0].before <= 29 <= found[0].after + 1


def read_seldom(random: Random, apart: float, lost: int | None, label: Fraction) -> list[Moved]:
    """Two hundred pulses, and readings some `apart` pulses apart: of several since the last one the last is seen."""
    numbers, flowed, half = [], [], []
    at, before, was = random.uniform(1, 2), 0.0, 1
    while at < 200:
        counted = int(at) - (lost is not None and int(at) >= lost)
        if before and counted != was:
            numbers.append(counted)
            flowed.append(Fraction((before + at) / 2) * PULSE)
            half.append(Fraction((at - before) / 2) * PULSE)
        at, before, was = at + apart * random.uniform(0.8, 1.2), at, counted
    return moves(numbers, flowed, half, label)


@pytest.mark.parametrize("apart", [0.5, 0.9, 2.5])
@pytest.mark.parametrize("wrong", [Fraction(95, 100), Fraction(1), Fraction(105, 100)])
@pytest.mark.parametrize("lost", [None, 33, 100])
def test_a_wrong_label_is_no_closure_missed_and_hides_none(apart: float, wrong: Fraction, lost: int | None) -> None:
    found = [read_seldom(Random(seed), apart, lost, PULSE * wrong) for seed in range(10)]
    assert [[each.pulses for each in moved] for moved in found] == [[] if lost is None else [1]] * 10


def test_a_counter_that_counts_every_pulse_twice_doubles_each() -> None:
    """A constant of half is no constant that is a little wrong."""
    flowed = [(Fraction(pulse) + Fraction(1, 10)) * PULSE for pulse in range(1, 31)]
    found = moves(range(2, 62, 2), flowed, [PULSE / 10] * 30, PULSE)
    assert sum(each.pulses for each in found) == -29
    assert all(each.pulses < 0 for each in found)
