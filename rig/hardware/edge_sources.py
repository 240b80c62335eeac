"""Edges at GPIO pins for who counts beside the meter: the kernel's on a Raspberry Pi, or the simulated board's."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.pulse_inputs import EdgeSource, GpiodSource
from rig.files.strict_toml import ConfigError
from rig.hardware.config import Config


def edge_sources(config: Config, pins: Sequence[int]) -> list[EdgeSource]:
    """Give the edges of GPIO pins that contacts are wired to, stamped and numbered, from now on.

    Raises ConfigError where the simulated rig has no board to have them of, and DriverError for pins that cannot be
    had.
    """
    return kernel_edges(config.hardware.gpio_chip, pins) if config.hardware.kind == "pi" else _simulated(config, pins)


def kernel_edges(chip: str, pins: Sequence[int]) -> list[EdgeSource]:
    """Give the edges of GPIO pins of a chip of the kernel's. Raises DriverError."""
    sources: list[EdgeSource] = []
    try:
        for pin in pins:
            sources.append(GpiodSource(f"the counter at pin {pin}", chip, pin))
    except BaseException:
        for source in sources:
            source.close()
        raise
    return sources


def _simulated(config: Config, pins: Sequence[int]) -> list[EdgeSource]:
    from drivers.sim.remote_edges import RemoteEdges

    wires, path = config.simulation.wires, config.simulation.board
    if unwired := [pin for pin in pins if str(pin) not in wires]:
        raise ConfigError(
            f"GPIO {unwired[0]} of the simulated board is wired to nothing: name the contact in rig.toml, such as "
            f'[simulation.wires] {unwired[0]} = "kyz1_y"'
        )
    if path is None:
        raise ConfigError(
            "a counter at GPIO pins needs a simulated board that others can have, too: name its socket in rig.toml, "
            '[simulation] board = "board.sock", and start it with rig simulate'
        )
    return list(RemoteEdges(path, pins).lines.values())
