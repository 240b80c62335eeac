"""A port on a meter in service, in virtual time: tables, levels, the light, the log, the wire's own time (X-1, P-1)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from zlib import crc32

import pytest
from psem_client import Answer, LineSilent, NotAcknowledged, packet
from served_port import ServedPort

from rig.communication.c1218.session import SessionState
from rig.communication.c1218.settings import REMOTE
from rig.communication.keys import key_of
from rig.communication.port.meter_link import spoken_at
from rig.daemon.protocol import LogOff, LogOn, NoteAccess, ShareLight, WriteProgram
from rig.meter.billing.source import Source
from rig.meter.firmware import PortProtocol

ANSI, DGCOM = PortProtocol.ANSI, PortProtocol.DGCOM

PROGRAM = """
[demand]
quantities = ["kW delivered"]
[security]
seal = true
level_1 = "111111"
level_2 = "222222"
level_3 = "333333"
level_4 = "444444"
"""
RECORDER = '[recorder]\nchannels = [{ metric = "kWh delivered", pulse = "1.8" }]\n'
READERS = (60, 72, 2049)
"""Tables that take level 1: of the load profile, of the log, the program in force."""

ISC = 3


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPort]:
    served = ServedPort(PROGRAM)
    yield served
    served.close()


@pytest.fixture
def port(served: ServedPort) -> ServedPort:
    """The port at rest, and a client that has just been started."""
    served.line.wait(70)
    assert served.port.session.state is SessionState.BASE
    served.line._coming.clear()
    served.client.restart()
    served.meter.asked.clear()
    served.meter.notes.clear()
    served.meter.away = served.meter.silent = False
    return served


def tables_used(port: ServedPort) -> list[int]:
    """The standard tables that ST0 says there are: the set after its 19 bytes."""
    st0 = port.client.read(0)
    return [n for n in range(8 * st0[13]) if st0[19 + n // 8] >> n % 8 & 1]


def test_a_session(port: ServedPort) -> None:
    client = port.client
    client.identify()
    client.negotiate(512, 20)
    client.log_on()
    assert client.read(1)[4:12] == b"RXRS4e  "
    client.password(b"222222")
    client.write(7, struct.pack("<HBB", 9, 3, 1))
    assert client.read(8) == struct.pack("<HBBB", 9, 3, 0, 1)
    client.terminate()
    port.line.wait(1)
    assert port.meter.notes == [NoteAccess(read=True, written=False, procedures=True, ended=True)]
    assert LogOff() in port.meter.asked


def test_a_level_is_over_with_its_session(port: ServedPort) -> None:
    client = port.client

    def reset() -> int:
        client.write(7, struct.pack("<HBB", 9, 3, 1))
        return client.read(8)[3]

    client.identify()
    client.log_on()
    client.password(b"222222")
    assert reset() == 0
    client.log_off()
    client.log_on()
    assert reset() == 5, "no authorization"
    client.password(b"222222")
    port.line.wait(6.5)
    client.restart()
    client.identify()
    client.log_on()
    assert reset() == 5
    client.terminate()
    assert [note.ended for note in port.meter.notes] == [False, True]


def test_a_sentence_is_whole_or_is_seen_to_be_cut(port: ServedPort) -> None:
    """ST8 has what the meter says of a program, in as many bytes as ST0 says."""
    client = port.client

    def said(program: str) -> bytes:
        text = program.encode()
        client.write(2048, text)
        client.write(7, struct.pack("<HBII", 1 << 11, 3, len(text), crc32(text)))
        return client.read(8)[4:]

    client.identify()
    client.negotiate(1024, 20)
    client.log_on()
    assert client.read(0)[10] == 240, "MAX_RESP_DATA_LEN"
    client.password(b"444444")
    sealed = said(PROGRAM + RECORDER)
    assert sealed.startswith(b"change metrology is refused while the meter is sealed")
    assert sealed.endswith(b" release SCROLL, all within 10 s")
    cut = said(PROGRAM.replace("kW delivered", "horse-power"))  # it names all that there are
    assert (len(cut), cut[-3:]) == (240, b"...")
    client.terminate()


@pytest.fixture
def another() -> Iterator[ServedPort]:
    """A port at a meter of its own, which somebody else may program."""
    served = ServedPort(PROGRAM + RECORDER)
    yield served
    served.close()


def test_a_level_is_over_once_another_writes_a_program(another: ServedPort) -> None:
    """Of the optical port the meter itself asks for no level to read: log, load profile, program, what was staged."""
    client = another.client
    client.identify()
    client.negotiate(1024, 20)
    client.log_on()
    client.password(b"333333")
    client.write(2048, b"[meter]")
    for table in READERS:
        assert client.read(table)
    another.served.ask_elsewhere(LogOn("444444"), WriteProgram(PROGRAM.replace("333333", "555555") + RECORDER))
    for table in (*READERS, 2048):
        with pytest.raises(Answer) as refused:
            client.read(table)
        assert refused.value.code == ISC, table
    client.write(7, struct.pack("<HBBH", 5, 3, 1, 1))
    assert client.read(8)[3] == 5, "the marks of a list are a reader's, too"
    assert client.read(23), "and this is for everybody"
    client.password(b"111111")
    assert client.read(72)
    client.terminate()


@pytest.mark.parametrize(
    ("password", "key"),
    [
        (b"00A5F1".ljust(20, b"\x00"), "00A5F1"), (b"00a5f1".ljust(20), "00a5f1"), (bytes(20), "000000"),
        (b" " * 20, "000000"), (b"MASTER_012" + bytes(10), "MASTER_012"), (b"\xff" * 20, "\xff" * 20),
        (b"1 \x00 \x00" + bytes(15), "1"),
    ],
)  # fmt: skip
def test_passwords_as_keys(password: bytes, key: str) -> None:
    """Checklist 12: filled up with NULs or blanks, both mean the same."""
    assert key_of(password) == key


def test_the_light(port: ServedPort) -> None:
    """The table of rig/communication/port/light.py; the LED itself: tests/hil/test_p1_shared_light.py."""

    def loans() -> list[float]:
        return [each.seconds for each in port.meter.asked if isinstance(each, ShareLight)]

    assert port.served.service.outputs.led.withheld == 0 or port.meter.lent == 0.0
    port.client.identify()
    assert loans() == [3.0], "before the first byte goes out"
    port.line.wait(2.5)
    assert loans() == [3.0, 3.0, 3.0], "anew each second"
    port.client.terminate()
    port.line.wait(0.1)
    assert loans()[-1] == 0.0
    port.line.wait(10)
    assert len(loans()) <= 6, "then nothing more is asked"


def test_a_flash_that_is_lit_is_over_before_the_port_sends(port: ServedPort) -> None:
    led = port.served.service.outputs.led
    led.pulse(port.served.hardware.clock.now_ns() - 1)
    port.served.service.outputs.schedule.run_due(port.served.hardware.clock.now_ns())
    assert led.lit
    port.line.write(packet(b"\x20"))
    begun_ns = port.line.now_ns
    assert port.line.read(1, 1) == b"\x06"
    assert port.line.now_ns - begun_ns >= 10_000_000
    port.served.run(0.1)


def test_a_meter_that_is_not_there_does_not_answer(port: ServedPort) -> None:
    port.meter.away = True
    port.line.write(packet(b"\x20"))
    assert port.line.read(1, 10) == b""
    port.meter.away = False
    port.client.identify()
    port.client.log_on()
    port.meter.away = True
    with pytest.raises(LineSilent):
        port.client.read(1)
    assert port.port.session.state is SessionState.BASE
    assert port.port._application.level == 0


def test_a_meter_without_this_port_does_not_answer(port: ServedPort) -> None:
    port.meter.silent = True
    with pytest.raises(NotAcknowledged):
        port.client.identify()
    assert not [each for each in port.meter.asked if not isinstance(each, ShareLight)]


@pytest.mark.parametrize(
    ("source", "meter", "spoken"),
    [
        (Source.OPTICAL, {}, ANSI),
        (Source.OPTICAL, {"model": "RXRS4e", "firmware": "6.28"}, ANSI),
        (Source.RS485, {"model": "RXRS4e", "firmware": "6.28"}, ANSI),
        (Source.OPTICAL, {"model": "RXRS4e", "firmware": "7.18"}, DGCOM),
        (Source.OPTICAL, {"model": "RXRS4"}, DGCOM),
        (Source.RS232, {"model": "RXRS4"}, "the model speaks DGCOM, which is there at the optical port alone"),
        (Source.RS485, {"model": "RXRS4", "firmware": "3.00"}, "firmware 3.00 takes no RS-485 network"),
        (Source.OPTICAL, {"model": "none"}, "none"),
        (Source.OPTICAL, {"firmware": "6.29"}, "6.29"),
    ],
)
def test_who_speaks_what(source: Source, meter: dict[str, str], spoken: PortProtocol | str) -> None:
    found = spoken_at(source, meter)
    assert found is spoken if isinstance(spoken, PortProtocol) else isinstance(found, str) and spoken in found


def test_over_a_wire_nothing_is_read_without_a_key() -> None:
    """docs/access.md: a remote reader is not standing at the meter."""
    served = ServedPort(PROGRAM, settings=REMOTE, optical=False)
    try:
        served.served.source = "RS-232"
        client = served.client
        client.identify()
        client.log_on()
        assert client.read(1)[4:12] == b"RXRS4e  ", "what the meter is, it says to everybody"
        for table in (2, 3, 5, 52):
            with pytest.raises(Answer, match="0x03"):
                client.read(table)
        client.password(b"111111")
        assert client.read(2)
        client.ask(b"\x22")
    finally:
        served.close()


def test_secrets_are_for_nobody(port: ServedPort) -> None:
    client = port.client
    client.identify()
    client.log_on()
    client.password(b"444444")
    for table in (42, 45, 4096 + 42):
        for read in (client.read, lambda table: client.read_part(table, 0, 10)):
            with pytest.raises(Answer, match=r"0x0[35]"):
                read(table)
    keys = [b"111111", b"222222", b"333333", b"444444"]
    client.log_off()
    client.negotiate(8191, 255)
    client.log_on()
    client.password(b"444444")
    given = 0
    for table in tables_used(port):
        try:
            data = client.read(table)
        except Answer:
            continue
        assert not any(key in data or bytes.fromhex(key.decode()) in data for key in keys), table
        given += 1
    assert given > 30


def test_all_tables_at_9600_baud_in_the_wires_own_time(port: ServedPort) -> None:
    """Within 15 % of what the bytes take on the line, and every answer within 200 ms."""
    client, line = port.client, port.line
    client.identify()
    client.negotiate(8191, 255)
    client.log_on()
    client.password(b"111111")
    tables = tables_used(port)
    port.longest_ns = 0
    moved = 0

    def counted(data: bytes) -> bytes:
        nonlocal moved
        moved += len(data)
        return data

    line.to_device = line.to_client = counted
    begun_ns, read = line.now_ns, 0
    for table in tables:
        try:
            read += len(client.read(table))
        except Answer:
            continue
    line.to_device = line.to_client = lambda data: data
    took_ns, wire_ns = line.now_ns - begun_ns, moved * line.byte_ns
    assert read > 5000
    assert port.longest_ns <= 200_000_000
    assert took_ns <= 1.15 * wire_ns, f"{took_ns / 1e9:.2f} s for {wire_ns / 1e9:.2f} s on the wire"
