"""A meter's data from a file of `rig read`: its tables, decoded from ST0 on (rig/reader).

A source's name is that of our meter's MT2, or for another's made of ST12: unit and quadrants. Demand of the running
interval at the rates is our meter's own (MT3). A meter that lacks a table lacks that part of the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path

import msgspec

from rig.communication.c1219.layout import Values
from rig.communication.c1219.monitored import EVENT_NAMES, FIRST_OWN
from rig.communication.c1219.table import MANUFACTURER
from rig.communication.c1219.types import TableError
from rig.meter_report.from_blocks import BlocksOfReading
from rig.meter_report.meter_data import (
    RATES,
    DemandRow,
    EnergyRow,
    LoggedLine,
    MeterData,
    Peak,
    RegisterSet,
    SetKind,
    SourceKind,
)
from rig.meter_report.profile_of_reading import PROGRAM, profile_of
from rig.meter_report.read_times import read_at
from rig.reader.decoded import Decoded
from rig.reader.list_places import oldest_first
from rig.reader.reading_file import MeterReadout, reading_of
from rig.reader.sources import named, source_names

MORE_REGISTERS, LOG_IN_WORDS = MANUFACTURER + 3, MANUFACTURER + 4

_DESCENDING, _CIRCULAR = 1, 4
"""Bits of a list's status."""


def meter_of_reading(data: bytes, path: Path) -> MeterData:
    """Read what a file has. Raises ReadingFileError."""
    reading = reading_of(data, path)
    return _Readout(reading, Decoded({t.table: t.bytes for t in reading.tables if t.bytes is not None}), path).data()


