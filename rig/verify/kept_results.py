"""Results of a series in a file, kept as they are made, so that it goes on where it was interrupted.

Each point that is measured is appended to the file at once, one line of JSON, with the digest of what was asked. So a
series that was interrupted goes on after the last point that is whole; a point that was changed is measured again.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from rig.files.bounded import TooLongError, read_bounded
from rig.verify.errors import VerifyError
from rig.verify.series import PointResult
from rig.verify.series_test import SeriesTestResult

MOST_BYTES = 1 << 28


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
