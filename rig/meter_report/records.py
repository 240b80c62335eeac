"""A meter's figures as rows, for CSV and Parquet: for programs, so with a decimal point and ISO times in any language.

| part | columns |
|---|---|
| profile | end_local, flags, each channel in its unit |
| registers | set, at, season, resets, quantity, rate, register, value |
| events | at, event, details (JSON) |

A line of a CSV that begins with # says what the rest is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from rig.meter_report.errors import MeterReportError
from rig.meter_report.exact_values import pulse_text
from rig.meter_report.meter_data import MeterData, RegisterSet
from rig.plain_text import printable

_PARQUET_DIGITS, _PARQUET_DECIMALS = 38, 12
_MOST_PARQUET_DIGITS = 76
"""Of a decimal of 256 bits, as the format has them."""

Cell = datetime | Decimal | int | str | None


class Part(StrEnum):
    """Part of a report that rows can be of."""

    PROFILE = "profile"
    REGISTERS = "registers"
    EVENTS = "events"


@dataclass(frozen=True)
class Column:
    """A column: "time", "decimal", "whole" or "text"."""

    name: str
    kind: str


def part_of(meter: MeterData, asked: Part | None) -> Part:
    """Give the part asked for; else the load profile, or the registers where there is none. Raises MeterReportError."""
    there = [
        part
        for part, has in (
            (Part.PROFILE, meter.profile is not None),
            (Part.REGISTERS, bool(meter.sets)),
            (Part.EVENTS, bool(meter.events)),
        )
        if has
    ]
    if not there or (asked is not None and asked not in there):
        what = "figures" if asked is None else {"profile": "load profile"}.get(asked, asked.value)
        have = f": give {' or '.join(there)}" if there else ""
        raise MeterReportError(f"{meter.source} has no {what}{have}")
    return asked or there[0]


def rows_of(meter: MeterData, part: Part) -> tuple[list[Column], list[list[Cell]]]:
    """Give columns and rows of a part."""
    if part is Part.PROFILE:
        profile = meter.profile
        assert profile is not None
        columns = [Column("end_local", "time"), Column("flags", "text")]
        columns += [Column(channel.name, "decimal") for channel in profile.channels]
        return columns, [[line.end, "+".join(line.flags), *line.values] for line in profile.lines]
    if part is Part.REGISTERS:
        names = (("set", "text"), ("at", "time"), ("season", "whole"), ("resets", "whole"), ("quantity", "text"),
                 ("rate", "text"), ("register", "text"), ("value", "decimal"), ("reached_at", "time"))  # fmt: skip
        return [Column(*each) for each in names], [row for each in meter.sets for row in _set_rows(each)]
    columns = [Column("at", "time"), Column("event", "text"), Column("details", "text")]
    return columns, [[e.at, e.name, json.dumps(e.details, ensure_ascii=False, sort_keys=True)] for e in meter.events]


def _set_rows(found: RegisterSet) -> Iterator[list[Cell]]:
    head: list[Cell] = [found.kind.value, found.at, found.season, found.resets]
    for energy in found.energy:
        for rate, value in zip(("", *"ABCD"), (energy.total, *energy.rates), strict=False):
            yield [*head, energy.quantity, rate, "energy", value, None]
    for demand in found.demand:
        for register, figure, at in (
            ("present", demand.present, None),
            ("previous", demand.previous, None),
            ("maximum", demand.maximum, demand.at),
            ("cumulative", demand.cumulative, None),
            ("continuous cumulative", demand.continuous, None),
        ):
            if figure is not None:
                yield [*head, demand.quantity, demand.rate or "", register, figure, at]


def about(meter: MeterData, part: Part) -> list[str]:
    """Describe a file, line by line."""
    what = f"{part.value} of a meter"
    if part is Part.PROFILE and meter.profile is not None:
        count = len(meter.profile.channels)
        what = f"load profile, {count} channel{'s' * (count > 1)} every {meter.profile.minutes} min"
    lines = [f"{meter.mark}, {what}" if meter.mark else what, meter.source]
    lines += [f"{name}: {text}" for name, text in (*meter.plate, *meter.provenance)]
    lines.append(f"times: {meter.zone}")
    if part is Part.PROFILE and meter.profile is not None:
        lines += [
            f"{channel.name} in {channel.unit}" + (f", {pulse_text(channel.pulse)} a pulse" if channel.pulse else "")
            for channel in meter.profile.channels
        ]
        lines += [
            f"{mark.kind} {mark.at.isoformat()}" + ("" if mark.until == mark.at else f" to {mark.until.isoformat()}")
            for mark in meter.profile.marks
        ]
        if meter.profile.skipped:
            lines.append(f"{meter.profile.skipped} words before the first date belong to no known day")
        lines += meter.profile.notes
    return [printable(line) for line in (*lines, *meter.notes)]


def csv_of(meter: MeterData, part: Part) -> bytes:
    """Give the file."""
    columns, rows = rows_of(meter, part)
    text = io.StringIO()
    text.writelines(f"# {line}\n" for line in about(meter, part))
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([printable(column.name) for column in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


def parquet_of(meter: MeterData, part: Part) -> bytes:
    """Give the file; a decimal has 12 digits after its point, or as many as its column needs.

    Raises MeterReportError without pyarrow, and for a figure that Parquet has no decimal for.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MeterReportError(
            'Parquet needs pyarrow: run `.venv/bin/pip install -e ".[parquet]"` in the project folder, or write a .csv'
        ) from None
    columns, rows = rows_of(meter, part)
    kinds = {
        "time": pyarrow.timestamp("s"),
        "whole": pyarrow.int64(),
        "text": pyarrow.string(),
    }
    fields, arrays = [], []
    for k, column in enumerate(columns):
        stored = [_stored(row[k]) for row in rows]
        if column.kind == "decimal":
            digits, decimals = _digits_of(column.name, [value for value in stored if isinstance(value, Decimal)])
            wide = digits > _PARQUET_DIGITS
            kind = pyarrow.decimal256(digits, decimals) if wide else pyarrow.decimal128(digits, decimals)
        else:
            kind = kinds[column.kind]
        fields.append(pyarrow.field(printable(column.name), kind))
        arrays.append(pyarrow.array(stored, kind))
    schema = pyarrow.schema(fields, metadata={"about": "\n".join(about(meter, part))})
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), sink)
    return bytes(sink.getvalue().to_pybytes())


