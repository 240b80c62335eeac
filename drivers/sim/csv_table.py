"""A CSV file as people and instruments write it: separator, decimal sign, header and where the numbers begin."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, repeat
from pathlib import Path

import numpy as np

from drivers.sim.recording import RecordingError, check_size, shown
from drivers.sim.source import Floats
from drivers.sim.text_encoding import encoding_of
from drivers.sim.units import unit_of

SAMPLED_LINES = 400
"""Lines from a file's beginning by which its layout is judged."""

_MOST_LINE = 1 << 20
_CHUNK_CELLS = 200_000
_DELIMITERS = (",", ";", "\t", "|", None)  # None: blanks
_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_SEP = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_COMMENTS = ("#", "%")

Row = tuple[int, list[str]]
"""A line's number in the file, from 1, and its cells."""


@dataclass(frozen=True)
class Dialect:
    """Dialect of a file's lines: the separator (None: blanks), whether numbers have a decimal comma."""

    delimiter: str | None
    decimal_comma: bool = False

    def cells(self, line: str) -> list[str]:
        """Split a line; csv.Error for a quote that is not closed."""
        if self.delimiter is None:
            return line.split()
        if '"' not in line:
            return [cell.strip() for cell in line.split(self.delimiter)]
        (row,) = csv.reader([line], delimiter=self.delimiter, skipinitialspace=True, strict=True)
        return [cell.strip() for cell in row]

    def cells_of_any(self, line: str) -> list[str]:
        """Split a line that may be text: quotes need not match."""
        try:
            return self.cells(line)
        except csv.Error:
            return [cell.strip() for cell in line.replace('"', "").split(self.delimiter)]

    def is_number(self, cell: str) -> bool:
        """Return whether a cell is a number in this dialect, infinite and not-a-number ones included."""
        plain = _COMMA.fullmatch(cell) if self.decimal_comma else None
        return bool(plain or _POINT.fullmatch(cell) or _NOT_FINITE.fullmatch(cell))


@dataclass
class Layout:
    """Layout of a table: `headings` and `units` ('' for none) of the cells `columns`, from line `first_line` on.

    `interval_s` is the time between samples where the lines above have it; `cells` are the numbers of cells that a row
    may have.
    """

    headings: list[str]
    units: list[str]
    columns: list[int]
    first_line: int
    cells: range
    interval_s: float | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Values:
    """The numbers of some columns, shape (rows, columns), NaN where there is none, and for each column how many cells
    are no finite number, and the line and text of the first."""

    numbers: Floats
    bad: list[int]
    first_bad: list[tuple[int, str]]


