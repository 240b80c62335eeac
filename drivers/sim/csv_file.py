"""Recordings in CSV files: columns of volts and amperes with their names and units, as people and instruments write."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

from drivers.sim.clock_stamps import is_clock, seconds_since_first
from drivers.sim.csv_table import Layout, Source, Values
from drivers.sim.recording import (
    LEAST_RATE_HZ,
    RecordedChannel,
    Recording,
    RecordingError,
    printable,
    read_bytes,
    shown,
    uniform_rate,
)
from drivers.sim.scope_exports import layout_of
from drivers.sim.source import Floats
from drivers.sim.text_encoding import folded
from drivers.sim.units import Heading, Unit, factor_in, heading, is_time, unit_of

MOST_BYTES = 128 << 20

_NO_CSV = {b"PK\x03\x04": "a zip archive or an Excel workbook", b"\x1f\x8b": "packed by gzip"}
_NO_CSV |= {b"\xd0\xcf\x11\xe0": "an old Excel workbook", b"RIFF": "a sound", b"%PDF": "a PDF"}
_UNITS = {"va": "V", "vb": "V", "vc": "V", "ia": "A", "ib": "A", "ic": "A"}
_CHANNEL = re.compile(r"ch(annel)?\s*\d+", re.IGNORECASE)
"""In a name's brackets, as in Rigol's X(CH1), above a row of units: no unit."""
_SCALED = re.compile(r"(?<![A-Za-z0-9])[kmuµμ][VA](?![A-Za-z0-9/])")
_FACTORS = re.compile(
    r"\b(multipl\w*|ratio|[cvp]t|(?<!power )(?<!crest )factor|(?<!vertical )(?<!horizontal )(?<!time )scale)\b",
    re.IGNORECASE,
)
_OTHER_THAN_1 = re.compile(r"(?<![\d.])(?!1(?:[.,]0*)?(?![\d.,]))\d")
_FINER = (("ms", 1e3), ("µs", 1e6), ("ns", 1e9))


def read_csv(path: Path, rate_hz: Fraction | None = None) -> Recording:
    """Read a CSV file: names of columns (va ia vb ib vc ic in any order, and others), then numbers.

    Separators are commas, semicolons, tabs, bars or blanks; the decimal sign is a point or a comma. Units stand in a
    name's brackets, behind its _, or in a row of their own; without one va, vb, vc are in volts, ia, ib, ic in amperes.
    Lines above the header, lines that begin with # and blank lines do not count. The rate comes from `rate_hz`, from
    a column of time, or from an oscilloscope's settings. RecordingError for anything that cannot be read; a cell that
    is no number, or a unit that is not understood, matters only when its column is used.
    """
    data = read_bytes(path, MOST_BYTES)
    if (other := next((what for begin, what in _NO_CSV.items() if data.startswith(begin)), None)) is not None:
        raise RecordingError(f"{path}: is {other}, and no text: save what it holds as CSV")
    source = Source(path, data)
    layout = layout_of(source)
    headings = _headings(layout.headings, layout.units)
    values = source.values(layout)
    stamps = next((k for k, head in enumerate(headings) if is_time(head)), None)
    kept = [k for k in range(len(headings)) if k != stamps]
    numbers = values.numbers
    channels = []
    for k in kept:
        channel = _channel(headings[k], layout.units[k], values, k)
        unit = headings[k].unit
        if unit is not None and unit.scale != 1:
            numbers[:, k] *= float(unit.scale)
        channels.append(channel)
    notes = list(layout.notes) + _spoken_units(source, layout, headings) + _spoken_factors(source, layout, headings)
    if rate_hz is None:
        if stamps is not None:
            clock = seconds_since_first(source.texts(layout, stamps)) if is_clock(values.first_bad[stamps][1]) else None
            if clock is not None:
                rate_hz = uniform_rate(clock, path)
                if rate_hz < LEAST_RATE_HZ:
                    raise RecordingError(
                        f"{path}: column {printable(layout.headings[stamps])} has {float(rate_hz):.3g} samples a "
                        "second, too few for a line frequency: a recording of waveforms has hundreds"
                    )
            else:
                rate_hz = _stamped_rate(path, headings[stamps], layout.headings[stamps], values, stamps)
        elif layout.interval_s is not None:
            rate_hz = Fraction(1 / layout.interval_s).limit_denominator(1000)
            if rate_hz < LEAST_RATE_HZ:
                raise RecordingError(
                    f"{path}: the lines above its values give {1 / layout.interval_s:.3g} samples a second, too few "
                    "for a line frequency: give the rate with --rate"
                )
            notes.append(f"the rate of {float(rate_hz):g} Hz is that of the lines above the values")
        else:
            raise RecordingError(f"{path}: no sampling rate; give it with --rate or in a column time_s of seconds")
    return Recording(path, tuple(channels), numbers[:, kept], rate_hz, tuple(notes), source.encoding)


def _spoken_units(source: Source, layout: Layout, headings: list[Heading]) -> list[str]:
    """Note on a unit in the text above the values, where columns have none and are taken in V and A."""
    without = [head.name for head in headings if not head.text and head.name.lower() in _UNITS]
    for line, text in _above(source, layout, headings):
        if without and (found := _SCALED.search(text)):
            return [
                f"line {line} has {shown(found[0])}, but {', '.join(without)} have no unit in their names: "
                "taken in V and A"
            ]
    return []


def _spoken_factors(source: Source, layout: Layout, headings: list[Heading]) -> list[str]:
    """Note on the first text above the values that speaks of a factor other than 1."""
    for line, text in _above(source, layout, headings):
        if _FACTORS.search(text) and _OTHER_THAN_1.search(text):
            return [f"line {line} is {shown(text)}: nothing is multiplied, the numbers are taken as they are"]
    return []


def _above(source: Source, layout: Layout, headings: list[Heading]) -> list[tuple[int, str]]:
    """Texts above the values that are no names of columns, with their lines."""
    above = [(line, text) for line, text in source.comments if line < layout.first_line]
    above += [
        (line, " ".join(cells))
        for line, cells in source.sample
        if line < layout.first_line and cells[: len(headings)] not in (layout.headings, layout.units)
    ]
    return sorted(above)


def _headings(names: list[str], units: list[str]) -> list[Heading]:
    """Names and units of the columns: of the name itself, or of the row of units."""
    apart = [heading(name) for name in names]
    if all(_names_a_unit(name) for name in names):  # a header of units alone, such as Second,Volt
        apart = [Heading(name, name, unit_of(name)) for name in names]
    found = []
    for k, (head, unit) in enumerate(zip(apart, units, strict=True)):
        if unit and (not head.text or (head.unit is None and _CHANNEL.fullmatch(head.text))):
            head = Heading(names[k] if head.text else head.name, unit, unit_of(unit))
        name = head.name or ("time" if head.unit and head.unit.base == "s" else f"column {k + 1}")
        found.append(head._replace(name=printable(name)))
    # Two columns of a name that only their units tell apart, such as va [V] and va [kV], have it with the unit.
    counts = Counter(folded(head.name) for head in found)
    return [
        head._replace(name=printable(name.strip())) if counts[folded(head.name)] > 1 else head
        for head, name in zip(found, names, strict=True)
    ]


def _names_a_unit(name: str) -> bool:
    unit = unit_of(name)
    return unit is not None and unit.base in "VAs"


def _channel(head: Heading, row_unit: str, values: Values, k: int) -> RecordedChannel:
    unit: Unit | None = head.unit
    fault = None
    if head.text and unit is None:
        fault = (
            f"has the unit {shown(head.text)}, which is not understood: it may be V, kV, mV, A, kA or mA, "
            f"in brackets or behind _"
        )
    elif (factor := factor_in(head.name)) is not None:
        fault = (
            f"has the factor {shown(factor)} in its name, which may be in its numbers or not: write the unit that "
            f"they are in, as in va (kV)"
        )
    elif row_unit and unit and (other := unit_of(row_unit)) != unit:
        fault = f"has the unit {shown(head.text)} in its name and {shown(row_unit)} below it" if other else None
    elif values.bad[k] == len(values.numbers) and not values.first_bad[k][1]:
        fault = "is empty: no value in it is a finite number"
    elif values.bad[k]:
        line, text = values.first_bad[k]
        fault = f"is not a finite number at line {line} ({shown(text)})"
    base = unit.base if unit else _UNITS.get(head.name.lower(), "")
    return RecordedChannel(head.name, base, fault=fault)


def _stamped_rate(path: Path, head: Heading, name: str, values: Values, k: int) -> Fraction:
    if head.text and (head.unit is None or head.unit.base != "s"):
        raise RecordingError(
            f"{path}: column {printable(name)}: {shown(head.text)} is not a unit of time: write s, ms, µs or ns"
        )
    if values.bad[k]:
        line, text = values.first_bad[k]
        raise RecordingError(
            f"{path}: column {head.name} is not a finite number at line {line} ({shown(text)}): correct it, or give "
            f"the rate with --rate"
        )
    stamps: Floats = values.numbers[:, k] * float(head.unit.scale if head.unit else 1)
    rate = uniform_rate(stamps, path)
    if rate < LEAST_RATE_HZ:
        finer = [unit for unit, factor in _FINER if rate * Fraction(factor) >= LEAST_RATE_HZ]
        meant = f"is the column in {finer[0]}?" if finer else "is it in another unit?"
        raise RecordingError(
            f"{path}: column {printable(name)} gives {float(rate):.3g} samples a second, too few for a line frequency: "
            f"{meant} Name its unit in the header, such as time_ms, or give the rate with --rate"
        )
    return rate
