"""The line of a load record's text that names its columns, by what they are; lines above it do not count."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import NamedTuple

from rig.files.strict_toml import shown
from rig.replay.intervals.cell_units import cell_unit
from rig.replay.intervals.channel_columns import ChannelLayout, recognise_channels
from rig.replay.intervals.columns import Layout, WrongColumns, is_time_name, recognise
from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.unit_rows import is_unit_row, with_units
from rig.replay.intervals.writing import Writing

MOST_ABOVE = 40
"""Lines among which the columns' names are looked for."""

MOST_COLUMNS = 8000
"""A day of minutes four times, and more; a line of more cells names no columns."""

SEPARATORS = ",;\t|"

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Line(NamedTuple):
    """A line of the file and its cells."""

    number: int
    cells: list[str]


class Header(NamedTuple):
    """The separator, the columns' names, by their place among the lines that count, and what the columns are; how many
    rows of units are below the names."""

    separator: str
    names: Line
    layout: Layout | ChannelLayout
    unit_rows: int = 0


def has_header(path: Path, text: str, writing: Writing) -> bool:
    """Return whether a text begins with names of columns that are a load record's. Raises IntervalFileError,
    csv.Error."""
    try:
        find_header(path, text, SEPARATORS, writing, True)
    except WrongColumns:
        return True  # energies are there, but not which of them
    return True


def text_lines(text: str, separator: str) -> Iterator[Line]:
    """Give number and cells of each line that counts."""
    reader = csv.reader(map(re.Match.group, _LINE.finditer(text)), delimiter=separator, skipinitialspace=True)
    for cells in reader:
        if any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
            yield Line(reader.line_num, cells)


def find_header(path: Path, text: str, separators: str, writing: Writing, ends: bool) -> Header:
    """Find the columns. Raises IntervalFileError, WrongColumns, csv.Error."""
    top = "\n".join(line for line in text.split("\n", MOST_ABOVE)[:MOST_ABOVE] if not line.startswith("#"))
    wanted = {part.strip().lower() for name in writing.columns.values() for part in (name, *name.split("+"))}
    for separator in sorted(separators, key=top.count, reverse=True):
        lines = list(islice(text_lines(text, separator), MOST_ABOVE))
        for place, line in enumerate(lines, 1):
            if len(line.cells) > MOST_COLUMNS:
                continue
            if is_unit_row(line.cells) and not wanted & {cell.strip().lower() for cell in line.cells}:
                continue
            names, unit_rows = _named_with_units(lines, place)
            below = _with_units(names, lines[place + unit_rows :])
            given = writing.columns
            layout = recognise_channels(names, given, below, ends=ends) or recognise(
                names, given, ends=ends, below=below
            )
            if layout is not None:
                return Header(separator, Line(place, names), layout, unit_rows)
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    separator = max(separators, key=first.count)
    lines = list(islice(text_lines(text, separator), MOST_ABOVE)) or [Line(1, [])]
    timed = next((line for line in lines if len(line.cells) > 1 and any(map(is_time_name, line.cells))), lines[0])
    names, where = timed.cells, "first line" if timed is lines[0] else f"line {timed.number}"
    found = ", ".join(shown(name.strip().lower().replace(" ", "_")) for name in names[:8]) or "nothing"
    if writing.columns:
        asked = ", ".join(writing.columns.values())
        raise IntervalFileError(f"{path}: --columns has {shown(asked)}, but its {where} has {found}")
    missing = "kwh_delivered" if any(map(is_time_name, names)) else "time"
    raise IntervalFileError(
        f"{path}: no column {missing}: its {where} has {found}, it must name time and kwh_delivered, or --columns "
        "says which they are"
    )


def _named_with_units(lines: Sequence[Line], place: int) -> tuple[list[str], int]:
    """Names in the line of a place, from 1, with the units of a row below or above; how many of these are below."""
    names = lines[place - 1].cells
    if place < len(lines) and is_unit_row(lines[place].cells):
        return with_units(names, lines[place].cells), 1
    if place > 1 and is_unit_row(lines[place - 2].cells):
        return with_units(names, lines[place - 2].cells), 0
    return names, 0


def _with_units(names: Sequence[str], below: Sequence[Line]) -> list[str]:
    """By column the first cell that has a unit; nothing where there is none."""
    columns = zip_longest(*(line.cells[: len(names)] for line in below), fillvalue="")
    return [next((cell for cell in cells if cell[-1:].isalpha() and cell_unit(cell.strip())), "") for cells in columns]
