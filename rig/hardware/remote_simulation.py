"""The simulated rig in real time: its board in a process of its own, which costs the metering process nothing (C-3).

By default the board is a child and ends with the metering process. With simulation.board in rig.toml it is one that
`rig simulate` started, which lives on as an FPGA does when the metering process dies.
"""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass

import msgspec

from drivers.clock import Meanwhile
from drivers.sim.remote_board import RemoteClock, RemoteHands, RemotePins, RemoteSpi, connected
from drivers.spi_link import SpiLink
from rig.files.strict_toml import ConfigError
from rig.hardware.board_about import About, Order
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware, calibration_of
from rig.hardware.own_process import start_process
from rig.load.connected import MeteringPoint
from rig.load.connected import connected as connected_load

BOARD = ("-m", "rig.hardware.board_process")

END_S = 10.0
"""A board whose metering process lets go of it ends at once."""


@dataclass(frozen=True)
class RemoteHardware(Hardware):
    """Hardware whose board is simulated by another process; `process` is that where it is a child."""

    spi: RemoteSpi | None = None
    process: subprocess.Popen[bytes] | None = None

    def meanwhile(self, act: Meanwhile) -> None:
        assert self.spi is not None
        self.spi.meanwhile = act

    def close(self) -> None:
        """Let the board go; a child ends."""
        super().close()
        _end(self.process)


def joined_simulation(config: Config, current_class: int) -> Hardware:
    """Give the simulated rig on the board of rig simulate. Raises BoardGone, or ConfigError for another's board."""
    path = config.simulation.board
    assert path is not None
    hardware = _hardware(config, connected(path), connected(path), None)
    about = _about(hardware)
    wiring, fidelity = msgspec.structs.replace(config.hardware, kind=about.wiring.kind), config.simulation.fidelity
    found = about.wiring, about.fidelity, about.current_class
    if found != (wiring, fidelity, current_class):
        hardware.close()
        raise ConfigError(
            f"the simulated board at {path} is {about.fidelity}, of class {about.current_class}, and its pins are as "
            "another rig.toml has them: start rig simulate with this configuration"
        )
    return hardware


def own_simulation(config: Config, point: MeteringPoint) -> Hardware:
    """Give the simulated rig on a board of its own, a child of this process. Raises what keeps that from beginning."""
    if config.meter.calibration:
        calibration_of(config, point.current_class)  # a mistake is told before anything is started
    connected_load(config.simulation.load, point)
    reads, writes = os.pipe()
    os.write(writes, msgspec.msgpack.encode(Order(config, point)))
    os.close(writes)
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)]
    descriptors = [reads, *(there.fileno() for _, there in pairs)]
    process = start_process(BOARD, descriptors)
    os.close(reads)
    for _, there in pairs:
        there.close()
    try:
        return _hardware(config, pairs[0][0], pairs[1][0], process)
    except BaseException:
        for here, _ in pairs:
            here.close()
        _end(process)
        raise


def _hardware(
    config: Config, spi: socket.socket, header: socket.socket, process: subprocess.Popen[bytes] | None
) -> RemoteHardware:
    pins = RemotePins(header)
    about = msgspec.msgpack.decode(pins.welcome.about, type=About)
    calibration = calibration_of(config, about.current_class) if config.meter.calibration else about.calibration
    wired = config.hardware.switches | {each.value: pin for each, pin in config.hardware.inputs.items()}
    bus = RemoteSpi(spi)
    return RemoteHardware(
        SpiLink(bus),
        pins,
        RemoteClock(pins),
        calibration,
        about.fidelity,
        RemoteHands(pins, wired),
        epoch="" if process else pins.welcome.epoch,
        spi=bus,
        process=process,
    )


def _about(hardware: Hardware) -> About:
    return msgspec.msgpack.decode(hardware.pins.welcome.about, type=About)


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
