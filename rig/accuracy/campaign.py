"""A whole accuracy test: what was measured before is taken, the rest is measured, and every point is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from calibration.point_tables import PointTable
from rig.accuracy.figures import average_of, judged_point
from rig.accuracy.kept import Kept, code_digest
from rig.accuracy.plan import PlannedPoint, planned, signal_s
from rig.accuracy.result import AccuracyPointResult
from rig.accuracy.run import Measured, Run
from rig.accuracy.under_test import MeterUnderTest
from rig.accuracy.workers import on_cluster, on_cores

Progress = Callable[[float], None]


def judged_points(
    table: PointTable,
    meter: MeterUnderTest,
    kept: Kept,
    jobs: int,
    scheduler: str | None = None,
    progress: Progress = lambda done: None,
) -> list[AccuracyPointResult]:
    """Test the points of a table on a meter. `progress` is told the share of the signal that is done, 0 to 1.

    What is finished is kept at once, however this ends. Raises AccuracyError.
    """
    plans = planned(table, meter)
    return judged(plans, table, measured(plans, kept, jobs, scheduler, progress), meter)


def judged(
    plans: Sequence[PlannedPoint], table: PointTable, found: Mapping[str, Measured], meter: MeterUnderTest
) -> list[AccuracyPointResult]:
    """Judge planned points, and the table's averages of them, by what was `measured`."""
    points = [judged_point(plan, [found[_key(run)] for run in plan.runs], meter) for plan in plans]
    averages = [average_of(average, points) for average in table.averages]
    return [*points, *(average for average in averages if average is not None)]


def measured(
    plans: Sequence[PlannedPoint], kept: Kept, jobs: int, scheduler: str | None, progress: Progress
) -> dict[str, Measured]:
    """Give the result of every run of some plans, by its key."""
    runs = {_key(run): run for plan in plans for run in plan.runs}
    found: dict[str, Measured] = {}
    for key, run in runs.items():
        if (before := kept.get(run)) is not None:
            found[key] = before
    left = sorted((run for key, run in runs.items() if key not in found), key=signal_s, reverse=True)
    total = sum(signal_s(run) for run in left)
    done = 0.0
    if left:
        batches = on_cores(left, jobs) if scheduler is None else on_cluster(left, scheduler)
        for run, result in batches:
            kept.add(run, result)
            found[_key(run)] = result
            done += signal_s(run)
            progress(done / total)
    return found


def _key(run: Run) -> str:
    return run.key(code_digest())
