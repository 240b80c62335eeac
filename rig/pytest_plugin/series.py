"""A series of verifications as tests: points, tests and averages of its TOML file are items (docs/verification.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rig.pytest_plugin.failures import BenchFailure

if TYPE_CHECKING:
    from rig.cli.verify_series import SeriesRun
    from rig.verify.point import Point
    from rig.verify.result import Verification
    from rig.verify.series import Average, PointResult
    from rig.verify.series_test import SeriesTest

SUFFIX = ".series.toml"


class SeriesFile(pytest.File):
    """The file; `results` are those of the points that were measured in this run, by name."""

    run: SeriesRun

    def collect(self) -> Iterator[pytest.Item]:
        """Give an item for each point, each test, each average. Raises CollectError with one sentence."""
        from rig.cli.verify import measured
        from rig.cli.verify_series import SeriesRun
        from rig.failures import MENDABLE

        option = self.config.getoption
        self.results: dict[str, PointResult] = {}
        try:
            self.run = SeriesRun(
                self.path, measured, config=option("--rig-config"), kind=option("--rig"), resume=option("--rig-resume")
            )
        except MENDABLE as error:
            raise self.CollectError(str(error)) from None
        for point in self.run.series.points:
            yield PointItem.from_parent(self, name=point.name, point=point)
        for test in self.run.series.tests:
            yield TestItem.from_parent(self, name=test.name, test=test)
        for average in self.run.series.averages:
            yield AverageItem.from_parent(self, name=average.name, average=average)


class _Item(pytest.Item):
    """A test of a series: what it found is in its properties, which a JUnit report has."""

    parent: SeriesFile

    def reportinfo(self) -> tuple[Path, None, str]:
        """Give where it stands."""
        return self.path, None, self.name

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say why it failed in sentences, without a traceback of the rig's own."""
        if isinstance(excinfo.value, BenchFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def add_properties(self, **properties: object) -> None:
        """Add properties."""
        self.user_properties += list(properties.items())


class PointItem(_Item):
    """A point, which is measured, or was before."""

    def __init__(self, *, point: Point, **named: Any) -> None:
        super().__init__(**named)
        self.point = point

    def runtest(self) -> None:
        """Measure it. Fails with its reasons, or with the sentence of what broke off."""
        import typer

        from rig.failures import MENDABLE

        if self.point.reference == "source" and self.config.getoption("--rig") == "pi":
            pytest.skip("its reference is the power of a simulated source: on hardware give another")
        run = self.parent.run
        try:
            result = run.before(self.point) or run.measure(self.point)
        except MENDABLE as error:
            raise BenchFailure(f"no verdict: {error}") from None
        except typer.Exit:
            raise KeyboardInterrupt from None
        self.parent.results[self.point.name] = result
        found = result.verification
        self.add_properties(
            error_percent=found.error_percent,
            uncertainty_percent=found.uncertainty_percent,
            limit_percent=found.limits.error_percent,
            pulses=found.pulses,
            provenance=found.provenance.line,
        )
        self.add_report_section("call", "verification", "\n".join(_lines(found)))
        if not found.passed:
            raise BenchFailure("\n".join([*found.reasons, *(error.text for error in found.kyz_order_errors)]))


class TestItem(_Item):
    """A test beside energy, such as creep, which is made, or was before."""

    __test__ = False

    def __init__(self, *, test: SeriesTest, **named: Any) -> None:
        super().__init__(**named)
        self.asked = test

    def runtest(self) -> None:
        """Make it. Fails with what was found, or with the sentence of what broke off."""
        import typer

        from rig.failures import MENDABLE

        run = self.parent.run
        try:
            found = run.test_before(self.asked) or run.make(self.asked)
        except MENDABLE as error:
            raise BenchFailure(f"no verdict: {error}") from None
        except typer.Exit:
            raise KeyboardInterrupt from None
        self.add_properties(value=found.value, unit=found.unit, limit=found.limit, provenance=found.provenance.line)
        self.add_report_section("call", "test", f"{found.text}\nlimit {found.limit:g} {found.unit}: {found.source}")
        if not found.passed:
            raise BenchFailure(found.text)


class AverageItem(_Item):
    """An average, of points that were measured in this run."""

    def __init__(self, *, average: Average, **named: Any) -> None:
        super().__init__(**named)
        self.average = average

    def runtest(self) -> None:
        """Take the average. Skipped where one of its points has no result here."""
        from rig.verify.series import average_result

        results = {name: result.verification for name, result in self.parent.results.items()}
        if missing := sorted(self.average.weights.keys() - results.keys()):
            pytest.skip(f"{missing[0]!r} has no result in this run: it was left out, broke off, or ran elsewhere")
        found = average_result(self.average, results)
        self.add_properties(error_percent=found.error_percent, uncertainty_percent=found.uncertainty_percent)
        if not found.passed:
            limit = found.limits.error_percent
            raise BenchFailure(
                f"the average of {found.error_percent:+.4f} % ± {found.uncertainty_percent:.4f} % is not within "
                f"±{limit:g} %"
            )


def _lines(found: Verification) -> list[str]:
    from rig.terminal.verify_view import verification_lines

    return verification_lines(found)
