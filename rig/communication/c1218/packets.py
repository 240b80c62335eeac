"""Packets of C12.18 and C12.21: bytes to packets, acknowledgements and damage, and back (X-1).

    EE | identity | control | packets that follow | length, two bytes | data | CRC, low byte first

The CRC is CRC-16/X-25 over all from EE to the last byte of data. An acknowledgement is one byte, 06 or 15.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

START, ACK, NAK = 0xEE, 0x06, 0x15

HEADER_BYTES, CRC_BYTES = 6, 2
OVERHEAD = HEADER_BYTES + CRC_BYTES
"""Bytes of a packet beside its data."""

MOST_SIZE = 8191
"""Bytes of the largest packet: sources differ between this and one more (C12.18)."""

MOST_NOISE = 2
"""Bytes that may be noise, with EE among it by chance."""

_MULTI, _FIRST, _TOGGLE, _FORMAT = 0x80, 0x40, 0x20, 0x03


def _table() -> tuple[int, ...]:
    entries = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
        entries.append(value)
    return tuple(entries)


_CRC = _table()


def crc16(data: bytes) -> int:
    """Return the CRC-16/X-25 of some bytes: x¹⁶ + x¹² + x⁵ + 1, reflected, from FFFF, inverted."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFF


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet whose CRC is right. `follow` counts the packets of its message still to come."""

    data: bytes
    identity: int = 0
    toggle: bool = False
    follow: int = 0
    multi: bool = False
    first: bool = False
    format: int = 0

    def encoded(self) -> bytes:
        """Return its bytes, CRC included."""
        control = _MULTI * self.multi | _FIRST * self.first | _TOGGLE * self.toggle | self.format
        head = bytes((START, self.identity, control, self.follow)) + len(self.data).to_bytes(2, "big") + self.data
        return head + crc16(head).to_bytes(2, "little")

    @property
    def crc(self) -> int:
        """The CRC that it came with: with the toggle it tells a repeated packet from a new one."""
        return int.from_bytes(self.encoded()[-CRC_BYTES:], "little")


class Acknowledgement(Enum):
    """A byte that is no packet: the one before was received well, or damaged."""

    ACK = ACK
    NAK = NAK


@dataclass(frozen=True, slots=True)
class Damaged:
    """A packet with a wrong CRC, or that broke off, to an identity as far as that can be believed."""

    identity: int


Heard = Packet | Damaged | Acknowledgement


class PacketReader:
    """Bytes of a line, as they come, to what they are.

        state    bytes                             gives            then
        outside  EE                                                 header
        outside  06, 15                            Acknowledgement  outside
        outside  any other                         (noise)          outside
        header   four more                                          header
        header   the fifth, length up to `most`                     body
        header   the fifth, length beyond                           overlong
        body     length + CRC, which is right      Packet           outside
        body     length + CRC, which is wrong      Damaged          outside
        overlong any                               (lost)           overlong
        header   `give_up`, two bytes at most      (noise)          outside
        header   `give_up`, more                   Damaged          outside
        body     `give_up`                         Damaged          outside
        overlong `give_up`                         Damaged          outside

    `give_up` is for whoever knows the time: no byte has come for the inter-character time-out.

    `pause` is, too: none has come for a while, so the sender may have left the packet off. An EE that comes next is
    read both as the next byte of this packet and as the first of another, which counts if it is whole and right before
    this one is, and goes on in the place of this one if this one proves damaged. So a damaged length makes nobody deaf
    to the repetition.
    """

    def __init__(self, most: int = MOST_SIZE) -> None:
        self._most = most
        self._bytes = bytearray()
        self._overlong = False
        self._other: PacketReader | None = None
        """Reader of the packet that may have begun at a pause within this one."""
        self.noise = 0
        """Bytes so far that were noise."""

    @property
    def receiving(self) -> bool:
        """True within a packet: its next byte is awaited."""
        return bool(self._bytes)

    def pause(self) -> None:
        """Take note that no byte has come for longer than there is between those of a packet."""
        self._other = PacketReader(self._most) if self.receiving else None

    def feed(self, data: bytes) -> Iterator[Heard]:
        """Take bytes, and give what they complete."""
        for at in range(len(data)):
            if self._other is None:
                yield from self._read(data[at:])
                return
            yield from self._read_both(data[at : at + 1], self._other)

    def _read_both(self, byte: bytes, other: PacketReader) -> Iterator[Heard]:
        """Take a byte of this packet or of the other."""
        of_other, own = list(other._read(byte)), list(self._read(byte))
        if right := [heard for heard in of_other + own if isinstance(heard, Packet)]:
            self._drop()
            yield right[0]
        elif not other.receiving:
            self._other = None
            yield from own
        elif not self.receiving:
            self._bytes, self._overlong, self._other = other._bytes, other._overlong, None

    def _read(self, data: bytes) -> Iterator[Heard]:
        at = 0
        while at < len(data):
            if not self._bytes:
                byte = data[at]
                at += 1
                if byte == START:
                    self._bytes.append(byte)
                elif byte in (ACK, NAK):
                    yield Acknowledgement(byte)
                else:
                    self.noise += 1
                continue
            if self._overlong:
                return
            missing = self._missing()
            self._bytes += data[at : at + missing]
            at += missing
            if len(self._bytes) == HEADER_BYTES and self._length + OVERHEAD > self._most:
                self._overlong = True
            elif len(self._bytes) >= HEADER_BYTES and not self._missing():
                yield self._complete()

    def give_up(self) -> Damaged | None:
        """Take what has come of a packet for all that comes. None: not enough of one to complain about."""
        damaged = Damaged(self._bytes[1]) if len(self._bytes) > MOST_NOISE else None
        self._drop()
        return damaged

    def _drop(self) -> None:
        self._bytes.clear()
        self._overlong, self._other = False, None

    @property
    def _length(self) -> int:
        return int.from_bytes(self._bytes[4:6], "big")

    def _missing(self) -> int:
        if len(self._bytes) < HEADER_BYTES:
            return HEADER_BYTES - len(self._bytes)
        return self._length + OVERHEAD - len(self._bytes)

    def _complete(self) -> Packet | Damaged:
        whole = bytes(self._bytes)
        self._bytes.clear()
        if crc16(whole[:-CRC_BYTES]) != int.from_bytes(whole[-CRC_BYTES:], "little"):
            return Damaged(whole[1])
        control = whole[2]
        return Packet(
            whole[HEADER_BYTES:-CRC_BYTES],
            whole[1],
            bool(control & _TOGGLE),
            whole[3],
            bool(control & _MULTI),
            bool(control & _FIRST),
            control & _FORMAT,
        )
