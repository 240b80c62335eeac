"""The tables of the data link, row by row: rig/communication/c1218/link.py (X-1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from psem_client import packet

from rig.communication.c1218 import link as module
from rig.communication.c1218.link import Link
from rig.communication.c1218.settings import MS, OPTICAL, LinkSettings, Timing

S = 1_000_000_000
ROOM = 56
"""Bytes of data in a packet of 64."""


class Sending:
    """A link with a message of so many packets on its way, the first of them gone out."""

    def __init__(self, packets: int = 1) -> None:
        self.link = Link(OPTICAL)
        self.link.packets = 9
        self.now_ns = S
        self.message = bytes(range(ROOM)) * packets
        self.link.send(self.message, self.now_ns)
        self.first = self.gone()

    def gone(self) -> bytes:
        """What goes out once the line was turned around."""
        self.now_ns += S // 1000
        return self.link.output(self.now_ns)

    def feed(self, data: bytes) -> bytes:
        self.link.feed(data, self.now_ns)
        return self.gone()

    def time_out(self) -> bytes:
        self.now_ns += 3 * S
        self.link.tick(self.now_ns)
        return self.gone()


def sent(sending: Sending) -> str:
    return "idle" if not sending.link.awaiting else "awaiting"


def _acknowledged_next(sending: Sending) -> bool:
    out = sending.feed(b"\x06")
    return out[6:-2] == sending.message[ROOM : 2 * ROOM] and not sending.link.acknowledged


def _acknowledged(sending: Sending) -> bool:
    return sending.feed(b"\x06") == b"" and sending.link.acknowledged


def _again_by_nak(sending: Sending) -> bool:
    return sending.feed(b"\x15") == sending.first


def _again_by_time(sending: Sending) -> bool:
    return sending.time_out() == sending.first


def _failed(sending: Sending) -> bool:
    again = [sending.feed(b"\x15"), sending.time_out(), sending.feed(b"\x15")]
    return again == [sending.first] * 3 and sending.feed(b"\x15") == b"" and sending.link.failed


def _by_a_new_packet(sending: Sending) -> bool:
    return sending.feed(packet(b"\x30\x00\x01")) == b"\x06" and sending.link.acknowledged


def _not_gone_yet(sending: Sending) -> bool:
    sending.link.feed(b"\x06\x06\x15", sending.now_ns)  # the second and third are of nothing
    return not sending.link.acknowledged and sending.gone()[6:-2] == sending.message[ROOM:]


def _nothing(sending: Sending) -> bool:
    sending.feed(b"\x06")
    sending.link.acknowledged = False
    return sending.feed(b"\x06\x15") == b"" and not sending.link.acknowledged and not sending.link.failed


ROWS: dict[str, tuple[int, Callable[[Sending], bool], str]] = {
    "idle send first packet awaiting": (1, lambda sending: sending.first == packet(sending.message), "awaiting"),
    "awaiting ACK, more packets next packet awaiting": (3, _acknowledged_next, "awaiting"),
    "awaiting ACK, no more acknowledged idle": (1, _acknowledged, "idle"),
    "awaiting NAK, tries left packet again awaiting": (1, _again_by_nak, "awaiting"),
    "awaiting response time-out, tries left packet again awaiting": (1, _again_by_time, "awaiting"),
    "awaiting either, none left failed idle": (1, _failed, "idle"),
    "awaiting a packet that is new acknowledged idle": (2, _by_a_new_packet, "idle"),
    "awaiting ACK or NAK, packet not gone nothing awaiting": (2, _not_gone_yet, "awaiting"),
    "idle ACK or NAK nothing idle": (1, _nothing, "idle"),
}


@pytest.mark.parametrize("row", ROWS)
def test_what_is_sent(row: str) -> None:
    packets, happens, becomes = ROWS[row]
    sending = Sending(packets)
    assert happens(sending)
    assert sent(sending) == becomes


def test_every_row_of_what_is_sent_is_tried() -> None:
    table = (module.__doc__ or "").partition("What is sent, packet by packet:")[2].partition("\n\nA new packet")[0]
    rows = [" ".join(line.split()) for line in table.splitlines() if line.strip()]
    assert rows[1:] == list(ROWS)


READ = packet(b"\x30\x00\x01")
DAMAGED = READ[:-1] + b"\x00"


def test_what_comes() -> None:
    """The first table, in its order."""
    link = Link(OPTICAL)
    at = S

    def feed(data: bytes) -> bytes:
        nonlocal at
        at += S // 100
        link.feed(data, at)
        at += S // 1000
        return link.output(at)

    assert feed(packet(b"\x20", identity=9)) == feed(packet(b"\x20", 0x01)) == b"", "to others, or of C12.22"
    assert feed(DAMAGED) == b"\x15"
    assert (feed(READ), link.received.pop()) == (b"\x06", b"\x30\x00\x01")
    assert (feed(READ), len(link.received)) == (b"\x06", 0), "again, no answer yet"
    link.send(b"\x00abc", at)
    answer = feed(b"")
    assert feed(READ) == b"\x06" + answer, "again, its answer not acknowledged"
    assert feed(b"\x06") == b""
    assert (feed(READ), len(link.received)) == (b"\x06", 0), "again, its answer acknowledged"
    assert (feed(packet(b"\x20")), link.received.pop()) == (b"\x06", b"\x20")
    link.send(b"\x00", at)
    assert feed(b"")
    assert feed(b"\x06") == b""
    assert (feed(packet(b"\x20")), link.received.pop()) == (b"\x06", b"\x20"), "an identify again"
    assert (feed(packet(b"\x30\x00", 0xE0, 1)), len(link.received)) == (b"\x06", 0), "the first of two"
    assert (feed(packet(b"\x01", 0x80, 0)), link.received.pop()) == (b"\x06", b"\x30\x00\x01"), "the last"
    assert (feed(packet(b"\x01", 0xA0, 3)), len(link.received)) == (b"\x06", 0), "of no message"
    assert (feed(packet(b"\x01", 0x80, 0)), link.received.pop()) == (b"\x06", None), "the last of none"


# --- what must follow is asked for again ------------------------------------------------------------------------

ADDRESS = 5
WAIT, SILENCE, LATER = 300 * MS, 100 * MS, 1200 * MS
ASKS = LinkSettings(0x02, Timing(30 * S, SILENCE, WAIT, later_ns=LATER, quick_ns=SILENCE), ADDRESS, shared_line=True)
WHOLE = packet(bytes(9), identity=ADDRESS)
PART = packet(bytes(9), 0xC0, 2, ADDRESS)
NOISE = b"\x55\x00\xff"


class Expecting:
    """A link that has heard `came`, and what went out from then on, at which ms, until `passed` has passed."""

    def __init__(
        self, came: bytes, settings: LinkSettings = ASKS, *, expects: bool = True, passed: int = 9 * S
    ) -> None:
        self.link, self.begun, self.now = Link(settings), S, S
        self.link.expects = expects
        self.sent: list[tuple[int, bytes]] = []
        self.link.feed(came, S)
        self.run(passed)

    def run(self, passed: int) -> None:
        until = self.now + passed
        while (due := self.link.next_ns) is not None and due <= until:
            self.now = max(due, self.now)
            self.link.tick(self.now)
            if out := self.link.output(self.now):
                self.sent.append(((self.now - self.begun) // MS, out))
        self.now = until


ACK, NAK = b"\x06", b"\x15"

EXPECTED: dict[str, tuple[bytes, list[tuple[int, bytes]]]] = {
    # 0.3 s twice, then 1.2 s, each from the end of a byte of 1.04 ms on; three retries
    "damaged NAK, and again after the wait for a reaction (patience.py)": (
        WHOLE[:-1] + b"\x00",
        [(0, NAK), (301, NAK), (602, NAK), (1803, NAK)],
    ),
    "noise, no packet, ACK or NAK NAK after the inter-character time-out, and again after that wait": (
        NOISE,
        [(100, NAK), (401, NAK), (1602, NAK)],
    ),
    "a packet of a message, more of it to follow ACK, and again after that wait": (
        PART,
        [(0, ACK), (301, ACK), (602, ACK), (1803, ACK)],
    ),
    "any other packet ACK": (WHOLE, [(0, ACK)]),
}


@pytest.mark.parametrize("row", EXPECTED)
def test_what_is_expected(row: str) -> None:
    came, sent = EXPECTED[row]
    assert Expecting(came).sent == sent
    once = [(at, out) for at, out in sent if at == 0]
    assert Expecting(came, expects=False).sent == once
    assert Expecting(came, replace(ASKS, timing=replace(ASKS.timing, quick_ns=None))).sent == once


def test_every_row_of_what_is_expected_is_tried() -> None:
    table = (module.__doc__ or "").partition("may be a long one:")[2].partition("\n\nThat is safe")[0]
    rows = [" ".join(line.split()) for line in table.splitlines() if line.strip()]
    assert rows[1:] == list(EXPECTED)


def test_a_damaged_packet_of_another_identity_is_complained_of_by_who_expects_one() -> None:
    """Its identity is what was damaged: nobody else can be heard."""
    came = bytes((0xEE, 0x45)) + WHOLE[2:]
    assert Expecting(came).sent[0] == (0, NAK)
    assert Expecting(came, expects=False).sent == []


@pytest.mark.parametrize("came", [PART, NOISE, WHOLE[:-1] + b"\x00"])
def test_what_comes_ends_it(came: bytes) -> None:
    expecting = Expecting(came, passed=S // 2)
    before = len(expecting.sent)
    expecting.link.feed(WHOLE, expecting.now)
    expecting.run(9 * S)
    assert [out for _, out in expecting.sent[before:]] == [ACK]


def test_noise_that_does_not_end_is_not_answered() -> None:
    expecting = Expecting(NOISE, passed=0)
    for _ in range(100):
        expecting.run(SILENCE // 2)
        expecting.link.feed(NOISE, expecting.now)
    assert expecting.sent == []
    expecting.run(9 * S)
    assert len(expecting.sent) == 3


def test_a_damaged_answer_puts_the_next_repetition_of_the_request_off() -> None:
    """It is being sent again: the request, too, would have it come twice."""
    link = Link(ASKS)
    link.expects = True
    link.send(b"\x30\x00\x01", S)
    assert link.output(S + MS)
    link.feed(DAMAGED_ANSWER, S + 200 * MS)
    assert link.output(S + 201 * MS) == NAK
    link.tick(S + 450 * MS)
    assert link.output(S + 451 * MS) == b""
    link.tick(S + 550 * MS)
    assert link.output(S + 551 * MS)[6:-2] == b"\x30\x00\x01"


DAMAGED_ANSWER = WHOLE[:-1] + b"\x00"
