"""A program that waits, by C12.19: 6144, ST4, MT6, procedures 12 to 15, through power failures and refusals (X-1, S-1,
S-2). EVENT records and ST4 are put together here by hand, from ../shared/facts/c12.md §2.2."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from rig.communication.c1219.codes import ResponseCode
from rig.daemon.protocol import ColdStart, EnterTest, LeaveTest, LogOn, WriteProgram
from rig.program.build import load_program
from rig.store.reading import HistoryReader
from tests.rig.communication.served_tables import ServedTables

PROGRAM = """
[meter]
model = "RXRS4e"
[clock]
zone = "America/Toronto"
[demand]
quantities = ["kW delivered", "kVA"]
[[tou.seasons]]
name = "all year"
begins = "01-01"
weekday = ["00:00 {rate}"]
[security]
level_1 = "111111"
level_2 = "222222"
level_3 = "{three}"
level_4 = "444444"
seal = {seal}
"""
OLD = PROGRAM.format(rate="A", three="333333", seal="false")
TARIFF = PROGRAM.format(rate="B", three="333333", seal="false")
METROLOGY = OLD.replace('["kW delivered", "kVA"]', '["kW delivered"]')
SEALED = OLD.replace("seal = false", "seal = true")
PENDING = 4096 + 2048
DONE, INVALID, CONFLICT, NOT_AUTHORIZED = 0, 2, 3, 5
NEVER = b"\x02" + bytes(5)


def in_seconds(seconds: int) -> bytes:
    return bytes((1, 0, 0, 0, 0, seconds))


def at(local: datetime) -> bytes:
    return bytes((0, local.year - 2000, local.month, local.day, local.hour, local.minute))


def digest(folder: Path, text: str) -> str:
    path = folder / "digest.toml"
    path.write_text(text)
    return load_program(path).digest


class Log:
    """Events as they are published, by code."""

    def __init__(self, served: ServedTables) -> None:
        self.events: list[Any] = []
        served.service.on_events = self.events.extend

    @property
    def codes(self) -> list[int]:
        return [event.code for event in self.events if hasattr(event, "code")]

    def take(self) -> list[int]:
        codes = [code for code in self.codes if code in (11, 28, 29, 2058, 2086, 2087)]
        self.events.clear()
        return codes


@pytest.fixture(scope="module")
def shared() -> Iterator[ServedTables]:
    made = ServedTables(OLD)
    made.run(0.5)
    yield made
    made.close()


@pytest.fixture
def served(shared: ServedTables) -> ServedTables:
    """A meter with the old program in which nothing waits, at level 4."""
    access = shared.service.access
    shared.service.on_events = lambda events: None
    shared.device.end_session()
    if access.state.pending or access.state.term != TERM.get(id(shared)) or shared.level != 4:
        shared.log_on("444444")
        assert shared.procedure(14) == (DONE, b"")
        at_once(shared, OLD)
        shared.log_on("444444")
        TERM[id(shared)] = access.state.term
    access.state.activated_ns = None
    return shared


TERM: dict[int, int] = {}
"""Of a meter when it was put as it is here: with another program or seal it is another."""


def at_once(served: ServedTables, text: str) -> None:
    assert served.ask(WriteProgram(text)).refused is None


def stage(served: ServedTables, event: bytes, text: str | bytes, part: int = 300) -> bytes:
    """Write the pending form in parts; MP0's parameters."""
    data = event + (text.encode() if isinstance(text, str) else text)
    for begin in range(0, len(data), part):
        assert served.write(PENDING, data[begin : begin + part], begin) is None
    return struct.pack("<II", len(data), crc32(data))


def write(served: ServedTables, event: bytes, text: str | bytes = TARIFF) -> tuple[int, bytes]:
    return served.procedure(0, stage(served, event, text), manufacturer=True)


