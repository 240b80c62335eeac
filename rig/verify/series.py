"""A series of verifications: a TOML file of points, averages of their errors with weights, and how far it has come.

Each point that is measured is appended to a file at once, one line of JSON, with the digest of what was asked. So a
series that was interrupted goes on after the last point that is whole; a point that was changed is measured again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import Annotated

import msgspec

from rig.errors import RigError
from rig.files.bounded import TooLongError, read_bounded
from rig.files.strict_toml import read
from rig.verify.errors import VerifyError
from rig.verify.plan import LIMIT_PERCENT
from rig.verify.point import Point
from rig.verify.result import Limits, Verification
from rig.verify.series_test import SeriesTest, SeriesTestResult
from rig.verify.setup import check_environment

MOST_POINTS = 500
MOST_BYTES = 1 << 28

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


class Measured:
    """The points measured so far, in a file; `path` None: in no file. Raises VerifyError for one that is another's, or
    cannot be written."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._results: dict[str, PointResult | SeriesTestResult] = {}
        if path is None:
            return
        if path.exists():
            self._read(path)
        self._appended(b"")  # a file that cannot be written is told before anything is measured

    def _read(self, path: Path) -> None:
        try:
            data = read_bounded(path, MOST_BYTES)
        except (OSError, TooLongError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise VerifyError(f"{path} cannot be read ({why}): give --resume a file of an earlier run") from None
        whole, _, rest = data.rpartition(b"\n")
        for line in whole.split(b"\n") if whole else []:
            try:
                result = _decoded(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise VerifyError(f"{path} is no file of measured points: {error}") from None
            self._results[result.digest] = result
        if rest:  # a point that was cut off in writing was never whole
            with path.open("r+b") as file:
                file.truncate(len(data) - len(rest))

    def result(self, digest: str) -> PointResult | None:
        """Give a point's result, if it was measured as it is asked now."""
        found = self._results.get(digest)
        return found if isinstance(found, PointResult) else None

    def test_result(self, digest: str) -> SeriesTestResult | None:
        """Give a test's result, if it was made as it is asked now."""
        found = self._results.get(digest)
        return found if isinstance(found, SeriesTestResult) else None

    def add(self, result: PointResult | SeriesTestResult) -> None:
        """Append a point. Raises VerifyError where it cannot be written."""
        self._results[result.digest] = result
        if self._path is not None:
            self._appended(msgspec.json.encode(result) + b"\n")

    def _appended(self, data: bytes) -> None:
        assert self._path is not None
        try:
            with self._path.open("ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise VerifyError(
                f"{self._path} cannot be written ({error.strerror}): give --resume another file"
            ) from None


def _decoded(line: bytes) -> PointResult | SeriesTestResult:
    raw = msgspec.json.decode(line)
    if isinstance(raw, dict) and "kind" in raw:
        return msgspec.convert(raw, SeriesTestResult)
    return msgspec.convert(raw, PointResult)


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
