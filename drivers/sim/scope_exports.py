"""Headers in oscilloscopes' exports, above the samples and beside them (Tektronix, Rigol, Keysight, Siglent, Digilent).

Layouts as their exports have them:

    Tektronix TDS      a table of settings in columns 1 and 2, time and value in columns 4 and 5 of the same lines,
                       again in columns 7 to 11 for a second channel
    Tektronix DPO/MSO  settings line by line, among them 'Vertical Units,V,A', then TIME,CH1,CH2
    Rigol DS/MSO1000Z  X,CH1,CH2,Start,Increment and below it Sequence,Volt,Volt,-6e-04,2e-07: no column of time
    Rigol MSO5000      CH1V,CH2V,t0 = -0.001,tInc = 1e-07, in one line: no column of time
    Keysight           x-axis,1,2 and below it second,Volt,Volt
    Siglent            settings line by line, then Source,CH1,CH2 and below it Second,Volt,Volt
    Digilent           lines that begin with #, then Time (s),Channel 1 (V),Channel 2 (V)

Those of a header and a row of units are read as any table is (csv_table); the others are recognised here.
"""

from __future__ import annotations

import re

from drivers.sim.csv_table import Layout, Row, Source
from drivers.sim.units import heading, is_time, unit_of

_TDS_KEY = "record length"
_T_INC = re.compile(r"\s*tinc\s*=\s*([0-9.,eE+-]+)\s*s?", re.IGNORECASE)
_T_ZERO = re.compile(r"\s*t0\s*=.*", re.IGNORECASE)
_NAME_AND_UNIT = re.compile(r"(.*\d)\s*([mk]?[VA])")
_INTERVAL_KEYS = ("sample interval", "sampling interval", "sampling period", "sample period", "xinc", "xincrement")
_RATE_KEYS = ("sample rate", "sampling rate", "samplerate")
_UNIT_KEYS = ("vertical units", "vertical unit", "yunits", "y units", "y unit", "units", "unit", "vunit", "units(y)")
_TIME_UNIT_KEYS = ("horizontal units", "horizontal unit", "xunits", "x units", "x unit", "hunit")
_NO_CHANNELS = ("source", "index", "sample", "point", "n", "no", "x", "")
_KEY_AND_VALUE = re.compile(r"[:=]")
_GROUPS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(?!\d).*")
_NUMBER = re.compile(r"([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)\s*([a-zA-Zµμ/]*)")
_PER_SECOND = {
    "": 1.0,
    "hz": 1.0,
    "khz": 1e3,
    "mhz": 1e6,
    "ghz": 1e9,
    "s/s": 1.0,
    "sa/s": 1.0,
    "ks/s": 1e3,
    "ms/s": 1e6,
}


def layout_of(source: Source) -> Layout:
    """Give the layout of a CSV: that of an oscilloscope's export where it is one, else that of any table."""
    rows = source.sample
    layout = _beside(rows, source) or _start_and_increment(rows, source) or _increment_in_header(rows, source)
    if layout is not None:
        return layout
    layout = source.layout()
    settings = [row for row in rows if row[0] < layout.first_line]
    commented = [
        (number, [part.strip() for part in _KEY_AND_VALUE.split(text, maxsplit=1)]) for number, text in source.comments
    ]
    _read_settings(layout, settings + commented)
    return layout


def _beside(rows: list[Row], source: Source) -> Layout | None:
    """Tektronix TDS: settings in the same lines as the samples."""
    first = rows[0][1]
    starts = [k for k, cell in enumerate(first) if _key(cell) == _TDS_KEY]
    if not starts or starts[0] != 0 or len(first) < starts[-1] + 5:
        return None
    if not all(source.dialect.is_number(first[k + 3]) and source.dialect.is_number(first[k + 4]) for k in starts):
        return None
    headings, units, columns = ["time"], [_setting(rows, 0, "horizontal units") or "s"], [3]
    for k in starts:
        headings.append(_setting(rows, k, "source") or f"CH{len(headings)}")
        units.append(_setting(rows, k, "vertical units"))
        columns.append(k + 4)
    return Layout(headings, units, columns, rows[0][0], range(columns[-1] + 1, len(first) + 2))


