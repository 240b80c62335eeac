"""Recordings by the name of their file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from drivers.sim.comtrade_file import read_comtrade
from drivers.sim.csv_file import read_csv
from drivers.sim.recording import Recording, RecordingError

_READERS = {".cfg": read_comtrade, ".csv": read_csv}


def read_recording(path: Path, rate_hz: Fraction | None = None) -> Recording:
    """Read a COMTRADE .cfg (with its .dat) or a .csv; `rate_hz` overrides the file's rate.

    RecordingError, with one sentence, for anything that cannot be read.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise RecordingError(f"{path}: unknown file type, a recording is a COMTRADE .cfg or a .csv file")
    return reader(path, rate_hz)
