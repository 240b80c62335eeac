"""Result of a lot as data: its meters, its points with the errors of all meters, and its yield (docs/json.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from rig.accuracy.result import AccuracyPointResult, all_passed
from rig.results.provenance import Provenance


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


class LotPoint(msgspec.Struct, frozen=True):
    """A point of a lot: the error of every meter, in the order of their numbers, null where there is none, and the
    largest uncertainty among those as left. `failed` counts the calibrated meters that do not pass it; `text` says why
    the point was not tested, or what of one that has no error."""

    name: str
    limit_percent: float | None
    as_found_percent: list[float | None]
    as_left_percent: list[float | None]
    uncertainty_percent: float | None
    tested: bool
    failed: int
    text: str
    verified_source: bool
    source_status: str
    source: str


class LotResult(msgspec.Struct, frozen=True, rename={"accuracy_class": "class"}):
    """Yield of a lot; it has passed where every meter has. `meter` is what all have in common, by name."""

    standard: str
    title: str
    accuracy_class: str
    seed: int
    passed: bool
    yield_percent: float
    as_found_percent: float
    refused: int
    meters: list[LotMeter]
    points: list[LotPoint]
    meter: dict[str, str]
    provenance: Provenance


def lot_meter(
    number: int, before: Sequence[AccuracyPointResult], after: Sequence[AccuracyPointResult] | None, refused: str
) -> LotMeter:
    """Give the result of a meter from its points as found and as left, these None where it was refused."""
    first, last = _worst(before), _worst(after or ())
    return LotMeter(
        number=number,
        as_found=all_passed(list(before)),
        passed=after is not None and all_passed(list(after)),
        worst_as_found=first.name if first else "",
        worst_as_found_percent=first.error_percent if first else None,
        worst=last.name if last else "",
        worst_percent=last.error_percent if last else None,
        refused=refused,
    )


def lot_points(
    before: Sequence[Sequence[AccuracyPointResult]], after: Sequence[Sequence[AccuracyPointResult] | None]
) -> list[LotPoint]:
    """Give the points of a lot from those of its meters."""
    found = [{point.name: point for point in points} for points in before]
    left = [{point.name: point for point in points or ()} for points in after]
    return [_point(first, found, left) for first in before[0]]


def _point(
    first: AccuracyPointResult,
    found: Sequence[Mapping[str, AccuracyPointResult]],
    left: Sequence[Mapping[str, AccuracyPointResult]],
) -> LotPoint:
    before, after = ([points.get(first.name) for points in each] for each in (found, left))
    there = [point for point in after if point is not None]
    failed = [point for point in there if point.passed is False]
    uncertain = [point.uncertainty_percent for point in there if point.uncertainty_percent is not None]
    return LotPoint(
        name=first.name,
        limit_percent=first.limit_percent,
        as_found_percent=[None if point is None else point.error_percent for point in before],
        as_left_percent=[None if point is None else point.error_percent for point in after],
        uncertainty_percent=max(uncertain, default=None),
        tested=any(point is not None and point.passed is not None for point in (*before, *after)),
        failed=len(failed),
        text=(failed or there or [first])[0].text,
        verified_source=first.verified_source,
        source_status=first.source_status,
        source=first.source,
    )


def _worst(points: Sequence[AccuracyPointResult]) -> AccuracyPointResult | None:
    """Give the point whose error is the largest share of its limit."""
    with_limit = [p for p in points if p.error_percent is not None and p.limit_percent]
    return max(with_limit, key=lambda p: abs(p.error_percent or 0.0) / (p.limit_percent or 1.0), default=None)
