"""A virtual lot: as found as bad as its components, calibrated inside class 0.1S, the faulty refused by name (C-1).

`make proof` takes 100 good units and 100 faulty ones; the ordinary suite five faulty ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from lot_bench import bench, expected_percent

from drivers.sim.components import Currents, Fault
from rig.calibrate.errors import UnitRefused

FAULTS: dict[Fault, str] = {
    "dead channel": "dead channel",
    "swapped transformers": "swapped sensors",
    "wrong ratio": "wrong ratio",
    "reversed polarity": "reversed sensor",
    "noisy reference": "unsteady channel",
}
"""What is planted, and what it is called when it is found."""

CLASS_01S = {"0.2 A, in phase": 0.2, "0.4 A, 60° lagging": 0.25, "1 A, 36.87° leading": 0.25, "2 A, 60° lagging": 0.15}
CLASS_01S |= {"7 A, 60° lagging": 0.15, "7 A, 36.87° leading": 0.15, "16 A, in phase": 0.1}
"""Limits of IEC 62053-22:2020, class 0.1S, in percent: from 5 % of the class current (10 %) the narrow ones."""

FOUND = 0.02
"""Of a measurement of two seconds at the least current, 0.2 A of 20 A: noise of −95 dB of full scale, 0.01 %, k = 2."""


@pytest.mark.parametrize(("number", "fault"), list(enumerate(FAULTS)))
def test_a_faulty_unit_is_refused_by_its_fault(number: int, fault: Fault, tmp_path: Path) -> None:
    refused(number, fault, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_of_a_hundred_faulty_units_none_is_calibrated(fault: Fault, tmp_path: Path) -> None:
    for number in range(100, 120):
        refused(number, fault, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("ten", range(10))
def test_of_a_hundred_units_each_is_inside_class_0_1_s(ten: int, tmp_path: Path) -> None:
    for number in range(10 * ten, 10 * ten + 10):
        calibrated(number, "shunts" if number % 10 == 9 else "transformers", tmp_path)


def refused(number: int, fault: Fault, folder: Path) -> None:
    with pytest.raises(UnitRefused) as caught:
        bench(number, folder, fault=fault)
    assert caught.value.name == FAULTS[fault], str(caught.value)
    assert not list(folder.iterdir()), "nothing of a refused unit is kept"


def calibrated(number: int, currents: Currents, folder: Path) -> None:
    result = bench(number, folder, currents)
    expected = expected_percent(number, currents)
    assert result.passed
    verified = [point for point in result.points if point.purpose == "verify"]
    assert {point.name for point in verified} == set(CLASS_01S)
    worst = 0.0
    for point in verified:
        assert point.as_found_percent == pytest.approx(expected[point.name], abs=FOUND)
        assert point.as_left_percent is not None
        assert point.uncertainty_percent is not None
        left = max(map(abs, point.as_left_percent)) + point.uncertainty_percent
        assert left <= CLASS_01S[point.name]
        worst = max(worst, left / CLASS_01S[point.name])
    bad = max(abs(error) for point in expected.values() for error in point)
    print(f"meter {number}, {currents}: found {bad:.3f} %, left {100 * worst:.0f} % of the limits at worst")
