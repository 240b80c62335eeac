"""Starting the ports of a meter, each a process of its own that ends with the meter (C-3)."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from rig.communication.port.line import pty_link
from rig.communication.port.process import ServePort
from rig.daemon.address import beside
from rig.hardware.config import PTY, PortConfig
from rig.hardware.own_process import new_log, start_process

MOST_REPORT = 1 << 16
MOST_LINES = 5
"""Lines of a port's report that are shown when a run ends."""


def launch_ports(ports: Sequence[PortConfig], socket: Path) -> list[subprocess.Popen[bytes]]:
    """Start a process for each port of the meter that listens at `socket`; what they report goes to a file beside it.

    A port that cannot be served says so there; the meter does not depend on it.
    """
    started = []
    for port in ports:
        reads, writes = os.pipe()
        os.write(writes, msgspec.msgpack.encode(ServePort(port, str(socket))))
        os.close(writes)
        with new_log(log_of(port, socket)) as log:
            started.append(start_process(("-m", "rig.communication.port.process"), [reads], log))
        os.close(reads)
    return started


def log_of(port: PortConfig, socket: Path) -> Path:
    """Give where a port's process that is started here reports."""
    return beside(socket, f"{port.name}.log")


def where_ports_are(ports: Sequence[PortConfig], socket: Path) -> list[str]:
    """Say of each port where a client finds it, and where it reports."""
    return [
        f"port {port.name}: {pty_link(port, socket) if port.device == PTY else port.device}; "
        f"what it reports is in {log_of(port, socket)}"
        for port in ports
    ]


def deaths_of(ports: Sequence[PortConfig], started: Sequence[subprocess.Popen[bytes]]) -> list[str]:
    """Name the ports whose process somebody killed: nothing was answered there from then on."""
    return [
        f"port {port.name} was ended by {signal.Signals(-status).name}: nobody could use it any more"
        for port, process in zip(ports, started, strict=True)
        if (status := process.poll()) is not None and status < 0
    ]


def reports_of(ports: Sequence[PortConfig], socket: Path) -> list[str]:
    """Give what the ports have reported since they were started, the newest lines of each."""
    found: list[str] = []
    for port in ports:
        try:
            with log_of(port, socket).open("rb") as log:
                text = log.read(MOST_REPORT).decode("utf-8", "replace")
        except OSError:
            continue
        found += [line.removeprefix("rig: ") for line in text.splitlines()[-MOST_LINES:] if line.strip()]
    return found
