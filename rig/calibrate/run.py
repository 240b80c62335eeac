"""A calibration from beginning to end: as found, solved, as left (C-1, P-6).

    stage       what is measured                                    and then
    wiring      one point, the phases' currents unlike              refused where something is wrong with unit or bench
    as found    the points that verify                              kept
    solving     the points that solve, more where a curve bends     constants
    as left     the points that verify, with the new constants      passed, or not; refused where the bench has moved

Each point is measured until the scatter of its samples leaves half of what is wanted, or MOST_SAMPLES.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from math import isfinite, sqrt
from pathlib import Path
from statistics import stdev

from calibration.budget import K
from calibration.constants import CHANNELS, Calibration
from calibration.findings import found_in
from calibration.observation import ObservedPoint, PointPlan, Purpose
from calibration.plan import Ratings, between, solving, verifying, wiring
from calibration.solve import Level, Solution, as_read_under, lag_of, solve, with_coefficients
from rig.calibrate.errors import CalibrateError, UnitRefused
from rig.calibrate.result import BudgetLine, CalibrationResult, ConstantChange, PointErrors
from rig.calibrate.session import CalibrationSession
from rig.calibrate.unit import Unit
from rig.results.provenance import Provenance

LEAST_SAMPLES, MOST_SAMPLES = 2, 12
WIRING_SAMPLES = 8
"""Seven degrees of freedom: of a reference whose seconds scatter by 0.16 %, one in 10⁵ looks sound (found_in)."""

SMALL_SHARE = 0.05
"""Below this share of the class current limits are wider (IEC 62053-22:2020, table for class 0.1S)."""

LIMITS_PERCENT = {(True, False): 0.1, (True, True): 0.2, (False, False): 0.15, (False, True): 0.25}
"""Of class 0.1S, by whether a point is in phase, and small: from 5 % of the class current in phase, 10 % else."""


REPEATS_SHARE = 0.5
"""Of a point's limit: by so much, and by the scatter of both, a point may differ between as found and as left."""


@dataclass(frozen=True)
class Job:
    """A unit, and how it is calibrated: `again` gives it with other constants, `say` tells a person how far it is.
    It is at `temperature_c`, None: as the constants before; `other` are its constants at another temperature."""

    unit: Unit
    again: Callable[[Calibration], Unit]
    ratings: Ratings
    session: CalibrationSession
    identity: str
    date: str
    valid_until: str
    wanted_percent: float
    provenance: Provenance
    say: Callable[[str], None] = lambda text: None
    temperature_c: Fraction | None = None
    other: Calibration | None = None


def calibrate(job: Job) -> tuple[Solution, CalibrationResult]:
    """Calibrate a unit; nothing is written. Raises UnitRefused, CalibrateError, CalibrationError."""
    ratings, session, unit = job.ratings, job.session, job.unit
    try:
        points = _found(job)
    finally:
        unit.close()
    solution = solve(
        unit.calibration,
        points,
        unit.truth,
        unit.tick_hz,
        identity=job.identity,
        date=job.date,
        board=unit.board,
        current_class=round(ratings.amperes),
        valid_until=job.valid_until,
        dc_codes=session.dc_codes,
        temperature_c=job.temperature_c,
    )
    if job.other is not None:
        solution = replace(solution, calibration=with_coefficients(solution.calibration, job.other))
    left = job.again(solution.calibration)
    try:
        for plan in verifying(ratings):
            _measure(job, plan, left, left=True)
    finally:
        left.close()
    result = _result(job, solution, session)
    if result.passed:  # one that does not is shown with all its points
        for plan in verifying(ratings):
            _check_repeats(job, solution.calibration, session.left[plan.name])
    return solution, result


def _found(job: Job) -> list[ObservedPoint]:
    """Measure the unit as it is found: the points to solve from."""
    ratings, unit = job.ratings, job.unit
    _measure(job, wiring(ratings), unit, len_of=WIRING_SAMPLES)
    for plan in verifying(ratings):
        _measure(job, plan, unit)
    points = [_measure(job, plan, unit) for plan in solving(ratings)]
    while ratings.transformers:
        levels = [Level.of(point) for point in points]
        more = between(
            ratings,
            [point.plan.amperes for point in points],
            [level.amperes_gain for level in levels],
            [level.lag_deg for level in levels],
            job.wanted_percent,
        )
        if not more:
            break
        points += [_measure(job, plan, unit) for plan in more]
    return points


def _measure(job: Job, plan: PointPlan, unit: Unit, *, len_of: int = 0, left: bool = False) -> ObservedPoint:
    """Measure a point, or take it from the session."""
    session = job.session
    kept = (session.left if left else session.found).get(plan.name)
    stage = "as left" if left else {"wiring": "wiring", "solve": "solving", "verify": "as found"}[plan.purpose.value]
    if kept is not None and kept.plan == plan:
        job.say(f"{stage}: {plan.name}: measured before")
        result = kept
    else:
        job.say(f"{stage}: {plan.name}")
        unit.apply(plan)
        samples = list(islice(stream := unit.samples(), len_of or LEAST_SAMPLES))
        while (
            not len_of
            and len(samples) < MOST_SAMPLES
            and _scatter(ObservedPoint(plan, tuple(samples))) > _half(job, plan)
        ):
            samples.append(next(stream))
        result = ObservedPoint(plan, tuple(samples))
    if finding := found_in(result):
        raise UnitRefused(f"{finding.name}: {finding.sentence}", finding.name)
    if not all(isfinite(error) for error in result.errors_percent()):
        raise CalibrateError(f"{plan.name} has readings that are no numbers: see the reference")
    if kept is not result:
        session.add(result, left=left, dc_codes=None if left else unit.dc_codes())
    return result


