"""The state of a running meter for other programs of this computer: a Unix socket that gives each client one JSON line.

It is served by the process that shows the run, never by the one that meters, so that no client can make an edge late.
"""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import Any

import msgspec

from rig.files.strict_toml import ConfigError

WAITING = 16
"""Clients that may wait to be served."""

WAIT_S = 5.0
MOST_PATH_BYTES = 107
"""What Linux takes for the address of a Unix socket."""


class StateServer:
    """Listens on `path` from construction to close(). Raises ConfigError where it cannot."""

    def __init__(self, path: Path) -> None:
        self._path = path
        _clear_the_way(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.bind(str(path))
        except OSError as error:
            self._socket.close()
            raise ConfigError(f"{path} cannot be a socket ({error.strerror}): give a path in your folder") from None
        self._socket.listen(WAITING)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """For select: readable when a client waits."""
        return self._socket.fileno()

    def serve(self, state: Any) -> None:
        """Give the state to whoever waits. A client that does not read gets what fits."""
        line = msgspec.json.encode(state) + b"\n"
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:  # nobody, or gone meanwhile
                return
            with client:
                client.setblocking(False)
                try:
                    client.send(line, socket.MSG_NOSIGNAL)
                except OSError:
                    continue

    def close(self) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)


def read_state(path: Path) -> bytes:
    """The state that a run serves at `path`, one line of JSON. Raises ConfigError where nothing does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(WAIT_S)
        try:
            client.connect(str(path))
            line = b"".join(iter(lambda: client.recv(1 << 16), b""))
        except FileNotFoundError:
            raise ConfigError(f"{path} does not exist: start `rig run --serve {path}` first") from None
        except OSError as error:
            why = error.strerror or error
            raise ConfigError(f"nothing answers at {path} ({why}): start `rig run --serve {path}` first") from None
    if not line.endswith(b"\n"):
        raise ConfigError(f"what serves {path} ended before it had answered: start `rig run --serve {path}` again")
    return line


def _clear_the_way(path: Path) -> None:
    """A socket that a killed run left is taken away; nothing else is."""
    if len(os.fsencode(path)) > MOST_PATH_BYTES:
        raise ConfigError(f"{path} is too long for a socket, which takes {MOST_PATH_BYTES} bytes: give a shorter path")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{path} cannot be a socket ({error.strerror}): give another path") from None
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"{path} is there and no socket: give a path that is free")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise ConfigError(f"{path} is served by another run: end that, or give another path")
