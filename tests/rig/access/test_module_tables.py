"""Each module × each table × read, write and procedure, at the door of a meter in service (X-4).

What is expected is typed here and in module_grants.py, from the notice and from what C12.19's tables are: it shares no
data with the product. Every module has proven level 4, so that nothing but its row refuses.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import msgspec
import pytest
from module_grants import ANYTHING, ENERGY_AND_DEMAND, MAY_DO, MAY_READ

from rig.communication.c1219.codes import ResponseCode
from rig.communication.c1219.outcome import Outcome
from rig.communication.c1219.tables import TABLES
from rig.communication.modules.tables import ModuleTables
from rig.daemon.history_pages import FROM_STORE, page
from rig.daemon.internal import Ask
from rig.daemon.protocol import Asked, Done, LogOn, RequestRefused, WriteProgram
from rig.meter.access.events import AccessEvent, ActionRefused, ReadingRefused
from tests.rig.communication.served_tables import ServedTables

PROGRAM = """
[meter]
model = "{model}"
module = "{module}"
[demand]
interval_minutes = 15
quantities = ["kW delivered"]
[[outputs]]
name = "KYZ4"
function = "eoi"
"""
RECORDER = """
[recorder]
interval_minutes = 15
channels = [{ metric = "kWh delivered", pulse = "1.8" }]
"""
MT = 2048
PENDING = 4096 + MT
METER = (
    *range(3), 4, 5, 6, *range(10, 17), *range(20, 23), 27, *range(30, 35), 40, 41, 44, *range(50, 57), *range(90, 99),
    MT + 1, MT + 2, MT + 6,
)  # fmt: skip
HOLDS: dict[int, set[str]] = {
    **{number: {"meter information"} for number in METER},
    3: {"meter information", "service information"},
    23: ENERGY_AND_DEMAND,
    **{number: {"closed periods"} for number in (24, 25, 26)},
    28: {"demand"},
    **{number: {"load profile"} for number in (*range(60, 68), MT + 5)},
    **{number: {"event log"} for number in (*range(70, 77), MT + 4)},
    MT + 3: {"energy by rate", "demand", "meter information"},
}
OF_THE_SESSION = {7, 8, MT + 0}
NOT_THERE = {*range(90, 99)}
"""No module is a telephone modem."""

NO_RECORDER = {*range(60, 68), MT + 5}
"""Tables that an AXS4e does not have."""

IAR, ISC = ResponseCode.INAPPROPRIATE, ResponseCode.INSUFFICIENT_SECURITY

PROCEDURES: dict[str, tuple[int, bool, bytes]] = {
    "cold start": (0, False, b""),
    "clear data": (3, False, b""),
    "enter test mode": (6, False, b"\x02"),
    "demand reset": (9, False, b"\x01"),
    "self-read": (9, False, b"\x02"),
    "season change": (9, False, b"\x04"),
    "set clock": (10, False, b"\x03\x1a\x0c\x01\x08\x00\x00\x00"),
    "master reset": (1, True, b""),
    "operate relay": (2, True, b"\x04\x01\x01\x00"),
}
"""By the action that a procedure is, as docs/communication-tables.md has it."""

BESIDE: dict[str, tuple[int, bytes, set[str]]] = {
    "reset list pointers": (4, b"\xff", {"closed periods", "load profile", "event log"}),
    "update last read entry": (5, b"\x01\x00\x00", {"closed periods", "load profile", "event log"}),
    "clear standard status flags": (7, b"", {"service information"}),
    "clear manufacturer status flags": (8, b"", {"service information"}),
    "activate specific pending table": (13, bytes(6), {"meter information"}),
    "clear specific pending table": (15, bytes(6), {"meter information"}),
}
NO_AUTHORIZATION, UNRECOGNIZED = 5, 6


def program(model: str, module: str) -> str:
    """A program of a model with a module; an RXRS4e records a load profile."""
    return PROGRAM.format(model=model, module=module) + (RECORDER if model == "RXRS4e" else "")


class Bench:
    """A meter in service that is asked as its module and as its owner; `refusals` are what its log has of modules."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.served = ServedTables(program("AXS4e", "TS1"), folder)
        self.served.run(0.2)
        self.refusals: list[ActionRefused | ReadingRefused] = []
        self._spy()

    def _spy(self) -> None:
        access, take = self.served.service.access, self.served.service.access.take_events

        def taken() -> list[AccessEvent]:
            found = take()
            self.refusals += [each for each in found if isinstance(each, ActionRefused | ReadingRefused)]
            return found

        access.take_events = taken  # type: ignore[method-assign]

    def ask(self, source: str, name: str, client: int, asked: Asked) -> Outcome:
        if isinstance(asked, FROM_STORE):
            return Outcome(msgspec.msgpack.decode(msgspec.msgpack.encode(page(self.folder, asked))))
        requests = self.served.requests
        reply = requests.execute(Ask(client, 0, source, name, 1, asked))
        while reply is None:  # it is answered once it is on the disk
            self.served.run(0.05)
            ready = requests.settled()
            reply = ready[0][1] if ready else None
        if isinstance(reply, RequestRefused):
            return Outcome(None, reply.sentence, reply.needs_key, reply.why)
        assert isinstance(reply, Done)
        return Outcome(msgspec.msgpack.decode(msgspec.msgpack.encode(reply.result)))

    def owner(self, asked: Asked) -> Outcome:
        return self.ask("command line", "", 3, asked)

    def fit(self, module: str) -> ModuleTables:
        """Fit a module into a model that takes it, and prove its key's level 4."""
        self.owner(LogOn("000000"))
        model = "AXS4e" if module == "iModule" else "RXRS4e"
        assert self.owner(WriteProgram(program(model, module))).refused is None
        self._module = module
        assert self.as_module(LogOn("000000")).refused is None
        return ModuleTables("0.9.1", self.as_module, self.owner)

    def as_module(self, asked: Asked) -> Outcome:
        return self.ask("module", self._module, 2, asked)

    def refused(self, module: str) -> list[str]:
        """Take what the log has since the last time; every line names the module."""
        found, self.refusals = self.refusals, []
        assert {each.name for each in found} <= {module}
        return [each.part.label if isinstance(each, ReadingRefused) else each.action.label for each in found]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("store"))
    yield bench
    bench.served.close()


