"""Damaged load records: one clear sentence, or a reading whose doubts are told; no traceback, nothing slow."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC
from fractions import Fraction
from pathlib import Path

import pytest

from rig.errors import RigError
from rig.meter.billing.calendar import Calendar
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.record import LoadRecord
from rig.replay.intervals.values import MOST_KWH
from tests.rig.load_mutations import mutated

CLOCK = Calendar(UTC)

MOST_S = 2.0
"""Of processor time, for files of some 30 kB; on an idle machine all are below 0.2 s."""

MOST_CHARACTERS = 700
"""Of a sentence, its file's path among them: it is to be read."""


def tried(path: Path, seed: int) -> str:
    """Read the file of a seed; give what became of it."""
    path.write_bytes(mutated(seed))
    begun = time.process_time()
    try:
        load = read_intervals(path, CLOCK, stamps_end=(None, True, False)[seed % 3])
    except RigError as error:
        said = str(error)
        assert said.startswith(str(path)), seed
        assert len(said) <= MOST_CHARACTERS + len(str(path)), (seed, said)
        assert said.isprintable(), (seed, said)
        outcome = "refused"
    else:
        assert_record(load, seed)
        outcome = "told" if load.notes else "read"
    assert time.process_time() - begun < MOST_S, seed
    return outcome


def assert_record(load: LoadRecord, seed: int) -> None:
    """What is read is a record: in order, none over another, no energy below 0 or beyond what a file may hold."""
    assert load.intervals, seed
    ends = load.intervals[0].start_ns
    for one in load.intervals:
        assert ends <= one.start_ns < one.end_ns, seed
        assert len(one.energies) == len(load.columns), seed
        assert all(0 <= Fraction(energy, load.scale) <= MOST_KWH * 744 for energy in one.energies), seed
        ends = one.end_ns
    assert all(note.isprintable() for note in load.notes), (seed, load.notes)


def tally(folder: Path, seeds: range) -> Counter[str]:
    return Counter(tried(folder / "load.xml", seed) for seed in seeds)


def test_damaged_records(tmp_path: Path) -> None:
    outcomes = tally(tmp_path, range(200))
    assert min(outcomes["refused"], outcomes["told"] + outcomes["read"]) > 20, outcomes


@pytest.mark.slow
def test_ten_thousand_damaged_records(tmp_path: Path) -> None:
    outcomes = tally(tmp_path, range(10_000))
    assert min(outcomes["refused"], outcomes["told"] + outcomes["read"]) > 1000, outcomes
