"""A meter's data from a file of `rig read`: its tables, decoded from ST0 on (rig/reader).

A source's name is that of our meter's MT2, or for another's made of ST12: unit and quadrants. Demand of the running
interval at the rates is our meter's own (MT3). A meter that lacks a table lacks that part of the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

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
    LoadProfile,
    LoggedLine,
    MeterData,
    Peak,
    ProfileChannel,
    ProfileLine,
    RegisterSet,
    SetKind,
    SourceKind,
)
from rig.reader.decoded import Decoded
from rig.reader.reading_file import MeterReadout, load_reading

MORE_REGISTERS, NAMES, LOG_IN_WORDS, PROGRAM = MANUFACTURER + 3, MANUFACTURER + 2, MANUFACTURER + 4, MANUFACTURER + 1

_UNITS = {0: "W", 1: "var", 2: "VA", 3: "VA td", 10: "V²", 14: "A²", 34: "pulses"}
_NO_COUNT = 0xFFFF
_DIGITS = 12


def meter_of_reading(path: Path) -> MeterData:
    """Read it. Raises ReadingFileError."""
    reading = load_reading(path)
    return _Readout(reading, Decoded({t.table: t.bytes for t in reading.tables if t.bytes is not None}), path).data()


class _Readout:
    """The tables of one reading."""

    def __init__(self, reading: MeterReadout, tables: Decoded, path: Path) -> None:
        self._reading, self._tables, self._path = reading, tables, path
        self._notes: list[str] = []

    def data(self) -> MeterData:
        """Give what is in them."""
        reading = self._reading
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
                ("read", f"{reading.begun_utc} to {reading.ended_utc}"),
                ("protocol", f"{reading.protocol}, port {reading.port}, address {reading.address}"),
                ("reader", f"AE-0764 rig {reading.version} {reading.commit}".rstrip()),
                ("password", "yes" if reading.password else "no"),
                ("sha256 of the reading", reading.sha256),
                ("meter's clock", _text(clock.get("CLOCK_CALENDAR") or blocks.clock())),
            ),
            plate=(*self._plate(), *blocks.plate()),
            sets=sets,
            peaks=tuple(self._peaks()),
            events=tuple(self._events()),
            profile=self._profile(),
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

    def _source_names(self) -> list[str]:
        named = self._values(NAMES)
        if named is not None:
            return [str(name) for name in named["NAMES"]]
        entries = (self._values(12) or {}).get("UOM_ENTRY", [])
        return [_name_of(entry) for entry in entries]

    def _name(self, source: int) -> str:
        names = self._source_names()
        return names[source] if source < len(names) else f"source {source}"

    def _sets(self) -> Iterator[RegisterSet]:
        present, selected = self._values(23), self._values(22)
        if present is None or selected is None:
            return
        clock = (self._values(52) or {}).get("CLOCK_CALENDAR")
        season = ((self._values(55) or {}).get("STATUS") or {}).get("SEASON")
        yield self._set(SetKind.PRESENT, present, selected, clock, season, present=True)
        for number, kind in ((24, SetKind.SEASON), (25, SetKind.RESET)):
            closed = self._values(number)
            if closed is not None and closed.get("END_DATE_TIME") is not None:
                yield self._set(kind, closed, selected, closed["END_DATE_TIME"], closed.get("SEASON"))
        self_reads = self._values(26)
        if self_reads is not None:
            for entry in self_reads["SELF_READS_ENTRIES"][: self_reads["NBR_VALID_ENTRIES"]]:
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
                now, before = running.get((k, place), (None, None))
                demand.append(
                    DemandRow(
                        self._name(source),
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

    def _running(self) -> dict[tuple[int, int], tuple[Decimal, Decimal]]:
        """Give present and previous demand by quantity and place: 0 in total, then the rates."""
        more = self._values(MORE_REGISTERS)
        if more is not None:
            return {
                (k, place): (bin["PRESENT"], bin["PREVIOUS"])
                for k, bins in enumerate(more["DEMANDS"])
                for place, bin in enumerate(bins)
            }
        running = self._values(28)
        if running is None:
            return {}
        pairs = zip(running["PRESENT_DEMAND"], running["PRESENT_VALUE"], strict=False)
        return {(k, 0): (now["DEMAND_VALUE"], before) for k, (now, before) in enumerate(pairs)}

    def _peaks(self) -> Iterator[Peak]:
        more = self._values(MORE_REGISTERS)
        for peak in [] if more is None else more["PEAKS"]:
            yield Peak(peak["PEAK"], peak["PEAK_TIME"])

    def _events(self) -> Iterator[LoggedLine]:
        """Give the log in words; before it, of the event log (ST76), which goes further back, what is older. Of a meter
        without words its history log (ST74), or else its event log."""
        words = self._values(LOG_IN_WORDS)
        if words is None:
            yield from (line for _, line in self._entries(74, "HISTORY") or self._entries(76, "EVENT"))
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
        valid = [] if log is None else log["ENTRIES"][: log["NBR_VALID_ENTRIES"]]
        number = 0 if log is None else log["LAST_ENTRY_SEQ_NBR"]
        found = []
        for entry in reversed(valid):
            number -= (number - entry.get(f"{prefix}_SEQ_NBR", 0)) & 0xFFFF
            code = entry[f"{prefix}_CODE"]
            ours = code < FIRST_OWN or self._tables.ours
            name = EVENT_NAMES.get(code) if ours else None
            found.append((number, LoggedLine(entry.get(f"{prefix}_TIME"), name or f"event {code}", {})))
        return found[::-1]

    def _profile(self) -> LoadProfile | None:
        actual, control, data = self._values(61), self._values(62), self._values(64)
        if actual is None or control is None or data is None:
            return None
        channels: list[ProfileChannel] = []
        pulses: list[Fraction] = []
        constants = (self._values(15) or {}).get("CONSTANTS", [])
        for k, selected in enumerate(control["LP_SEL_SET1"]):
            source = selected["LP_SOURCE_SELECT"]
            name = self._name(source).removeprefix("recorder ")
            unit, thousand = _unit_of(name)
            scalars, divisors = control.get("SCALARS_SET1"), control.get("DIVISORS_SET1")
            pulse = Fraction(scalars[k], divisors[k]) if scalars and divisors and divisors[k] else Fraction(1)
            if source < len(constants):
                pulse *= Fraction(constants[source]["MULTIPLIER"])
            again = [each.name for each in channels].count(name)
            channels.append(ProfileChannel(f"{name} #{again + 1}" if again else name, unit))
            pulses.append(pulse / 1000 if thousand else pulse)
        lines = []
        for block in data["LP_DATA_SET1"]:
            if block["BLK_END_TIME"] is None:
                self._notes.append("an interval without a time is left out")
                continue
            values = tuple(
                None if count == _NO_COUNT else _exact(pulse * count)
                for pulse, count in zip(pulses, block["INT_DATA"], strict=True)
            )
            lines.append(ProfileLine(block["BLK_END_TIME"], _flags(block.get("EXTENDED_INT_STATUS")), values))
        return LoadProfile(actual["MAX_INT_TIME_SET1"], tuple(channels), tuple(lines))


def _name_of(entry: dict[str, Any]) -> str:
    """Name another meter's source by its unit of measure: "kWh Q1 Q4"."""
    code, base = entry["ID_CODE"], entry["TIME_BASE"]
    unit = _UNITS.get(code, f"unit {code}")
    prefix = "k" if entry.get("MULTIPLIER") == 2 else ""
    hours = "h" if base in (0, 5) and code in (0, 1, 2, 3) else ""
    quadrants = " ".join(f"Q{q}" for q in range(1, 5) if entry.get(f"Q{q}_ACCOUNTABILITY"))
    word, _, method = unit.partition(" ")
    return " ".join(filter(None, (f"{prefix}{word}{hours}", method, quadrants)))


