"""Notifications of a service to systemd (sd_notify(3)): that it meters, that it is alive, that it ends (E-4).

The protocol is a datagram to the socket in NOTIFY_SOCKET; without one nothing is said. WATCHDOG_USEC is how long
systemd waits for a sign of life before it starts the service anew; one goes out every half of it.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress


class Notifier:
    """Says to systemd what it asked to be told. Never waits, and never fails."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        path = environment.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        if path:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
            self._path = "\0" + path[1:] if path.startswith("@") else path
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = environment.get("WATCHDOG_USEC", "")
        self._every_s = int(usec) / 2e6 if ours and usec.isdigit() else None
        self._next_s = 0.0

    def ready(self) -> None:
        """It meters, and is the process to watch."""
        self._say(f"READY=1\nMAINPID={os.getpid()}\nSTATUS=metering")

    def alive(self) -> None:
        """It still meters; to be called at each poll."""
        if self._every_s is not None and (now_s := time.monotonic()) >= self._next_s:
            self._next_s = now_s + self._every_s
            self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """It lets pulses out, saves and ends: the last word."""
        self._say("STOPPING=1\nSTATUS=letting pulses out, saving")
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _say(self, text: str) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendto(text.encode(), self._path)
