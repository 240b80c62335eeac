"""Runs that were measured before, by their content: a file for each in the cache, written whole.

A file has the digest of what it holds before that. One that is damaged, or of other code, counts as not there: its run
is measured again.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import msgspec

from gateware.cache import cache_folder, is_private
from rig.accuracy.run import Measured, Run
from rig.files.whole import FileError, write_files

ROOT = Path(__file__).parents[2]
_SOURCES = (
    "gateware",
    "drivers",
    "calibration",
    "rig/meter",
    "rig/accuracy",
    "rig/calibrate",
    "rig/service",
    "rig/hardware",
)
_MOST_BYTES = 1 << 22


@cache
def code_digest() -> str:
    """Give a digest of all the code that a run's result depends on, of this installation."""
    import numba
    import numpy

    digest = hashlib.sha256(f"{numpy.__version__} {numba.__version__}".encode())
    for folder in _SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".cpp"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Kept:
    """Results of runs in a folder; `folder` None: in that of the cache. `trouble` is why a result could not be kept."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = cache_folder() / "accuracy" if folder is None else folder
        self.trouble = "" if is_private(self.folder) else f"{self.folder} cannot be written, or others can write there"

    def get(self, run: Run) -> Measured | None:
        """Give the result of a run that was measured before."""
        path = self._path(run)
        try:
            if path.stat().st_size > _MOST_BYTES:
                return None
            head, _, body = path.read_bytes().partition(b"\n")
            if head.decode() != hashlib.sha256(body).hexdigest():
                return None
            return msgspec.json.decode(body, type=Measured)
        except (OSError, ValueError, msgspec.MsgspecError):
            return None

    def add(self, run: Run, found: Measured) -> None:
        """Keep a result. Where that fails, `trouble` says why, and the test goes on without."""
        if self.trouble:
            return
        body = msgspec.json.encode(found)
        try:
            write_files({self._path(run): hashlib.sha256(body).hexdigest().encode() + b"\n" + body})
        except FileError as error:
            if self.get(run) != found:  # another test that runs now may have kept the same
                self.trouble = str(error)

    def _path(self, run: Run) -> Path:
        return self.folder / f"{run.key(code_digest())}.json"
