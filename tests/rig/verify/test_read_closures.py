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


def test_a_counter_that_counts_every_pulse_twice_doubles_each() -> None:
    """A constant of half is no constant that is a little wrong."""
    flowed = [(Fraction(pulse) + Fraction(1, 10)) * PULSE for pulse in range(1, 31)]
    found = moves(range(2, 62, 2), flowed, [PULSE / 10] * 30, PULSE)
    assert sum(each.pulses for each in found) == -29
    assert all(each.pulses < 0 for each in found)