def status(served: ServedTables) -> tuple[bytes, int, bytes, int]:
    """ST4 by hand: last activation, how many wait, the entry's EVENT and its table."""
    data = served.data(4)
    std, mfg = served.data(0)[13:15]
    assert (data[:std], data[std : std + mfg]) == (bytes(std), b"\x01" + bytes(mfg - 1)), "MT0 alone can wait"
    rest = data[std + mfg :]
    assert len(rest) == 5 + 1 + 8
    return rest[:5], rest[5], rest[6:12], struct.unpack("<H", rest[12:])[0]


def waits(served: ServedTables) -> bool:
    return status(served)[1] == 1


def test_it_is_written_once_at_its_time(served: ServedTables, tmp_path: Path) -> None:
    log, before = Log(served), served.service.program.digest
    assert served.data(0)[18] == 1, "NBR_PENDING"
    assert status(served) == (bytes(5), 0, bytes(6), 0), "none ever was"
    assert served.data(2048 + 6) == b"\0"
    assert write(served, in_seconds(1)) == (DONE, b"")
    assert log.take() == [2086]
    last, count, event, table = status(served)
    assert (last, count, event[0], table) == (bytes(5), 1, 0, 1 << 12 | 1 << 11)
    words = served.data(2048 + 6)
    assert (words[0], words[1:13].decode()) == (1, digest(tmp_path, TARIFF))
    due, written = (datetime(2000 + at[0], *at[1:]) for at in (words[13:19], words[19:25]))
    assert (due - written).total_seconds() == 1
    assert tuple(event[1:]) == (due.year - 2000, due.month, due.day, due.hour, due.minute)
    assert struct.unpack("<HB", words[25:28]) == (2, 4), "the optical port, level 4"
    tables = json.loads(words[28:])
    assert tables["tou"]["seasons"][0]["weekday"] == ["00:00 B"]
    assert tables["security"] == {"seal": False}, "without keys"
    served.run(0.7)
    assert served.service.program.digest == before
    served.run(0.5)
    assert served.service.program.digest == digest(tmp_path, TARIFF)
    assert log.take() == [11, 28]
    served.log_on("111111")
    last, count, event, table = status(served)
    assert (count, event, table) == (0, bytes(6), 0)
    assert last == bytes((due.year - 2000, due.month, due.day, due.hour, due.minute))
    served.run(0.5)
    assert log.take() == [], "once"


def test_a_local_time_an_event_of_it_and_no_time(served: ServedTables, tmp_path: Path) -> None:
    log = Log(served)
    assert served.procedure(10, bytes((3, 27, 7, 1, 12, 59, 59, 0)))[0] == DONE
    one = at(datetime(2027, 7, 1, 13, 0))
    assert write(served, one) == (DONE, b"")
    assert status(served)[2] == one
    for wrong in (at(datetime(2027, 7, 1, 13, 1)), NEVER, bytes(6)):
        assert served.procedure(15, wrong)[0] == INVALID
        assert served.procedure(13, wrong)[0] == INVALID
    assert served.procedure(15, one) == (DONE, b"")
    assert not waits(served)
    assert served.procedure(15, one)[0] == INVALID
    assert log.take() == [2086, 29]
    assert write(served, one) == (DONE, b"")
    served.run(0.5)
    assert waits(served)
    served.run(0.7)
    assert served.service.program.digest == digest(tmp_path, TARIFF)
    assert log.take() == [2086, 11, 28]
    served.log_on("444444")
    assert write(served, NEVER, OLD) == (DONE, b"")
    served.run(0.5)
    assert status(served)[1:3] == (1, NEVER)
    assert served.procedure(13, NEVER) == (DONE, b"")
    assert served.service.program.digest == digest(tmp_path, OLD)
    served.log_on("444444")
    assert write(served, NEVER) == (DONE, b"")
    assert served.procedure(12) == (DONE, b"")
    served.log_on("444444")
    assert (served.procedure(12), served.procedure(14)) == ((DONE, b""), (DONE, b"")), "none waits: nothing to do"
    assert log.take() == [2086, 11, 28, 2086, 11, 28]