def _unit_of(name: str) -> tuple[str, bool]:
    """Return a channel's unit by its name, and whether that is a thousand of what its pulses are in."""
    if name.startswith("k"):
        return name.split()[0], True
    if name.startswith(("V2h", "I2h")):
        return ("V²h" if name.startswith("V") else "A²h"), False
    return "pulses", False


def _exact(value: Fraction) -> Decimal:
    """Return a value with all its digits, or as many as a kWh has to its nWh."""
    digits = 0
    while digits < _DIGITS and (value * 10**digits).denominator != 1:
        digits += 1
    return Decimal(round(value * 10**digits)).scaleb(-digits)


def _flags(status: object) -> tuple[str, ...]:
    """Give an interval's flags by its common status (ST64's first nibble), and those of any channel."""
    if not isinstance(status, bytes | bytearray) or not status:
        return ()
    nibbles = [n for byte in status for n in (byte >> 4, byte & 15)]
    words = [word for bit, word in ((2, "outage"), (4, "clock set"), (8, "clock set")) if nibbles[0] & bit]
    parts = {nibble & 7 for nibble in nibbles[1:]}
    words += [word for value, word in ((2, "short"), (3, "long"), (4, "damaged")) if value in parts]
    words += ["doubtful"] if any(nibble & 8 for nibble in nibbles[1:]) else []
    return tuple(dict.fromkeys(words))


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
