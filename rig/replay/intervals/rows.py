"""The lines of a load's record: a CSV file as stamps and numbers, taken strictly.

Columns `time` (ISO, local, or with its offset from UTC) and `kwh_delivered`, and where there are, `kwh_received`,
`kvarh_lagging`, `kvarh_leading`, in any order; a blank in a name is an underscore. Other columns do not count, and are
told; nor do lines that are empty or begin with `#`. Commas, semicolons or tabs separate; without commas a number may
have one for its point.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple, TextIO

from rig.files.strict_toml import ConfigError, shown

COLUMNS = ("kwh_delivered", "kwh_received", "kvarh_lagging", "kvarh_leading")
MOST_KWH = 10**9
MOST_DECIMALS = 40
YEARS = range(1970, 2200)
_DAY = timedelta(days=1)


class IntervalFileError(ConfigError):
    """A file that is no load's record: one sentence with file, line, value and what would be right."""


class LoadRow(NamedTuple):
    """A line: its time as it stands there, and by column the texts of its numbers; None where all of them are empty."""

    line: int
    time: datetime
    energies: tuple[str, ...] | None


@dataclass
class Rows:
    """All lines in the order of the file; `columns` are those of COLUMNS that it has, `others` its columns that do not
    count. `numbers` is of every text."""

    columns: tuple[str, ...]
    others: tuple[str, ...] = ()
    rows: list[LoadRow] = field(default_factory=list)
    numbers: dict[str, Decimal] = field(default_factory=dict)
    decimal_comma: bool = False

    def flows(self, place: int) -> bool:
        """Whether a line has energy."""
        energies = self.rows[place].energies
        return energies is not None and any(self.numbers[text] for text in energies)

    def units(self) -> tuple[int, dict[str, int]]:
        """Every number exactly, as an integer over one scale."""
        places = max((-int(number.as_tuple().exponent) for number in self.numbers.values()), default=0)
        scale = 10 ** max(places, 0)
        units = {}
        for text, number in self.numbers.items():
            numerator, denominator = number.as_integer_ratio()
            units[text] = numerator * (scale // denominator)
        return scale, units


def read_rows(path: Path) -> Rows:
    """Read a file. Raises IntervalFileError."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            separator = _separator(file)
            lines = _lines(csv.reader(file, delimiter=separator, skipinitialspace=True))
            return _read(path, lines, separator)
    except FileNotFoundError:
        raise IntervalFileError(f"{path} does not exist: give a CSV file with columns time and kwh_delivered") from None
    except UnicodeDecodeError as error:
        raise IntervalFileError(f"{path} is not text in UTF-8 ({error.reason}): save it as CSV in UTF-8") from None
    except OSError as error:
        raise IntervalFileError(f"{path} cannot be read: {error.strerror}") from None
    except csv.Error as error:
        raise IntervalFileError(f"{path} is no CSV file: {error}") from None


def _separator(file: TextIO) -> str:
    """What the line with the names has most of."""
    first = next((line for line in file if not _passed_over(line)), "")
    file.seek(0)
    return max(",;\t", key=first.count)


def _passed_over(text: str) -> bool:
    return not text.strip() or text.startswith("#")


def _lines(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line that counts."""
    for cells in reader:
        if any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
            yield reader.line_num, cells  # type: ignore[attr-defined]  # it is csv's


def _read(path: Path, lines: Iterator[tuple[int, list[str]]], separator: str) -> Rows:
    _, names = next(lines, (0, []))
    header = [name.strip().lower().replace(" ", "_") for name in names]
    for name in ("time", *COLUMNS):
        if header.count(name) > 1:
            raise IntervalFileError(f"{path}: column {name} comes twice; give it once")
    for name in ("time", "kwh_delivered"):
        if name not in header:
            found = ", ".join(shown(h) for h in header[:8]) or "nothing"
            raise IntervalFileError(
                f"{path}: no column {name}: its first line has {found}, it must name time and kwh_delivered"
            )
    table = Rows(
        tuple(c for c in COLUMNS if c in header),
        tuple(name for name in header if name and name not in ("time", *COLUMNS)),
        decimal_comma=separator != ",",
    )
    time_at, places = header.index("time"), [header.index(c) for c in table.columns]
    width, rows, numbers = len(header), table.rows, table.numbers
    for line, cells in lines:
        if len(cells) != width and (len(cells) < width or any(cell.strip() for cell in cells[width:])):
            raise IntervalFileError(f"{path}, line {line}: {len(cells)} cells under {width} columns")
        texts = tuple([cells[place].strip() for place in places])
        for text in texts:
            if text not in numbers and any(texts):
                _check_filled(path, line, table.columns, texts)
                numbers[text] = _number(path, line, table, texts, text)
        rows.append(LoadRow(line, _time(path, line, cells[time_at].strip()), texts if any(texts) else None))
        if (rows[-1].time.tzinfo is None) != (rows[0].time.tzinfo is None):
            raise IntervalFileError(
                f"{path}, line {line}: time is {shown(cells[time_at].strip())}, but the first time is "
                f"{'without' if rows[0].time.tzinfo is None else 'with'} an offset from UTC: give all one, or none"
            )
    if not rows:
        raise IntervalFileError(f"{path} has no intervals: give at least one line below the columns")
    return table


def _check_filled(path: Path, line: int, columns: tuple[str, ...], texts: tuple[str, ...]) -> None:
    if "" in texts:
        raise IntervalFileError(
            f"{path}, line {line}: {columns[texts.index('')]} is empty, it must be a number where other columns have "
            "one, such as 0"
        )


def _number(path: Path, line: int, table: Rows, texts: tuple[str, ...], text: str) -> Decimal:
    try:
        number = Decimal(text.replace(",", ".") if table.decimal_comma else text)
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_finite() and 0 <= number <= MOST_KWH and int(number.as_tuple().exponent) >= -MOST_DECIMALS:
        return number
    column = table.columns[texts.index(text)]
    unit = column.partition("_")[0].replace("kwh", "kWh")
    hint = "; what flows back belongs into kwh_received" if text.startswith("-") and column == "kwh_delivered" else ""
    raise IntervalFileError(
        f"{path}, line {line}: {column} is {shown(text)}, it must be a number of {unit} from 0 to {MOST_KWH} with at "
        f"most {MOST_DECIMALS} decimals{hint}"
    )


def _time(path: Path, line: int, stamp: str) -> datetime:
    """As it stands there; 24:00 is the 00:00 of the next day."""
    midnight = stamp[11:16] == "24:00"
    try:
        time = datetime.fromisoformat(f"{stamp[:11]}00:00{stamp[16:]}" if midnight else stamp)
        if time.year not in YEARS or (midnight and (time.second or time.microsecond)):
            raise ValueError
    except ValueError:
        raise IntervalFileError(
            f"{path}, line {line}: time is {shown(stamp)}, it must be as in 2011-07-01T16:30 or "
            f"2011-07-01T16:30-04:00, in the years {YEARS[0]} to {YEARS[-1]}"
        ) from None
    return time + _DAY if midnight else time
