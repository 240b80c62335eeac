"""The lines of a load's record: a CSV file as stamps and numbers, taken strictly.

Columns are found by their names (rig/replay/intervals/columns.py), stamps and decimal signs by all that there are
(times.py, decimals.py). Lines above the columns' names, other columns, lines that are empty or begin with `#` do not
count. Commas, semicolons, tabs or bars separate, whatever a first line `sep=;` says before all.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import islice, zip_longest
from math import lcm
from pathlib import Path
from typing import NamedTuple

from rig.files.strict_toml import shown
from rig.meter.billing.time_units import HOUR_NS
from rig.replay.intervals.blanks import cell_text, without_footer
from rig.replay.intervals.cell_units import cell_unit
from rig.replay.intervals.columns import COLUMNS, Layout, Source, WrongColumns, recognise
from rig.replay.intervals.encoding import IntervalFileError, decode
from rig.replay.intervals.hours import as_clock
from rig.replay.intervals.numbers import read_numbers
from rig.replay.intervals.record import counted
from rig.replay.intervals.times import WrongStamp, read_times
from rig.replay.intervals.writing import Writing

MOST_LINES = 4_000_000
"""Seven years of minutes."""

MOST_ABOVE = 40
"""Lines among which the columns' names are looked for."""

MOST_METERS_TOLD = 6
SEPARATORS = ",;\t|"
_SEP_LINE = re.compile(r'"?sep=(.)"?[ ;,\t|]*\r?\n', re.IGNORECASE)


class LoadRow(NamedTuple):
    """A line: its time as it stands there, and by column the texts of its numbers; None where all of them are empty."""

    line: int
    time: datetime
    energies: tuple[str, ...] | None