class _Readout:
    """The tables of one reading."""

    def __init__(self, reading: MeterReadout, tables: Decoded, path: Path) -> None:
        self._reading, self._tables, self._path = reading, tables, path
        self._notes: list[str] = []
        self._names: list[str] = []

    def data(self) -> MeterData:
        """Give what is in them."""
        reading = self._reading
        names = self._names = source_names(self._tables)
        sets = tuple(self._sets())
        clock = self._values(52) or {}
        refused = [each.title for each in reading.tables if each.data is None]
        if refused:
            self._notes.append(f"the meter did not give {', '.join(refused)}")
        blocks = BlocksOfReading(reading)
        sets = (*sets, *blocks.sets())
        self._notes += blocks.notes
        return MeterData(
            kind=SourceKind.READING,
            path=str(self._path),
            mark="SIMULATED" if reading.simulated else "",
            made_utc=reading.begun_utc,
            zone="meter's local time",
            provenance=(
                ("read from", reading.begun_utc),
                ("read until", reading.ended_utc),
                ("protocol", reading.protocol),
                ("port", reading.port),
                ("address", str(reading.address)),
                ("reader", f"AE-0764 rig {reading.version} {reading.commit}".rstrip()),
                ("password", "yes" if reading.password else "no"),
                ("sha256 of the reading", reading.sha256),
                ("meter's clock", _text(clock.get("CLOCK_CALENDAR") or blocks.clock())),
            ),
            plate=(*self._plate(), *blocks.plate()),
            sets=sets,
            peaks=tuple(self._peaks()),
            events=tuple(self._events()),
            profile=profile_of(self._tables, self._values, names, self._notes),
            notes=tuple(self._notes),
        )

    def _values(self, number: int) -> Values | None:
        """Decode a table that may not be there; one that is and cannot be decoded is noted."""
        try:
            return self._tables.values(number)
        except TableError as error:
            if number in self._tables.numbers and str(error) not in self._notes:
                self._notes.append(str(error))
            return None

    def _plate(self) -> Iterator[tuple[str, str]]:
        identity, plate, device = self._values(1), self._values(2), self._values(5)
        if identity is not None:
            yield "model", str(identity["ED_MODEL"])
            yield "firmware", f"{identity['FW_VERSION_NUMBER']}.{identity['FW_REVISION_NUMBER']:02}"
        if device is not None:
            yield "serial", str(device["IDENTIFICATION"])
        elif identity is not None:
            yield "serial", str(identity["MFG_SERIAL_NUMBER"])
        if plate is not None:
            yield "form", str(plate["ED_CONFIG"])
            yield "class", str(plate["ED_CLASS_AMPS"])
            yield "Kh", str(plate["ED_KH"])
        ratios = [c["SET1_CONSTANTS"] for c in (self._values(15) or {}).get("CONSTANTS", []) if "SET1_CONSTANTS" in c]
        if ratios:
            yield "VTR", _plain(ratios[0]["RATIO_P1"])
            yield "CTR", _plain(ratios[0]["RATIO_F1"])
        program = self._values(PROGRAM)
        if program is not None:
            yield "program", str(program["DIGEST"])

    def _read_utc(self, number: int) -> str:
        return next((each.read_utc for each in self._reading.tables if each.table == number), "")

    def _name(self, source: int) -> str:
        return named(self._names, source)

    def _sets(self) -> Iterator[RegisterSet]:
        present, selected = self._values(23), self._values(22)
        if present is None or selected is None:
            return
        clock = read_at((self._values(52) or {}).get("CLOCK_CALENDAR"), self._read_utc(52), self._read_utc(23))
        season = ((self._values(55) or {}).get("STATUS") or {}).get("SEASON")
        yield self._set(SetKind.PRESENT, present, selected, clock, season, present=True)
        for number, kind in ((24, SetKind.SEASON), (25, SetKind.RESET)):
            closed = self._values(number)
            if closed is not None and closed.get("END_DATE_TIME") is not None:
                yield self._set(kind, closed, selected, closed["END_DATE_TIME"], closed.get("SEASON"))
        self_reads = self._values(26)
        if self_reads is not None:
            entries, status = self_reads["SELF_READS_ENTRIES"], self_reads["LIST_STATUS"]
            for entry in _in_order(self_reads, entries, status & _DESCENDING, status & _CIRCULAR):
                yield self._set(SetKind.SELF_READ, entry, selected, entry.get("END_DATE_TIME"), entry.get("SEASON"))

    def _set(
        self,
        kind: SetKind,
        values: Values,
        selected: Values,
        at: datetime | None,
        season: int | None,
        *,
        present: bool = False,
    ) -> RegisterSet:
        total, tiers = values["TOT_DATA_BLOCK"], values["TIER_DATA_BLOCK"]
        energy = tuple(
            EnergyRow(self._name(source), total["SUMMATIONS"][k], tuple(tier["SUMMATIONS"][k] for tier in tiers))
            for k, source in enumerate(selected["SUMMATION_SELECT"])
        )
        running = self._running() if present else {}
        demand = []
        for k, source in enumerate(selected["DEMAND_SELECT"]):
            for place, block in enumerate((total, *tiers)):
                held = block["DEMANDS"][k]
                if not held["DEMAND"]:
                    continue
                now, before = running.get((source, place), (None, None))
                name = self._name(source)
                demand.append(
                    DemandRow(
                        name if k in selected["MIN_OR_MAX_FLAGS"] else f"{name}, minimum",
                        None if not place else (RATES[place - 1] if place <= len(RATES) else str(place)),
                        now,
                        before,
                        held["DEMAND"][0],
                        held["EVENT_TIME"][0] if held.get("EVENT_TIME") else None,
                        held.get("CUM_DEMAND"),
                        held.get("CONT_CUM_DEMAND"),
                    )
                )
        return RegisterSet(kind, at, season, values.get("NBR_DEMAND_RESETS"), energy, tuple(demand))

    def _running(self) -> dict[tuple[int, int], tuple[Decimal, Decimal | None]]:
        """Give present and previous demand by source and place: 0 in total, then the rates."""
        more, selected = self._values(MORE_REGISTERS) if self._tables.ours else None, self._values(22)
        if more is not None and selected is not None:
            return {
                (source, place): (bin["PRESENT"], bin["PREVIOUS"])
                for source, bins in zip(selected["DEMAND_SELECT"], more["DEMANDS"], strict=False)
                for place, bin in enumerate(bins)
            }
        running, sources = self._values(28), self._values(27)
        if running is None or sources is None:
            return {}
        # Of ours the present values are those of the interval before; of others' meters they are anything.
        before = running["PRESENT_VALUE"] if self._tables.ours else []
        demands = zip_longest(sources["PRESENT_DEMAND_SELECT"], running["PRESENT_DEMAND"], before)
        return {(source, 0): (now["DEMAND_VALUE"], value) for source, now, value in demands if now is not None}

    def _peaks(self) -> Iterator[Peak]:
        more = self._values(MORE_REGISTERS)
        for peak in [] if more is None else more["PEAKS"]:
            yield Peak(peak["PEAK"], peak["PEAK_TIME"])
        present = None if self._tables.ours else self._values(23)
        for demand in [] if present is None else present["TOT_DATA_BLOCK"]["DEMANDS"][:1]:
            if len(demand["DEMAND"]) > 1:
                times = demand.get("EVENT_TIME") or []
                yield from (Peak(value, at) for value, at in zip_longest(demand["DEMAND"], times))

    def _events(self) -> Iterator[LoggedLine]:
        """Give the log in words; before it, of the event log (ST76), which goes further back, what is older. Of a meter
        without words its history log (ST74), or else its event log; of another make both."""
        words = self._values(LOG_IN_WORDS)
        if words is None:
            history = self._entries(74, "HISTORY")
            yield from (line for _, line in history)
            if not history or not self._tables.ours:
                yield from (line for _, line in self._entries(76, "EVENT"))
            return
        first = words["LINES"][0]["NUMBER"] if words["LINES"] else None
        yield from (line for number, line in self._entries(76, "EVENT") if first is None or number < first)
        for line in words["LINES"]:
            name = bytes(line["NAME"]).decode("utf-8", "replace")
            yield LoggedLine(line["TIME"], name, _details(bytes(line["DETAILS"])))

    def _entries(self, table: int, prefix: str) -> list[tuple[int, LoggedLine]]:
        """Give the entries of a log, the oldest first, each with its whole sequence number, of which it has the low 16
        bits."""
        log = self._values(table)
        if log is None:
            return []
        flags = log["HIST_FLAGS" if prefix == "HISTORY" else "EVENT_FLAGS"]
        entries = _in_order(log, log["ENTRIES"], flags["ORDER_FLAG"], flags["LIST_TYPE_FLAG"])
        number = log["LAST_ENTRY_SEQ_NBR"]
        found = []
        for entry in reversed(entries):
            number -= (number - entry.get(f"{prefix}_SEQ_NBR", 0)) & 0xFFFF
            code = entry[f"{prefix}_CODE"]
            name = EVENT_NAMES.get(code) if code < FIRST_OWN or self._tables.ours else None
            argument = _arguments(entry.get(f"{prefix}_ARGUMENT"))
            found.append((number, LoggedLine(entry.get(f"{prefix}_TIME"), name or f"event {code}", argument)))
        return found[::-1]


def _in_order(head: Values, entries: list[Values], descending: int, circular: int) -> list[Values]:
    """Give a list's valid entries, the oldest first."""
    places = oldest_first(
        len(entries),
        head["NBR_VALID_ENTRIES"],
        head["LAST_ENTRY_ELEMENT"],
        descending=bool(descending),
        circular=bool(circular),
    )
    return [entries[place] for place in places]


def _arguments(data: bytes | None) -> dict[str, object]:
    return {"arguments": data.hex()} if data else {}


def _details(data: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(data, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(value: object) -> str:
    return value.isoformat(" ") if isinstance(value, datetime) else ""