def test_levels(served: ServedTables) -> None:
    log = Log(served)
    served.log_on("222222")
    assert served.write(PENDING, in_seconds(9) + TARIFF.encode()) is ResponseCode.INSUFFICIENT_SECURITY
    assert served.read(PENDING) is ResponseCode.INSUFFICIENT_SECURITY
    served.log_on("333333")
    assert write(served, NEVER, METROLOGY)[0] == NOT_AUTHORIZED
    other_keys = TARIFF.replace("444444", "555555")
    assert write(served, NEVER, other_keys)[0] == NOT_AUTHORIZED
    assert not waits(served)
    assert write(served, NEVER) == (DONE, b"")
    served.log_on("222222")
    for number in (12, 14):
        assert served.procedure(number)[0] == NOT_AUTHORIZED
    for number in (13, 15):
        assert served.procedure(number, NEVER)[0] == NOT_AUTHORIZED
    assert waits(served)
    served.log_on("444444")
    assert served.procedure(14) == (DONE, b"")
    assert write(served, NEVER, METROLOGY) == (DONE, b"")
    served.log_on("333333")
    assert served.procedure(12)[0] == NOT_AUTHORIZED, "it changes metrology, whoever wrote it"
    assert waits(served)
    served.log_on("444444")
    assert served.procedure(12) == (DONE, b"")
    assert log.codes.count(28) == 1


_SWITCHES = [f"{n // 60:02}:{n % 60:02} {'AB'[n % 2]}" for n in range(1440)]
EACH_MINUTE = f"weekday = {json.dumps(_SWITCHES)}\nsaturday = {json.dumps(_SWITCHES)}"
"""30 kB of switches, two days with another rate each minute."""

UGLY: dict[str, tuple[Callable[[ServedTables], tuple[bytes, str | bytes]], bytes]] = {
    "an hour ago": (lambda s: (at(datetime(2020, 1, 1, 0, 0)), TARIFF), b"past"),
    "now": (lambda s: (in_seconds(0), TARIFF), b"past"),
    "31 February": (lambda s: (bytes((0, 27, 2, 31, 0, 0)), TARIFF), b"no date"),
    "25 o'clock": (lambda s: (bytes((0, 27, 2, 1, 25, 0)), TARIFF), b"STIME_DATE"),
    "no date": (lambda s: (bytes(6), TARIFF), b"no date"),
    "a trigger of another maker": (lambda s: (b"\x02AE07\x01", TARIFF), b"EVENT_CODE"),
    "an unknown code": (lambda s: (b"\x03" + bytes(5), TARIFF), b"EVENT_CODE"),
    "a self-read too": (lambda s: (b"\x12" + bytes(5), TARIFF), b"procedure 9"),
    "a demand reset too": (lambda s: (b"\x22" + bytes(5), TARIFF), b"procedure 9"),
    "fill bits": (lambda s: (b"\x42" + bytes(5), TARIFF), b"procedure 9"),
    "EVENT alone, cut short": (lambda s: (b"\x02\0\0", b""), b"6"),
    "no text at all": (lambda s: (NEVER, b"\xff\xfe"), b"UTF-8"),
    "no TOML": (lambda s: (NEVER, "[meter"), b"TOML"),
    "a mistake": (lambda s: (NEVER, TARIFF.replace("kVA", "kVB")), b"kVB"),
    "sensors of another class": (
        lambda s: (NEVER, TARIFF.replace("[meter]", "[meter]\ncurrent_class = 200")), b"class",
    ),
    "too long to wait": (lambda s: (NEVER, TARIFF.replace('weekday = ["00:00 B"]', EACH_MINUTE)), b"too long"),
}  # fmt: skip


@pytest.mark.parametrize("name", UGLY)
def test_what_cannot_wait_is_refused_with_its_sentence(served: ServedTables, name: str) -> None:
    make, said = UGLY[name]
    result, sentence = write(served, *make(served))
    assert (result, said in sentence) == (INVALID, True), sentence
    assert not waits(served)
    assert served.read(PENDING) is ResponseCode.NOT_READY, "what was staged is gone"


