"""Something at a meter's socket that is no meter: it drips, floods, keeps silent, or sends what controls a terminal."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Act = Callable[[socket.socket], None]


@contextmanager
def hostile_peer(path: Path, act: Act) -> Iterator[Path]:
    """Listen at `path`, and do `act` with the first who connects, until the end."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                act(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield path
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def sends(*data: bytes, then: Act | None = None) -> Act:
    """Send these and then do something else, or wait until the other side goes."""

    def act(connection: socket.socket) -> None:
        for each in data:
            connection.sendall(each)
        if then is not None:
            then(connection)
        while connection.recv(1 << 16):
            pass

    return act


def floods(data: bytes) -> Act:
    """Send the same for ever."""

    def act(connection: socket.socket) -> None:
        while True:
            connection.sendall(data)

    return act


def drips(data: bytes, each_s: float) -> Act:
    """Send it byte by byte."""

    def act(connection: socket.socket) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(each_s)

    return act