def test_every_table_is_in_the_list() -> None:
    assert set(TABLES) <= HOLDS.keys() | OF_THE_SESSION


@pytest.mark.parametrize("module", MAY_READ)
def test_a_table_is_read_and_written_as_the_row_grants_what_it_holds(bench: Bench, module: str) -> None:
    tables = bench.fit(module)
    registers = MAY_READ[module] & ANYTHING
    writes = "write program" in MAY_DO.get(module, set())
    bench.refused(module)
    named: set[str] = set()
    for number in TABLES:
        data, why = tables.read(number), tables.refused
        if number == MT + 0:
            assert data is (ResponseCode.NOT_READY if writes else ISC)
            granted, parts = writes, {"write program"}
        elif number in OF_THE_SESSION:
            assert data is (ResponseCode.NOT_READY if registers and number == 8 else ISC)
            granted, parts = bool(registers), {"read"}
        else:
            granted, parts = HOLDS[number] <= MAY_READ[module], HOLDS[number] - MAY_READ[module]
            there = number not in NOT_THERE | (NO_RECORDER if module == "iModule" else set())
            if granted:
                assert isinstance(data, bytes) if there else data is IAR, number
            else:
                assert data is ISC, number
        named |= said(why, module, parts, granted)
        if number != 7:
            written = tables.write(number, b"\x00")
            assert written is (ISC if not granted else None if number == MT + 0 else IAR), number
            said(tables.refused, module, parts, granted)
    assert set(bench.refused(module)) == named, "the log has each, by the module's name"
    assert tables.read(PENDING) is (ResponseCode.NOT_READY if writes else ISC)
    assert tables.write(PENDING, b"\x02") is (None if writes else ISC)
    for number in (9, 17, 42, 45, 100, 2040, MT + 9, 4096, PENDING + 1):
        assert tables.read(number) is (ISC if number in (42, 45) else IAR)


