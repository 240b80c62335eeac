"""Yield of a lot: what may be asked for, and meters that calibration brings into their class, or refuses."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rig.accuracy.errors import AccuracyError
from rig.accuracy.kept import Kept
from rig.accuracy.lot import constants_text, lot_meters, read_lot
from rig.hardware.config import Config, LotConfig
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


def test_a_form_that_is_not_calibrated_is_refused(tmp_path):
    with pytest.raises(AccuracyError, match="the meter is a 5S"):
        lot_meters(chosen("0.2S PF1 5"), default_program("5S"), Config(), 7, 1, Kept(tmp_path), 1, lambda done: None)


@pytest.mark.slow
def test_calibration_brings_a_meter_into_its_class(tmp_path):
    table = chosen("0.2S PF1 100", "0.2S 0.5L Imax")
    (meter,) = lot_meters(table, default_program(), Config(), 7, 1, Kept(tmp_path), 1, lambda done: None)
    assert not meter.as_found
    assert abs(meter.worst_as_found_percent) > 0.3
    assert meter.passed
    assert abs(meter.worst_percent) < 0.05
    assert meter.refused == ""


@pytest.mark.slow
def test_a_faulty_meter_is_refused_with_its_reason():
    config = Config()
    lot = LotConfig(seed=7, meter=1, fault="reversed polarity")
    config = replace(config, simulation=replace(config.simulation, lot=lot))
    text, refused = constants_text(config, default_program().file, None)
    assert text == ""
    assert "reversed" in refused
