"""Units of a virtual lot on the bench: calibrated, or refused; and what their components alone come to."""

from __future__ import annotations

import math
from pathlib import Path

from calibration.constants import Calibration
from calibration.plan import Ratings, verifying
from calibration.solve import Solution
from drivers.sim.components import ChannelParts, Components, Currents, Fault, meter_of_lot
from rig.accuracy.under_test import meter_under_test, provenance_of_test
from rig.calibrate.model_unit import ModelUnit
from rig.calibrate.result import CalibrationResult
from rig.calibrate.run import Job, calibrate
from rig.calibrate.session import CalibrationSession, Terms
from rig.calibrate.simulated_unit import SimulatedUnit
from rig.hardware.config import Config, LotConfig, SimulationConfig
from rig.program.build import default_program

SEED = 17


def bench(number: int, folder: Path, currents: Currents = "transformers", fault: Fault = "none") -> CalibrationResult:
    """Calibrate meter `number`, its session in a folder: the result. Raises UnitRefused."""
    return calibrated_by(ModelUnit, number, folder, currents, fault)[1]


def calibrated_constants(number: int, folder: Path) -> Calibration:
    """Calibrate meter `number` with transformers: its constants."""
    return calibrated_by(ModelUnit, number, folder)[0].calibration


def calibrated_by(
    kind: type[ModelUnit | SimulatedUnit],
    number: int,
    folder: Path,
    currents: Currents = "transformers",
    fault: Fault = "none",
) -> tuple[Solution, CalibrationResult]:
    """Calibrate meter `number` as a unit of a kind."""
    lot = LotConfig(seed=SEED, meter=number, currents=currents, fault=fault)
    config, program = Config(simulation=SimulationConfig(lot=lot)), default_program("9S")
    unit = kind(config, program)
    terms = Terms(unit.board, "", unit.calibration.digest, unit.truth.name, 0.02)
    job = Job(
        unit,
        lambda calibration: kind(config, program, calibration),
        Ratings(120.0, 20.0, 60.0, currents == "transformers"),
        CalibrationSession(folder / f"{number}.session", terms),
        unit.board,
        "2026-11-30",
        "",
        0.02,
        provenance_of_test(program, config, meter_under_test(program, config)),
    )
    return calibrate(job)


def expected_percent(number: int, currents: Currents) -> dict[str, tuple[float, ...]]:
    """Errors of the watts by point and phase, of the components alone, under nominal constants: (1 + r_v)(1 + r_i)
    cos(φ + β) / cos φ − 1, with the curve taken evenly by the current's logarithm."""
    parts = meter_of_lot(SEED, number, 20, currents)
    return {
        plan.name: tuple(_error(parts, k, plan.amperes, plan.lag_deg) for k in range(3))
        for plan in verifying(Ratings(120.0, 20.0, 60.0, currents == "transformers"))
    }


def _error(components: Components, k: int, amperes: float, lag_deg: float) -> float:
    volts, current = components.channels[k], components.channels[3 + k]
    ratio, late = _curve(current, amperes)
    gain = _gain(volts) * _gain(current) * ratio
    return 100 * (gain * math.cos(math.radians(lag_deg + late)) / math.cos(math.radians(lag_deg)) - 1)


def _gain(parts: ChannelParts) -> float:
    return (1 + parts.ratio_percent / 100) * (1 + parts.modulator_percent / 100)


def _curve(parts: ChannelParts, amperes: float) -> tuple[float, float]:
    points = [(math.log(p.amperes), 1 + p.ratio_percent / 100, p.lag_deg) for p in parts.curve]
    if not points:
        return 1.0, parts.lag_deg
    x = min(max(math.log(amperes), points[0][0]), points[-1][0])
    n = max(1, next(n for n, point in enumerate(points) if x <= point[0]))
    (x0, r0, l0), (x1, r1, l1) = points[n - 1], points[n]
    share = (x - x0) / (x1 - x0)
    return r0 + share * (r1 - r0), parts.lag_deg + l0 + share * (l1 - l0)
