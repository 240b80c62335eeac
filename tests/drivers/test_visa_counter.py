"""Counters on a bus, through PyVISA, with an instrument at the other end of a real socket and of a real pty."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.visa_counter import VisaCounter, VisaFrequencyCounter
from drivers.visa_instrument import VisaInstrumentError
from tests.drivers.scpi_instrument import ScpiInstrument

BUSES = ["socket", "pty"]
SHORT_MS = 300


def test_a_53220a_is_set_to_totalize_and_read_while_it_does_over_both_buses() -> None:
    for bus in BUSES:
        counts = iter([0, 1, 12, 4_000_000_000])
        with ScpiInstrument(over=bus, count=lambda: next(counts)) as instrument:  # noqa: B023
            counter = VisaCounter(instrument.resource)
            assert [counter.read() for _ in range(4)] == [0, 1, 12, 4_000_000_000]
            assert instrument.commands[:4] == ["*IDN?", "*CLS", "CONF:TOT:CONT (@1)", "INIT"]
            counter.close()


Misbehaviour = Callable[[str, bytes], bytes | None]


def on_count(reply: bytes | None) -> Misbehaviour:
    return lambda question, right: reply if question == "SENS:TOT:DATA?" else right


@pytest.mark.parametrize("bus", BUSES)
@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (None, r"did not answer SENS:TOT:DATA\? in 0\.3 s"),
        (b"+1.2", r"did not answer SENS:TOT:DATA\? in 0\.3 s"),  # no end of line ever comes
        (b"\n", "with '', which is no count"),
        (b"+9.91000000000000E+37\n", "which is no count"),
        (b"-1\n", "which is no count"),
        (b"1.5\n", "which is no count"),
        (b"\x1b[31mOVLD\n", "which is no count"),
        (b"\xff\xfe\x80\n", "did not answer|no count"),
        (b"12,13\n", "which is no count"),
        (b"inf\n", "which is no count"),
        (b"1E400\n", "which is no count"),
        (b"1_2\n", "which is no count"),  # a number to Python only
        (b"12,5\n", "which is no count"),
        (b"12 COUNT\n", "which is no count"),
        (b"0x12\n", "which is no count"),
        (b'-113,"Undefined header"\n', "which is no count"),
        (b"Infinity\n", "which is no count"),
    ],
)
def test_what_is_no_count_ends_it_with_a_sentence(bus: str, reply: bytes | None, why: str) -> None:
    with ScpiInstrument(over=bus, misbehave=on_count(reply)) as instrument:
        counter = VisaCounter(instrument.resource, timeout_ms=SHORT_MS)
        with pytest.raises(VisaInstrumentError, match=why) as refused:
            counter.read()
        assert instrument.resource in str(refused.value)
        counter.close()


@pytest.mark.parametrize(
    ("reply", "count"), [(b"+12\n", 12), (b"1.2E+01\n", 12), (b"12.\r\n", 12), (b"120e-1\n", 12), (b" 12 \n", 12)]
)
def test_every_form_of_a_number_that_ieee_488_2_has_is_read(reply: bytes, count: int) -> None:
    with ScpiInstrument(over="socket", misbehave=on_count(reply)) as instrument:
        counter = VisaCounter(instrument.resource, timeout_ms=SHORT_MS)
        assert counter.read() == count
        counter.close()


@pytest.mark.parametrize("bus", BUSES)
def test_one_that_is_unplugged_is_told(bus: str) -> None:
    instrument = ScpiInstrument(over=bus, count=lambda: 7)
    counter = VisaCounter(instrument.resource, timeout_ms=SHORT_MS)
    assert counter.read() == 7
    instrument.close()
    with pytest.raises(VisaInstrumentError, match="see that it is on, connected"):
        counter.read()
    counter.close()


def test_a_reply_in_pieces_is_one_reply() -> None:
    """Each byte in a segment of its own: the line ends where its end is."""
    import os
    import socket
    import threading

    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            while os.read(connection.fileno(), 100):
                for byte in b"+42\n":
                    connection.send(bytes([byte]))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    counter = VisaCounter(f"TCPIP::127.0.0.1::{listener.getsockname()[1]}::SOCKET", "COUNT?")
    assert [counter.read(), counter.read()] == [42, 42]
    counter.close()
    thread.join(5)
    listener.close()


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        ("HEWLETT-PACKARD,53131A,0,4806", "gives its count only when that has ended"),
        ("ACME,ROADRUNNER,1,1", "with --counter-query"),
        ("", "calls itself ''"),
        ("hello", "calls itself 'hello'"),
    ],
)
def test_an_instrument_that_cannot_be_read_while_it_counts_is_refused(identity: str, why: str) -> None:
    with ScpiInstrument(identity=identity) as instrument, pytest.raises(VisaInstrumentError, match=why):
        VisaCounter(instrument.resource, timeout_ms=SHORT_MS)


def test_one_that_is_not_known_is_read_by_what_it_is_asked() -> None:
    with ScpiInstrument(identity="ACME,ROADRUNNER,1,1", count=lambda: 5) as instrument:
        counter = VisaCounter(instrument.resource, "SENS:TOT:DATA?")
        assert counter.read() == 5
        assert instrument.commands == ["SENS:TOT:DATA?"]
        counter.close()


@pytest.mark.parametrize(
    "resource",
    ["TCPIP::127.0.0.1::1::SOCKET", "ASRL/dev/nothing::INSTR", "nonsense", "", "TCPIP::::SOCKET"],
)
def test_a_resource_that_is_not_there_is_refused_in_a_sentence(resource: str) -> None:
    with pytest.raises(VisaInstrumentError, match=r"cannot be opened|did not answer"):
        VisaCounter(resource, timeout_ms=SHORT_MS)


@pytest.mark.parametrize("bus", BUSES)
@pytest.mark.parametrize(
    ("identity", "commands"),
    [
        (
            "HEWLETT-PACKARD,53131A,0,4806",
            [
                "*RST",
                "*CLS",
                "FUNC 'FREQ 1'",
                "FREQ:ARM:STAR:SOUR IMM",
                "FREQ:ARM:STOP:SOUR TIM",
                "FREQ:ARM:STOP:TIM 1",
            ],
        ),
        (
            "Keysight Technologies,53220A,MY50000001,02.05",
            ["*RST", "*CLS", "CONF:FREQ (@1)", "SENS:FREQ:GATE:TIME 1"],
        ),
    ],
)
def test_frequency_is_set_up_and_read_over_both_buses(bus: str, identity: str, commands: list[str]) -> None:
    """53131-90044 for the one, the 53200 series' programmer's reference for the other."""
    replies = iter(["+1.30000012345E+001", "4.35"])
    with ScpiInstrument(over=bus, identity=identity, answers={"READ?": lambda: next(replies)}) as instrument:
        counter = VisaFrequencyCounter(instrument.resource)
        assert [counter.read_hz(), counter.read_hz()] == [13.0000012345, 4.35]
        assert instrument.commands[1 : 1 + len(commands)] == commands
        counter.close()


@pytest.mark.parametrize("bus", BUSES)
@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (None, r"did not answer READ\? in 0\.3 s"),
        (b"+9.91000000000000E+37\n", "which is no frequency: see that pulses come to channel 1"),
        (b"0\n", "which is no frequency"),
        (b"-13\n", "which is no frequency"),
        (b"13 Hz\n", "which is no frequency"),
        (b"\x00\n", "which is no frequency"),
    ],
)
def test_what_is_no_frequency_ends_it_with_a_sentence(bus: str, reply: bytes | None, why: str) -> None:
    def wrong(question: str, right: bytes) -> bytes | None:
        return reply if question == "READ?" else right

    with ScpiInstrument(over=bus, misbehave=wrong, answers={"READ?": lambda: "13"}) as instrument:
        counter = VisaFrequencyCounter(instrument.resource, timeout_ms=SHORT_MS)
        with pytest.raises(VisaInstrumentError, match=why):
            counter.read_hz()
        counter.close()


def test_a_frequency_counter_that_is_not_known_is_refused_without_a_query() -> None:
    with ScpiInstrument(identity="ACME,ROADRUNNER,1,1", answers={"HZ?": lambda: "13"}) as instrument:
        with pytest.raises(VisaInstrumentError, match="give what it is asked for a frequency with --counter-query"):
            VisaFrequencyCounter(instrument.resource)
        counter = VisaFrequencyCounter(instrument.resource, "HZ?")
        assert counter.read_hz() == 13
        counter.close()
