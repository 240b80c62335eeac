"""Log, self-reads and the last demand reset by C12.19, of a store (X-1, S-3, T-3)."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from rig.communication.c1219.event_arguments import argument_of
from rig.communication.c1219.monitored import EVENT_CODES
from rig.daemon.protocol import NumberedEvent
from rig.meter.access import events as access_events
from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Asker, Conditions, Refusal
from rig.meter.billing import events as billing_events
from rig.meter.billing.commands import Action
from rig.meter.billing.log import LogEvent, details
from rig.meter.billing.source import Source
from rig.results.exact_encoding import exact_reading
from rig.store.reading import HistoryReader
from tests.rig.communication import table_decoder as witness
from tests.rig.communication.table_bench import MeterTables
from tests.rig.communication.test_register_tables import agree, exactly, names_of
from tests.rig.kept_meter import KeptMeter
from tests.rig.reading.read_meters import T0, lived, program

NWH = 900 * 1_234_567_891
BROKEN = Conditions(cover_off=True, test_mode=False, demand=True, test_by_communication=False)
FLOW = ("flow", (900, 0, NWH, 10**11, 10**12, 10**12))


def test_the_log_is_the_historys(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    kept, _ = lived(
        program("block"), [FLOW, ("reset", ()), ("test", ()), ("idle", (60,)), ("end of test", ())] * 3, folder
    )
    tables = MeterTables(kept, folder)
    header, lines = witness.st74(tables.data(74), struct.unpack_from("<H", tables.data(71), 5)[0])
    kept.writer.flush()
    with HistoryReader(folder) as history:
        stored = list(history.events())
    local = kept.program.billing.calendar.local
    assert [(line["code"], line["at"]) for line in lines] == [
        (event.code, local(event.utc_ns).timetuple()[:6]) for event in stored
    ]
    assert (header["valid"], header["last"], header["sequence"]) == (len(stored), len(stored) - 1, stored[-1].number)
    assert {line["user"] for line in lines if line["code"] == 20} == {9}, "the command line reset demand"
    assert header["unread"] == len(stored)
    assert tables.write(7, struct.pack("<HBB", 4, 1, 7)) is None
    assert witness.st74(tables.data(74), 256)[0]["unread"] == 0
    words = tables.data(2048 + 4)
    at, details = 2, []
    for _ in range(struct.unpack_from("<H", words)[0]):
        size = words[at + 12]
        length = struct.unpack_from("<H", words, at + 13 + size)[0]
        details.append((words[at + 13 : at + 13 + size].decode(), json.loads(words[at + 15 + size :][:length])))
        at += 15 + size + length
    assert at == len(words)
    assert details == [(event.name, json.loads(event.details)) for event in stored]


def test_every_kind_of_event_is_named(tmp_path: Path) -> None:
    def kinds(kind: type[LogEvent]) -> set[int]:
        return (
            {kind.code, *(code for sub in kind.__subclasses__() for code in kinds(sub))}
            if hasattr(kind, "code")
            else {code for sub in kind.__subclasses__() for code in kinds(sub)}
        )

    kept, _ = lived(program("block"), [])
    data = MeterTables(kept).data(72)
    dims = MeterTables(kept).data(71)
    standard = witness.numbers_of(data[: dims[1]])
    own = {2048 + n for n in witness.numbers_of(data[dims[1] :])}
    assert standard | own == EVENT_CODES == kinds(LogEvent)
    assert len(data) == dims[1] + dims[2]


AUDITED = {
    1, 2, 3, 4, 7, 8, 9, 11, 12, 13, 20, 28, 29, 32, 33, 39, 47, 2048, 2055, 2056, 2057, 2058, 2059, 2060, 2062, 2063,
    2064, 2065, 2070, 2079, 2080, 2081, 2082, 2083, 2085, 2086, 2087,
}  # fmt: skip
"""Codes of docs/decisions/125-two-logs.md."""


def test_the_event_log_is_what_an_audit_asks_for_of_the_same_journal(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    kept, _ = lived(
        program("block"), [FLOW, ("reset", ()), ("self-read", ()), ("test", ()), ("idle", (60,)), ("end of test", ())],
        folder,
    )  # fmt: skip
    kept.persistence.access.break_seal(Asker(Source.FRONT), replace(BROKEN, override_done=True), kept.now_ns)
    kept.persistence.access.note(
        Asker(Source.OPTICAL), kept.now_ns, read=True, written=True, procedures=True, ended=True
    )
    kept.persistence.keep(kept.meter, kept.persistence.access.take_events())
    tables = MeterTables(kept, folder)
    kept.writer.flush()
    with HistoryReader(folder) as history:
        stored = [event for event in history.events() if event.code in AUDITED]
        assert 21 in {event.code for event in history.events()} - AUDITED, "a self-read is in the history alone"
    entries = struct.unpack_from("<H", tables.data(71), 7)[0]
    header, lines = witness.st76(tables.data(76), entries)
    local = kept.program.billing.calendar.local
    assert [(line["at"], line["sequence"], line["code"]) for line in lines] == [
        (local(event.utc_ns).timetuple()[:6], event.number & 0xFFFF, event.code) for event in stored
    ]
    assert {7, 8, 9, 12, 20, 32, 33} <= {line["code"] for line in lines}
    assert {line["user"] for line in lines if line["code"] in (7, 8, 9, 12)} == {2}, "the optical port"
    assert (header["valid"], header["last"], header["unread"]) == (len(stored), len(stored) - 1, len(stored))
    assert header["sequence"] == stored[-1].number
    history_lines = witness.st74(tables.data(74), entries)[1]
    without = [{name: each for name, each in line.items() if name != "argument"} for line in lines]
    assert [line for line in history_lines if line["code"] in AUDITED] == without, "of one journal"
    # By the words of what happened, and not by names of fields: docs/access.md and docs/metering.md.
    numbers = {
        2: "seconds", 4: "seconds", 20: "resets", 2048: "seconds left", 2055: "level", 2056: "failures",
        2060: "milliseconds", 2070: "for_ms", 2086: "seconds",
        **dict.fromkeys((7, 8, 9, 12, 13, 2057, 2058, 2065), "times"),
    }  # fmt: skip
    for line, event in zip(lines, stored, strict=True):
        name = numbers.get(line["code"])
        assert line["argument"] == (0 if name is None else json.loads(event.details)[name]), event
    assert {20, 7} <= {line["code"] for line in lines if line["argument"]}


def test_an_argument_without_room_is_the_nearest() -> None:
    def argument(code: int, **details: object) -> int:
        return int.from_bytes(argument_of(NumberedEvent(1, 0, code, "", details)), "little", signed=True)

    assert argument(4, seconds=-86400) == -86400, "set back"
    assert argument(2, seconds=10**12) == 2**31 - 1
    assert argument(4, seconds=-(10**12)) == -(2**31)
    assert argument(2086, program="abc") == 0, "until its activation is asked for"
    assert argument(21, seconds=5) == argument(9999, times=5) == 0


def test_arguments_are_of_the_events_as_the_meter_makes_them() -> None:
    source, refused = Source.OPTICAL, (MeterAction.DEMAND_RESET, Refusal.LEVEL)
    made: list[tuple[LogEvent, int]] = [
        (billing_events.PowerUp(0, 11), 11),
        (billing_events.ClockSetTo(0, -12, source), -12),
        (billing_events.ClockSlewed(0, -13, source), -13),
        (billing_events.DemandWasReset(0, billing_events.Cause.COMMUNICATION, 14, source), 14),
        (billing_events.ResetRefused(0, 15, source), 15),
        (access_events.LoggedOn(0, source, "", 3, 7), 3),
        (access_events.LogOnFailed(0, source, "", 16, 99), 16),
        (access_events.LogOnLockedOut(0, source, "", 17), 17),
        (access_events.ActionRefused(0, source, "", *refused, 18), 18),
        (access_events.SessionBrokeOff(0, source, 19), 19),
        (access_events.PendingWritten(0, "abc", 20, source), 20),
        (access_events.PendingWritten(0, "abc", None, source), 0),
        (billing_events.TestModeBegan(0, source), 0),
    ]
    for event, number in made:
        line = NumberedEvent(1, 0, event.code, event.label, details(event))
        assert int.from_bytes(argument_of(line), "little", signed=True) == number, event


def test_what_was_read_of_the_event_log_is_marked(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    kept, _ = lived(program("block"), [FLOW, ("reset", ()), ("self-read", ()), ("reset", ()), ("reset", ())], folder)
    tables = MeterTables(kept, folder)

    def unread() -> tuple[int, int]:
        return witness.st74(tables.data(74), 256)[0]["unread"], witness.st76(tables.data(76), 256)[0]["unread"]

    history, events = unread()
    assert history > events >= 3
    assert tables.write(7, struct.pack("<HBBH", 5, 1, 1, 2)) is None
    assert (tables.data(8)[3], unread()) == (0, (history, events - 2))
    assert tables.write(7, struct.pack("<HBBH", 5, 2, 1, events)) is None
    assert (tables.data(8)[3], unread()) == (2, (history, events - 2)), "more than there are"
    assert tables.write(7, struct.pack("<HBB", 4, 3, 1)) is None
    assert (tables.data(8)[3], unread()) == (0, (history, 0))
    kept.does(Action.RESET)
    assert unread() == (history + 1, 1)
    assert tables.write(7, struct.pack("<HBB", 4, 4, 255)) is None
    assert unread() == (0, 0)


def test_control_tables_say_what_is_monitored(tmp_path: Path) -> None:
    tables = MeterTables(lived(program("block"), [])[0])
    found = witness.st0(tables.data(0))
    dims, stock = tables.data(71), tables.data(72)
    sizes = (dims[1], dims[2], found.dims[0], found.dims[1], found.dims[2], found.dims[3])
    for number, audited in ((73, False), (75, True)):
        data, at, sets = tables.data(number), 0, []
        for size in sizes:
            sets.append(witness.numbers_of(data[at : at + size]))
            at += size
        assert at == len(data)
        codes = sets[0] | {2048 + n for n in sets[1]}
        logged = witness.numbers_of(stock[: dims[1]]) | {2048 + n for n in witness.numbers_of(stock[dims[1] :])}
        assert codes == (AUDITED if audited else logged)
        assert (sets[2], sets[3]) == (found.standard_written, found.manufacturers_written)
        assert (sets[4], sets[5]) == (found.procedures, found.manufacturers_procedures)
    assert {70, 71, 72, 73, 74, 75, 76} <= found.standard


def test_nothing_pushes_what_an_audit_asks_for_out_of_the_event_log(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    kept = KeptMeter(folder, program("block"), T0, flushes=True)
    kept.does(Action.RESET)
    for _ in range(260):
        kept.does(Action.SELF_READ)
    tables = MeterTables(kept, folder)
    assert 20 not in {line["code"] for line in witness.st74(tables.data(74), 256)[1]}
    assert 20 in {line["code"] for line in witness.st76(tables.data(76), 256)[1]}


def test_more_lines_than_the_table_has(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    kept = KeptMeter(folder, program("block"), T0, flushes=True)
    for _ in range(270):
        kept.does(Action.RESET)
    header, lines = witness.st74(MeterTables(kept, folder).data(74), 256)
    assert (header["valid"], len(lines)) == (256, 256)


def test_self_reads_and_the_last_reset(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    kept, _ = lived(
        program("block"), [FLOW, ("self-read", ()), FLOW, FLOW, ("reset", ()), FLOW, ("self-read", ()), FLOW], folder
    )
    tables = MeterTables(kept, folder)
    dims = witness.st21(tables.data(21))
    read = witness.Reader(tables.data(26), (13, 13))
    status, valid, last, sequence, unread = read.u(1), read.u(1), read.u(1), read.u(2), read.u(1)
    entries = []
    for _ in range(dims["self_reads"]):
        number = read.u(2)
        entries.append((number, witness.closed(read, dims)))
    read.end()
    assert (status, last, unread) == (0, valid - 1, valid)
    assert entries[valid - 1][0] == sequence
    assert all(entry["end"] is None and number == 0 for number, entry in entries[valid:])
    sums = [entry["total"]["summations"][0] for _, entry in entries[:valid]]
    assert Decimal("1.111111101900") in sums
    assert exactly(4 * NWH) in sums
    assert [entry["resets"] for _, entry in entries[:valid]] == sorted(entry["resets"] for _, entry in entries[:valid])
    closed = witness.st24(tables.data(25), (13, 13), dims)
    assert closed["total"]["summations"][0] == exactly(3 * NWH)
    assert closed["resets"] == 0, "before it"
    maximum = closed["total"]["demands"][0]["maxima"][0]
    assert maximum == exactly(4 * NWH), "of one block of 15 minutes"
    assert kept.meter.reading().resets == 1


def test_registers_that_the_season_closed_are_selfread_too(tmp_path: Path) -> None:
    """A snapshot that JSON made and JSON read is a snapshot still, energies beyond 64 bits and all."""
    folder = tmp_path / "store"
    huge = ("flow", (900, 0, 2**70, 2**69, 2**70, 2**70))
    kept, _ = lived(program("block"), [huge, ("self-read", ())], folder)
    tables = MeterTables(kept, folder)
    dims = witness.st21(tables.data(21))
    read = witness.Reader(tables.data(26), (13, 13))
    read.raw(6)
    valid = []
    for _ in range(dims["self_reads"]):
        read.u(2)
        valid.append(witness.closed(read, dims))
    kept.does(Action.SELF_READ)
    exact = exact_reading(kept.meter.reading())
    found = [entry for entry in valid if entry["end"] is not None]
    agree(found[-1], exact.registers, names_of(kept.program), kept.program.billing.calendar.zone)
