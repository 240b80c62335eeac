"""Starting the ports of a meter, each a process of its own that ends with the meter (C-3)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from rig.communication.port.process import ServePort
from rig.hardware.config import PortConfig
from rig.hardware.own_process import start_process


def launch_ports(ports: Sequence[PortConfig], socket: Path) -> list[subprocess.Popen[bytes]]:
    """Start a process for each port of the meter that listens at `socket`; what they report goes to a file beside it.

    A port that cannot be served says so there; the meter does not depend on it.
    """
    started = []
    for port in ports:
        reads, writes = os.pipe()
        os.write(writes, msgspec.msgpack.encode(ServePort(port, str(socket))))
        os.close(writes)
        with socket.with_suffix(f".{port.name}.log").open("wb") as log:
            started.append(start_process(("-m", "rig.communication.port.process"), [reads], log))
        os.close(reads)
    return started
