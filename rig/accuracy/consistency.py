"""Consistency of an accuracy test and of a lot, when they are read again (docs/json.md)."""

from __future__ import annotations

from collections.abc import Iterator

from calibration.coverage import LEVEL, probability_within
from calibration.point_tables import Judged
from rig.accuracy.figures import verdict as judged
from rig.accuracy.lot_result import LotMeter, LotPoint, LotResult
from rig.accuracy.result import AccuracyPointResult, AccuracyResult, all_passed
from rig.results.consistency import figure, origin, same, verdict
from rig.verify.consistency import of_budget

OTHERWISE = (Judged.INTERVAL, Judged.NO_LOAD, Judged.STARTS)
"""What passes or fails by something else than an error within its limit."""

MOST_FREEDOM = 1e6
COVERED = 1e-6
"""Beyond so many degrees of freedom the factor is 2; the integral is known to so much."""


def accuracy_contradictions(found: AccuracyResult, place: str = "$") -> Iterator[str]:
    """Find what an accuracy test says twice and not alike."""
    for k, point in enumerate(found.points):
        yield from _of_point(point, f"{place}.points[{k}]")
    if found.passed is not (due := all_passed(found.points)):
        yield figure(f"{place}.passed", found.passed, "points", due)
    yield from origin(f"{place}.provenance", found.provenance)


def _of_point(point: AccuracyPointResult, place: str) -> Iterator[str]:
    error, uncertainty, factor = point.error_percent, point.uncertainty_percent, point.coverage_factor
    if error is None or uncertainty is None or factor is None:
        if {error, uncertainty, factor} != {None} or point.budget:
            yield f"{place} has an error, uncertainty, coverage factor or budget, and not all of them"
        return
    yield from of_budget(point.budget, factor, uncertainty, point.degrees_of_freedom, place)
    if not _covers(factor, point.degrees_of_freedom):
        yield f"{place}.coverage_factor is {factor:.10g}, which does not hold {100 * LEVEL:.2f} % by degrees_of_freedom"
    if point.judged in {each.value for each in OTHERWISE} or point.passed is None:
        return
    passed, text = judged(error, uncertainty, point.limit_percent)
    if passed is not point.passed:
        yield verdict(f"{place}.passed", point.passed, f"by its figures: {text}")


def _covers(factor: float, freedom: float | None) -> bool:
    """Return whether a factor holds what it should; degrees of freedom are cut off to whole ones (GUM G.4.1)."""
    if freedom is None or freedom > MOST_FREEDOM:
        return same(factor, 2.0)
    return abs(probability_within(factor, max(1.0, float(int(freedom)))) - LEVEL) < COVERED


def lot_contradictions(found: LotResult, place: str = "$") -> Iterator[str]:
    """Find what a lot says twice and not alike."""
    count = len(found.meters)
    passed, as_found, refused = (
        sum(flags)
        for flags in (
            [each.passed for each in found.meters],
            [each.as_found for each in found.meters],
            [bool(each.refused) for each in found.meters],
        )
    )
    if found.passed is not (passed == count):
        yield figure(f"{place}.passed", found.passed, "meters", passed == count)
    for name, stated, due in (
        ("yield_percent", found.yield_percent, 100 * passed / count),
        ("as_found_percent", found.as_found_percent, 100 * as_found / count),
        ("refused", found.refused, refused),
    ):
        if not same(stated, due):
            yield figure(f"{place}.{name}", stated, "meters", due)
    for k, meter in enumerate(found.meters):
        yield from _of_meter(k, meter, found.points, f"{place}.meters[{k}]")
    for k, point in enumerate(found.points):
        yield from _of_lot_point(point, found.meters, f"{place}.points[{k}]")
    yield from origin(f"{place}.provenance", found.provenance)


def _of_meter(k: int, meter: LotMeter, points: list[LotPoint], place: str) -> Iterator[str]:
    if meter.number != k + 1:
        yield figure(f"{place}.number", meter.number, "its place", k + 1)
    if meter.refused and meter.passed:
        yield verdict(f"{place}.passed", True, "it was refused")
    for name, percent, found in (
        (meter.worst_as_found, meter.worst_as_found_percent, [point.as_found_percent[k] for point in points]),
        (meter.worst, meter.worst_percent, [point.as_left_percent[k] for point in points]),
    ):
        due = [error for point, error in zip(points, found, strict=True) if point.name == name]
        if name and percent not in due:
            yield figure(f"{place}, its worst error at {name!r}", percent, "points", due[0] if due else None)
    if not meter.passed:
        return
    for point in points:
        error, limit = point.as_left_percent[k], point.limit_percent
        if error is not None and limit is not None and abs(error) > limit:
            yield verdict(f"{place}.passed", True, f"at {point.name!r} it is {error:+.4f} %, beyond ±{limit:g} %")


def _of_lot_point(point: LotPoint, meters: list[LotMeter], place: str) -> Iterator[str]:
    calibrated = sum(not meter.refused for meter in meters)
    failing = sum(not meter.passed and not meter.refused for meter in meters)
    limit = point.limit_percent
    beyond = sum(error is not None and limit is not None and abs(error) > limit for error in point.as_left_percent)
    if not 0 <= point.failed <= min(calibrated, failing):
        yield f"{place}.failed is {point.failed}, and {failing} of {calibrated} calibrated meters have not passed"
    if beyond > point.failed:
        yield f"{place}.failed is {point.failed}, and {beyond} errors as left are beyond ±{limit:g} %"
    for k, (meter, error) in enumerate(zip(meters, point.as_left_percent, strict=True)):
        if meter.refused and error is not None:
            yield f"{place}.as_left_percent[{k}] is {error:.10g}, and that meter was refused"
