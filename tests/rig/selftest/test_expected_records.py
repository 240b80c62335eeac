"""Records that ship with the rig: the model's own, room enough for what is not known, and none for a fault."""

from __future__ import annotations

import dataclasses
import random

import msgspec
import pytest

from drivers.phantom import PhantomRegisters
from gateware.record_words import Record, RecordFlag
from gateware.registers import PHANTOM_HOLD_TICKS, Capability
from rig.selftest.expected_records import (
    ExpectedRecord,
    ExpectedRecords,
    allowed,
    compare,
    expected_records,
    sums_present,
)
from tests.rig.selftest.phantom_courses import LOAD, TICK_HZ, course, expected

ALL = list(range(57))
BEGUN = 41 * PHANTOM_HOLD_TICKS + 17
CROSSINGS = RecordFlag.START_CROSSING | RecordFlag.END_CROSSING | RecordFlag.PHANTOM


def record(known: ExpectedRecord, **changed: object) -> Record:
    """Give a record as a board would, of a load switched on at BEGUN."""
    end = (BEGUN // PHANTOM_HOLD_TICKS + known.at_sample) * PHANTOM_HOLD_TICKS
    begin = end - known.samples * PHANTOM_HOLD_TICKS
    found = Record(
        1, 1, CROSSINGS, begin, end, known.samples, 1, known.before, known.after, 0, 0, 0, 0, tuple(known.sums)
    )
    return dataclasses.replace(found, **changed)


def found_of(records: list[Record]) -> str | None:
    return compare(records, BEGUN - 300, BEGUN + 200, ALL, expected_records()).difference


def test_what_ships_is_what_the_model_gives() -> None:
    assert expected() == expected_records()


def largest_part(trials: int, seed: int) -> float:
    """Give the largest part of what it may differ by, of loads switched on at any tick, after any bits on the pins."""
    registers = PhantomRegisters.of(LOAD, TICK_HZ)
    known = {each.at_sample: each for each in expected_records().records}
    chance, worst = random.Random(seed), 0.0
    for _ in range(trials):
        tick = chance.randrange(30 * PHANTOM_HOLD_TICKS, 90 * PHANTOM_HOLD_TICKS)
        seen = course(tick, registers, chance.randrange(64))
        shared = [each for each in seen if each.at_sample in known]
        assert len(shared) >= 3
        for each in shared:
            other = known[each.at_sample]
            assert each.samples == other.samples
            limits = allowed(other)
            worst = max(worst, *(abs(a - b) / limit for a, b, limit in zip(each.sums, other.sums, limits, strict=True)))
            worst = max(worst, abs(each.before - other.before) / 8, abs(each.after - other.after) / 8)
    return worst


def test_another_switching_on_is_within_half_of_what_it_may_be() -> None:
    assert largest_part(4, 1) < 0.5


@pytest.mark.slow
def test_any_switching_on_is_within_half_of_what_it_may_be() -> None:
    assert largest_part(150, 2) < 0.5


def test_the_records_themselves_are_equal() -> None:
    finding = compare(
        [record(each) for each in expected_records().records], BEGUN - 300, BEGUN + 200, ALL, expected_records()
    )
    assert (finding.equal, finding.part, finding.difference) == (4, 0.0, None)


@pytest.mark.parametrize("place", ALL)
def test_each_sum_is_held_to_what_it_may_be(place: int) -> None:
    known = expected_records().records[1]
    limit = int(allowed(known)[place])
    for off, passes in ((limit, True), (-limit, True), (limit + 1, False), (-limit - 1, False)):
        sums = list(known.sums)
        sums[place] += off
        difference = found_of([record(known, sums=tuple(sums))])
        assert (difference is None) is passes, difference
    assert difference is not None
    assert str(known.sums[place]) in difference


def test_a_wave_that_is_off_by_its_smallest_step_is_found() -> None:
    """2⁻¹⁵ of full scale in one channel's fundamental, or 2⁻¹⁶ of a turn."""
    registers = PhantomRegisters.of(LOAD, TICK_HZ)
    for index, step in ((1, 1 << 16), (41, 1 << 16), (25, 1)):
        waves = list(registers.waves)
        waves[index] += step
        seen = course(BEGUN, PhantomRegisters(registers.step, tuple(waves)))
        assert found_of([record(each) for each in seen]) is not None, index


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"dead": 4}, "dead or clipped channels (dead 000100"),
        ({"overload": 1}, "clipped 000001"),
        ({"samples": 216}, "has 216 samples, it must have 217"),
        ({"before": -1}, "the sample before its crossing is -1"),
        ({"tick_end": 0}, "no record ended at a crossing"),
        ({"flags": RecordFlag.PHANTOM}, "no record"),
        ({"windows": 2}, "no record"),
    ],
)
def test_a_record_that_is_another_is_told(changed: dict[str, object], why: str) -> None:
    difference = found_of([record(expected_records().records[0], **changed)])
    assert difference is not None
    assert why in difference


def test_nothing_is_no_pass() -> None:
    assert found_of([]) is not None


def test_a_build_is_held_to_the_sums_that_it_has() -> None:
    assert sums_present(Capability.PRODUCTS | Capability.MEANS) == [*range(21), *range(51, 57)]
    assert sums_present(Capability.PRODUCTS | Capability.PHASORS) == [*range(21), *range(39, 51)]
    known = expected_records().records[0]
    without = record(known, sums=tuple(0 if 21 <= place < 39 else each for place, each in enumerate(known.sums)))
    places = [place for place in ALL if not 21 <= place < 39]
    assert compare([without], BEGUN, BEGUN, places, expected_records()).difference is None


def test_the_data_is_whole() -> None:
    known = msgspec.json.decode(msgspec.json.encode(expected_records()), type=ExpectedRecords)
    assert len(known.waves) == 48
    assert all(len(each.sums) == 57 for each in known.records)
