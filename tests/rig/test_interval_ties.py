"""Equal demands of a load's record tie in the meter, and the first is the maximum (review A-12): against rationals."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from rig.meter.billing.quantity import Quantity
from rig.program.build import load_program
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.replay import Replay

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def replayed(folder: Path, minutes: int, demand: int, kwh: list[str], more: str = "") -> Replay:
    program = folder / "meter.toml"
    program.write_text(f'[demand]\ninterval_minutes = {demand}\nquantities = ["kW delivered"]\n{more}')
    lines = [f"{(BEGIN + timedelta(minutes=minutes * k)).isoformat()},{cell}" for k, cell in enumerate(kwh, 1)]
    load = folder / "load.csv"
    load.write_text("\n".join(["time,kwh_delivered", *lines]))
    built = load_program(program)
    replay = Replay(read_intervals(load, built.billing.calendar, stamps_end=True), built)
    replay.run()
    return replay


def demands(minutes: int, demand: int, kwh: list[str], multiplier: Fraction) -> list[tuple[Fraction, int]]:
    """By demand interval kW in rationals, with the minute at which it ends; each minute has an equal share."""
    by_minute = [Fraction(cell) / minutes for cell in kwh for _ in range(minutes)]
    whole = range(0, len(by_minute) - demand + 1, demand)
    return [(sum(by_minute[at : at + demand], Fraction()) * 60 / demand / multiplier, at + demand) for at in whole]


def minute(at_ns: int | None) -> int:
    assert at_ns is not None
    return (at_ns // 10**9 - int(BEGIN.timestamp())) // 60


def test_of_an_hour_in_three_blocks_the_first_is_the_maximum(tmp_path: Path) -> None:
    kwh = ["1"] * 24
    kwh[11] = "31.0985"
    found = replayed(tmp_path, 60, 20, kwh).billing.registers.demand
    assert found is not None
    peaks = [(minute(peak.at_ns), Fraction(peak.value, 10**12)) for peak in found.peaks()]
    assert [at for at, _ in peaks[:4]] == [11 * 60 + 20, 11 * 60 + 40, 12 * 60, 20]
    assert all(abs(kw - Fraction("31.0985")) < Fraction(1, 10**9) for _, kw in peaks[:3])


@pytest.mark.parametrize(("minutes", "demand"), [(60, 20), (60, 15), (30, 20), (15, 15), (60, 30), (15, 60), (20, 30)])
@pytest.mark.parametrize("ratio", ["", '\n[meter]\nct_ratio = "200/3"\n'])
def test_the_maximum_and_its_instant_are_those_of_rationals(
    tmp_path: Path, minutes: int, demand: int, ratio: str
) -> None:
    """Loads of few levels tie often."""
    multiplier = Fraction(200, 3) if ratio else Fraction(1)
    for seed in range(6):
        chance = random.Random(seed)
        levels = ["0", *(f"{chance.uniform(0.1, 40):.4f}" for _ in range(3))]
        kwh = [chance.choice(levels) for _ in range(3 * 1440 // minutes)]
        replay = replayed(tmp_path, minutes, demand, kwh, ratio)
        registers = replay.billing.registers
        expected = sorted(demands(minutes, demand, kwh, multiplier), key=lambda each: (-each[0], each[1]))
        assert registers.demand is not None
        top = registers.demand.maximum(0)
        assert minute(top.at_ns) == expected[0][1], (seed, kwh)
        assert abs(Fraction(top.value, 10**12) - expected[0][0]) < Fraction(1, 10**9)
        assert [minute(peak.at_ns) for peak in registers.demand.peaks()] == [at for _, at in expected[:5]], seed
        # Rounding up is taken off again: the registers are the file's, to the parts of one interval.
        exact = sum(map(Fraction, kwh)) * 10**12 / multiplier
        assert abs(registers.energy(Quantity.KWH_DELIVERED) - exact) <= 96


def test_a_year_of_thirds_adds_up(tmp_path: Path) -> None:
    """8760 hours of 0.5 kWh, which three blocks do not divide, come to 4380 kWh, and the first block is the maximum."""
    replay = replayed(tmp_path, 60, 20, ["0.5"] * 8760)
    registers = replay.billing.registers
    assert abs(registers.energy(Quantity.KWH_DELIVERED) - 4380 * 10**12) <= 3
    assert registers.demand is not None
    assert [minute(peak.at_ns) for peak in registers.demand.peaks()] == [20, 40, 60, 80, 100]
