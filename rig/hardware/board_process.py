"""A simulated board in a process of its own: `python -m rig.hardware.board_process ORDER SPI PINS`, or `rig simulate`.

As a child it has two connections from whoever started it, and ends when both are closed, however that came. Started by
hand it listens at the configuration's simulation.board, and lives on whoever comes and goes.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from drivers.sim.board import SimulatedBoard
from drivers.sim.board_messages import MOST_BYTES, BoardRefused
from drivers.sim.board_server import BoardServer, listening
from drivers.sim.hands import Hands
from drivers.sim.pins import VirtualClockMockFactory
from rig.errors import RigError
from rig.failures import MENDABLE
from rig.files.claim import Claim
from rig.hardware.board_about import MOST_ORDER, About, Channels, Order
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware
from rig.hardware.realtime import favour_simulated_board
from rig.hardware.simulation import loaded_board
from rig.load.connected import MeteringPoint

Parts = tuple[Hardware, SimulatedBoard]


class BoardSocketError(RigError):
    """A socket that a simulated board cannot have: one sentence."""


def wires_of(config: Config) -> dict[int, int]:
    """Give the GPIO of counters, each with that of the output whose contact is wired to it."""
    return {int(pin): getattr(config.hardware, f"{contact}_pin") for pin, contact in config.simulation.wires.items()}


def about(hardware: Hardware, config: Config, current_class: int) -> About:
    """Say of a simulated board what who meters on it must know."""
    calibration = hardware.calibration
    channels: Channels = [(str(c.gain), c.delay_ticks, str(c.offset_codes)) for c in calibration.channels]
    return About(
        config.hardware,
        config.simulation.fidelity,
        current_class,
        channels,
        calibration.identity,
        calibration.date,
        calibration.source,
        calibration.calibrated,
    )


def server(
    parts: Parts, config: Config, current_class: int, *, utc_ns: int | None = None, **connections: object
) -> BoardServer:
    """Give the server of a simulated board; `connections` are `listener` or `given`, as BoardServer has them."""
    hardware, board = parts
    assert isinstance(hardware.pins, VirtualClockMockFactory)
    assert isinstance(hardware.hands, Hands)
    wired = config.hardware.switches | {each.value: pin for each, pin in config.hardware.inputs.items()}
    said = msgspec.msgpack.encode(about(hardware, config, current_class))
    connections |= {"utc_ns": utc_ns, "wires": wires_of(config)}
    return BoardServer(board, hardware.pins, hardware.hands, wired, said, **connections)  # type: ignore[arg-type]


def simulate(
    config: Config,
    point: MeteringPoint,
    path: Path,
    made: Callable[[Config, MeteringPoint], Parts] = loaded_board,
    utc_ns: int | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Run a simulated board at a socket until SIGTERM or SIGINT; `ready` is called once it listens.

    `made` makes another board than the configuration's; `utc_ns` is the time of day at its reset. Raises
    BoardSocketError, ConfigError for a load that it cannot have, and ClaimError for a path that another one has.
    """
    claim = Claim(path.with_name(path.name + ".lock"), f"the simulated board {path}", passing=True)
    try:
        path.unlink(missing_ok=True)  # what a killed one left: the lock on it is ours
        listener = listening(str(path))
    except OSError as error:
        claim.close()
        why = error.strerror or error
        raise BoardSocketError(f"{path} cannot be a socket ({why}): give a short path in a folder of yours") from None
    try:
        parts = made(config, point)
        running = server(parts, config, point.current_class, listener=listener, utc_ns=utc_ns)

        def end(number: int, frame: object) -> None:
            running.stop = True

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        ready()
        favour_simulated_board()
        running.run()
        running.close()
    finally:
        listener.close()
        with suppress(OSError):
            path.unlink()
        claim.close()


def main() -> None:
    """As a child: the descriptors of a pipe with the Order, and of both connections."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when the metering process has
    reads, spi, pins = map(int, sys.argv[1:4])
    order = msgspec.msgpack.decode(os.read(reads, MOST_ORDER), type=Order)
    os.close(reads)
    given = socket.socket(fileno=spi), socket.socket(fileno=pins)
    try:
        parts = loaded_board(order.config, order.point)
    except MENDABLE as error:
        given[1].recv(MOST_BYTES)  # who asked is heard first: closing with something unread would take the answer away
        given[1].send(msgspec.msgpack.encode(BoardRefused(str(error))))
        sys.exit(2)
    running = server(parts, order.config, order.point.current_class, given=given)
    favour_simulated_board()
    running.run()


if __name__ == "__main__":
    main()
