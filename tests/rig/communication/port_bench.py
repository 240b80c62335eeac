"""A real meter on the simulated rig with its optical port on a pty, for tests of the port and of clients of others."""

from __future__ import annotations

import os
import select
import subprocess
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from psem_client import PsemClient

from rig.communication.port.launch import launch_ports
from rig.daemon.client import MeterClient
from rig.daemon.launch import Launched
from rig.daemon.protocol import EventsLogged, LoggedEvent, Reading, Stop, Topic
from rig.daemon.startup import Start
from rig.hardware.config import load

PATIENCE_S = 30


class TtyLine:
    """A client's end of a pty."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.descriptor)
        termios.tcflush(self.descriptor, termios.TCIOFLUSH)

    def write(self, data: bytes) -> None:
        os.write(self.descriptor, data)

    def read(self, count: int, seconds: float) -> bytes:
        data, deadline = b"", time.monotonic() + seconds
        while len(data) < count and (left := deadline - time.monotonic()) > 0:
            if select.select([self.descriptor], [], [], left)[0]:
                data += os.read(self.descriptor, count - len(data))
        return data

    def close(self) -> None:
        os.close(self.descriptor)


class PortBench:
    """A daemon in `folder`, its client `meter`, its port's process, and where clients find its pty."""

    def __init__(self, folder: Path, program: str, ports: str) -> None:
        (folder / "meter.toml").write_text(program)
        (folder / "rig.toml").write_text(
            f"[meter]\nprogram = 'meter.toml'\nstore = 'store'\n[daemon]\nsocket = 'm.sock'\n{ports}"
        )
        self.folder, self.config = folder, load(folder / "rig.toml")
        self.socket = folder / "m.sock"
        self._launched = Launched(Start(self.config, str(self.socket)))
        self.meter = MeterClient.connect(self.socket)
        self.meter.subscribe(Topic.READINGS, Topic.EVENTS)
        self._launched.begin()
        self._events: list[LoggedEvent] = []
        self.pty = folder / "m.optical.pty"
        self.ports: list[subprocess.Popen[bytes]] = []
        try:
            self.meter.await_message(Reading)
            self.meter.subscribe(Topic.EVENTS)
            self.start_ports()
        except BaseException:
            self._launched.process.kill()
            raise

    def reconnect(self) -> None:
        """Connect again, after the meter's server was started anew."""
        self.meter.close()
        self.meter = MeterClient.connect(self.socket)
        self.meter.subscribe(Topic.EVENTS)

    def start_ports(self) -> None:
        """Start the processes of the ports, and wait until their ptys are there."""
        self.ports = launch_ports(self.config.ports, self.socket)
        wait_for(self.pty.exists)

    @property
    def events(self) -> list[LoggedEvent]:
        """What the log has had since the meter began."""
        while (message := self.meter.poll()) is not None:
            if isinstance(message, EventsLogged):
                self._events += message.events
        return self._events

    @contextmanager
    def client(self) -> Iterator[PsemClient]:
        """A client of our own at the pty."""
        line = TtyLine(self.pty)
        try:
            yield PsemClient(line)
        finally:
            line.close()

    def close(self) -> None:
        try:
            self.meter.ask(Stop())
            self.meter.close()
            self._launched.wait()
            for process in self.ports:
                process.wait(10)
        finally:
            for process in (self._launched.process, *self.ports):
                process.kill()


def wait_for(there: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, f"not so in {seconds} s: {there}"
        time.sleep(0.01)