class Source:
    """A CSV file's lines, read as often as needed. `comments` are those among the sampled lines."""

    def __init__(self, path: Path, data: bytes) -> None:
        self._path = path
        self._data = data
        self.encoding = encoding_of(data)
        self.comments: list[tuple[int, str]] = []
        sample: list[tuple[int, str]] = []
        for number, line in self._lines():
            if line.startswith(_COMMENTS):
                self.comments.append((number, line.lstrip("#% ").rstrip()))
            else:
                sample.append((number, line))
            if len(sample) + len(self.comments) >= SAMPLED_LINES:
                break
        separator = _SEP.fullmatch(sample[0][1].strip()) if sample else None
        if separator is not None:
            del sample[0]
        if len(sample) < 1:
            raise RecordingError(f"{path}: empty, it holds no row of values")
        self.dialect = self._judged([line for _, line in sample], separator[1] if separator else None)
        self.sample: list[Row] = [(number, self.dialect.cells_of_any(line)) for number, line in sample]

    def _lines(self) -> Iterator[tuple[int, str]]:
        """The lines that are not blank, with their numbers."""
        text = io.TextIOWrapper(io.BytesIO(self._data), self.encoding, errors="replace", newline=None)
        for number, line in enumerate(text, 1):
            if len(line) > _MOST_LINE:
                raise RecordingError(
                    f"{self._path}: line {number} has {len(line)} characters: this is no CSV of numbers"
                )
            if line.strip(" \t\r\n\x1a\0"):
                yield number, line.rstrip("\n\x1a\0")

    def _judged(self, lines: list[str], given: str | None) -> Dialect:
        """The dialect in which most lines are rows of numbers."""
        best, most = Dialect(given or ","), 0.0
        for delimiter in (given,) if given else _DELIMITERS:
            score = 0.0
            dialect = Dialect(delimiter, decimal_comma=True)
            for line in lines:
                cells = [cell for cell in dialect.cells_of_any(line) if cell]
                numeric = sum(map(dialect.is_number, cells))
                if len(cells) > 1 and numeric * 2 >= len(cells):
                    score += 10 + len(cells) if numeric == len(cells) else 1
            if score > most:
                best, most = dialect, score
        return Dialect(best.delimiter, self._has_decimal_comma(best, lines))

    def _has_decimal_comma(self, dialect: Dialect, lines: list[str]) -> bool:
        cells = [cell for line in lines for cell in dialect.cells_of_any(line)]
        commas = [cell for cell in cells if _COMMA.fullmatch(cell)]
        points = [cell for cell in cells if _POINT.fullmatch(cell) and "." in cell]
        grouped = [cell for cell in cells if _THOUSANDS.fullmatch(cell)]
        if not commas or len(points) >= len(commas):
            return False
        if dialect.delimiter == "," and len(grouped) == len(commas):
            raise RecordingError(
                f"{self._path}: numbers such as {shown(grouped[0])} may have thousands or decimals behind the comma: "
                f"write them with a decimal point"
            )
        return True

    def layout(self) -> Layout:
        """Find the header and the first row of numbers; RecordingError where there is none."""
        rows = self.sample
        is_number = self.dialect.is_number
        counts = Counter(len(cells) for _, cells in rows if sum(map(is_number, cells)) * 2 >= len(cells) > 0)
        most = max(counts, key=lambda n: (counts[n], n)) if counts else len(rows[-1][1])
        body = [cells for _, cells in rows if len(cells) == most]
        numeric = [c for c in range(most) if sum(is_number(r[c]) for r in body) * 2 > len(body)]
        if not numeric:
            numeric = [c for c in range(most) if any(is_number(r[c]) for r in body)]
        first = next(
            (
                k
                for k, (_, cells) in enumerate(rows)
                if len(cells) == most
                and numeric
                and all(is_number(cells[c]) or not cells[c] for c in numeric)
                and any(cells[c] for c in numeric)
            ),
            1,
        )
        # A first row of values with a slip in it is no header: the row above it is, if that has no numbers.
        while first > 1 and len(rows[first - 1][1]) == most == len(rows[first - 2][1]):
            above, header = rows[first - 1][1], rows[first - 2][1]
            if sum(map(is_number, above)) * 2 < most or any(map(is_number, header)):
                break
            first -= 1
        if first >= len(rows):
            raise RecordingError(f"{self._path}: empty, it holds no row of values")
        width = most
        while width > 1 and not any(cells[width - 1] for cells in body):
            width -= 1
        headings, units, at = self._header(first, width)
        layout = Layout(headings, units, list(range(width)), rows[first][0], range(width, most + 1))
        if at > 0:
            lines = "line" if at == 1 else f"{at} lines"
            are = "is" if at == 1 else "are"
            layout.notes.append(f"the {lines} above the header, line {rows[at][0]}, {are} left out")
        return layout

    def _header(self, first: int, width: int) -> tuple[list[str], list[str], int]:
        """The names above row `first`, the units below them if a row has just those, and the header's row."""
        rows = self.sample
        none = [""] * width
        if first == 0:
            line, text = self.comments[-1] if self.comments else (0, "")
            names = self.dialect.cells_of_any(text)
            if line and line < rows[0][0] and len(names) == width and not all(map(self.dialect.is_number, names)):
                return names, none, 0
            raise RecordingError(
                f"{self._path}: line {rows[0][0]} must name the columns, for instance 'va,ia,vb,ib,vc,ic'"
            )
        names = _trimmed(rows[first - 1][1], width)
        if first > 1 and all(unit_of(cell) for cell in names if cell) and any(names):
            above = _trimmed(rows[first - 2][1], width)
            if len(above) == len(names) == width:
                return above, names, first - 2
        if len(names) != width:
            number, cells = rows[first]
            # Twice as many cells as names: each number fell in two.
            hint = ": is the comma their decimal sign as well as their separator?" if width == 2 * len(names) else ""
            raise RecordingError(
                f"{self._path}: line {number} has {len(cells)} cells, the header names {len(names)} columns{hint}"
            )
        return names, none, first - 1

    def values(self, layout: Layout) -> Values:
        """Read the layout's columns from its first line on; RecordingError for a row with too many or too few cells."""
        count = len(layout.columns)
        bad, first_bad = [0] * count, [(0, "")] * count
        chunks: list[Floats] = []
        total = 0
        check_size(self._path, self._data.count(b"\n"), count)
        rows = self._rows(layout)
        while chunk := list(islice(rows, max(1, _CHUNK_CELLS // count))):
            total += len(chunk)
            check_size(self._path, total, count)
            numbers = np.empty((len(chunk), count))
            for k, column in enumerate(layout.columns):
                texts = [cells[column] for _, cells in chunk]
                numbers[:, k] = self._numbers(texts)
                wrong = np.flatnonzero(~np.isfinite(numbers[:, k]))
                if len(wrong) and not bad[k]:
                    first_bad[k] = (chunk[wrong[0]][0], texts[wrong[0]])
                bad[k] += len(wrong)
            chunks.append(numbers)
        if not chunks:
            raise RecordingError(f"{self._path}: empty, it holds no row of values")
        return Values(np.concatenate(chunks), bad, first_bad)

    def texts(self, layout: Layout, place: int) -> Iterator[str]:
        """Give the cells of one of the layout's columns as they stand there."""
        return (cells[layout.columns[place]] for _, cells in self._rows(layout))

    def _rows(self, layout: Layout) -> Iterator[Row]:
        """The rows of values. One without any counts where another follows it: its time has passed."""
        empty, first_empty = 0, 0
        blank = [""] * layout.cells.stop
        for number, line in self._lines():
            if number < layout.first_line or line.startswith(_COMMENTS):
                continue
            try:
                cells = self.dialect.cells(line)
            except csv.Error as error:
                raise RecordingError(f"{self._path}: line {number} is not a valid line of CSV ({error})") from None
            if not any(cells):
                first_empty = first_empty if empty else number
                empty += 1
                continue
            if len(cells) not in layout.cells and (
                len(cells) < layout.cells.start or any(cells[layout.cells.stop - 1 :])
            ):
                raise RecordingError(
                    f"{self._path}: line {number} has {len(cells)} cells, the header names {layout.cells.start} columns"
                )
            yield from repeat((first_empty, blank), empty)
            empty = 0
            yield number, cells

    def _numbers(self, texts: list[str]) -> Floats:
        if self.dialect.decimal_comma:
            # A point in such a file is no decimal sign: thousands, or another notation.
            texts = [text.replace(",", ".") if "." not in text else "" for text in texts]
        try:
            if not any("_" in text for text in texts):
                return np.array(list(map(float, texts)))
        except ValueError:
            pass
        return np.array([float(text) if _POINT.fullmatch(text) else np.nan for text in texts])


def _trimmed(cells: list[str], width: int) -> list[str]:
    """A row without empty cells beyond the width."""
    cells = list(cells)
    while len(cells) > width and not cells[-1]:
        cells.pop()
    return cells