def _check_repeats(job: Job, calibration: Calibration, left: ObservedPoint) -> None:
    """Compare a point as left with what its readings as found come to under the new constants: nothing but time is
    between them. Raises UnitRefused where reference or unit have moved meanwhile."""
    found, unit = job.session.found[left.plan.name], job.unit
    tick_deg = float(360 * left.plan.hz / unit.tick_hz)
    samples = tuple(
        replace(sample, meter=as_read_under(sample.meter, unit.calibration, calibration, tick_deg))
        for sample in found.samples
    )
    before = ObservedPoint(left.plan, samples).errors_percent()
    moved = [after - error for error, after in zip(before, left.errors_percent(), strict=True)]
    worst = max(range(len(moved)), key=lambda k: abs(moved[k]))
    allowed = REPEATS_SHARE * limit_percent(left.plan, job.ratings) + sqrt(_scatter(found) ** 2 + _scatter(left) ** 2)
    if abs(moved[worst]) > allowed:
        raise UnitRefused(
            f"unrepeatable bench: phase {'ABC'[worst]} at {left.plan.name} has moved by {moved[worst]:+.3g} % of the "
            f"watts since it was measured as found, {allowed:.2g} % are allowed: see whether the reference drifts or "
            "was changed, and begin again with --restart",
            "unrepeatable bench",
        )


def _half(job: Job, plan: PointPlan) -> float:
    small = plan.amperes < SMALL_SHARE * job.ratings.amperes
    return job.wanted_percent if small else job.wanted_percent / 2


def _scatter(result: ObservedPoint) -> float:
    """The expanded uncertainty of a point's watts by how its samples scatter, in percent, of the worst phase."""
    n = len(result.samples)
    if n < 2:
        return 0.0
    errors = [ObservedPoint(result.plan, (sample,)).errors_percent() for sample in result.samples]
    return max(float(K * stdev(phase) / sqrt(n)) for phase in zip(*errors, strict=True))


def limit_percent(plan: PointPlan, ratings: Ratings) -> float:
    """Limit of class 0.1S for a balanced load."""
    in_phase = not plan.lag_deg
    return LIMITS_PERCENT[in_phase, plan.amperes < (SMALL_SHARE if in_phase else 2 * SMALL_SHARE) * ratings.amperes]


def _result(job: Job, solution: Solution, session: CalibrationSession) -> CalibrationResult:
    points = []
    truth = K * sqrt(2 * job.unit.truth.gain_percent**2 / 3)  # volts and amperes, rectangular
    for name, found in session.found.items():
        if found.plan.purpose is not Purpose.VERIFY:
            errors = found.errors_percent() if found.plan.purpose is Purpose.SOLVE else None
            points.append(PointErrors(name, found.plan.purpose.value, errors, None, None, None, None))
            continue
        left = session.left[name]
        uncertainty = sqrt(truth**2 + _scatter(left) ** 2)
        limit = limit_percent(found.plan, job.ratings)
        passed = max(map(abs, left.errors_percent())) + uncertainty <= limit
        points.append(
            PointErrors(name, "verify", found.errors_percent(), left.errors_percent(), uncertainty, limit, passed)
        )
    return CalibrationResult(
        provenance=job.provenance,
        board=job.unit.board,
        truth=job.unit.truth.name,
        before=job.unit.calibration.digest,
        after=solution.calibration.digest,
        points=points,
        constants=changes(job.unit.calibration, solution),
        passed=all(point.passed is not False for point in points),
        written=False,
    )


def changes(before: Calibration, solution: Solution) -> list[ConstantChange]:
    """The constants before and after, by channel."""
    found = []
    for k, name in enumerate(CHANNELS):
        old, new = before.channels[k], solution.calibration.channels[k]
        for constant, was, becomes, difference, key in (
            ("gain", old.gain, new.gain, 100 * (float(new.gain / old.gain) - 1), "gain"),
            ("delay_ticks", old.delay_ticks, new.delay_ticks, new.delay_ticks - old.delay_ticks, None),
            ("offset_codes", old.offset_codes, new.offset_codes, new.offset_codes - old.offset_codes, None),
            ("ppm_per_k", old.ppm_per_k, new.ppm_per_k, new.ppm_per_k - old.ppm_per_k, None),
            ("turn", old.turn, new.turn, lag_of(new.turn) - lag_of(old.turn), "lag"),
        ):
            made = None if key is None else solution.budgets.get((name, key))
            found.append(
                ConstantChange(
                    name,
                    constant,
                    str(was),
                    str(becomes),
                    float(difference),
                    None if made is None else made.expanded_percent,
                    []
                    if made is None
                    else [
                        BudgetLine(part.source, part.standard_percent, part.freedom if isfinite(part.freedom) else None)
                        for part in made.components
                    ],
                )
            )
    return found


def session_path(constants: Path) -> Path:
    """Path of the session of a file of constants."""
    return constants.with_name(f"{constants.name}.session")
