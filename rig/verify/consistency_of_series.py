"""Consistency of a series and of its tests, when they are read again: each point, and what all of them come to."""

from __future__ import annotations

from collections.abc import Iterator

from rig.results.consistency import all_passed, clearly_more, figure, origin_twice, same_percent, verdict
from rig.verify.consistency import contradictions
from rig.verify.kinds import KINDS
from rig.verify.series import AverageResult, PointResult, SeriesResult
from rig.verify.series_test import SeriesTestResult


def series_contradictions(found: SeriesResult, place: str = "$") -> Iterator[str]:
    """Find what a series says twice and not alike."""
    for k, point in enumerate(found.points):
        yield from contradictions(point.verification, f"{place}.points[{k}].verification")
    for k, test in enumerate(found.tests):
        yield from test_contradictions(test, f"{place}.tests[{k}]")
    for k, average in enumerate(found.averages):
        yield from _of_average(average, found.points, f"{place}.averages[{k}]")
    verdicts = [point.verification.passed for point in found.points]
    verdicts += [test.passed for test in found.tests] + [average.passed for average in found.averages]
    yield from all_passed(f"{place}.passed", found.passed, verdicts, "points, tests and averages")


def kept_contradictions(found: PointResult | SeriesTestResult) -> Iterator[str]:
    """Find what a point or a test that was kept in a file says twice and not alike."""
    if isinstance(found, PointResult):
        yield from contradictions(found.verification, f"{found.name}: verification")
    else:
        yield from test_contradictions(found, found.name)


def test_contradictions(found: SeriesTestResult, place: str) -> Iterator[str]:
    """Find what a test says twice and not alike."""
    kind = KINDS.get(found.kind)
    if kind is None:
        yield f"{place}.kind is {found.kind!r}, it must be {', '.join(KINDS)}"
        return
    if found.unit != kind.unit:
        yield figure(f"{place}.unit", found.unit, f"kind {found.kind!r}", kind.unit)
    holds = kind.rule.holds(found.value, found.uncertainty, found.limit)
    if found.uncertainty < 0:
        yield f"{place}.uncertainty is {found.uncertainty:g}, it cannot be less than 0"
    if found.passed and not holds:
        yield verdict(
            f"{place}.passed",
            True,
            f"{found.value:.10g} ± {found.uncertainty:.10g} {found.unit} is not {kind.rule.value}, {found.limit:.10g}",
        )
    if not found.passed and holds and not kind.more:
        yield verdict(
            f"{place}.passed", False, f"{found.value:.10g} {found.unit} is {kind.rule.value}, {found.limit:.10g}"
        )
    yield from origin_twice(place, found.simulated, found.fidelity, found.provenance)


def _of_average(found: AverageResult, points: list[PointResult], place: str) -> Iterator[str]:
    """Weights are not in a result; but a mean is between the least and the largest, and no less certain than that."""
    holds = abs(found.error_percent) + found.uncertainty_percent <= found.limits.error_percent
    if found.passed is not holds:
        yield figure(f"{place}.passed", found.passed, "its error, uncertainty and limit", holds)
    errors = [point.verification.error_percent for point in points]
    if not errors:
        yield f"{place} is the average of points, and there are none"
        return
    nearest = min(max(found.error_percent, min(errors)), max(errors))
    if not same_percent(found.error_percent, nearest):
        yield (
            f"{place}.error_percent is {found.error_percent:.10g}, and those of the points are {min(errors):.10g} to "
            f"{max(errors):.10g}"
        )
    most = max(point.verification.uncertainty_percent for point in points)
    if clearly_more(found.uncertainty_percent, most) or found.uncertainty_percent < 0:
        own = found.uncertainty_percent
        yield f"{place}.uncertainty_percent is {own:.10g}, and those of the points are at most {most:.10g}"
