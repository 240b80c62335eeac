"""Yield of a virtual lot: meters from a seed, each tested as it is found, calibrated, and tested again.

A meter is calibrated as `rig calibrate` does it in simulation, by the true waveform (rig/calibrate/run.py), its six
channels on a 4-wire wye whatever its form: constants are of channels. One that is refused, because something is wrong
with it, has not passed.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from msgspec.structs import replace as replace_struct

from calibration.errors import CalibrationError
from calibration.plan import Ratings
from calibration.point_tables import PointTable
from rig.accuracy.campaign import Progress, judged, measured
from rig.accuracy.errors import AccuracyError
from rig.accuracy.kept import Kept, code_digest
from rig.accuracy.lot_result import LotMeter, LotPoint, LotResult, lot_meter, lot_points
from rig.accuracy.plan import PlannedPoint, planned
from rig.accuracy.result import AccuracyPointResult
from rig.accuracy.under_test import MeterUnderTest, meter_texts, meter_under_test, provenance_of_test
from rig.accuracy.workers import each_on_cores
from rig.calibrate.errors import UnitRefused
from rig.calibrate.model_unit import ModelUnit
from rig.calibrate.run import Job, calibrate
from rig.calibrate.session import CalibrationSession, Terms
from rig.files.whole import FileError, write_files
from rig.hardware.config import Config, LotConfig
from rig.program.build import Program, build
from rig.program.schema import ProgramFile

WANTED_PERCENT = 0.02
"""Of a calibration: its usual uncertainty."""

BENCH_VOLTS, BENCH_HZ = 120.0, 60.0
"""Of the bench that units are calibrated on."""

CALIBRATING_SHARE = 0.15
"""Of the progress: what calibrating a lot takes of testing it at a table of thirty points."""

MOST_METERS = 1000


def read_lot(text: str) -> tuple[int, int]:
    """Read "SEED:N". Raises AccuracyError."""
    seed, _, count = text.partition(":")
    if not (seed.isascii() and seed.isdigit() and count.isascii() and count.isdigit() and len(text) < 20):
        raise AccuracyError(f'--lot is {text!r}, it must be a seed and a number of meters, such as "7:10"')
    if not 1 <= int(count) <= MOST_METERS or int(seed) > 2**32:
        raise AccuracyError(f"--lot is {text}, it must have 1 to {MOST_METERS} meters and a seed up to {2**32}")
    return int(seed), int(count)


def lot_meters(
    table: PointTable,
    program: Program,
    config: Config,
    seed: int,
    count: int,
    kept: Kept,
    jobs: int,
    progress: Progress,
) -> tuple[list[LotMeter], list[LotPoint]]:
    """Test each meter of a lot, as found and calibrated: the meters, and the points with the errors of all meters.

    What the configuration's own lot has of currents and of a fault, all meters have. Raises AccuracyError.
    """
    if config.simulation.components is not None:
        raise AccuracyError(
            f"--lot makes meters of its own, and simulation.components is {config.simulation.components}: leave one out"
        )
    configs = [_config(config, seed, number) for number in range(1, count + 1)]
    constants = _constants(configs, program, kept, jobs, lambda done: progress(CALIBRATING_SHARE * done))
    before, after = [], []
    for each, (text, refused) in zip(configs, constants, strict=True):
        meter = meter_under_test(program, each)
        before.append(_Plan.of(table, meter))
        after.append(None if refused else _Plan.of(table, replace(meter, calibration=text)))
    runs = [point for plan in (*before, *after) if plan is not None for point in plan.points]
    found = measured(runs, kept, jobs, None, lambda d: progress(CALIBRATING_SHARE + (1 - CALIBRATING_SHARE) * d))
    as_found = [judged(plan.points, table, found, plan.meter) for plan in before]
    as_left = [None if plan is None else judged(plan.points, table, found, plan.meter) for plan in after]
    return _results(as_found, as_left, [refused for _, refused in constants])


def tested_lot(
    table: PointTable, program: Program, config: Config, lot: str, kept: Kept, jobs: int, progress: Progress
) -> LotResult:
    """Test the lot that "SEED:N" names. Raises AccuracyError."""
    seed, count = read_lot(lot)
    meters, points = lot_meters(table, program, config, seed, count, kept, jobs, progress)
    passed, found = (sum(flags) for flags in ([m.passed for m in meters], [m.as_found for m in meters]))
    return LotResult(
        standard=table.key,
        title=table.title,
        accuracy_class=table.classes[0],
        seed=seed,
        passed=passed == count,
        yield_percent=100 * passed / count,
        as_found_percent=100 * found / count,
        refused=sum(bool(meter.refused) for meter in meters),
        meters=meters,
        points=points,
        meter=lot_common(program, config, seed, count),
        provenance=provenance_of_test(program, config, meter_under_test(program, config)),
    )


def lot_common(program: Program, config: Config, seed: int, count: int) -> dict[str, str]:
    """Give what a report states of all meters of a lot."""
    texts = meter_texts(program, meter_under_test(program, _config(config, seed, 1)))
    own = _config(config, seed, 1).simulation.lot
    assert own is not None
    fault = "" if own.fault == "none" else f", each with a fault: {own.fault}"
    front_end = f"lot {seed}, meters 1 to {count}, {own.currents}{fault}"
    bench = f"{BENCH_VOLTS:g} V, {BENCH_HZ:g} Hz, a 4-wire wye; uncertainty of watts wanted {WANTED_PERCENT:g} %"
    return {**texts, "front end": front_end, "constants": f"of each meter, by the true waveform at {bench}"}


@dataclass(frozen=True)
class _Plan:
    """A meter and its plan of a table."""

    meter: MeterUnderTest
    points: list[PlannedPoint]

    @classmethod
    def of(cls, table: PointTable, meter: MeterUnderTest) -> _Plan:
        """Plan a table."""
        return cls(meter, planned(table, meter))


def _results(
    as_found: Sequence[list[AccuracyPointResult]],
    as_left: Sequence[list[AccuracyPointResult] | None],
    refused: Sequence[str],
) -> tuple[list[LotMeter], list[LotPoint]]:
    rows = enumerate(zip(as_found, as_left, refused, strict=True), 1)
    return [lot_meter(n, found, left, why) for n, (found, left, why) in rows], lot_points(as_found, as_left)


def _config(config: Config, seed: int, number: int) -> Config:
    own = config.simulation.lot
    lot = LotConfig(seed=seed, meter=number) if own is None else replace_struct(own, seed=seed, meter=number)
    noise = hashlib.sha256(f"{config.simulation.seed} {seed} {number}".encode()).digest()  # each has its own
    simulation = replace_struct(config.simulation, lot=lot, seed=int.from_bytes(noise[:4], "big"))
    return replace_struct(config, simulation=simulation, meter=replace_struct(config.meter, calibration=None))


# --- constants --------------------------------------------------------------------------------------------


def _constants(
    configs: Sequence[Config], program: Program, kept: Kept, jobs: int, progress: Callable[[float], None]
) -> list[tuple[str, str]]:
    """Give the constants of each meter as the text of their file, or why it is refused; those known are taken."""
    found = [taken(config, program, kept) for config in configs]
    left = [k for k, known in enumerate(found) if known is None]
    done = 0
    if left:
        work = [(configs[k], program.file) for k in left]
        for place, result in each_on_cores(calibrated, work, jobs):
            found[left[place]] = result
            _keep(configs[left[place]], program, kept, result)
            done += 1
            progress(done / len(left))
    return [known for known in found if known is not None]


def calibrated(unit: tuple[Config, ProgramFile]) -> tuple[str, str]:
    """Calibrate the unit of a configuration: its constants as the text of their file, or why it is refused."""
    config, file = unit
    program = build(file)
    on_bench = ModelUnit(config, program)
    current_class = float(program.metering.current_class)
    transformers = config.simulation.lot is None or config.simulation.lot.currents == "transformers"
    with tempfile.TemporaryDirectory() as folder:
        session = CalibrationSession(
            Path(folder) / "session", Terms(on_bench.board, "", "", on_bench.truth.name, WANTED_PERCENT)
        )
        job = Job(
            on_bench,
            lambda calibration: ModelUnit(config, program, calibration),
            Ratings(BENCH_VOLTS, current_class, BENCH_HZ, transformers),
            session,
            on_bench.board,
            "2026-11-30",
            "",
            WANTED_PERCENT,
            provenance_of_test(program, config, meter_under_test(program, config)),
        )
        try:
            solution, _ = calibrate(job)
        except (UnitRefused, CalibrationError) as error:
            return "", str(error)
    return solution.calibration.to_toml(), ""


def _path(config: Config, program: Program, kept: Kept) -> Path:
    content = msgspec.json.encode((config.simulation, program.digest, code_digest()), order="deterministic")
    return kept.folder / f"constants-{hashlib.sha256(content).hexdigest()[:32]}.json"


def taken(config: Config, program: Program, kept: Kept) -> tuple[str, str] | None:
    """Give constants that were found before, None for those that are not there or damaged."""
    try:
        head, _, body = _path(config, program, kept).read_bytes().partition(b"\n")
        if head.decode() != hashlib.sha256(body).hexdigest():
            return None
        return msgspec.json.decode(body, type=tuple[str, str])
    except (OSError, ValueError, msgspec.MsgspecError):
        return None


def _keep(config: Config, program: Program, kept: Kept, result: tuple[str, str]) -> None:
    if kept.trouble:
        return
    body = msgspec.json.encode(result)
    try:
        write_files({_path(config, program, kept): hashlib.sha256(body).hexdigest().encode() + b"\n" + body})
    except FileError as error:
        kept.trouble = str(error)
