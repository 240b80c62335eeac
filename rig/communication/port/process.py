"""The process of a port: started with its order on a descriptor, nobody that metering waits for (C-3, X-1)."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import msgspec

from rig.communication.port.serving import Serving
from rig.daemon.frames import MOST_BYTES
from rig.failures import MENDABLE, refuse
from rig.hardware.config import PortConfig
from rig.hardware.own_process import leave_no_empty_log
from rig.plain_text import print_error, print_traceback
from rig.results.provenance import project_version

NICENESS = 5
"""Metering comes first, also where there is one core."""


class ServePort(msgspec.Struct, frozen=True):
    """The order: serve this port for the meter at this socket, as long as there is that meter."""

    port: PortConfig
    socket: str


def main() -> None:
    """`python -m rig.communication.port.process DESCRIPTOR`: a pipe that holds the order."""
    sys.excepthook = print_traceback
    leave_no_empty_log()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reads = int(sys.argv[1])
    order = msgspec.msgpack.decode(os.read(reads, MOST_BYTES), type=ServePort)
    os.close(reads)
    os.nice(NICENESS)
    try:
        serving = Serving(order.port, Path(order.socket), project_version(), print_error, until_meter_ends=True)
        signal.signal(signal.SIGTERM, lambda number, frame: stop(serving, frame))
        signal.signal(signal.SIGUSR1, lambda number, frame: serving.call())
        serving.run()
    except MENDABLE as error:
        refuse(str(error))
        sys.exit(getattr(error, "status", 2))


def stop(serving: Serving, frame: FrameType | None) -> None:
    """Let a port end after its next step."""
    serving.stopped = True


if __name__ == "__main__":
    main()