def said(why: str | None, module: str, parts: set[str], granted: bool) -> set[str]:
    """What the meter's sentence names; it names one of what the module lacks, or nothing where all is granted."""
    if granted:
        assert why is None
        return set()
    found = {part for part in parts if why is not None and f"module {module} is not granted {part}:" in why}
    assert len(found) == 1, why
    return found


def procedure(tables: ModuleTables, number: int, manufacturer: bool, parameters: bytes) -> int | ResponseCode:
    """Carry one out; its result, or why it was not even taken."""
    taken = tables.write(7, struct.pack("<HB", number | manufacturer << 11, 9) + parameters)
    if taken is not None:
        return taken
    answer = tables.read(8)
    assert isinstance(answer, bytes)
    return answer[3]


@pytest.mark.parametrize("module", MAY_READ)
def test_a_procedure_is_carried_out_as_the_row_grants_its_action(bench: Bench, module: str) -> None:
    tables = bench.fit(module)
    granted, may_read = MAY_DO.get(module, set()), MAY_READ[module]
    for action, (number, manufacturer, parameters) in PROCEDURES.items():
        bench.refused(module)
        result, refused = procedure(tables, number, manufacturer, parameters), bench.refused(module)
        if module == "SSMM":
            assert (result, set(refused) <= {"read"}) == (ISC, True)
            continue
        assert result == (0 if action in granted else NO_AUTHORIZATION), (action, result)
        assert refused == ([] if action in granted else [action])
        if action == "enter test mode" and action in granted:
            assert procedure(tables, 6, False, b"\x01") == 0
    for name, (number, parameters, parts) in BESIDE.items():
        assert (procedure(tables, number, False, parameters) != ISC) is (parts <= may_read), name
    for number, manufacturer in ((1, False), (11, False), (3, True), (99, True)):
        assert procedure(tables, number, manufacturer, b"") in (ISC, UNRECOGNIZED)
    if module != "SSMM":
        for number in (12, 14):
            assert procedure(tables, number, False, b"") == (0 if "write program" in granted else NO_AUTHORIZATION)
    text = program("RXRS4e", module).replace("interval_minutes = 15", "interval_minutes = 30", 1)
    staged = tables.write(MT + 0, text.encode())
    bench.refused(module)
    result = procedure(tables, 0, True, struct.pack("<II", len(text), crc32(text.encode())))
    if "write program" in granted:
        assert (staged, result, bench.refused(module)) == (None, 0, [])
    else:
        assert staged is ISC
        assert result != 0, "there is nothing staged"


def test_a_module_that_is_not_fitted_has_no_table(bench: Bench) -> None:
    bench.fit("TS2")
    other = ModuleTables("0.9.1", lambda asked: bench.ask("module", "TS1", 4, asked), bench.owner)
    assert {number: other.read(number) for number in (0, 8, 23, 71)} == dict.fromkeys((0, 8, 23, 71), ISC)
    assert other.write(7, b"\x09\x00\x01\x01") is ISC
    assert other.refused is not None
    assert "module TS1 is not fitted to this meter" in other.refused


@pytest.mark.parametrize("data", [b"", b"\x09", b"\x09\x00", b"\xff" * 4, b"\x09\x00\x01" + bytes(300)])
def test_what_is_no_procedure(bench: Bench, data: bytes) -> None:
    tables = bench.fit("STAR MTU")
    assert tables.write(7, data) in (IAR, None)
    assert bench.served.service.meter.billing.test is None
