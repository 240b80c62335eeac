"""A client of C12.18 and C12.21 that behaves as other people's do: written from c12.md, with nothing of the product.

A style is what one of them was seen, or read, to do (c12.md §0, §1.2, §3, §4). Whatever it is, the client checks all
that comes to it as strictly as the strictest of them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from psem_client import VirtualLine, packet, x25

IAR = 0x05
"""Code for an offset beyond the end: there is no more of a table."""

BAUDS = {0x06: 9600, 0x08: 19200, 0x0A: 57600, 0x0C: 115200}


@dataclass(frozen=True)
class Style:
    """The ways of one client. Times are in s.

    `size`, `packets`, `codes`: what it offers by negotiate, `codes` () without a speed; `size` 0: it does not
    negotiate. `wake`: bytes that it sends before all. `pause`: before it acknowledges. `glues`: its acknowledgement
    goes out with its next packet. `loses`: its acknowledgement of the last answer of a session is lost. `toggles`: it
    changes the toggle bit. `doubles`: each packet goes out again before the acknowledgement has come. `knocks`:
    identifies in a row, each as a client that has just been started. `piece`: it reads by offset, so many bytes at a
    time; 0: whole tables. `write_piece`: the same of writing. `ends`: messages with which it ends. `timing`: of timing
    setup, b"" for none.
    """

    size: int = 0
    packets: int = 1
    codes: tuple[int, ...] = (0x06,)
    remote: bool = False
    identity: int = 0
    wake: bytes = b""
    pause: float = 0.0
    glues: bool = False
    loses: bool = False
    toggles: bool = True
    doubles: bool = False
    knocks: int = 1
    piece: int = 0
    write_piece: int = 0
    user: bytes = b"0000".ljust(10)
    pad: bytes = b"\0"
    ends: tuple[bytes, ...] = (b"\x52", b"\x21")
    timing: bytes = b""


STYLES = {
    "termineter": Style(512, 2, loses=True, ends=(b"\x21",)),
    "termineter's get_identification, again and again": Style(512, 2, knocks=4, loses=True, ends=(b"\x21",)),
    "termineter, which leaves without a word": Style(512, 2, ends=()),
    "MeteringSDK over an optical head": Style(
        1024, 128, user=bytes(10), pad=b" ", wake=b"\x55", pause=0.02, piece=100, write_piece=30
    ),
    "MeteringSDK over C12.21": Style(
        128, 255, (), remote=True, user=bytes(10), pad=b" ", pause=0.02, timing=bytes((30, 1, 4, 3))
    ),
    "MeteringSDK to address 2": Style(128, 255, (), remote=True, identity=2, pad=b" ", timing=bytes((30, 1, 4, 3))),
    "C12.18 of 1996, which negotiates nothing": Style(ends=(b"\x52", b"\x21"), piece=50),
    "OptiGuard": Style(256, 1, ends=(b"\x21",), piece=200),
    "esp-idf, which acknowledges before it begins": Style(wake=b"\x06", piece=40, ends=(b"\x52",)),
    "a kV2 reader, by offset": Style(512, 8, piece=255, write_piece=64),
    "a Sentinel reader, whole tables, no speed": Style(8191, 200, ()),
    "one that never toggles": Style(512, 20, toggles=False, ends=(b"\x21",)),
    "one that sends all twice": Style(512, 20, doubles=True),
    "one whose ACK goes with the next request": Style(512, 20, glues=True),
    "one that changes speed": Style(1024, 20, (0x06, 0x0C, 0x0A)),
    "the fastest and the largest": Style(8192, 255, (0x0C,)),
    "the smallest packets": Style(16, 255, (0x06,), write_piece=7),
    "one that takes its time": Style(64, 30, pause=1.5, piece=33),
    "one with echoes and noise before it": Style(512, 4, wake=b"\xff\x00\x55\x15\x06\xaa"),
    "one that only disconnects": Style(512, 20, remote=True, ends=(b"\x22",)),
}


class WrongAnswer(Exception):
    """The response code that came for a service."""


class StyledClient:
    """One client in a style; `baud` is the speed that it has its own side at."""

    def __init__(self, line: VirtualLine, style: Style) -> None:
        self.line, self.style = line, style
        self._begin()

    def _begin(self) -> None:
        self.baud, self.size, self.packets, self._toggle = 9600, 64, 1, 0
        self._owed = b""
        self._seen: int | None = None

    # --- a session --------------------------------------------------------------------------------------------

    def open(self, password: bytes) -> bytes:
        """Begin a session; what identify gave."""
        style = self.style
        if style.wake:
            self.line.write(style.wake)
            self.line.read(16, 0.05)
        for _ in range(style.knocks):
            self._begin()
            identity = self.ask(b"\x20")
        if style.size:
            self._negotiate()
        if style.timing:
            assert self.ask(b"\x71" + style.timing) == style.timing
        self.ask(b"\x50\x00\x02" + style.user)
        self.ask(b"\x51" + password.ljust(20, style.pad))
        return identity

    def close(self) -> None:
        """End the session in the client's way."""
        for number, message in enumerate(self.style.ends, 1):
            self.ask(message, lost=self.style.loses and number == len(self.style.ends))
        if self._owed:
            self._write(self._owed)
            self._owed = b""
        self._begin()

    def _negotiate(self) -> None:
        style = self.style
        offer = bytes((0x60 + len(style.codes),)) + struct.pack(">HB", style.size, style.packets) + bytes(style.codes)
        answer = self.ask(offer)
        size, packets = struct.unpack(">HB", answer[:3])
        assert size <= style.size, "more than was offered"
        assert packets <= style.packets
        assert len(answer) == 3 + bool(style.codes), "a speed if one was offered, and only then"
        if style.codes:
            assert answer[3] in style.codes, "code 00 is an error, others were not offered"
            self._flush()
            self.baud = BAUDS[answer[3]]
        self.size, self.packets = size, packets

    # --- tables -----------------------------------------------------------------------------------------------

    def read(self, table: int) -> bytes:
        """Read a table, whole or piece by piece until one comes short."""
        if not self.style.piece:
            return self._data(self.ask(struct.pack(">BH", 0x30, table)))
        data = b""
        while True:
            part = struct.pack(">BH", 0x3F, table) + len(data).to_bytes(3, "big") + struct.pack(">H", self.style.piece)
            try:
                piece = self._data(self.ask(part))
            except WrongAnswer as answer:
                if not data or answer.args != (IAR,):
                    raise
                return data
            data += piece
            if len(piece) < self.style.piece:
                return data

    def write(self, table: int, data: bytes) -> None:
        """Write a table, whole or piece by piece."""
        step = self.style.write_piece
        for at in range(0, len(data), step or len(data)):
            piece = data[at : at + step] if step else data
            where = struct.pack(">BH", 0x4F, table) + at.to_bytes(3, "big") if step else struct.pack(">BH", 0x40, table)
            self.ask(where + struct.pack(">H", len(piece)) + piece + bytes((-sum(piece) & 0xFF,)))

    def procedure(self, number: int, sequence: int, parameters: bytes) -> int:
        """Invoke a procedure by a full write, as all of them do; its result."""
        data = struct.pack("<HB", number, sequence) + parameters
        self.ask(b"\x40\x00\x07" + struct.pack(">H", len(data)) + data + bytes((-sum(data) & 0xFF,)))
        answer = self._data(self.ask(b"\x30\x00\x08"))
        assert answer[:3] == data[:3]
        return answer[3]

    @staticmethod
    def _data(answer: bytes) -> bytes:
        count, data = int.from_bytes(answer[:2], "big"), answer[2:-1]
        assert count == len(data)
        assert (sum(data) + answer[-1]) & 0xFF == 0
        return data

    # --- packets ----------------------------------------------------------------------------------------------

    def ask(self, message: bytes, *, lost: bool = False) -> bytes:
        """Send a message, and give the data of its answer; with `lost` nothing acknowledges that."""
        room = self.size - 8
        parts = [message[at : at + room] for at in range(0, len(message), room)]
        assert len(parts) <= self.packets or self.style.write_piece == 0
        for number, part in enumerate(parts):
            control = self._toggle | (0x80 | 0x40 * (number == 0)) * (len(parts) > 1)
            self._send(packet(part, control, len(parts) - 1 - number, self.style.identity))
            self._toggle ^= 0x20 * self.style.toggles
        answer = self._receive(lost=lost)
        if answer[0]:
            raise WrongAnswer(answer[0])
        return answer[1:]

    def _send(self, data: bytes) -> None:
        """Send a packet, and read the one byte that comes for it."""
        data, self._owed = self._owed + data, b""
        self._write(data + data[-len(data.lstrip(b"\x06")) :] if self.style.doubles else data)
        assert self._read(1, 2.0) == b"\x06", "nothing may come before the ACK"

    def _receive(self, *, lost: bool) -> bytes:
        message, expected = b"", None
        while True:
            head = self._next_head()
            identity, control, follow, length = struct.unpack(">BBBH", head[1:])
            body = self._read(length + 2, 10.0)
            assert x25((head + body)[:-2]) == body[-2:]
            assert identity == self.style.identity or identity == getattr(self.line.device, "address", identity)
            assert length <= self.size - 8, "more than was agreed"
            repeated = self._seen == (control & 0x20, body[-2:])
            assert self._seen is None or repeated or control & 0x20 != self._seen[0], "its toggle stands still"
            self._seen = control & 0x20, body[-2:]
            last = not follow
            self._acknowledge(last=last, lost=lost)
            if repeated:
                continue
            assert bool(control & 0x80) == (expected is not None or follow > 0)
            assert expected is None or follow == expected - 1
            message, expected = message + body[:-2], follow
            if last:
                return message

    @property
    def most(self) -> int:
        """Bytes of a table that one answer has room for, beside its code, count and checksum."""
        return self.packets * (self.size - 8) - 4

    def _next_head(self) -> bytes:
        """Find the beginning of a packet; ACKs of packets that were sent twice are before it."""
        while (first := self._read(1, 10.0)) == b"\x06":
            assert self.style.doubles, "an ACK of nothing"
        assert first == b"\xee", f"{first!r} came between"
        return first + self._read(5, 0.5)

    def _acknowledge(self, *, last: bool, lost: bool) -> None:
        if self.style.pause:
            self.line.wait(self.style.pause)
        if self.style.glues and last:
            self._owed = b"\x06"
        elif not (lost and last):
            self._write(b"\x06")

    def _flush(self) -> None:
        """Acknowledge before the speed changes: the meter changes it after that."""
        if self._owed:
            self._write(self._owed)
            self._owed = b""

    def _write(self, data: bytes) -> None:
        assert self.line.device.baud == self.baud, f"the meter is at {self.line.device.baud} baud, we at {self.baud}"
        self.line.write(data)

    def _read(self, count: int, seconds: float) -> bytes:
        return self.line.read(count, seconds)
