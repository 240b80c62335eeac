"""A reading as text for a person and as plain data for `--json` (X-2; docs/reading.md, docs/json.md)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from rig.communication.c1219.layout import Values
from rig.communication.c1219.tables import TABLES
from rig.communication.c1219.types import TableError
from rig.reader.blocks_shown import block_values, blocks_shown
from rig.reader.decoded import Decoded
from rig.reader.reading_file import MeterReadout, TableRead
from rig.reader.sources import named, source_names

SIMULATED = "SIMULATED (pseudo-terminal)"


def decoded_of(reading: MeterReadout) -> Decoded:
    """Give the tables of a reading, to be decoded."""
    return Decoded({each.table: data for each in reading.tables if (data := each.bytes) is not None})


def plain(value: Any) -> Any:
    """Give a table's values as JSON has them: exact numbers and times as text, bytes in hexadecimal, sets as lists."""
    match value:
        case dict():
            return {name: plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case frozenset():
            return sorted(value)
        case bytes():
            return value.hex()
        case Decimal():
            return f"{value:f}"
        case datetime() | date() | time():
            return value.isoformat()
    return value


def as_plain(reading: MeterReadout) -> dict[str, Any]:
    """Give a reading with its tables decoded, for `--json`."""
    decoded = decoded_of(reading)
    tables = []
    for table in reading.tables:
        entry: dict[str, Any] = {
            "table": table.table, "title": table.title, "name": table_name(table, decoded), "read_utc": table.read_utc,
            "data": table.data, "refused": table.refused, "values": None, "not_decoded": None,
        }  # fmt: skip
        if table.data is not None:
            try:
                entry["values"] = plain(decoded.values(table.table))
            except TableError as error:
                entry["not_decoded"] = str(error)
        tables.append(entry)
    blocks = [
        {"opcode": b.opcode, "name": b.name, "read_utc": b.read_utc, "data": b.data, "values": plain(values)}
        for b, values in zip(reading.blocks, block_values(reading.blocks), strict=True)
    ]
    head = {
        name: getattr(reading, name)
        for name in (
            "version", "commit", "begun_utc", "ended_utc", "protocol", "port", "address", "simulated", "password",
            "sessions", "identity",
        )
    }  # fmt: skip
    return {"type": "meter_readout", **head, "tables": tables, "blocks": blocks}


def table_name(table: TableRead, decoded: Decoded) -> str:
    """Name what a table is, "" for one that we do not know."""
    known = TABLES.get(table.table)
    return known.name if known is not None and (table.table < 2048 or decoded.ours) else ""


def lines(reading: MeterReadout) -> Iterator[str]:
    """Write a reading for a person: whose it is, its registers, and what became of each table."""
    decoded = decoded_of(reading)
    yield " · ".join(filter(None, (_whose(decoded), reading.protocol, SIMULATED if reading.simulated else "")))
    sessions = "" if reading.sessions == 1 else f", in {reading.sessions} sessions"
    password = "with a password" if reading.password else "without a password"
    yield f"read {reading.begun_utc} to {reading.ended_utc} at {reading.port}, {password}{sessions}"
    if reading.blocks:
        yield ""
        yield from blocks_shown(reading.blocks)
    if reading.tables:
        yield from _clock(decoded)
        yield from _registers(decoded)
        yield ""
        for table in reading.tables:
            yield _became(table, decoded)


def _whose(decoded: Decoded) -> str:
    found = decoded.maybe(1)
    if found is None:
        return ""
    maker = found["MANUFACTURER"].decode("ascii", "replace")
    serial = (decoded.maybe(5) or {}).get("IDENTIFICATION") or found["MFG_SERIAL_NUMBER"]
    return f"{maker} {found['ED_MODEL']}, serial number {serial}, firmware {_firmware(found)}"


def _firmware(found: Values) -> str:
    return f"{found['FW_VERSION_NUMBER']}.{found['FW_REVISION_NUMBER']:02}"


def _clock(decoded: Decoded) -> Iterator[str]:
    found = decoded.maybe(52)
    if found is not None and found.get("CLOCK_CALENDAR") is not None:
        yield f"the meter's clock: {found['CLOCK_CALENDAR']:%Y-%m-%d %H:%M:%S}"


def _registers(decoded: Decoded) -> Iterator[str]:
    found, selected = decoded.maybe(23), decoded.maybe(22)
    if found is None or selected is None:
        return
    names = source_names(decoded)
    total = found["TOT_DATA_BLOCK"]
    yield ""
    for source, value in zip(selected["SUMMATION_SELECT"], total["SUMMATIONS"], strict=True):
        yield f"{named(names, source):24} {number(value):>24}"
    for source, demand in zip(selected["DEMAND_SELECT"], total["DEMANDS"], strict=True):
        at = (demand.get("EVENT_TIME") or [None])[0]
        when = "" if at is None else f"  {at:%Y-%m-%d %H:%M}"
        yield f"{named(names, source):24} {number(demand['DEMAND'][0]) if demand['DEMAND'] else '':>24}{when}"
    if "NBR_DEMAND_RESETS" in found:
        yield f"{'demand resets':24} {found['NBR_DEMAND_RESETS']:>24}"


def number(value: Decimal) -> str:
    """Write a register's exact number without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _became(table: TableRead, decoded: Decoded) -> str:
    name = table_name(table, decoded)
    data = table.bytes
    if data is None:
        said = f"refused: {table.refused}"
    else:
        said = f"{len(data)} bytes"
        try:
            decoded.values(table.table)
        except TableError as error:
            said += f", kept as they are: {error}"
    return f"{table.title:6} {name:34} {said}"
