"""An instrument that answers SCPI, over a real socket or a real pty: what a counter on a bus is tested with.

It is a thread with its own count. What it does wrong is asked of it by `misbehave`.
"""

from __future__ import annotations

import os
import pty
import select
import socket
import threading
import tty
from collections.abc import Callable

REPLY = "{count:+.14E}"
"""As Keysight's 53220A writes a total: +1.20000000000000E+01."""


class ScpiInstrument:
    """Answers *IDN?, SENS:TOT:DATA? and the questions of `answers`; `commands` are those that came.

    `misbehave` takes a question and the reply that would be right, and gives the bytes that are sent instead; None:
    nothing is.
    """

    def __init__(
        self,
        *,
        over: str = "socket",
        identity: str = "Keysight Technologies,53220A,MY50000001,02.05-1519.666-1.19-4.15-127-155-35",
        count: Callable[[], int] = lambda: 0,
        misbehave: Callable[[str, bytes], bytes | None] | None = None,
        answers: dict[str, Callable[[], str]] | None = None,
    ) -> None:
        self.answers = answers or {}
        self.identity, self.count, self.misbehave = identity, count, misbehave
        self.commands: list[str] = []
        self._stop = threading.Event()
        self._descriptor: int | None = None
        if over == "socket":
            self._listener: socket.socket | None = socket.create_server(("127.0.0.1", 0))
            port = self._listener.getsockname()[1]
            self.resource = f"TCPIP::127.0.0.1::{port}::SOCKET"
        else:
            self._listener = None
            self._descriptor, self._slave = pty.openpty()
            tty.setraw(self._slave)
            self.resource = f"ASRL{os.ttyname(self._slave)}::INSTR"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """The cable comes off."""
        self._stop.set()
        self._thread.join(5)

    def close(self) -> None:
        self.unplug()
        if self._listener is not None:
            self._listener.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
            os.close(self._slave)

    def __enter__(self) -> ScpiInstrument:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        if self._listener is None:
            assert self._descriptor is not None
            self._talk(self._descriptor)
            return
        while not self._stop.is_set():
            if not select.select([self._listener], [], [], 0.02)[0]:
                continue
            connection, _ = self._listener.accept()
            with connection:
                self._talk(connection.fileno())

    def _talk(self, descriptor: int) -> None:
        waiting = b""
        while not self._stop.is_set():
            if not select.select([descriptor], [], [], 0.02)[0]:
                continue
            data = os.read(descriptor, 1000)
            if not data:
                return
            waiting += data
            while b"\n" in waiting:
                line, _, waiting = waiting.partition(b"\n")
                self._answer(descriptor, line.decode("latin-1").strip())

    def _answer(self, descriptor: int, command: str) -> None:
        self.commands.append(command)
        replies = {"*IDN?": lambda: self.identity, "SENS:TOT:DATA?": lambda: REPLY.format(count=self.count())}
        replies |= self.answers
        if command not in replies:
            return
        reply: bytes | None = f"{replies[command]()}\n".encode()
        assert reply is not None
        if self.misbehave is not None:
            reply = self.misbehave(command, reply)
        if reply is not None:
            os.write(descriptor, reply)
