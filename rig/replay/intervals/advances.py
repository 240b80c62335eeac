"""Readings of registers as a load record's intervals: from each reading to the next, with what the registers advanced.

A reading has the time at which it was read. Where one is missing, the interval is longer and its energy spread evenly;
falls and turns are as in registers.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from rig.meter.billing.time_units import MINUTE_NS, SECOND_NS
from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.load_rows import LoadRow, Rows
from rig.replay.intervals.record import LONGEST_NS, LoadInterval, counted
from rig.replay.intervals.registers import DatedReading, WrongRegister, differences

ReadRow = tuple[int, LoadRow]
"""A line with its instant, in ns of UTC."""


class Advances(NamedTuple):
    """Intervals, how many parts of a kWh (kvarh) their energies are in, and notes on the readings."""

    intervals: tuple[LoadInterval, ...]
    scale: int
    notes: tuple[str, ...]


def advances(path: Path, table: Rows, placed: Sequence[ReadRow], length_ns: int) -> Advances:
    """Give the intervals between readings in order of time. Raises IntervalFileError."""
    notes: list[str] = []
    read = _whole(path, table, placed, notes)
    numbers: list[dict[str, Decimal]] = []
    steps: list[list[str]] = []
    for place, column in enumerate(table.columns):
        if table.sources[place].power:
            raise IntervalFileError(f"{path}: {column} is read from a power, which is no register: omit --registers")
        known = table.numbers[place]
        readings = [DatedReading(ns // SECOND_NS, known[texts[place]], row.line) for ns, row, texts in read]
        try:
            found, told = differences(readings, net=False)
        except WrongRegister as error:
            raise IntervalFileError(f"{path}: {column} {error}") from None
        notes += [f"{column} {note}" for note in told]
        by_line = {each.line: each.value for each in found}
        values = [by_line.get(row.line, Decimal(0)) for _, row, _ in read[1:]]
        steps.append([f"{value:f}" for value in values])
        numbers.append(dict(zip(steps[-1], values, strict=True)))
    scale, units = replace(table, numbers=numbers).units(length_ns)
    intervals = []
    longer = 0
    for (a, b), texts in zip(pairwise(read), zip(*steps, strict=True), strict=True):
        if b[0] - a[0] > LONGEST_NS:
            raise IntervalFileError(
                f"{path}, line {b[1].line}: this reading comes {(b[0] - a[0]) / (24 * 60 * MINUTE_NS):.0f} days after "
                "the one before, it must come within 31"
            )
        longer += b[0] - a[0] > length_ns
        intervals.append(LoadInterval(a[0], b[0], tuple([u[text] for u, text in zip(units, texts, strict=True)])))
    if longer:
        notes.append(
            f"{counted(longer, 'interval')} longer than {length_ns / MINUTE_NS:g} min, where readings are missing: "
            "energy is spread evenly over each"
        )
    return Advances(tuple(intervals), scale, tuple(notes))


def _whole(
    path: Path, table: Rows, placed: Sequence[ReadRow], notes: list[str]
) -> list[tuple[int, LoadRow, tuple[str, ...]]]:
    """Lines that have readings, of each time the first."""
    read: list[tuple[int, LoadRow, tuple[str, ...]]] = []
    missing = twice = 0
    for ns, row in placed:
        if row.energies is None:
            missing += 1
        elif read and read[-1][0] == ns:
            twice += 1
        else:
            read.append((ns, row, row.energies))
    if missing:
        notes.append(f"{counted(missing, 'line')} without readings: passed over")
    if twice:
        notes.append(f"{counted(twice, 'reading')} with the time of the one before: of each time the first counts")
    if len(read) < 2:
        raise IntervalFileError(f"{path} has {counted(len(read), 'reading')} of {table.columns[0]}, it must have two")
    return read
