"""Tests of what stands behind the SPI link: the simulated board, or with `--rig pi` the real one, by the same code."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from drivers.sim.board import FIDELITIES, SimulatedBoard
from drivers.spi_link import SpiLink, open_spidev
from gateware.chain import Chain
from rig.hardware.config import HardwareConfig


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "board_link" in metafunc.fixturenames:
        on_board = metafunc.config.getoption("--rig") == "pi"
        metafunc.parametrize("board_link", ("board",) if on_board else FIDELITIES, indirect=True)


class Unplugged:
    """A front end without modulators: the lines are pulled up."""

    def bits(self, ticks: int) -> np.ndarray:
        return np.full(ticks, 0b111111, np.uint8)

    begun = 0

    def begin(self, ticks: int) -> None:
        """Nothing is made ahead."""

    def begin_next(self, ticks: int) -> None:
        """Nor read."""


@pytest.fixture
def board_link(request: pytest.FixtureRequest) -> Iterator[SpiLink]:
    """The link to a board just configured, with its modulators unplugged and nothing written to it yet.

    Each frame takes its time on the bus, real or simulated: who waits for the board asks it.
    """
    if request.param == "board":
        wired = HardwareConfig()
        link = SpiLink(open_spidev(wired.spi_path, wired.spi_hz))
    else:
        link = SpiLink(SimulatedBoard(Chain(), Unplugged(), request.param))
    yield link
    link.close()
