"""Difference of some bytes from others, in few bytes: raw deflate (RFC 1951) with the others as its dictionary.

Chunk by chunk, as deflate looks back no further than 32 KiB: each chunk of CHUNK bytes has as its dictionary what
stood there before and REACH bytes around it. A meter's state a second later takes 100 to 1400 bytes of its 3000 to
60 000 (docs/decisions/048-write-ahead-log.md).
"""

from __future__ import annotations

import zlib

CHUNK = 1 << 14
REACH = 1 << 13
_LEVEL = 6
_RAW = -15
_MEMORY = 8


def delta_of(new: bytes, base: bytes) -> bytes:
    """Write `new` as what it is beside `base`."""
    parts: list[bytes] = []
    for begin in range(0, len(new), CHUNK):
        press = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, _before(base, begin))
        parts += press.compress(new[begin : begin + CHUNK]), press.flush()
    return b"".join(parts)


def apply_delta(delta: bytes, base: bytes, most: int) -> bytes:
    """Give what `delta_of` was given. ValueError for what is no delta to `base`, or gives more than `most` bytes."""
    parts: list[bytes] = []
    begin = 0
    while delta:
        loosen = zlib.decompressobj(_RAW, _before(base, begin))
        try:
            part = loosen.decompress(delta, CHUNK + 1)
        except zlib.error as error:
            raise ValueError(f"is no delta: {error}") from None
        if not loosen.eof or len(part) > CHUNK or begin + len(part) > most:
            raise ValueError("is no delta: it is cut off, or too long")
        parts.append(part)
        begin += CHUNK
        delta = loosen.unused_data
    return b"".join(parts)


def _before(base: bytes, begin: int) -> bytes:
    return base[max(0, begin - REACH) : begin + CHUNK + REACH]
