"""Yield of a virtual lot: meters from a seed, each tested as it is found, calibrated, and tested again.

A meter is calibrated as `rig calibrate` does it in simulation, by the true waveform (rig/calibrate/run.py). One that is
refused, because something is wrong with it, has not passed.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import msgspec
from msgspec.structs import replace as replace_struct

from calibration.errors import CalibrationError
from calibration.plan import Ratings
from calibration.point_tables import PointTable
from rig.accuracy.campaign import judged_points
from rig.accuracy.errors import AccuracyError
from rig.accuracy.kept import Kept, code_digest
from rig.accuracy.result import PointResult, all_passed
from rig.accuracy.under_test import meter_under_test
from rig.accuracy.workers import begin_worker
from rig.calibrate.errors import UnitRefused
from rig.calibrate.run import Job, calibrate
from rig.calibrate.session import Session, Terms
from rig.calibrate.simulated_unit import SimulatedUnit
from rig.files.whole import write_files
from rig.hardware.config import Config, LotConfig
from rig.program.build import Program, build
from rig.program.schema import ProgramFile
from rig.results.provenance import Provenance

WANTED_PERCENT = 0.02
"""Of a calibration: its usual uncertainty."""

MOST_METERS = 1000
WYE_FORMS = ("9S", "16S")


class LotMeter(msgspec.Struct, frozen=True):
    """A meter of a lot: verdicts, and the point that is worst against its limit. `refused` says why it was not
    calibrated, "" if it was."""

    number: int
    as_found: bool
    passed: bool
    worst_as_found: str
    worst_as_found_percent: float | None
    worst: str
    worst_percent: float | None
    refused: str


class LotResult(msgspec.Struct, frozen=True, rename={"accuracy_class": "class"}):
    """Yield of a lot; it has passed where every meter has."""

    standard: str
    accuracy_class: str
    seed: int
    passed: bool
    yield_percent: float
    as_found_percent: float
    meters: list[LotMeter]
    provenance: Provenance


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
    progress: Callable[[float], None],
) -> list[LotMeter]:
    """Test each meter of a lot, as found and calibrated. Raises AccuracyError."""
    form = program.metering.form.name
    if form not in WYE_FORMS:
        raise AccuracyError(f"--lot calibrates forms {' and '.join(WYE_FORMS)}, the meter is a {form}")
    configs = [_config(config, seed, number) for number in range(1, count + 1)]
    context = multiprocessing.get_context("forkserver")
    folder = kept.folder if not kept.trouble else None
    with ProcessPoolExecutor(min(jobs, count), context, begin_worker) as pool:
        futures = [pool.submit(constants_text, each, program.file, folder) for each in configs]
        try:
            constants = []
            for k, future in enumerate(futures):
                constants.append(future.result())
                progress((k + 1) / count / 2)
        except BrokenProcessPool:
            raise AccuracyError(
                "a worker process ended, killed or out of memory: begin again, what was measured is kept"
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    found = []
    for k, (each, (text, refused)) in enumerate(zip(configs, constants, strict=True)):
        meter = meter_under_test(program, each)
        before = judged_points(table, meter, kept, jobs)
        after = before if refused else judged_points(table, replace(meter, calibration=text), kept, jobs)
        found.append(_lot_meter(k + 1, before, after, refused))
        progress(0.5 + (k + 1) / count / 2)
    return found


def _config(config: Config, seed: int, number: int) -> Config:
    simulation = replace_struct(config.simulation, components=None, lot=LotConfig(seed=seed, meter=number))
    return replace_struct(config, simulation=simulation, meter=replace_struct(config.meter, calibration=None))


def constants_text(config: Config, file: ProgramFile, folder: Path | None) -> tuple[str, str]:
    """Give the constants that a calibration finds, as the text of their file; or why it refuses the unit."""
    program = build(file)
    said = msgspec.json.encode((config.simulation, program.digest, code_digest()), order="deterministic")
    path = None if folder is None else folder / f"constants-{hashlib.sha256(said).hexdigest()[:32]}.json"
    if path is not None and path.exists():
        try:
            return msgspec.json.decode(path.read_bytes(), type=tuple[str, str])
        except (OSError, msgspec.MsgspecError):
            pass
    result = _calibrated(config, program)
    if path is not None:
        write_files({path: msgspec.json.encode(result)})
    return result


def _calibrated(config: Config, program: Program) -> tuple[str, str]:
    unit = SimulatedUnit(config, program)
    current_class = float(program.metering.current_class)
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder) / "session", Terms(unit.board, "", "", unit.truth.name, WANTED_PERCENT))
        job = Job(
            unit,
            lambda calibration: SimulatedUnit(config, program, calibration),
            Ratings(120.0, current_class, 60.0, True),
            session,
            unit.board,
            "2026-11-30",
            "",
            WANTED_PERCENT,
            unit.provenance,
        )
        try:
            solution, _ = calibrate(job)
        except (UnitRefused, CalibrationError) as error:
            return "", str(error)
    return solution.calibration.to_toml(), ""


def _lot_meter(number: int, before: Sequence[PointResult], after: Sequence[PointResult], refused: str) -> LotMeter:
    first, last = _worst(before), _worst(after)
    return LotMeter(
        number=number,
        as_found=all_passed(list(before)),
        passed=not refused and all_passed(list(after)),
        worst_as_found=first.name if first else "",
        worst_as_found_percent=first.error_percent if first else None,
        worst=last.name if last else "",
        worst_percent=last.error_percent if last else None,
        refused=refused,
    )


def _worst(points: Sequence[PointResult]) -> PointResult | None:
    """Give the point whose error is the largest share of its limit."""
    judged = [p for p in points if p.error_percent is not None and p.limit_percent]
    return max(judged, key=lambda p: abs(p.error_percent or 0.0) / (p.limit_percent or 1.0), default=None)
