"""The process of a port: started with its order on a descriptor, nobody that metering waits for (C-3, X-1)."""

from __future__ import annotations

import signal
from pathlib import Path

import msgspec

from rig.communication.port.serving import Serving
from rig.daemon.client_process import run_client
from rig.hardware.config import PortConfig
from rig.plain_text import print_error
from rig.results.provenance import project_version


class ServePort(msgspec.Struct, frozen=True):
    """The order: serve this port for the meter at this socket, as long as there is that meter."""

    port: PortConfig
    socket: str


def serving_of(order: ServePort) -> Serving:
    """Make ready; SIGUSR1 has a modem call."""
    serving = Serving(order.port, Path(order.socket), project_version(), print_error, until_meter_ends=True)
    signal.signal(signal.SIGUSR1, lambda number, frame: serving.call())
    return serving


def main() -> None:
    """`python -m rig.communication.port.process DESCRIPTOR`: a pipe that holds the order."""
    run_client(ServePort, serving_of)


if __name__ == "__main__":
    main()
