"""The server process of a meter: started once, and again where it dies (rig/daemon/server.py)."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import suppress

import msgspec

from rig.daemon.channel import ChannelClosed, MessageChannel, pair
from rig.daemon.internal import Serve, ToMetering, WelcomeWith
from rig.hardware.own_process import start_process

AGAIN_S = 1.0
"""A server that dies is started anew, at most so often."""

LEAVE_S = 5.0

MOST_NUMBERS = 1 << 32
"""Clients that one server numbers. The next one's have others: a level that a client has proven is by its number."""


class ServerProcess:
    """A server on a listening socket. `channel` is the one to the server that runs now."""

    channel: MessageChannel[ToMetering]

    def __init__(self, listener: socket.socket, serve: Serve) -> None:
        self._listener, self._serve = listener, serve
        self._started_s = -AGAIN_S
        self._first = 1
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    def restart(self) -> bool:
        """Start another one in place of one that died, unless the last start is not AGAIN_S ago; whether it did."""
        if time.monotonic() < self._started_s + AGAIN_S:
            return False
        self.channel.close()
        self._reap()
        self._start()
        return True

    def welcome_with(self, provenance: bytes) -> WelcomeWith:
        """Give what the server is sent where the meter has another program; one that starts later has it at once."""
        self._serve = msgspec.structs.replace(self._serve, provenance=provenance)
        return WelcomeWith(provenance)

    def close(self) -> None:
        """Let it end: it sees that its channel is closed, once clients have what waits for them."""
        with suppress(OSError):
            self.channel.finish()
        # Closing with something unread would take from the server what it has not read yet: first it ends.
        self._reap(LEAVE_S)
        self.channel.close()

    def _start(self) -> None:
        self._started_s = time.monotonic()
        here, there = pair()
        if os.sched_getscheduler(0) == os.SCHED_FIFO:  # what starts from here on is not to have it
            with suppress(OSError):
                policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
                os.sched_setscheduler(0, policy, os.sched_getparam(0))
        self._process = start_process(("-m", "rig.daemon.server"), [self._listener.fileno(), there.fileno()])
        there.close()
        self.channel = MessageChannel(here, ToMetering)
        with suppress(ChannelClosed):  # the next look at it starts another one
            self.channel.send(msgspec.structs.replace(self._serve, first=self._first))
        self._first += MOST_NUMBERS

    def _reap(self, wait_s: float = 0.0) -> None:
        assert self._process is not None
        try:
            self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
