"""Recordings by the name of their file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from drivers.sim.comtrade_file import read_comtrade
from drivers.sim.csv_file import read_csv
from drivers.sim.recording import LEAST_RATE_HZ, Recording, RecordingError

_COMTRADE = (".cfg", ".cff")
_CSV = (".csv", ".txt", ".tsv")
_BESIDE_A_CFG = (".dat", ".hdr", ".inf")


def read_recording(path: Path, rate_hz: Fraction | None = None, block: int | None = None) -> Recording:
    """Read a COMTRADE .cfg (with its .dat) or .cff, or a .csv; `rate_hz` overrides the file's rate.

    `block` chooses among several sampling rates of a COMTRADE file. RecordingError, with one sentence, for anything
    that cannot be read.
    """
    if rate_hz is not None and rate_hz < LEAST_RATE_HZ:
        raise RecordingError(
            f"--rate is {float(rate_hz):g} samples a second, too few for a line frequency: is it in kHz, as "
            f"{float(rate_hz):g}kHz?"
        )
    suffix = path.suffix.lower()
    if suffix in _COMTRADE:
        return read_comtrade(path, rate_hz, block)
    if block is not None:
        raise RecordingError(f"{path}: --block chooses among the sampling rates of a COMTRADE file")
    if suffix in _CSV:
        return read_csv(path, rate_hz)
    if suffix in _BESIDE_A_CFG:
        raise RecordingError(f"{path}: is a part of a COMTRADE recording, give the .cfg beside it")
    raise RecordingError(f"{path}: unknown file type, a recording is a COMTRADE .cfg or .cff or a .csv file")
