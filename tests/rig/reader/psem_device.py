"""A device of C12.18 or C12.21 for tests, written from the standard's side, in virtual time: the witness of the reader.

Nothing of the product makes or reads its packets (psem_client has the CRC bit by bit). `tables` are bytes, foreign or
ours. It is a line itself: what is written to it is answered, and `read` lets time go by. Faults are its attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from psem_client import packet, x25

S = 10**9


@dataclass
class PsemDevice:
    """A device. `spoil` may change what goes out, `deaf` is for so many writes that it does not hear."""

    tables: dict[int, bytes]
    standard: int = 0
    size: int = 64
    packets: int = 1
    identity: int = 0
    negotiates: bool = True
    offset_reads: bool = True
    password: bytes | None = None
    spoil: Callable[[bytes], bytes] = lambda data: data
    deaf: int = 0
    answers: dict[int, bytes] = field(default_factory=dict)
    """Answers by service that are not its own."""
    zeros_beyond: bool = False
    echoes: bool = False
    """The head gives back what is sent."""
    simulated: bool = True
    busy: int = 0
    now: int = S
    asked: list[bytes] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)
    coming: bytearray = field(default_factory=bytearray)
    unsent: list[bytes] = field(default_factory=list)
    toggle: int = 0
    logged_on: bool = False
    level: bool = False
    parts: bytes = b""
    last: bytes = b""
    baud: int = 9600
    next_baud: int = 9600
    line_baud: int = 9600

    # --- the line -------------------------------------------------------------------------------------------------

    def now_ns(self) -> int:
        return self.now

    def write(self, data: bytes) -> None:
        self.now += 10 * S * len(data) // self.line_baud
        if self.echoes:
            self.coming += data
        if self.line_baud != self.baud:
            return  # it hears noise
        if self.deaf:
            self.deaf -= 1
            return
        self.heard += data
        self._listen()

    def read(self, until_ns: int) -> bytes:
        if self.coming:
            data, self.coming = bytes(self.coming), bytearray()
            self.now += 10 * S * len(data) // self.line_baud
            return data
        self.now = max(self.now, until_ns)
        return b""

    def set_baud(self, baud: int) -> None:
        self.line_baud = baud

    def close(self) -> None:
        self.coming.clear()

    def clear(self) -> None:
        self.coming.clear()

    # --- packets --------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        while self.heard:
            first = self.heard[0]
            if first == 0x06:
                del self.heard[0]
                self._next()
            elif first == 0x15:
                del self.heard[0]
                self._send(self.last)
            elif first == 0xEE:
                if len(self.heard) < 6 or len(self.heard) < (size := int.from_bytes(self.heard[4:6], "big") + 8):
                    return
                whole = bytes(self.heard[:size])
                del self.heard[:size]
                self._packet(whole)
            else:
                del self.heard[0]

    def _packet(self, whole: bytes) -> None:
        if self.identity and whole[1] != self.identity:
            return
        if x25(whole[:-2]) != whole[-2:]:
            self._send(b"\x15")
            return
        self._send(b"\x06")
        self.unsent.clear()
        control, follow = whole[2], whole[3]
        self.parts = (b"" if not control & 0x80 or control & 0x40 else self.parts) + whole[6:-2]
        if not follow:
            self._answer(self.parts)

    def _answer(self, message: bytes) -> None:
        self.asked.append(message)
        service = message[0]
        if service in self.answers:
            reply = self.answers[service]
        else:
            reply = self._serve(service, message[1:])
        room = self.size - 8
        pieces = [reply[at : at + room] for at in range(0, len(reply), room)] or [b""]
        if len(pieces) > self.packets:
            pieces = [b"\x04"]
        for number, piece in enumerate(pieces):
            control = self.toggle
            if len(pieces) > 1:
                control |= 0x80 | (0x40 if not number else 0)
            self.toggle ^= 0x20
            self.unsent.append(packet(piece, control, len(pieces) - 1 - number, self.identity))
        self._send_first()

    def _send_first(self) -> None:
        self.last = self.unsent[0]
        self._send(self.last)

    def _next(self) -> None:
        if self.unsent:
            del self.unsent[0]
        if self.unsent:
            self._send_first()
        else:
            self.baud = self.next_baud

    def _send(self, data: bytes) -> None:
        self.coming += self.spoil(data)

    # --- services -------------------------------------------------------------------------------------------------

    def _serve(self, service: int, body: bytes) -> bytes:
        match service:
            case 0x20:
                self.logged_on = self.level = False
                return bytes((0, self.standard, 2, 0, 0))
            case 0x21:
                self.logged_on, self.next_baud = False, 9600
                return b"\x00"
            case 0x50:
                self.logged_on = True
                return b"\x00"
            case 0x51:
                self.level = body.rstrip(b"\x00 ") == self.password
                return b"\x00" if self.level else b"\x03"
            case 0x52:
                self.logged_on = False
                return b"\x00"
            case 0x71 if self.standard == 2:
                return b"\x00" + body
        if 0x60 <= service <= 0x6B and self.negotiates:
            self.size, self.packets = min(int.from_bytes(body[:2], "big"), 512), min(body[2], 4)
            answer = b"\x00" + self.size.to_bytes(2, "big") + bytes((self.packets,))
            if service == 0x60:
                return answer
            self.next_baud = {6: 9600, 8: 19200}.get(chosen := 8 if 8 in body[3:] else 6, 9600)
            return answer + bytes((chosen,))
        if service in (0x30, 0x3F):
            return self._read(service, body)
        return b"\x02"

    def _read(self, service: int, body: bytes) -> bytes:
        if not self.logged_on:
            return b"\x0a"
        if self.busy:
            self.busy -= 1
            return b"\x06"
        data = self.tables.get(int.from_bytes(body[:2], "big"))
        if data is None:
            return b"\x05"
        if service == 0x3F:
            if not self.offset_reads:
                return b"\x02"
            offset, count = int.from_bytes(body[2:5], "big"), int.from_bytes(body[5:7], "big")
            if offset >= len(data) and not self.zeros_beyond:
                return b"\x05"
            data = data[offset : offset + count]
            if self.zeros_beyond:
                data = data.ljust(count, b"\x00")
        return b"\x00" + len(data).to_bytes(2, "big") + data + bytes((-sum(data) & 0xFF,))


def sets(numbers: Iterable[int], size: int) -> bytes:
    """A set of numbers in so many bytes."""
    bits = sum(1 << number for number in numbers)
    return bits.to_bytes(size, "little")


def st0(
    standard: Iterable[int],
    *,
    manufacturer: Iterable[int] = (),
    formats: bytes = bytes((0x02, 0x0A, 0xDD)),
    maker: bytes = b"XYZ1",
) -> bytes:
    """ST0 of a meter with some tables: the 19 bytes and six sets, as the facts have them."""
    used, own = sets(standard, 13), sets(manufacturer, 4)
    return (
        formats + maker + bytes((2, 0, 64, 200, 1, 0, 13, 4, 2, 1, 2, 0)) + used + own
        + sets((), 2) + sets((), 1) + sets((), 13) + sets((), 4)
    )  # fmt: skip
