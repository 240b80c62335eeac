"""Manufacturer tables, all our own: what the meter has and no standard table has room for (MT1 to MT5; X-1).

MT0, the staged program, is in session_tables.py. Texts are UTF-8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from rig.communication.c1219.facts import MeterFacts, Need
from rig.communication.c1219.layout import Array, Computed, Field, Layout, Ref, Remainder, Sized
from rig.communication.c1219.recording import Recording
from rig.communication.c1219.register_tables import BLOCK, RegisterSet, kilo
from rig.communication.c1219.sources import data_sources
from rig.communication.c1219.table import MANUFACTURER, Table, TableContents
from rig.communication.c1219.types import LTIME, NI1, NI2, STIME, U8, U16, U32, Binary, Text, Whole
from rig.daemon.protocol import NumberedEvent
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.snapshot import DemandReading
from rig.meter.reading.meter_reading import PulseReading
from rig.store.recording_settings import settings_text

SOURCE_NAME = 28
OUTPUT_NAME, QUANTITY_NAME = 8, 24
U64 = Whole(8)
BINS = 5
"""In total, and rates A to D."""

_BOTH = frozenset({Need.READING, Need.PROGRAM})


def _json(of: object) -> bytes:
    return msgspec.json.encode(of)


# --- program, names -------------------------------------------------------------------------------------------

PROGRAM = Layout(
    (
        Field("DIGEST", Text(12), lambda c: c.facts.digest, "as the display has it"),
        Field("SEALED", U8, lambda c: c.facts.sealed, "1: the seal is on"),
        Field("SEAL_BROKEN", U8, lambda c: c.facts.seal_broken, "1: it was broken"),
        Field("TABLES", Remainder(), lambda c: _json(c.facts.tables), "docs/program.md's tables as JSON, without keys"),
    )
)

SOURCE_NAMES = Layout(
    (
        Field(
            "NAMES",
            Array(Ref(11, "NBR_SOURCES"), Text(SOURCE_NAME)),
            lambda c: [source.name for source in data_sources(c.facts.program)],
            "such as kWh delivered, kW delivered, recorder V2h A",
        ),
    )
)


# --- registers ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Peak:
    maximum: Maximum
    at: datetime | None


def _bins(contents: TableContents) -> Sequence[Sequence[DemandReading]]:
    return contents.facts.reading.registers.demand


def _peaks(contents: TableContents) -> list[_Peak]:
    facts = contents.facts
    return [_Peak(peak, facts.local(peak.at_ns)) for peak in facts.reading.registers.peaks]


def _test(contents: TableContents) -> RegisterSet | None:
    test = contents.facts.reading.test
    return None if test is None else RegisterSet(contents.facts, test.registers, 0)


def _test_total(contents: TableContents) -> object:
    test = _test(contents)
    assert test is not None
    return test.total


def _others(demands: int) -> int:
    return max(demands - 1, 0)


def _outputs(contents: TableContents) -> tuple[PulseReading, ...]:
    return contents.facts.reading.outputs


MORE_REGISTERS = Layout(
    (
        Field(
            "DEMANDS",
            Array(
                Ref(21, "NBR_DEMANDS"),
                Array(
                    BINS,
                    Layout(
                        (
                            Field("PRESENT", NI2, lambda bin: kilo(bin.present), "of the running interval"),
                            Field("PREVIOUS", NI2, lambda bin: kilo(bin.previous), "of the one before"),
                        )
                    ),
                ),
            ),
            _bins,
            "of each demand in total and in rates A to D",
        ),
        Field("NBR_PEAKS", U8, lambda c: len(_peaks(c)), "of the first demand, five at most"),
        Field(
            "PEAKS",
            Array(
                Ref(None, "NBR_PEAKS"),
                Layout(
                    (
                        Field("PEAK_TIME", STIME, lambda peak: peak.at),
                        Field("PEAK", NI2, lambda peak: kilo(peak.maximum.value)),
                        Field(
                            "COINCIDENTS",
                            Array(
                                Computed("ST21.NBR_DEMANDS − 1", _others, (Ref(21, "NBR_DEMANDS"),)),
                                NI2,
                            ),
                            lambda peak: [kilo(nano) for nano in peak.maximum.coincident],
                        ),
                    )
                ),
            ),
            _peaks,
            "the highest first",
        ),
        Field("INPUT_PULSES", Array(2, U64), lambda c: c.facts.reading.inputs, "IN1, IN2"),
        Field("NBR_OUTPUTS", U8, lambda c: len(_outputs(c)), "that pulse, the test LED first"),
        Field(
            "OUTPUTS",
            Array(
                Ref(None, "NBR_OUTPUTS"),
                Layout(
                    (
                        Field("OUTPUT", Text(OUTPUT_NAME), lambda output: output.id.label),
                        Field("QUANTITY", Text(QUANTITY_NAME), lambda output: output.quantity.value),
                        Field("CONSTANT", NI1, lambda output: output.constant_wh, "Wh, varh or VAh a pulse"),
                        Field("PULSES", U64, lambda output: output.count),
                        Field("CARRIED", NI1, lambda output: output.carried_nwh / 10**9, "Wh since the last, cut off"),
                    )
                ),
            ),
            _outputs,
        ),
        Field("TEST_MODE", U8, lambda c: _test(c) is not None, "1: in test mode, whose own registers follow"),
        Field("TEST_REGISTERS", BLOCK, _test_total, "as in ST23, in total", Ref(None, "TEST_MODE")),
    )
)


# --- log in words ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    event: NumberedEvent
    at: datetime | None
    details: bytes
    name: bytes


def _lines(contents: TableContents) -> list[_Line]:
    facts = contents.facts
    return [
        _Line(event, facts.local(event.utc_ns), _json(event.details), event.name.encode("utf-8", "replace"))
        for event in facts.log
    ]


LOG_IN_WORDS = Layout(
    (
        Field("NBR_LINES", U16, lambda c: len(c.facts.log)),
        Field(
            "LINES",
            Array(
                Ref(None, "NBR_LINES"),
                Layout(
                    (
                        Field("NUMBER", U32, lambda line: line.event.number & 0xFFFFFFFF, "place in the history"),
                        Field("TIME", LTIME, lambda line: line.at),
                        Field("CODE", U16, lambda line: line.event.code),
                        Field("NAME_LENGTH", U8, lambda line: len(line.name)),
                        Field("NAME", Sized(Binary, Ref(None, "NAME_LENGTH")), lambda line: line.name),
                        Field("DETAILS_LENGTH", U16, lambda line: len(line.details)),
                        Field(
                            "DETAILS",
                            Sized(Binary, Ref(None, "DETAILS_LENGTH")),
                            lambda line: line.details,
                            "JSON, as docs/json.md has events",
                        ),
                    )
                ),
            ),
            _lines,
            "the lines of ST74",
        ),
    )
)


# --- recorder ---------------------------------------------------------------------------------------------------


def _recording(contents: TableContents) -> Recording:
    recording = contents.facts.recording
    assert recording is not None
    return recording


def _settings(contents: TableContents) -> bytes:
    return settings_text(_recording(contents).profile.settings).encode()


RECORDER_MEMORY = Layout(
    (
        Field("RECORDING", U32, lambda c: _recording(c).number, "a new one begins with each program"),
        Field("SETTINGS_LENGTH", U16, lambda c: len(_settings(c))),
        Field("SETTINGS", Sized(Binary, Ref(None, "SETTINGS_LENGTH")), _settings, "JSON: interval, memory, channels"),
        Field("FIRST_WORD", U32, lambda c: _recording(c).first, "number of the first word since the recording began"),
        Field("NBR_WORDS", U32, lambda c: len(_recording(c).words)),
        Field(
            "WORDS",
            Array(Ref(None, "NBR_WORDS"), U16),
            lambda c: _recording(c).words,
            "counts, dates and times, as docs/metering.md has them",
        ),
    )
)


def _has_recorder(facts: MeterFacts) -> bool:
    return facts.has_recorder


MANUFACTURER_TABLES = (
    Table(MANUFACTURER + 1, "program in force", PROGRAM, "the meter's program"),
    Table(MANUFACTURER + 2, "names of sources", SOURCE_NAMES, "each source of ST16 in words", (11,)),
    Table(MANUFACTURER + 3, "more registers", MORE_REGISTERS, "demand by rate, peaks, pulses, test mode", (21,), _BOTH),
    Table(
        MANUFACTURER + 4,
        "log in words",
        LOG_IN_WORDS,
        "the log with all that belongs to an event",
        (),
        frozenset({Need.PROGRAM, Need.LOG}),
    ),
    Table(
        MANUFACTURER + 5,
        "recorder memory",
        RECORDER_MEMORY,
        "the load profile's own words, to the last 6 seconds of an outage",
        (),
        _BOTH | {Need.PROFILE},
        _has_recorder,
    ),
)