def test_staging(served: ServedTables) -> None:
    assert served.write(PENDING, b"x", 1) is ResponseCode.INAPPROPRIATE, "a gap"
    assert served.write(PENDING, bytes(65537)) is ResponseCode.NOT_POSSIBLE
    said = stage(served, NEVER, TARIFF)
    assert served.read(PENDING) == NEVER + TARIFF.encode()
    assert served.read(PENDING, 6, 10) == TARIFF.encode()[:10]
    assert served.read(PENDING, 10**6, 1) is ResponseCode.INAPPROPRIATE
    assert served.read(2048) is ResponseCode.NOT_READY, "in its other form"
    assert served.procedure(0, said[:4] + bytes(4), manufacturer=True)[0] == INVALID, "another CRC"
    assert not waits(served)
    assert served.write(2048, b"# x", 0) is None, "the other form begins anew"
    assert served.read(2048) == b"# x"
    assert served.read(PENDING) is ResponseCode.NOT_READY
    for number in (4096, 4096 + 54, PENDING + 1):
        assert served.write(number, NEVER) is ResponseCode.INAPPROPRIATE, "no other table can wait"
        assert served.read(number) is ResponseCode.INAPPROPRIATE
    for number in (12, 14):
        assert served.procedure(number, b"\0")[0] == INVALID
    for number in (13, 15):
        for parameters in (b"", bytes(5), bytes(7)):
            assert served.procedure(number, parameters)[0] == INVALID


def test_a_second_one_is_refused_and_the_first_goes_on_waiting(served: ServedTables, tmp_path: Path) -> None:
    assert write(served, in_seconds(1)) == (DONE, b"")
    for event in (in_seconds(2), NEVER):
        result, sentence = write(served, event, METROLOGY)
        assert (result, b"a program waits already" in sentence) == (CONFLICT, True)
    served.run(1.2)
    assert served.service.program.digest == digest(tmp_path, TARIFF)


def refused_at_its_time(served: ServedTables, log: Log, seconds: float = 1.2) -> str:
    """Its sentence in the log; nothing waits any more, and the program is the one of before."""
    before = served.service.program
    served.run(seconds)
    assert served.service.program is before
    assert [code for code in log.codes if code in (11, 28, 29, 2087)] == [2087, 29]
    (event,) = [event for event in log.events if getattr(event, "code", 0) == 2087]
    assert served.service.access.state.pending is None
    return str(event.found)


def test_a_seal_that_was_put_on_since_and_a_tariff_under_it(tmp_path: Path) -> None:
    made = ServedTables(OLD)
    made.run(0.5)
    made.log_on("444444")
    assert write(made, in_seconds(1), METROLOGY) == (DONE, b"")
    at_once(made, SEALED)
    assert "while the meter is sealed" in refused_at_its_time(made, Log(made))
    made.log_on("444444")
    assert write(made, NEVER, METROLOGY)[0] == NOT_AUTHORIZED
    made.log_on("333333")
    tariff = TARIFF.replace("seal = false", "seal = true")
    assert write(made, in_seconds(1), tariff) == (DONE, b"")
    made.run(1.2)
    assert made.service.program.digest == digest(tmp_path, tariff)
    assert made.service.access.sealed
    made.close()


def test_a_key_that_was_changed_since_opens_nothing_later(served: ServedTables) -> None:
    served.log_on("333333")
    assert write(served, in_seconds(1)) == (DONE, b"")
    served.log_on("444444")
    at_once(served, PROGRAM.format(rate="A", three="999999", seal="false"))
    assert "keys have changed" in refused_at_its_time(served, Log(served))


def test_what_changes_more_than_its_writer_may_by_then(served: ServedTables) -> None:
    """A tariff over the program of before is metrology over the one of now."""
    served.log_on("333333")
    assert write(served, in_seconds(1)) == (DONE, b"")
    served.log_on("444444")
    at_once(served, METROLOGY)
    assert "needs level 4" in refused_at_its_time(served, Log(served))


