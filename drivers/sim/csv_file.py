"""Recordings in CSV files with named columns."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np

from drivers.sim.recording import (
    RecordedChannel,
    Recording,
    RecordingError,
    fault_of,
    read_bytes,
    uniform_rate,
)
from drivers.sim.text_encoding import decode

_UNITS = {"va": "V", "vb": "V", "vc": "V", "ia": "A", "ib": "A", "ic": "A"}
_TIME_COLUMNS = ("time", "t", "time_s")


def read_csv(path: Path, rate_hz: Fraction | None = None) -> Recording:
    """Read a CSV file: a header row of names (va ia vb ib vc ic in any order, and others), then numbers.

    Volts and amperes. Lines that begin with # and blank lines do not count. The rate comes from `rate_hz` or
    from a column time, t or time_s in seconds. RecordingError for anything that cannot be read; a cell that
    is no number matters only when its column is used.
    """
    numbered = [
        (number, line)
        for number, line in enumerate(decode(read_bytes(path, 1<<27)).text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if len(numbered) < 2:
        raise RecordingError(f"{path}: empty, it holds no row of values")
    line_numbers = [number for number, _ in numbered[1:]]
    try:
        header, *rows = csv.reader(line for _, line in numbered)
    except csv.Error as error:
        raise RecordingError(f"{path}: is no CSV of numbers ({error})") from None
    if len(rows) != len(line_numbers):
        raise RecordingError(f"{path}: a cell in quotes runs over several lines, cells must be plain numbers")
    if len(header) == 1 and (other := next((c for c in ";\t" if c in header[0]), None)):
        name = "semicolons" if other == ";" else "tabs"
        raise RecordingError(f"{path}: its columns are separated by {name}, they must be separated by commas")
    names = [name.strip() for name in header]
    if all(_is_number(name) for name in names):
        raise RecordingError(
            f"{path}: line {numbered[0][0]} must name the columns, for instance 'va,ia,vb,ib,vc,ic'"
        )
    for number, row in zip(line_numbers, rows, strict=True):
        if len(row) != len(names):
            raise RecordingError(
                f"{path}: line {number} has {len(row)} cells, the header names {len(names)} columns"
            )
    try:
        values = np.array(rows, dtype=np.float64)
    except ValueError:
        values = np.array([[float(cell) if _is_number(cell) else np.nan for cell in row] for row in rows])

    def channel(column: int) -> RecordedChannel:
        fault = fault_of(
            values[:, column], lambda row: f"line {line_numbers[row]} ('{rows[row][column].strip()}')"
        )
        return RecordedChannel(names[column], _UNITS.get(names[column].lower(), ""), fault=fault)

    times = [column for column, name in enumerate(names) if name.lower() in _TIME_COLUMNS]
    kept = [column for column in range(len(names)) if column not in times]
    if rate_hz is None:
        if not times:
            raise RecordingError(
                f"{path}: no sampling rate; give it with --rate or in a column time_s of seconds"
            )
        stamps = channel(times[0])
        if stamps.fault is not None:
            raise RecordingError(f"{path}: column {stamps.name} {stamps.fault}")
        rate_hz = uniform_rate(values[:, times[0]], path)
    return Recording(path, tuple(map(channel, kept)), values[:, kept], rate_hz)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
