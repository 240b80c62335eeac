"""A series of verifications: a TOML file of points, averages of their errors with weights, and what they come to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import Annotated

import msgspec

from rig.errors import RigError
from rig.files.strict_toml import read
from rig.verify.errors import VerifyError
from rig.verify.plan import LIMIT_PERCENT
from rig.verify.point import Point
from rig.verify.result import Limits, Verification
from rig.verify.series_test import SeriesTest, SeriesTestResult
from rig.verify.setup import check_environment

MOST_POINTS = 500

_Weight = Annotated[float, msgspec.Meta(gt=0, le=1e6)]


class Average(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A weighted mean of errors, such as (FL + 4 LL) / 5: the weight of each point by its name."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    weights: Annotated[dict[str, _Weight], msgspec.Meta(min_length=1)]
    limit_percent: Annotated[float, msgspec.Meta(gt=0)] = LIMIT_PERCENT


class Series(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. `environment` is what the reports state of the surroundings, such as a temperature."""

    title: str
    points: Annotated[list[Point], msgspec.Meta(max_length=MOST_POINTS)] = []
    averages: list[Average] = []
    environment: dict[str, str] = {}
    tests: Annotated[list[SeriesTest], msgspec.Meta(max_length=MOST_POINTS)] = []


class PointResult(msgspec.Struct, frozen=True):
    """A point that was measured; `digest` is of what was asked."""

    name: str
    digest: str
    verification: Verification


class AverageResult(msgspec.Struct, frozen=True):
    """An average; points count as independent of each other."""

    name: str
    error_percent: float
    uncertainty_percent: float
    limits: Limits
    passed: bool


class SeriesResult(msgspec.Struct, frozen=True):
    """Result of a series. It has passed where every point, every test and every average has."""

    title: str
    points: list[PointResult]
    averages: list[AverageResult]
    passed: bool
    tests: list[SeriesTestResult] = []


def read_series(path: Path) -> Series:
    """Read the file, and check every point of it. Raises ConfigError, or VerifyError with file and point."""
    series = read(path, Series, "or write one: docs/verification.md has an example")
    if not series.points and not series.tests:
        raise VerifyError(f"{path} has neither points nor tests: give it one, as in docs/verification.md")
    names = [point.name for point in series.points]
    every = names + [test.name for test in series.tests]
    if doubled := sorted({name for name in every if every.count(name) > 1}):
        raise VerifyError(f"{path}: two points are called {doubled[0]!r}: give each a name of its own")
    check_environment(series.environment, f"{path}: environment")
    for point in series.points:
        try:
            point.check()
        except RigError as error:
            raise VerifyError(f"{path}: point {point.name!r}: {str(error).replace('--', '')}") from None
    for test in series.tests:
        try:
            test.check()
        except RigError as error:
            raise VerifyError(f"{path}: test {test.name!r}: {error}") from None
    for average in series.averages:
        if unknown := sorted(average.weights.keys() - set(names)):
            raise VerifyError(
                f"{path}: average {average.name!r} has the point {unknown[0]!r}, which there is not: there are "
                f"{', '.join(names)}"
            )
    return series


def digest_of(point: Point | SeriesTest, configuration: str) -> str:
    """The digest of what is asked, on a rig of that configuration."""
    return hashlib.sha256(msgspec.json.encode(point) + configuration.encode()).hexdigest()[:16]


def series_result(
    series: Series, points: Sequence[PointResult], tests: Sequence[SeriesTestResult] = ()
) -> SeriesResult:
    """Give what the points come to, in the order of the file."""
    found = {point.name: point.verification for point in points}
    averages = [average_result(average, found) for average in series.averages]
    passed = all(point.verification.passed for point in points) and all(each.passed for each in averages)
    passed = passed and all(test.passed for test in tests)
    return SeriesResult(series.title, list(points), averages, passed, list(tests))


def average_result(average: Average, found: dict[str, Verification]) -> AverageResult:
    """Give an average of points by their name."""
    total = sum(average.weights.values())
    error = sum(weight * found[name].error_percent for name, weight in average.weights.items()) / total
    squares = sum((weight * found[name].uncertainty_percent) ** 2 for name, weight in average.weights.items())
    uncertainty = sqrt(squares) / total
    passed = abs(error) + uncertainty <= average.limit_percent
    return AverageResult(average.name, error, uncertainty, Limits(average.limit_percent), passed)