def test_another_program_written_at_once_leaves_it_waiting(served: ServedTables, tmp_path: Path) -> None:
    assert write(served, in_seconds(1), METROLOGY) == (DONE, b"")
    at_once(served, TARIFF)
    served.run(0.5)
    assert served.service.program.digest == digest(tmp_path, TARIFF)
    served.run(0.7)
    assert served.service.program.digest == digest(tmp_path, METROLOGY)


def test_in_test_mode_it_waits_for_its_end(served: ServedTables, tmp_path: Path) -> None:
    log = Log(served)
    assert write(served, in_seconds(1)) == (DONE, b"")
    assert served.ask(EnterTest()).refused is None
    before = served.service.program.digest
    served.run(1.2)
    assert served.service.program.digest == before
    assert served.procedure(12)[0] == CONFLICT, "not by hand either"
    assert served.ask(LeaveTest()).refused is None
    served.run(0.2)
    assert served.service.program.digest == digest(tmp_path, TARIFF)
    assert [code for code in log.codes if code in (11, 28)] == [11, 28]


def test_a_cold_start_clears_it(served: ServedTables) -> None:
    assert write(served, in_seconds(1)) == (DONE, b"")
    log = Log(served)
    assert served.ask(ColdStart()).refused is None
    before = served.service.program.digest
    served.run(1.2)
    assert (served.service.program.digest, log.take()) == (before, [29])


def test_the_clock_set_past_its_time_and_back(served: ServedTables) -> None:
    log = Log(served)
    assert served.procedure(10, bytes((3, 27, 7, 1, 12, 0, 0, 0)))[0] == DONE
    assert write(served, at(datetime(2027, 7, 1, 14, 0))) == (DONE, b"")
    assert served.procedure(10, bytes((1, 0, 0, 0, 11, 0, 0, 0)))[0] == DONE
    served.run(0.2)
    assert waits(served)
    assert served.procedure(10, bytes((1, 0, 0, 0, 15, 0, 0, 0)))[0] == DONE
    served.run(0.2)
    assert log.take() == [2086, 11, 28]


def lines(folder: Path) -> list[int]:
    with HistoryReader(folder) as history:
        return [event.code for event in history.events() if event.code in (11, 28, 29, 2086, 2087)]


def test_power_off_over_its_time(tmp_path: Path) -> None:
    """Images of the store as it lies on the disk: when the request was answered, and once it was activated."""
    folder = tmp_path / "store"
    made = ServedTables(OLD, folder)
    made.run(0.5)
    made.log_on("333333")
    assert write(made, bytes((1, 0, 0, 1, 0, 0))) == (DONE, b""), "in an hour"
    made.flush()
    shutil.copytree(folder, tmp_path / "waiting")
    made.service.finish()
    made.hardware.close()
    new = digest(tmp_path, TARIFF)

    early = ServedTables(OLD, tmp_path / "waiting", later_s=60)
    early.run(0.3)
    assert waits(early)
    early.service.finish()
    early.hardware.close()

    late = ServedTables(OLD, folder, later_s=7200)
    log = Log(late)
    late.run(0.3)
    assert late.service.program.digest == new
    assert log.take() == [11, 28]
    late.run(0.3)
    late.flush()
    shutil.copytree(folder, tmp_path / "active")
    late.service.finish()
    late.hardware.close()
    assert lines(folder)[-3:] == [2086, 11, 28]

    again = ServedTables(OLD, tmp_path / "active", later_s=7210)
    log = Log(again)
    again.run(0.3)
    assert again.service.program.digest == new
    assert not waits(again)
    assert log.take() == [], "once"
    assert again.ask(LogOn("333333")).refused is None, "its keys came along"
    again.service.finish()
    again.hardware.close()
    assert lines(tmp_path / "active").count(28) == 1


def test_the_event_log_has_all_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    made = ServedTables(OLD, folder)
    made.run(0.5)
    made.log_on("444444")
    assert write(made, NEVER) == (DONE, b"")
    assert made.procedure(14) == (DONE, b"")
    assert write(made, in_seconds(1)) == (DONE, b"")
    made.run(1.2)
    made.service.finish()
    made.hardware.close()
    assert lines(folder) == [2086, 29, 2086, 11, 28]
