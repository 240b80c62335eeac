"""The numbers of a load record's columns: each text is read once, by the file's decimal sign and its own unit.

a cell             under a column in kWh          whose unit only its cells say (kWh in the first)
1.25               1.25 kWh                       refused, but for 0
1.25 kWh           1.25 kWh                       1.25 kWh
1250 Wh            1.25 kWh, told                 1.25 kWh, told
5 kW, 5 kvarh      refused                        refused
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from rig.files.strict_toml import shown
from rig.replay.intervals.cell_units import CellUnit, cell_unit
from rig.replay.intervals.columns import Source
from rig.replay.intervals.decimals import Notation, notation_of
from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.net import NET
from rig.replay.intervals.record import counted
from rig.replay.intervals.values import MOST_DECIMALS, MOST_KWH
from rig.replay.intervals.writing import Writing


class Numbers(NamedTuple):
    """By column the number of every text, in the unit of its source; the notation; notes."""

    by_column: list[dict[str, Decimal]]
    notation: Notation
    notes: list[str]


def read_numbers(
    path: Path,
    columns: Sequence[str],
    sources: Sequence[Source],
    lines: Sequence[int],
    values: Sequence[tuple[str, ...]],
    separator: str,
    writing: Writing,
) -> Numbers:
    """Read the texts of all lines, by column; errors are of the first line that has it. Raises IntervalFileError.

    Below 0 are only net columns, and those of energy received, of which all numbers may have the sign of their way.
    """
    first: list[dict[str, int]] = [{} for _ in columns]
    for place, texts in enumerate(values):
        if not any(texts):
            continue
        for known, text in zip(first, texts, strict=True):
            if text not in known:
                if not text:
                    raise IntervalFileError(
                        f"{path}, line {lines[place]}: {columns[texts.index('')]} is empty, it must be a number "
                        "where other columns have one, such as 0"
                    )
                known[text] = place
    units = [{text: unit for text in known if (unit := _unit(text)) is not None} for known in first]
    bare: dict[str, int] = {}
    written = [
        (place, known_units, text)
        for known, known_units in zip(first, units, strict=True)
        for text, place in known.items()
    ]
    for place, known_units, text in sorted(written, key=lambda each: each[0]):
        bare.setdefault(known_units[text].number if text in known_units else text, place)
    notation = notation_of(bare, separator, writing.decimal)
    if notation is None:
        sign = "," if any("," in text for text in bare) else "."
        text = next(text for text in bare if sign in text)
        raise IntervalFileError(
            f"{path}, line {lines[bare[text]]}: {shown(text)} can be read in two ways, and so can all numbers with a "
            f"{'comma' if sign == ',' else 'point'}: say with --decimal . or --decimal , which sign is the decimal one"
        )
    notes = [] if notation.note is None else [notation.note]
    found: list[dict[str, Decimal]] = []
    for column, source, known, own in zip(columns, sources, first, units, strict=True):
        numbers: dict[str, Decimal] = {}
        signed = not writing.registers and (column in NET or column.endswith(("_received", "_leading")))
        for text, place in known.items():
            unit = own.get(text)
            number = number_of(notation, text if unit is None else unit.number)
            if number is None or not _possible(number, signed=signed):
                raise _wrong_number(path, lines[place], column, text)
            if unit is not None:
                _check_unit(path, lines[place], column, source, text, unit)
                below, digits, exponent = number.as_tuple()
                number = Decimal((below, digits, int(exponent) + unit.exponent - source.exponent))
                if not _possible(number, signed=signed):
                    raise _wrong_number(path, lines[place], column, text)
            elif source.by_cells and number:
                raise IntervalFileError(
                    f"{path}, line {lines[place]}: {column} is {shown(text)} without a unit, which other cells of its "
                    "column have: give all of them theirs, or say with --columns in which it is"
                )
            numbers[text] = number
        notes += _unit_notes(column, source, lines, known, own)
        received = [text for text, number in numbers.items() if number < 0]
        if received and column not in NET:
            if any(number > 0 for number in numbers.values()):
                raise _wrong_number(path, lines[known[received[0]]], column, received[0])
            numbers = {text: -number for text, number in numbers.items()}
            notes.append(f"{column}: all values are 0 or below, as {shown(received[0])}: taken without the sign")
        found.append(numbers)
    return Numbers(found, notation, notes)


def number_of(notation: Notation, text: str) -> Decimal | None:
    """Read a number in a notation; None for what is none, or not finite."""
    if "_" in text:
        return None  # to Decimal it says nothing
    try:
        number = Decimal(notation.plain(text.strip()))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _possible(number: Decimal, *, signed: bool) -> bool:
    return (0 if not signed else -MOST_KWH) <= number <= MOST_KWH and int(number.as_tuple().exponent) >= -MOST_DECIMALS


def _unit(text: str) -> CellUnit | None:
    return cell_unit(text) if text[-1:].isalpha() else None


def _check_unit(path: Path, line: int, column: str, source: Source, text: str, unit: CellUnit) -> None:
    """A cell's unit may be larger or smaller than that of its column, but of the same kind."""
    reactive = column.startswith("kvarh")
    if unit.reactive == reactive and unit.power == source.power:
        return
    kind = ("kvar" if reactive else "kW") if source.power else ("kvarh" if reactive else "kWh")
    raise IntervalFileError(
        f"{path}, line {line}: {column} is {shown(text)}, but its column is in {kind} or a multiple of it: correct the "
        "one that is wrong"
    )


def _unit_notes(
    column: str, source: Source, lines: Sequence[int], known: dict[str, int], own: dict[str, CellUnit]
) -> Iterable[str]:
    """Tell of cells in another unit than their column's."""
    others = [text for text, unit in own.items() if unit.exponent != source.exponent]
    if others:
        text = min(others, key=known.__getitem__)
        yield (
            f"{column}: {counted(len(others), 'value')} in another unit than the column, the first {shown(text)} in "
            f"line {lines[known[text]]}: read by it"
        )


def _wrong_number(path: Path, line: int, column: str, text: str) -> IntervalFileError:
    unit = column.partition("_")[0].replace("kwh", "kWh")
    hint = (
        "; energy received goes in kwh_received, and --columns kwh_net=NAME says that a column has both"
        if text.startswith("-") and column == "kwh_delivered"
        else ""
    )
    return IntervalFileError(
        f"{path}, line {line}: {column} is {shown(text)}, it must be a number of {unit} from 0 to {MOST_KWH} with at "
        f"most {MOST_DECIMALS} decimals{hint}"
    )