def _digits_of(column: str, values: Sequence[Decimal]) -> tuple[int, int]:
    """Give how many digits the decimals of a column have in Parquet, and how many of them after the point."""
    name = printable(column)
    if odd := next((value for value in values if not value.is_finite()), None):
        raise MeterReportError(f"column {name} has {odd}, which is no decimal of Parquet: write a .csv")
    after = max([0, *(-int(value.as_tuple().exponent) for value in values)])
    before = max([0, *(value.adjusted() + 1 for value in values if value)])
    if after <= _PARQUET_DECIMALS and before <= _PARQUET_DIGITS - _PARQUET_DECIMALS:
        return _PARQUET_DIGITS, _PARQUET_DECIMALS
    if before + after > _MOST_PARQUET_DIGITS:
        raise MeterReportError(
            f"column {name} has {before} digits before the point and {after} after it, and decimals of Parquet have "
            f"{_MOST_PARQUET_DIGITS}: write a .csv"
        )
    return _MOST_PARQUET_DIGITS, after


def _cell(value: Cell) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case str():
            return printable(value)
    return str(value)


def _stored(value: Cell) -> Cell:
    return printable(value) if isinstance(value, str) else value


def channels_of(meter: MeterData, asked: Sequence[str]) -> list[int]:
    """Give the places of the channels that are to be drawn: as asked for by name or number, else those of kWh, else the
    first. Raises MeterReportError."""
    names = [] if meter.profile is None else [channel.name for channel in meter.profile.channels]
    if not asked:
        energy = [k for k, name in enumerate(names) if name.startswith("kWh")]
        used = [k for k in energy if any(line.values[k] for line in meter.profile.lines)] if meter.profile else []
        return used or energy[:1] or list(range(len(names)))[:1]
    found = []
    for text in asked:
        if text in names:
            found.append(names.index(text))
        elif text.isdecimal() and 1 <= int(text) <= len(names):
            found.append(int(text) - 1)
        else:
            known = ", ".join(f"{k} ({name})" for k, name in enumerate(names, 1)) or "none: there is no load profile"
            raise MeterReportError(f"--channel is {text}, give one of {known}")
    return list(dict.fromkeys(found))
