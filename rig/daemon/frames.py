"""Frames on a byte stream: a length of four bytes, most significant first, then so many bytes of MessagePack (C-3).

    | what comes                            | FrameError.kind |
    |---------------------------------------|-----------------|
    | a length of 0, or above MOST_BYTES    | length          |
    | bytes that are no message of the type | message         |

A frame that ends too soon is no error: the rest may come. Whoever reads closes the stream after an error, since where
the next frame begins is not known any more.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from rig.errors import RigError

MOST_BYTES = 1 << 17
"""Bytes of one message: a program of 64 kB as text, or a whole reading, with room."""

HEADER_BYTES = 4

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()


class FrameError(RigError):
    """Bytes that are no frame: `kind` is "length" or "message"."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


def frame(message: msgspec.Struct) -> bytes:
    """Encode one message as a frame. Raises FrameError for one that is too long."""
    body = _encoder.encode(message)
    if len(body) > MOST_BYTES:
        raise FrameError("length", f"a message of {len(body)} bytes cannot be sent, it may have {MOST_BYTES}")
    return len(body).to_bytes(HEADER_BYTES, "big") + body


class FrameReader(Generic[T]):
    """Takes a stream apart into messages of a union of Structs. Holds at most one frame."""

    def __init__(self, kind: Any) -> None:
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(kind)
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes as they came."""
        self._buffer += data

    def take(self) -> T | None:
        """Give the next whole message; None while there is none. Raises FrameError, from then on each time."""
        if len(self._buffer) < HEADER_BYTES:
            return None
        length = int.from_bytes(self._buffer[:HEADER_BYTES], "big")
        if not 0 < length <= MOST_BYTES:
            raise FrameError("length", f"a frame of {length} bytes came, it may have 1 to {MOST_BYTES}")
        end = HEADER_BYTES + length
        if len(self._buffer) < end:
            return None
        try:
            message = self._decoder.decode(memoryview(self._buffer)[HEADER_BYTES:end])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise FrameError("message", f"a frame came that is not a message: {error}") from None
        del self._buffer[:end]
        return message

    @property
    def waiting(self) -> int:
        """Bytes that are not taken yet."""
        return len(self._buffer)
