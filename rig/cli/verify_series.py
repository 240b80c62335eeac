"""A series of verifications on the rig that a configuration names: for `rig verify --series` and for pytest alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rig.cli.options import loaded_configuration, meter_socket
from rig.errors import RigError
from rig.plain_text import print_error

if TYPE_CHECKING:
    from rig.hardware.config import Config
    from rig.results.provenance import Provenance
    from rig.verify.point import Point
    from rig.verify.result import Verification
    from rig.verify.series import PointResult, SeriesResult
    from rig.verify.series_test import SeriesTest, SeriesTestResult

    Measure = Callable[[Point, Config, Path | None, Path | None, dict[str, str]], Verification]


class SeriesRun:
    """A series whose points and tests are made one by one, each kept in the file `resume` as soon as it is whole.

    `kind` is "sim" or "pi", in place of what rig.toml says; None: as it says. `surroundings` are stated beside those of
    the file. Raises ConfigError and VerifyError for a file that is no series, or cannot be of this rig.
    """

    def __init__(
        self,
        file: Path,
        measure: Measure,
        *,
        config: Path | None = None,
        kind: Literal["sim", "pi"] | None = None,
        socket: Path | None = None,
        resume: Path | None = None,
        surroundings: dict[str, str] | None = None,
    ) -> None:
        from rig.verify.kept_results import Measured
        from rig.verify.series import read_series

        self.series = read_series(file)
        self._measure, self._config, self._kind, self._socket = measure, config, kind, socket
        self._surroundings = self.series.environment | (surroundings or {})
        self._configurations = {each.name: self._named(file, each) for each in self._all}
        self._measured = Measured(resume)

    def before(self, point: Point) -> PointResult | None:
        """Give the result of a point that was measured before, as it is asked for now, on the meter that is now."""
        found = self._measured.result(self._digest(point))
        return found if found is not None and self._is_of_this(point, found.verification.provenance) else None

    def test_before(self, test: SeriesTest) -> SeriesTestResult | None:
        """Give the result of a test that was made before, as it is asked for now, on the meter that is now."""
        found = self._measured.test_result(self._digest(test))
        return found if found is not None and self._is_of_this(test, found.provenance) else None

    def measure(self, point: Point) -> PointResult:
        """Measure a point, and keep it. Raises what its measurement raises: then there is no result."""
        from rig.verify.series import PointResult

        chosen = self._chosen(point)
        found = self._measure(point, chosen, self._config, self._where(), self._surroundings)
        result = PointResult(point.name, self._digest(point), found)
        self._measured.add(result)
        return result

    def make(self, test: SeriesTest) -> SeriesTestResult:
        """Make a test, and keep it. Raises what its observation raises: then there is no result."""
        from rig.cli.verify_test import made

        result = made(test, self._digest(test), self._chosen(test), self._config, self._where())
        self._measured.add(result)
        return result

    def whole(self, points: list[PointResult], tests: list[SeriesTestResult]) -> SeriesResult:
        """Give what points and tests come to."""
        from rig.verify.series import series_result

        return series_result(self.series, points, tests)

    @property
    def _all(self) -> list[Point | SeriesTest]:
        return [*self.series.points, *self.series.tests]

    def _named(self, file: Path, asked: Point | SeriesTest) -> Config:
        """The configuration of what is asked; an error names it."""
        try:
            return self._configuration(asked)
        except RigError as error:
            if asked.load is None:
                raise
            raise RigError(f"{file}: {asked.name!r}: {str(error).removeprefix('--')}") from None

    def _configuration(self, asked: Point | SeriesTest) -> Config:
        chosen = loaded_configuration(self._config, None, kind=self._kind)
        if asked.load is None or chosen.hardware.kind == "pi":
            return chosen
        return loaded_configuration(self._config, asked.load, kind=self._kind)

    def _chosen(self, asked: Point | SeriesTest) -> Config:
        """The configuration of what is asked; on hardware its load is for whoever has the source."""
        chosen = self._configurations[asked.name]
        if asked.load is not None and chosen.hardware.kind == "pi":
            print_error(f"note: {asked.name} is for the load {asked.load}: the source must give it")
        return chosen

    def _is_of_this(self, asked: Point | SeriesTest, then: Provenance) -> bool:
        """Return whether the meter has the program and the constants that it had; if not, say so."""
        had, has = (then.program, then.calibration), self._meter(asked)
        for what, before, now in zip(("program", "constants"), had, has, strict=True):
            if now not in (None, before):
                print_error(f"note: {asked.name} was measured with the {what} {before}, the meter has {now}: once more")
                return False
        return True

    def _meter(self, asked: Point | SeriesTest) -> tuple[str, str | None]:
        """Digests of the program and the constants of the meter that runs, or of the one that would be started; None:
        those that follow from its rig.toml."""
        if self._running is not None:
            return self._running.program, self._running.calibration
        from rig.hardware.hardware import calibration_of
        from rig.hardware.selection import program_of

        chosen = self._configurations[asked.name]
        program = program_of(chosen)
        if chosen.meter.calibration is None:
            return program.digest, None
        return program.digest, calibration_of(chosen, program.metering.current_class).digest

    def _where(self) -> Path | None:
        """Give the socket of the meter that ran when the series began, as the whole of it is of one meter; None: none
        ran, and each part has a simulated one of its own. Raises VerifyError where one runs now that did not."""
        from rig.verify.errors import VerifyError

        if self._running is not None:
            return self._there
        if self._answering() is not None:
            raise VerifyError(
                f"a meter was started at {self._there} since this series began without one: stop it, or begin again"
            )
        return self._socket

    @property
    def _there(self) -> Path:
        return meter_socket(self._config, loaded_configuration(self._config, None, kind=self._kind), self._socket)

    @cached_property
    def _running(self) -> Provenance | None:
        return self._answering()

    def _answering(self) -> Provenance | None:
        from rig.daemon.client import ClientError, MeterClient

        try:
            with MeterClient.connect(self._there, "verification", "rig verify") as client:
                return client.welcome.provenance
        except ClientError:
            return None

    def _digest(self, point: Point | SeriesTest) -> str:
        from rig.hardware.provenance import rig_toml_digest
        from rig.verify.series import digest_of

        return digest_of(point, rig_toml_digest(self._configurations[point.name]))
