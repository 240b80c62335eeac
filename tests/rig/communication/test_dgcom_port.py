"""A port that speaks DGCOM, in virtual time on a meter in service: levels, the light, the log (X-1, P-1, S-1)."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from dgcom_host import Host, Refused, over
from psem_client import VirtualLine
from served_port import ServedMeter
from served_tables import ServedTables

from rig.communication.port.dgcom_port import DgcomPort
from rig.daemon.protocol import LogOff, LogOn, NoteAccess, ShareLight, WriteProgram

PROGRAM = """
[meter]
firmware = "7.16"
[demand]
quantities = ["kW delivered"]
[security]
level_1 = "111111"
level_2 = "222222"
level_3 = "333333"
level_4 = "444444"
"""
VERSION, UNLOCK, RESET, LOG_OFF, IN_FORCE = 0x08, 0xFF, 0x2B, 0x79, 0xE3
UNLOCKED = b"\xdd"


class Served:
    """A DGCOM port on a meter, its line, and a host at it."""

    def __init__(self) -> None:
        self.tables = ServedTables(PROGRAM)
        self.tables.run(0.2)
        self.meter = ServedMeter(self.tables)
        self.port = DgcomPort(self.meter, "0.9.1", shares_light=True)
        self.line = VirtualLine(self.port, self.serve)
        self.host = Host(over(self.line))

    def serve(self, now_ns: int) -> None:
        if not self.port.speaks:
            self.port.carry_out(now_ns)

    def resets(self) -> int:
        return self.tables.reading().resets


@pytest.fixture(scope="module")
def made() -> Iterator[Served]:
    made = Served()
    yield made
    made.tables.close()


@pytest.fixture
def served(made: Served) -> Served:
    """At rest: what was before is over."""
    made.line.wait(20)
    made.line._coming.clear()
    made.meter.asked.clear()
    made.meter.notes.clear()
    made.meter.away = False
    assert not made.port.communicates
    return made


def test_a_session(served: Served) -> None:
    host, before = served.host, served.resets()
    assert host.command(VERSION)[0] >> 4 == 3, "an RX"
    with pytest.raises(Refused):
        host.command(RESET)
    assert host.command(UNLOCK, b"\x22\x22\x22") == UNLOCKED
    assert host.command(RESET) == b""
    assert served.resets() == before + 1
    assert host.command(LOG_OFF) == b""
    with pytest.raises(Refused):
        host.command(RESET)
    served.line.wait(7)
    assert served.meter.notes == [NoteAccess(read=True, written=True, procedures=False, ended=True)]


def test_a_level_ends_when_nothing_comes_for_a_while(served: Served) -> None:
    assert served.host.command(UNLOCK, b"\x22\x22\x22") == UNLOCKED
    served.line.wait(5)
    assert served.host.command(RESET) == b""
    served.line.wait(6.1)
    assert served.port.level == 0
    assert LogOff() in served.meter.asked
    with pytest.raises(Refused):
        served.host.command(RESET)


def test_a_level_is_over_once_another_writes_a_program() -> None:
    served = Served()
    try:
        assert served.host.command(UNLOCK, b"\x11\x11\x11") == UNLOCKED
        assert served.host.command(IN_FORCE)
        served.tables.ask_elsewhere(LogOn("444444"), WriteProgram(PROGRAM + "[test_mode]\nminutes = 7\n"))
        with pytest.raises(Refused):
            served.host.command(IN_FORCE)
        assert served.port.level == 0
        assert served.host.command(VERSION)[0] >> 4 == 3
    finally:
        served.tables.close()


def test_the_light(served: Served) -> None:
    def loans() -> list[float]:
        return [each.seconds for each in served.meter.asked if isinstance(each, ShareLight)]

    served.line.write(b"\x55")
    assert served.line.read(1, 1.0) == b"\x55"
    assert loans() == [3.0], "before the first echo"
    served.line.wait(7)
    assert loans()[-1] == 0.0
    assert 6 <= len(loans()) <= 9


def test_a_meter_that_is_away_does_not_answer(served: Served) -> None:
    served.meter.away = True
    served.line.write(b"\x55")
    assert served.line.read(1, 1.0) == b""


def test_noise_is_nothing(served: Served) -> None:
    chance = random.Random(1)
    before = served.resets()
    for _ in range(2000):
        served.line.write(chance.choice((chance.randbytes(chance.randrange(1, 16)), b"\x55\xaa", b"\x33", b"\x66\x99")))
        served.line.read(chance.randrange(300), 0.001)
    served.line.wait(20)
    served.line._coming.clear()
    assert served.resets() == before
    assert served.host.command(VERSION)[0] >> 4 == 3
