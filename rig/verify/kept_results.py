"""Results of a series in a file, kept as they are made, so that it goes on where it was interrupted.

Each point that is measured is appended to the file at once, one line of JSON, with the digest of what was asked. So a
series that was interrupted goes on after the last point that is whole; a point that was changed is measured again.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

import msgspec

from rig.files.bounded import TooLongError, read_bounded
from rig.files.text import NotUtf8Error, utf8_text
from rig.files.whole import check_free
from rig.verify.consistency_of_series import kept_contradictions
from rig.verify.errors import VerifyError
from rig.verify.series import PointResult
from rig.verify.series_test import SeriesTestResult

MOST_BYTES = 1 << 28


BEGUN = re.compile(rb'\{"name":"(?:[^"\\]|\\.)*')
"""What the line of a result begins with, as far as its name goes; DIGEST follows."""

BEGIN = b'{"name":"'
DIGEST = b'","digest":"'


class Measured:
    """The points measured so far, in a file; `path` None: in no file. Raises VerifyError for one that is another's,
    cannot be written, or holds a result that contradicts itself, and FileError where there is no room."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._results: dict[str, PointResult | SeriesTestResult] = {}
        if path is None:
            return
        if path.exists():
            self._read(path)
        self._appended(b"")  # a file that cannot be written is told before anything is measured
        check_free([path], force=True)

    def _read(self, path: Path) -> None:
        try:
            with path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # what another run appends is whole, or is not there yet
                data = read_bounded(path, MOST_BYTES)
                whole, _, rest = data.rpartition(b"\n")
                for number, line in enumerate(whole.split(b"\n") if whole else [], 1):
                    self._take(path, number, line)
                if rest:  # a point that was cut off in writing was never whole
                    if not _was_begun(rest):
                        raise VerifyError(f"{path} is no file of measured points: its last line is of something else")
                    file.truncate(len(data) - len(rest))
        except (OSError, TooLongError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise VerifyError(f"{path} cannot be read ({why}): give --resume a file of an earlier run") from None

    def _take(self, path: Path, number: int, line: bytes) -> None:
        try:
            result = _decoded(line)
        except (msgspec.MsgspecError, NotUtf8Error, RecursionError) as error:
            raise VerifyError(f"{path} is no file of measured points: line {number}: {error}") from None
        if (sentence := next(kept_contradictions(result), None)) is not None:
            raise VerifyError(
                f"{path}, line {number}, contradicts itself: {sentence}; take the line out, and it is measured again"
            )
        self._results[result.digest] = result

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
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise VerifyError(
                f"{self._path} cannot be written ({error.strerror}): give --resume another file"
            ) from None


def _was_begun(rest: bytes) -> bool:
    """Return whether a line without an end can be what a result's begins with, however short: else it is another's."""
    if rest == BEGIN[: len(rest)]:
        return True
    name = BEGUN.match(rest)
    after = b"" if name is None else rest[name.end() :]
    return name is not None and after[: len(DIGEST)] == DIGEST[: len(after)]


def _decoded(line: bytes) -> PointResult | SeriesTestResult:
    utf8_text(line)  # what msgspec raises of other text has a codec's words
    raw = msgspec.json.decode(line)
    if isinstance(raw, dict) and "kind" in raw:
        return msgspec.convert(raw, SeriesTestResult)
    return msgspec.convert(raw, PointResult)
