"""Between the metering process and its server, or whoever starts it: whole messages over a socket pair.

What is published is worth nothing late, so the metering process offers it and never waits: what does not fit is
dropped.
"""

from __future__ import annotations

import socket
from typing import Any, Generic, TypeVar

import msgspec

Message = TypeVar("Message")

MOST_BYTES = 1 << 18
"""Of a message: a frame for clients (rig/daemon/frames.py), and what is around it."""


class ChannelClosed(Exception):
    """The other side is gone."""


class MessageChannel(Generic[Message]):
    """One end. `kind` is the union of Structs that the other end sends."""

    def __init__(self, end: socket.socket, kind: Any) -> None:
        self._socket = end
        self._decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(kind)

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    def offer(self, message: msgspec.Struct) -> bool:
        """Send, or drop it where there is no room now; whether it was sent. Raises ChannelClosed."""
        try:
            self._socket.send(msgspec.msgpack.encode(message), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except OSError:
            raise ChannelClosed from None
        return True

    def send(self, message: msgspec.Struct) -> bool:
        """Send, however long that takes; True. Raises ChannelClosed."""
        try:
            self._socket.send(msgspec.msgpack.encode(message), socket.MSG_NOSIGNAL)
        except OSError:
            raise ChannelClosed from None
        return True

    def receive(self) -> Message:
        """The next message, however long it takes. Raises ChannelClosed."""
        try:
            return self._decode(self._socket.recv(MOST_BYTES))
        except OSError:
            raise ChannelClosed from None

    def poll(self) -> Message | None:
        """The next message if there is one. Raises ChannelClosed."""
        try:
            return self._decode(self._socket.recv(MOST_BYTES, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return None
        except OSError:
            raise ChannelClosed from None

    def _decode(self, message: bytes) -> Message:
        if not message:
            raise ChannelClosed
        return self._decoder.decode(message)

    def finish(self) -> None:
        """Send nothing more; what was sent is read, and then the other end sees that this one has closed."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._socket.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends that keep messages whole."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