def _start_and_increment(rows: list[Row], source: Source) -> Layout | None:
    """Rigol DS1000Z: the header's last names are Start and Increment, their values stand in the row of units."""
    for (_, names), (_, below), (number, data) in zip(rows, rows[1:], rows[2:], strict=False):
        keys = [_key(name) for name in names]
        if "start" not in keys or "increment" not in keys or keys.index("increment") >= len(below):
            continue
        width = min(keys.index("start"), keys.index("increment"))
        interval = _quantity(below[keys.index("increment")])
        if width < 2 or interval is None or len(data) < width:
            continue
        counted = _key(below[0]) == "sequence"
        columns = list(range(1 if counted else 0, width))
        return Layout(
            [names[c] for c in columns],
            [below[c] for c in columns],
            columns,
            number,
            range(width, len(names) + 1),
            interval if counted else None,
        )
    return None


def _increment_in_header(rows: list[Row], source: Source) -> Layout | None:
    """Rigol MSO5000: the header's last cells are t0 = … and tInc = …."""
    if len(rows) < 2:
        return None
    (_, names), (number, data) = rows[0], rows[1]
    found = [match for name in names if (match := _T_INC.fullmatch(name))]
    interval = _quantity(found[0][1]) if found else None
    if interval is None:
        return None
    kept = [name for name in names if name and not _T_INC.fullmatch(name) and not _T_ZERO.fullmatch(name)]
    if len(data) < len(kept):
        return None
    apart = [_NAME_AND_UNIT.fullmatch(name) for name in kept]
    headings = [found_[1] if found_ else name for found_, name in zip(apart, kept, strict=True)]
    units = [found_[2] if found_ else "" for found_ in apart]
    return Layout(headings, units, list(range(len(kept))), number, range(len(kept), len(names) + 1), interval)


def _read_settings(layout: Layout, settings: list[Row]) -> None:
    """Take units and the interval from lines above the header, where the header has none."""
    first = 1 if is_time(heading(layout.headings[0])) or _key(layout.headings[0]) in _NO_CHANNELS else 0
    for _, cells in settings:
        key, values = _key(cells[0]), cells[1:]
        while values and not values[-1]:
            values.pop()
        if key in _UNIT_KEYS and values and not any(layout.units[first:]):
            _take_units(layout, values, first)
        elif key in _TIME_UNIT_KEYS and values and first and not layout.units[0]:
            layout.units[0] = values[0]
        elif key in _INTERVAL_KEYS and values:
            layout.interval_s = _quantity(_with_unit(values))
        elif key in _RATE_KEYS and values:
            rate = _rate(_with_unit(values))
            layout.interval_s = 1 / rate if rate else None


def _with_unit(values: list[str]) -> str:
    """A setting's number, with its unit where that has a cell of its own."""
    return " ".join(values[:2]) if len(values) > 1 and _like_a_unit(values[1]) else values[0]


def _like_a_unit(text: str) -> bool:
    """Return whether a cell beside a number is a unit of time or of a rate, known or not."""
    return bool(text) and not any(c.isdigit() for c in text)


def _take_units(layout: Layout, values: list[str], first: int) -> None:
    """Units from a line of settings: one for each channel, one for all, or one for each column, the time's too; else
    the line, which is no unit."""
    units = [part.rpartition(":")[2].strip() for value in values for part in re.split(r"[,;]", value)]
    channels = len(layout.headings) - first
    of_time = unit_of(units[0])
    if first and len(units) == channels + 1 and not layout.units[0] and of_time is not None and of_time.base == "s":
        layout.units[:] = units
        return
    if len(units) == 1:
        units *= channels
    layout.units[first:] = units if len(units) == channels else [" ".join(values)] * channels


def _setting(rows: list[Row], at: int, key: str) -> str:
    return next((cells[at + 1] for _, cells in rows if len(cells) > at + 1 and _key(cells[at]) == key), "")


def _key(cell: str) -> str:
    return " ".join(cell.strip(' :\t"').casefold().split())


def _number(text: str) -> re.Match[str] | None:
    """A number and its unit; None for what is none, and where a comma may part thousands as well as decimals."""
    plain = text.strip()
    return None if _GROUPS.fullmatch(plain) else _NUMBER.fullmatch(plain.replace(",", "."))


def _quantity(text: str) -> float | None:
    """A time in seconds from a number with or without its unit; None for what is none or not above 0."""
    found = _number(text)
    if found is None:
        return None
    unit = unit_of(found[2]) if found[2] else None
    if found[2] and (unit is None or unit.base != "s"):
        return None
    value = float(found[1]) * (float(unit.scale) if unit else 1.0)
    return value if 0 < value < float("inf") else None


def _rate(text: str) -> float | None:
    found = _number(text)
    factor = _PER_SECOND.get(found[2].casefold()) if found else None
    value = float(found[1]) * factor if found and factor else 0.0
    return value if 0 < value < float("inf") else None
