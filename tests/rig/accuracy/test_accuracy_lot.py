"""Yield of a lot: what may be asked for, and meters that calibration brings into their class, or refuses."""

from __future__ import annotations

from itertools import pairwise
from math import cos, log, radians

import pytest

from drivers.sim.components import meter_of_lot
from rig.accuracy.errors import AccuracyError
from rig.accuracy.kept import Kept
from rig.accuracy.lot import lot_meters, read_lot, taken
from rig.hardware.config import Config, LotConfig, SimulationConfig
from rig.meter.measuring.elements import FORMS
from rig.program.build import default_program
from tests.rig.accuracy.runs import chosen


@pytest.mark.parametrize(
    "text", ["", "7", "7:", ":3", "7:0", "-7:3", "7:3:1", "a:b", "7:1001", "7:1e2", "٧:3", "9" * 30]
)
def test_what_is_no_lot_is_refused(text):
    with pytest.raises(AccuracyError, match="--lot is"):
        read_lot(text)


def test_a_lot_is_a_seed_and_a_number():
    assert read_lot("7:10") == (7, 10)


def lot_of(table, tmp_path, count=1, program="9S", **simulation):
    config = Config(simulation=SimulationConfig(**simulation))
    return lot_meters(table, default_program(program), config, 7, count, Kept(tmp_path), 2, lambda done: None)


def test_a_front_end_of_its_own_beside_a_lot_is_refused(tmp_path):
    with pytest.raises(AccuracyError, match=r"simulation\.components is parts\.toml"):
        lot_of(chosen("0.2S PF1 5"), tmp_path, components="parts.toml")


def test_calibration_brings_a_meter_into_its_class(tmp_path):
    """The error of the components alone, as found, by their own closed form; a twentieth of the limit as left. Asked
    for again, nothing is calibrated or measured again."""
    table = chosen("0.2S PF1 100", "0.2S 0.5L Imax")
    (meter,), (first, last) = found = lot_of(table, tmp_path)
    parts = meter_of_lot(7, 1, 20)
    assert not meter.as_found
    assert meter.passed
    assert meter.refused == ""
    expected = 100 * (sum(_gain(parts, k, 5.0) for k in range(3)) / 3 - 1)
    assert first.as_found_percent == [pytest.approx(expected, abs=0.02)]
    assert abs(first.as_left_percent[0]) < first.limit_percent / 20
    assert abs(last.as_left_percent[0]) < last.limit_percent / 20
    assert (first.failed, last.failed) == (0, 0)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert lot_of(table, tmp_path) == found
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written
    (constants,) = tmp_path.glob("constants-*.json")
    constants.write_bytes(constants.read_bytes().replace(b"0.00", b"0.01", 1))  # a gain that is another's
    config, program = Config(simulation=SimulationConfig(lot=LotConfig(seed=7, meter=1))), default_program()
    assert taken(config, program, Kept(tmp_path)) is None


def _gain(parts, k, amperes):
    """Of a phase's watts in phase: divider, transformer with its curve by the current's logarithm, two modulators, and
    the transformer's angle."""
    volts, current = parts.channels[k], parts.channels[3 + k]
    (low, high) = next((a, b) for a, b in pairwise(current.curve) if a.amperes <= amperes <= b.amperes)
    share = log(amperes / low.amperes) / log(high.amperes / low.amperes)
    ratio = 1 + (low.ratio_percent + share * (high.ratio_percent - low.ratio_percent)) / 100
    lag = current.lag_deg + low.lag_deg + share * (high.lag_deg - low.lag_deg)
    gains = [(1 + p.ratio_percent / 100) * (1 + p.modulator_percent / 100) for p in (volts, current)]
    return gains[0] * gains[1] * ratio * cos(radians(lag))


def test_units_with_a_fault_are_refused_and_have_no_figure_as_left(tmp_path):
    """What rig.toml plants in its lot, every meter has."""
    lot = LotConfig(seed=1, meter=1, fault="reversed polarity")
    meters, (point,) = lot_of(chosen("0.2S PF1 100"), tmp_path, 2, lot=lot)
    assert all("reversed" in meter.refused for meter in meters)
    assert not any(meter.passed for meter in meters)
    assert point.as_left_percent == [None, None]
    assert all(abs(error) > 60 for error in point.as_found_percent)  # a third of the watts flows backwards


@pytest.mark.slow
@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_lot_of_every_form(form, tmp_path):
    """Constants are of channels: found on a wye, they serve a meter of any form."""
    (meter,), points = lot_of(chosen("0.2S PF1 100", "0.2S 0.5L 100"), tmp_path, program=form)
    assert not meter.as_found
    assert meter.passed, meter
    assert all(abs(error) < 0.02 for point in points for error in point.as_left_percent)
