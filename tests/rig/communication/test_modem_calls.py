"""Two hundred calls to and from a meter behind a modem, with failures of every kind at every point (X-3).

After each call the session is in the base state, nothing is half applied, and the schedule is kept.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from zlib import crc32

import pytest
from modem_bench import ModemBench
from psem_client import Answer, LineSilent, NotAcknowledged

from drivers.sim.hayes_modem import LineFaults
from rig.communication.c1218.session import SessionState
from rig.communication.modem.modem import CallStatus, ModemState
from rig.communication.modem.settings import ModemSettings
from rig.daemon.protocol import LogOff, ResetDemand, WriteProgram

PROGRAM = """
[demand]
quantities = ["kW delivered"]
[security]
level_1 = "111111"
level_2 = "222222"
level_3 = "333333"
level_4 = "444444"
"""
BROKEN = (Answer, LineSilent, NotAcknowledged, AssertionError)
"""What a client is left with by a line that breaks: its own packet reader asserts what a whole line gives."""


@pytest.fixture(scope="module")
def made() -> Iterator[ModemBench]:
    bench = ModemBench(PROGRAM, ModemSettings())
    yield bench
    bench.close()


def reset(bench: ModemBench, sequence: int) -> bool:
    """Reset demand by procedure 9; whether the meter has said that it did."""
    bench.client.write(7, struct.pack("<HBB", 9, sequence, 1))
    return bench.client.read(8) == struct.pack("<HBB", 9, sequence, 0) + b"\x01"


def resets(bench: ModemBench) -> int:
    return bench.served.reading().resets


def session(bench: ModemBench, chance: random.Random) -> tuple[int, int]:
    """One session: how many demand resets were asked for, and how many the meter has confirmed."""
    client = bench.client
    asked = confirmed = 0
    client.identify()
    if chance.random() < 0.5:
        client.negotiate(512, 4)
    client.log_on()
    client.password(b"444444")
    for _ in range(chance.randrange(3)):
        match chance.randrange(3):
            case 0:
                client.read(chance.choice([0, 1, 3, 23, 41]))
            case 1:
                asked += 1
                client.write(7, struct.pack("<HBB", 9, asked, 1))
                if client.read(8)[3] == 0:
                    confirmed += 1
            case 2:  # a program that is staged, and never whole
                client.write(2048, b"[meter]\nmodel = 'AXS4e'\n" * 4, offset=0)
    if chance.random() < 0.5:
        client.ask(b"\x22")
    else:
        client.terminate()
    return asked, confirmed


class CountedResets:
    """Client of a session whose resets are counted although the session breaks."""

    def __init__(self, bench: ModemBench) -> None:
        self.asked = self.confirmed = 0
        self._write, self._read = bench.client.write, bench.client.read
        bench.client.write, bench.client.read = self.write, self.read  # type: ignore[method-assign]
        self._bench = bench

    def write(self, table: int, data: bytes, offset: int | None = None) -> None:
        self.asked += table == 7
        self._write(table, data, offset)

    def read(self, table: int) -> bytes:
        data = self._read(table)
        self.confirmed += table == 8 and data[3] == 0
        return data

    def leave(self) -> None:
        self._bench.client.write, self._bench.client.read = self._write, self._read  # type: ignore[method-assign]


def failures(bench: ModemBench, chance: random.Random) -> list[Callable[[int], None]]:
    """What can happen at a byte of a call."""

    def flood(now_ns: int) -> None:
        bench.modem.line_sends(bytes(chance.randrange(256) for _ in range(3000)))

    def away(now_ns: int) -> None:
        bench.meter.away = True
        bench.served.requests.forget(1)  # the connection to the meter has gone, and the level with it
        bench.served.level = 0

    def dead(now_ns: int) -> None:
        bench.modem.faults.dead = True

    def pluses(now_ns: int) -> None:
        bench.modem.line_sends(b"+++")

    def false_carrier(now_ns: int) -> None:
        bench.modem.line_sends(b"\r\nNO CARRIER\r\n")

    return [bench.cut, bench.cut, bench.cut, flood, away, dead, pluses, false_carrier]


def rest(bench: ModemBench) -> None:
    """Let the call end, whatever happened to it, and the modem live again."""
    bench.at_byte = None
    bench.wait(5)
    bench.modem.faults.dead = bench.meter.away = False
    for _ in range(300):
        if bench.at_rest:
            break
        bench.wait(1)


def calls(bench: ModemBench, count: int, seed: int) -> dict[str, int]:
    """So many calls; counts of what became of them."""
    chance = random.Random(seed)
    hours = tuple(range(0, 1440, 60))
    outcomes: dict[str, str] = {}
    bench.plug_in(
        ModemSettings(numbers=("100", "200"), rings=2, schedule=hours, retry_s=60, tries=3, idle_s=30),
        LineFaults(outcomes=outcomes),
    )
    bench.wait(5)
    begun_hour = bench.local_ns(bench.line.now_ns) // (3600 * 10**9)
    digest = bench.served.service.program.digest
    found = {"in": 0, "out": 0, "whole": 0, "broken": 0, "not connected": 0}
    for _ in range(count):
        before = resets(bench)
        inwards = chance.random() < 0.5
        outcomes.clear()
        if not inwards:
            for number in ("100", "200"):
                if chance.random() < 0.4:
                    outcomes[number] = chance.choice(["BUSY", "NO CARRIER", "NO DIALTONE", "NO ANSWER", ""])
        bench.modem.faults.garbage = chance.choice([b"", b"", b"\x00\xff\r\n", b"~~~\r\n"])
        bench.modem.faults.echoes = chance.random() < 0.3
        connected = bench.call_in() if inwards else bench.await_call(3700)
        if connected:
            found["in" if inwards else "out"] += 1
            bench.carried = 0
            if chance.random() < 0.7:
                bench.at_byte = chance.randrange(1, 600), chance.choice(failures(bench, chance))
            counted = CountedResets(bench)
            try:
                session(bench, chance)
                found["whole"] += 1
            except BROKEN:
                found["broken"] += 1
            counted.leave()
            rest(bench)
            made = resets(bench) - before
            assert counted.confirmed <= made <= counted.asked, "a reset is done once, or not at all"
        else:
            found["not connected"] += 1
            rest(bench)
            assert resets(bench) == before
        assert bench.at_rest, (bench.port.modem.state, bench.modem.state)
        assert bench.port.port.session.state is SessionState.BASE
        assert bench.port.port.level == 0
        assert bench.served.level == 0, "the meter's door has no level left of it"
        assert bench.served.service.program.digest == digest
        bench.modem.faults.garbage = b""
    for _ in range(600):  # what is due is tried to its end
        outcomes.clear()
        if bench.port.modem.schedule.due is None and bench.at_rest:
            break
        bench.wait(5)
    schedule = bench.port.modem.schedule
    hours_seen = bench.local_ns(bench.line.now_ns) // (3600 * 10**9) - begun_hour
    found["hours"], found["settled"] = hours_seen, schedule.made + schedule.given_up
    return found


@pytest.mark.slow
def test_two_hundred_calls_with_failures_at_random_points(made: ModemBench) -> None:
    found = calls(made, 200, seed=16)
    assert found["in"] + found["out"] + found["not connected"] == 200
    assert min(found["in"], found["out"], found["whole"], found["broken"]) >= 20, found
    assert found["settled"] == found["hours"], f"each hour has one call that came about, or was given up: {found}"


def test_twenty_calls_with_failures_at_random_points(made: ModemBench) -> None:
    found = calls(made, 20, seed=3)
    assert found["settled"] == found["hours"], found


def test_a_cut_at_every_byte_of_a_demand_reset(made: ModemBench) -> None:
    """Once or not at all, wherever the carrier is lost; and the next caller finds the base state."""
    made.plug_in(ModemSettings(rings=1))
    made.wait(5)
    assert made.call_in()
    made.carried = 0
    made.client.identify()
    made.client.log_on()
    made.client.password(b"222222")
    begin = made.carried
    assert made.client.write(7, struct.pack("<HBB", 9, 1, 1)) is None
    end = made.carried
    made.client.ask(b"\x22")
    rest(made)
    for at in range(begin, end + 1, 3):
        before = resets(made)
        assert made.call_in()
        made.carried = 0
        made.at_byte = at, made.cut
        counted = CountedResets(made)
        try:
            made.client.identify()
            made.client.log_on()
            made.client.password(b"222222")
            made.client.write(7, struct.pack("<HBB", 9, 1, 1))
        except BROKEN:
            pass
        counted.leave()
        rest(made)
        assert resets(made) - before in (0, 1)
        assert made.port.port.session.state is SessionState.BASE
        assert made.at_rest


NEW = PROGRAM.replace("[demand]", "[demand]\ninterval_minutes = 30")


def writes_a_program(bench: ModemBench) -> None:
    """A whole session of it: stage two parts, have it applied, read what came of it."""
    text = NEW.encode()
    client = bench.client
    client.identify()
    client.negotiate(512, 4)
    client.log_on()
    client.password(b"444444")
    client.write(2048, text[:100], offset=0)
    client.write(2048, text[100:], offset=100)
    client.write(7, struct.pack("<HBII", 1 << 11, 5, len(text), crc32(text)))
    client.read(8)


def programs_after_cuts(bench: ModemBench, step: int) -> str:
    """Whether the meter has the old (o) or the new (n) program after the carrier was lost at each `step`th byte."""
    bench.plug_in(ModemSettings(rings=1))
    bench.wait(5)
    old = bench.served.service.program
    assert bench.call_in()
    bench.carried = 0
    writes_a_program(bench)
    whole, new = bench.carried, bench.served.service.program.digest
    assert new != old.digest
    bench.client.ask(b"\x22")
    rest(bench)
    found = ""
    for at in range(1, whole + 1, step):
        restore(bench)
        assert bench.served.service.program.digest == old.digest
        assert bench.call_in()
        bench.carried = 0
        bench.at_byte = at, bench.cut
        with suppress(*BROKEN):
            writes_a_program(bench)
        rest(bench)
        assert bench.at_rest
        assert bench.port.port.session.state is SessionState.BASE
        assert bench.port.port.level == 0
        assert bench.served.ask(ResetDemand()).needs_key, "the meter's door has no level left of it"
        digest = bench.served.service.program.digest
        assert digest in (old.digest, new), f"byte {at}: a mixture"
        found += "o" if digest == old.digest else "n"
    assert bench.call_in()
    bench.client.identify()
    bench.client.log_on()
    bench.client.password(b"333333")
    with pytest.raises(Answer, match="0x07"):  # data not ready: nothing is staged
        bench.client.read(2048)
    bench.client.ask(b"\x22")
    rest(bench)
    restore(bench)
    return found


def restore(bench: ModemBench) -> None:
    """Write the first program again, as whoever stands at the meter does."""
    bench.served.source = "command line"
    bench.served.log_on("444444")
    assert bench.served.ask(WriteProgram(PROGRAM)).refused is None
    bench.served.ask(LogOff())
    bench.served.source = "modem"


def test_a_program_written_by_modem_is_there_whole_or_not_at_all(made: ModemBench) -> None:
    """A sample of the bytes: the old program as long as it was not asked to be applied, the new one from then on."""
    found = programs_after_cuts(made, 31)
    assert re.fullmatch("o{3,}n+", found), found


@pytest.mark.slow
def test_a_program_written_by_modem_cut_at_every_byte(made: ModemBench) -> None:
    found = programs_after_cuts(made, 1)
    assert re.fullmatch("o{300,}n+", found), found


def test_a_modem_that_is_dead_is_tried_again_and_set_up_once_it_lives(made: ModemBench) -> None:
    made.plug_in(ModemSettings(), LineFaults(dead=True))
    made.wait(60)
    assert made.port.modem.state in (ModemState.RESTING, ModemState.SETTING_UP)
    assert made.port.modem.status is CallStatus.NO_MODEM
    made.modem.faults.dead = False
    made.wait(60)
    assert made.at_rest


def test_an_event_and_a_command_call(made: ModemBench) -> None:
    from rig.communication.modem.schedule import Cause

    made.plug_in(ModemSettings(numbers=("7", "8")), LineFaults(outcomes={"7": "BUSY"}))
    made.wait(5)
    made.port.modem.call(Cause.EVENT, made.line.now_ns)
    assert made.await_call(400)
    assert made.modem.numbers == ["7", "8"]
    made.client.identify()
    made.client.terminate()
    made.put_down()
    made.wait(10)
    assert made.port.modem.status is CallStatus.COMPLETED
    made.port.modem.call(Cause.COMMAND, made.line.now_ns)
    assert not made.await_call(20)
    assert made.port.modem.status is CallStatus.BUSY