@dataclass
class Rows:
    """All lines in the order of the file; `columns` are those of COLUMNS that it has, `others` its columns that do not
    count. `numbers` is by column of every text, in the unit of its source. `notes` say how the file was read.
    `named`: the name of the column of times says whether intervals begin or end at them."""

    columns: tuple[str, ...]
    sources: tuple[Source, ...]
    named: bool
    others: tuple[str, ...] = ()
    rows: list[LoadRow] = field(default_factory=list)
    numbers: list[dict[str, Decimal]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def flows(self, place: int) -> bool:
        """Return whether a line has energy."""
        energies = self.rows[place].energies
        return energies is not None and any(
            known[text] for known, text in zip(self.numbers, energies, strict=True)
        )

    def units(self, length_ns: int) -> tuple[int, list[dict[str, int]]]:
        """Every number exactly, by column, as an integer of kWh (kvarh) over one scale; power flows for `length_ns`."""
        factors = [
            source.factor * Fraction(length_ns, HOUR_NS) if source.power else source.factor for source in self.sources
        ]
        all_numbers = [number for known in self.numbers for number in known.values()]
        places = max((-int(number.as_tuple().exponent) for number in all_numbers), default=0)
        common = lcm(*(factor.denominator for factor in factors))
        scale = 10 ** max(places, 0)
        units = []
        for factor, known in zip(factors, self.numbers, strict=True):
            whole = int(factor * common)
            ratios = {text: number.as_integer_ratio() for text, number in known.items()}
            units.append({text: ratio[0] * (scale // ratio[1]) * whole for text, ratio in ratios.items()})
        return scale * common, units


class _Line(NamedTuple):
    number: int
    cells: list[str]


def read_rows(path: Path, data: bytes, *, ends: bool, sure: bool, writing: Writing) -> Rows:
    """Read a file's bytes; `ends` says that the ends of intervals are wanted, `sure` that a person says which.

    Raises IntervalFileError.
    """
    notes: list[str] = []
    text = decode(path, data, notes)
    if text.count("\n") > MOST_LINES:
        raise IntervalFileError(f"{path} has more than {MOST_LINES} lines: give it in parts")
    separators, begun = SEPARATORS, 0
    if match := _SEP_LINE.match(text):
        separators, begun = match[1], 1
        text = text[match.end() :]
        if match[1] not in SEPARATORS:
            raise IntervalFileError(
                f"{path}, line 1: sep={match[1]} is not a separator, it must be one of , ; | or a tab"
            )
    try:
        separator, header, layout = _header(path, text, separators, writing, ends)
        lines = _lines(text, separator)
        above = list(islice(lines, header.number))
        if len(above) > 1:
            notes.append(f"the columns are named in line {above[-1].number + begun}: what is above it is passed over")
        below = ((n + begun, cells) for n, cells in lines)
        return _read(path, above[-1].cells, layout, below, separator, writing, notes, ends=ends, sure=sure)
    except csv.Error as error:
        raise IntervalFileError(f"{path} is not a CSV file: {error}") from None
    except WrongColumns as error:
        raise IntervalFileError(f"{path}: {error}") from None


def has_header(path: Path, text: str, writing: Writing) -> bool:
    """Return whether a text begins with names of columns that are a load record's. Raises IntervalFileError,
    csv.Error."""
    try:
        _header(path, text, SEPARATORS, writing, True)
    except WrongColumns:
        return True  # energies are there, but not which of them
    return True


def _lines(text: str, separator: str) -> Iterator[_Line]:
    """Number and cells of each line that counts."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    for cells in reader:
        if any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
            yield _Line(reader.line_num, cells)


def _header(path: Path, text: str, separators: str, writing: Writing, ends: bool) -> tuple[str, _Line, Layout]:
    """The separator, the line with the columns' names, by its place among those that count, and what they are."""
    top = "\n".join(line for line in text.split("\n", MOST_ABOVE)[:MOST_ABOVE] if not line.startswith("#"))
    for separator in sorted(separators, key=top.count, reverse=True):
        lines = list(islice(_lines(text, separator), MOST_ABOVE))
        for place, line in enumerate(lines, 1):
            below = _with_units(line.cells, lines[place:])
            if (layout := recognise(line.cells, writing.columns, ends=ends, below=below)) is not None:
                return separator, _Line(place, line.cells), layout
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    separator = max(separators, key=first.count)
    names = next(_lines(text, separator), _Line(0, [])).cells
    found = ", ".join(shown(name.strip().lower().replace(" ", "_")) for name in names[:8]) or "nothing"
    if writing.columns:
        wanted = ", ".join(writing.columns.values())
        raise IntervalFileError(f"{path}: --columns has {shown(wanted)}, but its first line has {found}")
    plain = [name.strip().lower().replace(" ", "_") for name in names]
    missing = "kwh_delivered" if "time" in plain else "time"
    raise IntervalFileError(
        f"{path}: no column {missing}: its first line has {found}, it must name time and kwh_delivered, or --columns "
        "says which they are"
    )


def _with_units(names: Sequence[str], below: Sequence[_Line]) -> list[str]:
    """By column the first cell that has a unit; nothing where there is none."""
    columns = zip_longest(*(line.cells[: len(names)] for line in below), fillvalue="")
    return [next((cell for cell in cells if cell[-1:].isalpha() and cell_unit(cell.strip())), "") for cells in columns]


def _read(
    path: Path,
    names: Sequence[str],
    layout: Layout,
    lines: Iterator[tuple[int, list[str]]],
    separator: str,
    writing: Writing,
    notes: list[str],
    *,
    ends: bool,
    sure: bool,
) -> Rows:
    if "kwh_delivered" not in layout.sources:
        raise IntervalFileError(
            f"{path}: no column kwh_delivered: its first line has {', '.join(map(shown, names[:8]))}, it must name "
            "time and kwh_delivered, or --columns says which they are"
        )
    columns = tuple(column for column in COLUMNS if column in layout.sources)
    sources = tuple(layout.sources[column] for column in columns)
    known = {*layout.times, *(source.place for source in sources), layout.meter}
    others = [name.strip().lower().replace(" ", "_") for place, name in enumerate(names) if place not in known]
    table = Rows(columns, sources, layout.named, tuple(name for name in others if name), notes=[*notes, *layout.notes])
    places, width = [source.place for source in sources], len(names)
    numbers: list[int] = []
    days: list[str] = []
    clocks: list[str] = []
    values: list[tuple[str, ...]] = []
    meters: dict[str, int] = {}
    empty: Counter[str] = Counter()
    for line, cells in without_footer(layout.times, list(lines), table.notes):
        if len(cells) != width and (len(cells) < width or any(cell.strip() for cell in cells[width:])):
            raise IntervalFileError(f"{path}, line {line}: {len(cells)} cells under {width} columns")
        if layout.meter is not None:
            meter = cells[layout.meter].strip()
            meters.setdefault(meter, line)
            if writing.meter is not None and meter != writing.meter:
                continue
        numbers.append(line)
        *dates, clock = [cells[place].strip() for place in layout.times]
        days.append(" ".join(dates))
        clocks.append(clock)
        values.append(tuple([cell_text(cells[place].strip(), empty) for place in places]))
    _check_meters(path, layout.meter, meters, writing.meter)
    if not numbers:
        raise IntervalFileError(f"{path} has no intervals: give at least one line below the columns")
    if empty:
        told = ", ".join(map(shown, empty))
        table.notes.append(f"{counted(empty.total(), 'cell')} with {told}: taken as empty")
    if len(layout.times) > 1:
        clocks = as_clock(clocks, names[layout.times[-1]].strip(), ends=ends, sure=sure)
    stamps = [f"{day} {clock}".strip() for day, clock in zip(days, clocks, strict=True)]
    found = read_numbers(path, columns, sources, numbers, values, separator, writing.decimal)
    table.numbers = found.by_column
    table.notes += found.notes
    try:
        times, note = read_times(stamps, writing.time_format)
    except WrongStamp as error:
        raise IntervalFileError(
            f"{path}, line {numbers[error.place]}: time is {shown(stamps[error.place])}, {error.rule}"
        ) from None
    if note is not None:
        table.notes.append(note)
    if layout.utc:
        times = [time if time.tzinfo is not None else time.replace(tzinfo=UTC) for time in times]
    for line, stamp, time, texts in zip(numbers, stamps, times, values, strict=True):
        table.rows.append(LoadRow(line, time, texts if any(texts) else None))
        if (time.tzinfo is None) != (times[0].tzinfo is None):
            raise IntervalFileError(
                f"{path}, line {line}: time is {shown(stamp)}, but the first time is "
                f"{'without' if times[0].tzinfo is None else 'with'} an offset from UTC: give all one, or none"
            )
    return table


def _check_meters(path: Path, place: int | None, meters: Mapping[str, int], wanted: str | None) -> None:
    if wanted is None and len(meters) < 2:
        return
    found = ", ".join(map(shown, [*meters][:MOST_METERS_TOLD])) + (", …" if len(meters) > MOST_METERS_TOLD else "")
    if wanted is None:
        raise IntervalFileError(f"{path} has {len(meters)} meters, {found}: say which with --meter")
    if place is None:
        raise IntervalFileError(f"{path} has no column of meters for --meter: name it with --columns meter=NAME")
    if wanted not in meters:
        raise IntervalFileError(f"{path} has no meter {shown(wanted)} for --meter: it has {found}")
