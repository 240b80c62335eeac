"""A module's reading as lines for a person: a figure a line, in units that people read (docs/communication.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rig.communication.modules.far_end import ModuleReading, TableOfModule

_KILO_NANO = 12
_UNITS = {"nwh": "kWh", "nvarh": "kvarh", "nvah": "kVAh", "nvah_rms": "kVAh rms", "nvah_td": "kVAh td"}
_ENDINGS = {"_nwh": "kWh", "_nvarh": "kvarh", "_nvah": "kVAh"}
_NOTHING = "–"
_WIDTH = 44


def lines(reading: ModuleReading) -> Iterator[str]:
    """Write what a module has read and had done: marks first, then what was done, parts, tables, pulses, and what it
    heard beside the meter. Registers that are zero in every rate are left out."""
    yield f"{reading.provenance.mark}  module {reading.module}, by {reading.interface}".strip()
    for action in reading.done:
        yield _line(action, "done")
    for part, values in reading.parts.items():
        for name, text in _part(part, values):
            yield _line(name, text)
    for table in reading.tables:
        yield _line(f"{table.title} {table.name}", _table(table))
    if reading.pulses is not None:
        pulses = reading.pulses
        yield _line(f"pulses of {pulses['output']}", f"{pulses['pulses']} of {pulses['constant_wh']} Wh")
    for meter in reading.external:
        yield _line(f"external {meter.name}", f"count {meter.count}, simulated")


def _line(name: str, text: str) -> str:
    return f"{name:{_WIDTH}} {text}"


def _table(table: TableOfModule) -> str:
    if table.data is None:
        return f"not given: {table.refused}"
    return f"{len(table.data) // 2} bytes {table.data}"


def _part(part: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        match key:
            case "page":
                yield f"{part}, newest page", _page(value)
            case "demand":
                for each in value:
                    yield from _demand(each)
            case "peaks":
                for place, peak in enumerate(value, 1):
                    yield f"highest demand {place}", f"{_kilo(peak['value_nw'])} at {_time(peak['at_utc_ns'])}"
            case "energy_rates":
                yield from _rates(value)
            case "diagnostics":
                on = ", ".join(each["diagnostic"] for each in value if each["on"])
                yield "diagnostics on", on or "none"
            case "outputs":
                for each in value:
                    yield f"pulses of {each['name']}", f"{each['pulses']} of {each['constant_wh']} Wh"
            case "closed_season" if value is not None:
                yield "closed season", "there is one: --json has its registers"
            case "utc_ns":
                yield "time of the reading", _time(value)
            case "nwh":
                yield part, f"{_kilo(value)} kWh"
            case _:
                yield from _plain(key, value)


def _rates(rates: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for rate, energy in rates.items():
        for quadrant, amounts in energy.items():
            for key, amount in amounts.items():
                if int(amount):
                    yield f"rate {rate}, quadrant {quadrant[1:]}", f"{_kilo(amount)} {_UNITS[key]}"


def _demand(demand: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    quantity, total = demand["quantity"], demand["total"]
    unit = quantity.split(" ")[0]
    for name in ("present", "previous", "cumulative"):
        yield f"{quantity}, {name}", f"{_kilo(total[f'{name}_nw'])} {unit}"
    highest = total["maximum"]
    when = "" if highest["at_utc_ns"] is None else f" at {_time(highest['at_utc_ns'])}"
    yield f"{quantity}, maximum", f"{_kilo(highest['value_nw'])} {unit}{when}"


def _plain(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Write anything else: maps name by name, lists by what is in them."""
    name = key.replace("_", " ")
    match value:
        case None:
            yield name.removesuffix(" utc ns"), _NOTHING
        case bool():
            yield name, "yes" if value else "no"
        case int() if key.endswith("utc_ns"):
            yield name.removesuffix(" utc ns") or "time", _time(value)
        case Mapping():
            for inner, of in value.items():
                yield from _plain(f"{key} {inner}", of)
        case str():
            yield name, value
        case Sequence():
            yield name, ", ".join(map(str, value)) or "none"
        case _:
            unit = next((unit for ending, unit in _ENDINGS.items() if key.endswith(ending)), None)
            yield (name, str(value)) if unit is None else (f"{unit} {_unitless(key)}", f"{_kilo(value)} {unit}")


def _unitless(key: str) -> str:
    return key.rsplit("_", 1)[0].replace("_", " ")


def _page(page: Mapping[str, Any] | None) -> str:
    match page:
        case None:
            return "the meter keeps none"
        case {"events": [*events]}:
            last = f", the last of them: {events[-1]['name']}" if events else ""
            return f"{len(events)} lines{last}"
        case {"snapshots": [*snapshots]}:
            return f"{len(snapshots)} sets of registers"
        case {"began_utc_ns": began, "runs": [*runs]}:
            return f"recorded since {_time(began)}, {len(runs)} runs of words"
    return "nothing"


def _kilo(nano: int | str) -> str:
    return f"{Decimal(nano).scaleb(-_KILO_NANO):f}"


def _time(utc_ns: int | str | None) -> str:
    """Write a time to the second, in UTC."""
    if utc_ns is None:
        return _NOTHING
    try:
        return f"{datetime.fromtimestamp(int(utc_ns) // 10**9, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{utc_ns} ns"
