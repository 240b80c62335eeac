"""A head that gives the meter's own bytes back to it: rig/communication/c1218/own_echo.py, and whole sessions (X-1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from psem_client import PsemClient, VirtualLine, packet

from rig.communication.c1218 import own_echo as module
from rig.communication.c1218.own_echo import OwnEcho
from rig.communication.c1218.packets import Packet
from rig.communication.c1218.session import Session
from rig.communication.c1218.settings import OPTICAL
from tests.rig.communication.test_c1218_session import Tables

ANSWER = packet(b"\x00\x00\x02\x00\x00")
SENT = b"\x06" + ANSWER
REQUEST = packet(b"\x30\x00\x01", 0x20)


def clear() -> OwnEcho:
    echo = OwnEcho()
    echo.sent(SENT, ANSWER)
    return echo


def echoing() -> OwnEcho:
    echo = clear()
    assert echo.is_own(Packet(ANSWER[6:-2]))
    echo.sent(SENT, ANSWER)
    return echo


def _packet_once_more() -> OwnEcho:
    echo = clear()
    assert echo.without(SENT) == SENT, "not found out yet"
    assert echo.is_own(Packet(ANSWER[6:-2]))
    return echo


def _others_packets() -> OwnEcho:
    echo = clear()
    for other in (
        Packet(b"\x00\x00\x02\x00\x01"),
        Packet(ANSWER[6:-2], toggle=True),
        Packet(b"\x30\x00\x01"),
        Packet(b""),
    ):
        assert not echo.is_own(other)
    assert echo.without(REQUEST) == REQUEST
    return echo


def _in_order() -> OwnEcho:
    echo = echoing()
    assert [echo.without(SENT[:1]), echo.without(SENT[1:9]), echo.without(SENT[9:] + b"\x06")] == [b"", b"", b"\x06"]
    return echo


def _other_bytes() -> OwnEcho:
    echo = echoing()
    assert echo.without(b"\x06" + REQUEST) == b"\x06" + REQUEST
    return echo


def _base_state() -> OwnEcho:
    echo = echoing()
    echo.forget()
    assert echo.without(SENT) == SENT
    return echo


ROWS: dict[str, tuple[Callable[[], OwnEcho], bool]] = {
    "clear the packet that was sent last, once more echoing is left out": (_packet_once_more, True),
    "clear anything else clear is taken": (_others_packets, False),
    "echoing what was sent, in order echoing is left out": (_in_order, True),
    "echoing anything else clear is taken": (_other_bytes, False),
    "echoing the base state clear": (_base_state, False),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_table(row: str) -> None:
    happens, becomes = ROWS[row]
    assert happens().echoing is becomes


def test_the_table_is_whole() -> None:
    table = (module.__doc__ or "").partition("state     what comes")[2].partition("\n\nA head")[0]
    rows = [" ".join(line.split()) for line in table.splitlines()[1:] if line.strip()]
    assert rows == list(ROWS)


class Reflecting:
    """A session in front of a head that gives back what it says, so many bytes at once, as long as it `reflects`."""

    def __init__(self, session: Session, piece: int) -> None:
        self._session, self._piece = session, piece
        self.reflects = True

    @property
    def baud(self) -> int:
        return self._session.baud

    @property
    def next_ns(self) -> int | None:
        return self._session.next_ns

    def feed(self, data: bytes, now_ns: int) -> None:
        self._session.feed(data, now_ns)

    def tick(self, now_ns: int) -> None:
        self._session.tick(now_ns)

    def output(self, now_ns: int) -> bytes:
        data = self._session.output(now_ns)
        if self.reflects:
            for at in range(0, len(data), self._piece):
                self._session.feed(data[at : at + self._piece], now_ns)
        return data


@pytest.mark.parametrize("piece", [1, 5, 16, 1 << 16])
def test_a_whole_session_at_a_reflecting_head(piece: int) -> None:
    tables = Tables(OPTICAL)
    head = Reflecting(tables.session, piece)
    line = VirtualLine(head, tables.serve)
    client = PsemClient(line)
    for _ in range(2):
        assert client.identify() == b"\x00\x02\x00\x00"
        client.negotiate(64, 200)
        client.log_on(5)
        client.password(b"right")
        assert client.read(2) == tables.tables[2], "of many packets, none before the one before is acknowledged"
        client.write(9, b"abc", 3)
        assert tables.tables[9][3:6] == b"abc"
        client.log_off()
        client.terminate()
    assert line.read(100, 5.0) == b"", "it never answers itself"


@pytest.mark.parametrize("table", [1, 2], ids=["one packet", "many packets"])
def test_a_head_that_stops_reflecting_costs_one_time_out(table: int) -> None:
    took_ns = []
    for stops in (False, True):
        tables = Tables(OPTICAL)
        head = Reflecting(tables.session, 16)
        line = VirtualLine(head, tables.serve)
        client = PsemClient(line)
        client.identify()
        client.negotiate(64, 200)
        client.log_on(5)
        head.reflects = not stops
        begun_ns = line.now_ns
        assert [client.read(table), client.read(9)] == [tables.tables[table], tables.tables[9]]
        took_ns.append(line.now_ns - begun_ns)
    assert took_ns[1] - took_ns[0] < 2.5 * 10**9, "a response time-out is 2 s"
