"""Result of an accuracy test, as `rig accuracy` prints and writes it (docs/json.md)."""

from __future__ import annotations

import msgspec

from rig.results.provenance import Provenance
from rig.verify.result import BudgetLine


class AccuracyPointResult(msgspec.Struct, frozen=True):
    """A point. `error_percent` is the figure that its limit is for; `passed` null: it was not tested, `text` says why.

    Of a point that is judged without an error, such as no load, that and `uncertainty_percent` are null.
    """

    name: str
    judged: str
    quantity: str
    amperes: float
    power_factor: str
    applied: str
    error_percent: float | None
    limit_percent: float | None
    uncertainty_percent: float | None
    coverage_factor: float | None
    degrees_of_freedom: float | None
    budget: list[BudgetLine]
    seconds: float
    passed: bool | None
    text: str
    verified_source: bool
    source_status: str
    source: str


class AccuracyResult(msgspec.Struct, frozen=True, rename={"accuracy_class": "class"}):
    """All of a test: what a report is made of. `meter` is the nameplate and the front end, each a name and its text."""

    standard: str
    title: str
    accuracy_class: str
    passed: bool
    points: list[AccuracyPointResult]
    meter: dict[str, str]
    provenance: Provenance


class PointSummary(msgspec.Struct, frozen=True):
    """A point in short."""

    name: str
    error_percent: float | None
    limit_percent: float | None
    uncertainty_percent: float | None
    passed: bool | None
    verified_source: bool


class AccuracySummary(msgspec.Struct, frozen=True, rename={"accuracy_class": "class"}):
    """The test in short: what `rig accuracy --json` prints."""

    standard: str
    accuracy_class: str
    passed: bool
    points: list[PointSummary]
    provenance: Provenance


def summary(found: AccuracyResult) -> AccuracySummary:
    """Give the result in short."""
    points = [
        PointSummary(
            each.name,
            each.error_percent,
            each.limit_percent,
            each.uncertainty_percent,
            each.passed,
            each.verified_source,
        )
        for each in found.points
    ]
    return AccuracySummary(found.standard, found.accuracy_class, found.passed, points, found.provenance)


def all_passed(points: list[AccuracyPointResult]) -> bool:
    """Say whether a class is kept: no point that was tested has failed, and at least one has passed."""
    verdicts = [each.passed for each in points if each.passed is not None]
    return bool(verdicts) and all(verdicts)


def twin(found: msgspec.Struct) -> bytes:
    """Give the file that a report can be made of again."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
