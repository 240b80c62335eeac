"""Between the metering process and whoever looks on: whole messages over a socket pair, neither side waiting.

What is shown is worth nothing late, so the metering process never waits for a reader: a message that does not fit is
dropped, and the next one says more. Orders, and the last word, are waited for.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any, Generic, TypeVar

import msgspec

Said = TypeVar("Said")

MOST_BYTES = 1 << 17


class ChannelClosed(Exception):
    """The other side is gone."""


class MessageChannel(Generic[Said]):
    """One end. `said` is the union of Structs that the other end sends."""

    def __init__(self, end: socket.socket, said: Any) -> None:
        self._socket = end
        self._decoder: msgspec.msgpack.Decoder[Said] = msgspec.msgpack.Decoder(said)
        self.dropped = 0

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    def offer(self, message: msgspec.Struct) -> bool:
        """Send, or drop it where there is no room now; whether it was sent. Raises ConduitClosed."""
        try:
            self._socket.send(msgspec.msgpack.encode(message), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            self.dropped += 1
            return False
        except OSError:
            raise ChannelClosed from None
        return True

    def send(self, message: msgspec.Struct) -> bool:
        """Send, however long that takes; True. Raises ConduitClosed."""
        try:
            self._socket.send(msgspec.msgpack.encode(message), socket.MSG_NOSIGNAL)
        except OSError:
            raise ChannelClosed from None
        return True

    def receive(self) -> Said:
        """The next message, however long it takes. Raises ConduitClosed."""
        try:
            return self._decode(self._socket.recv(MOST_BYTES))
        except OSError:
            raise ChannelClosed from None

    def poll(self) -> Said | None:
        """The next message if there is one. Raises ConduitClosed."""
        try:
            return self._decode(self._socket.recv(MOST_BYTES, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return None
        except OSError:
            raise ChannelClosed from None

    def _decode(self, message: bytes) -> Said:
        if not message:
            raise ChannelClosed
        return self._decoder.decode(message)

    def leave(self) -> None:
        """After the last word: wait until the other end is closed, then close.

        Closing with something unread would take from the other end what it has not read yet.
        """
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            while self._socket.recv(MOST_BYTES):
                pass
        self._socket.close()

    def close(self) -> None:
        self._socket.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends that keep messages whole."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
