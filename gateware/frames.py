"""The frame: a request and its reply in one SPI transfer of at most 64 bytes (docs/decisions/003-frames.md)."""

from __future__ import annotations

import struct
import zlib
from enum import IntEnum

FRAME_BYTES = 64
CRC_BYTES = 4
HEAD_BYTES = 2
TURN_BYTES = 1
"""Bytes between request and reply, in which the FPGA checks the request and fetches the first word."""

CRC_POLY = 0x04C1_1DB7
CRC_RESIDUE = 0xC704_DD7B
"""The CRC register after data and their CRC, both shifted in: how the receiver checks without counting."""


class Op(IntEnum):
    """Upper half of a request's first byte; the lower half counts registers or words."""

    READ = 0x1
    """`count` registers (4 bytes each, up to 12) from `address` on."""
    WRITE = 0x2
    """One register; 4 data bytes follow the address."""
    RECORD = 0x3
    """`count` words (8 bytes each, up to 6) of the oldest record from word `address` on."""
    POP = 0x4
    """Drop the oldest record if `address` is the low byte of its sequence: safe to repeat."""
    CAPTURE = 0x5
    """`count` words (8 bytes each, up to 6) of the waveform capture; `address` is the low byte of the first."""


class ReplyStatus(IntEnum):
    """Upper half of a reply's first byte; the lower half is the number of records waiting (15: or more)."""

    OK = 0xA
    BAD_CRC = 0x5
    """The request arrived damaged; nothing was done."""
    BAD_REQUEST = 0x6
    """Unknown operation or address, or a count out of range; nothing was done."""
    NOT_THERE = 0x9
    """No record waits, or the oldest has another sequence."""


MAX_COUNT = {Op.READ: 12, Op.WRITE: 1, Op.RECORD: 6, Op.POP: 0, Op.CAPTURE: 6}
ITEM_BYTES = {Op.READ: 4, Op.WRITE: 0, Op.RECORD: 8, Op.POP: 0, Op.CAPTURE: 8}

_MIRROR = bytes(int(f"{b:08b}"[::-1], 2) for b in range(256))


def crc32(data: bytes) -> int:
    """CRC-32/BZIP2: polynomial 0x04C11DB7, most significant bit first, as the wire carries it.

    zlib computes the mirrored form of the same code, so bytes and result are mirrored around it.
    """
    mirrored = zlib.crc32(data.translate(_MIRROR))
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRROR), "big")


def request(op: Op, sequence: int, address: int, count: int = 0, data: int | None = None) -> bytes:
    """A whole frame to send: request, its CRC, and zeros for as long as the reply lasts."""
    if count > MAX_COUNT[op]:
        raise ValueError(f"{op.name} takes at most {MAX_COUNT[op]} items a frame, asked for {count}")
    head = bytes((op << 4 | count, sequence & 0xFF, address))
    if op is Op.WRITE:
        head += struct.pack(">I", data)
    frame = head + struct.pack(">I", crc32(head))
    return frame + bytes(TURN_BYTES + HEAD_BYTES + count * ITEM_BYTES[op] + CRC_BYTES)


def reply_offset(op: Op) -> int:
    """Return where in the frame the reply begins."""
    return 3 + (4 if op is Op.WRITE else 0) + CRC_BYTES + TURN_BYTES
