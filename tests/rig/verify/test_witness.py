"""Statements of witnesses beside a flow made here: clean ones agree at any load, and faults part by their size."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.verify.flow import Flow
from rig.verify.witness import Statement, Witness, WitnessKind

HZ = 10_000
WINDOW = 170


class Load:
    """Power that changes from window to window; `at` gives energy in nWh by a sum of its own."""

    def __init__(self, seed: int, windows: int = 600) -> None:
        chance = Random(seed)
        self.nwh = [chance.randint(0, 40_000_000) for _ in range(windows)]
        self.flow = Flow()
        for k, nwh in enumerate(self.nwh):
            self.flow.add(k * WINDOW, (k + 1) * WINDOW, nwh)

    @property
    def end(self) -> int:
        return len(self.nwh) * WINDOW

    def at(self, tick: int) -> Fraction:
        whole, part = divmod(tick, WINDOW)
        return (
            sum(self.nwh[:whole]) + Fraction(self.nwh[whole] * part, WINDOW)
            if part
            else Fraction(sum(self.nwh[:whole]))
        )


def truncated(nwh: Fraction, unit: Fraction) -> Fraction:
    return floor(nwh / unit) * unit


def dial(
    load: Load, unit: Fraction, seed: int, lag: int = 0, freeze: int | None = None, around: int = 10**9
) -> Witness:
    """A register in whole units, going round, seen at random instants up to 300 ticks after it was looked at."""
    chance, witness = Random(seed), Witness("dial", WitnessKind.DISPLAY, "Wh", unit, around * unit)
    tick = 400 + lag
    while tick < load.end:
        looked = tick - chance.randint(0, 300) - lag
        if freeze is not None:
            looked = min(looked, freeze)
        shown = truncated(load.at(looked), unit) % (around * unit)
        witness.add(Statement(tick - 300, tick, shown, shown + unit))
        tick += chance.randint(1, 2000)
    witness.settle(load.flow)
    return witness


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), unit=st.integers(1, 3 * 10**9), around=st.integers(2, 10**6))
def test_a_dial_that_is_right_agrees_whatever_the_load_and_its_digits(seed: int, unit: int, around: int) -> None:
    """Where it goes round in less than it can be off, nothing could be said: of 2 digits in a load of many."""
    witness = dial(Load(seed), Fraction(unit), seed, around=max(around, 60_000_000 // unit * 40 + 4))
    assert witness.parted is None
    worst = witness.worst
    assert worst is not None
    assert worst.agrees


def test_a_dial_that_lags_parts_by_what_flowed_meanwhile() -> None:
    load = Load(3)
    unit = Fraction(10**6)
    assert dial(load, unit, 5).parted is None
    steady = dial(load, unit, 5, freeze=50_000)
    parted, worst = steady.parted, steady.worst
    assert parted is not None
    assert worst is not None
    assert 50_000 < parted.at_tick < 54_000
    assert worst.difference_nwh == pytest.approx(load.at(50_000) - load.at(worst.at_tick), rel=0.05)


@pytest.mark.parametrize("runs", [pytest.param(10), pytest.param(1000, marks=pytest.mark.slow)])
def test_dials_of_a_thousand_runs_agree_and_each_that_lags_parts(runs: int) -> None:
    """Frozen for the last 4 s of 10 s, in which 4.7 Wh flow on average, a dial of 0.1 Wh is far beyond what it can be
    off: a digit, and 0.03 s of at most 2.4 Wh a second."""
    for seed in range(runs):
        load = Load(seed)
        assert dial(load, Fraction(10**8), seed).parted is None, f"seed {seed}"
        assert dial(load, Fraction(10**8), seed, freeze=60_000).parted is not None, f"seed {seed}"


def test_a_tolerance_is_a_digit_and_what_flows_while_it_is_looked_at() -> None:
    """A dial of 1 Wh, looked at every 300 ticks, at 10 nWh a tick: half of both widths, 1 Wh + 3000 nWh."""
    flow = Flow()
    flow.add(0, 100_000, 1_000_000)
    witness = Witness("dial", WitnessKind.DISPLAY, "Wh", Fraction(10**9))
    for tick in (1000, 90_000):
        witness.add(Statement(tick - 300, tick, Fraction(0), Fraction(10**9)))
    witness.settle(flow)
    (found,) = witness.compared
    assert found.tolerance_nwh == 10**9 + 3000
    assert found.reference_nwh == 890_000
    assert found.stated_nwh == 0
    assert found.agrees


@pytest.mark.parametrize(("beyond", "agrees"), [(0, True), (1, False), (-1, True)])
def test_it_parts_one_nwh_beyond_its_tolerance_and_not_at_it(beyond: int, agrees: bool) -> None:
    flow = Flow()
    flow.add(0, 1000, 1_000_000)
    witness = Witness("registers", WitnessKind.REGISTERS, "Wh", Fraction(1))
    witness.add(Statement(100, 100, Fraction(0), Fraction(0)))
    witness.add(Statement(400, 500, Fraction(400_000 + beyond), Fraction(400_000 + beyond)))
    witness.settle(flow)
    assert witness.compared[0].agrees is agrees


def pulsed(load: Load, constant: Fraction, real: Fraction, lose: int | None = None) -> Witness:
    """Edges within 10 ticks after their energy, by binary search in the load's own sum."""
    witness, chance, count, k = Witness("KYZ1", WitnessKind.PULSES, "Wh", constant), Random(8), 0, 0
    while (k + 1) * real <= load.at(load.end):
        k += 1
        low, high = 0, load.end
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if load.at(middle) < k * real else (low, middle)
        count += k != lose
        if k != lose:
            tick = low + chance.randint(0, 10)
            witness.add(Statement(tick - 11, tick, count * constant, count * constant))
    witness.settle(load.flow)
    return witness


def test_edges_of_a_varying_load_agree_and_one_that_is_lost_does_not() -> None:
    load, constant = Load(9, windows=200), Fraction(50_000_000)
    assert pulsed(load, constant, constant).parted is None
    lost = pulsed(load, constant, constant, lose=20)
    assert lost.compared[17].agrees, "number 19, compared with number 1"
    assert lost.parted is lost.compared[18], "number 21"
    assert round(lost.final.difference_nwh / constant) == -1


def test_a_constant_that_is_wrong_parts_once_it_is_beyond_the_tolerance() -> None:
    load, constant = Load(10, windows=300), Fraction(50_000_000)
    wrong = pulsed(load, constant, constant * Fraction(101, 100))
    assert wrong.parted is not None
    assert float(wrong.final.difference_nwh / wrong.final.reference_nwh) == pytest.approx(-1 / 101, rel=0.1)


def test_what_was_before_the_first_window_is_left_out_and_what_is_not_known_yet_waits() -> None:
    flow = Flow()
    witness = Witness("registers", WitnessKind.REGISTERS, "Wh", Fraction(1))
    witness.add(Statement(5, 5, Fraction(0), Fraction(0)))
    witness.settle(flow)
    flow.add(10, 20, 100)
    witness.add(Statement(15, 15, Fraction(50), Fraction(50)))
    witness.add(Statement(30, 30, Fraction(200), Fraction(200)))
    witness.settle(flow)
    assert witness.compared == []
    flow.add(20, 30, 100)
    witness.settle(flow)
    (found,) = witness.compared
    assert (found.stated_nwh, found.reference_nwh, found.tolerance_nwh) == (150, 150, 0)
