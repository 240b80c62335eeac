"""A running meter as the unit, a person at the standard: the real process, and other constants computed."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import pytest
from msgspec.structs import replace as changed

from calibration.constants import CurveConstants
from calibration.observation import PointPlan, Purpose
from calibration.solve import Truth
from rig.calibrate.errors import CalibrateError
from rig.calibrate.predicted import PredictedUnit
from rig.calibrate.running_unit import SAMPLES, RunningUnit
from rig.calibrate.truths import Hand
from rig.daemon.address import runtime_folder
from rig.daemon.client import MeterClient
from rig.daemon.launch import Launched
from rig.daemon.startup import Start
from rig.hardware.config import Config, LotConfig
from rig.hardware.hardware import calibration_of
from rig.load.spelling import read_load

pytestmark = pytest.mark.slow

PLAN = PointPlan("5 A, 60° lagging", Purpose.SOLVE, 120.0, 5.0, 60.0, 60.0)
LOT = "[simulation]\nlot = { seed = 7, meter = 12 }\n"


def test_a_running_meter_is_read_beside_a_standard() -> None:
    config = Config()
    load = read_load("120 V, 5 A, pf 0.5 lag", "--load ")
    simulation = changed(config.simulation, load=load, lot=LotConfig(seed=7, meter=12))
    config = changed(config, simulation=simulation)
    socket = runtime_folder() / "calibrated.sock"
    launched = Launched(Start(config, str(socket)))
    with MeterClient.connect(socket, "verification", "test") as client:
        launched.begin()
        said = iter(["", "120 5 300", "120 5 300", "120 5 300"] * 3)
        calibration = calibration_of(config, 20)
        unit = RunningUnit(client, calibration, "", Hand(lambda text: next(said)), Truth("hand", 0.02, 0.003))
        unit.apply(PLAN)
        samples = list(islice(unit.samples(), SAMPLES))
        assert len({sample.meter for sample in samples}) == SAMPLES, "each second is another reading"
        # By the lot's parts in plain numbers: v3 is 2.14 % up, i3 0.24 %, and its transformer leads 0.09°.
        watts = samples[0].meter[2].watts
        assert watts == pytest.approx(300 * 1.02277 * 0.99866 * 1.00405 * 0.99833 * 1.0026, rel=1e-3)
        wide = replace(calibration.channels[5], gain=calibration.channels[5].gain * Fraction(99, 100), delay_ticks=13)
        bent = replace(wide, curve=(CurveConstants(Fraction(1)), CurveConstants(Fraction(25), Fraction(101, 100))))
        other = replace(calibration, channels=(*calibration.channels[:5], bent))
        predicted = PredictedUnit(unit, other)
        predicted.apply(PLAN)
        (sample,) = islice(predicted.samples(), 1)
        # Half of the curve by logarithm, 0.5 %; 13 ticks of 0.00648° at 60°.
        later = math.cos(math.radians(60 + 13 * 0.00648)) / math.cos(math.radians(60))
        assert sample.meter[2].watts == pytest.approx(watts * 0.99 * 1.005 * later, rel=2e-4)
        assert sample.meter[0].watts == pytest.approx(samples[0].meter[0].watts, rel=2e-4)
        with pytest.raises(CalibrateError, match=r"the meter meters with the constants .*: start the meter anew"):
            RunningUnit(client, other, "", Hand(lambda text: ""), Truth("hand", 0.02, 0.003))
        launched.process.terminate()
    launched.wait()
