"""Tests of what stands behind the SPI link: the simulated board, or with `--rig pi` the real one, by the same code."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from drivers.sim.board import FIDELITIES, SimulatedBoard
from drivers.spi_link import SpiLink, open_spidev
from gateware.chain import Chain
from rig.hardware.config import HardwareConfig


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bench" in metafunc.fixturenames:
        on_board = metafunc.config.getoption("--rig") == "pi"
        metafunc.parametrize("bench", ("board",) if on_board else FIDELITIES, indirect=True)


class Unplugged:
    """A front end without modulators: the lines are pulled up."""

    def bits(self, ticks: int) -> np.ndarray:
        return np.full(ticks, 0b111111, np.uint8)


@dataclass
class Bench:
    """A board just configured, with its modulators unplugged and nothing written to it yet."""

    link: SpiLink
    pass_time: Callable[[float], None]
    """Lets seconds pass for it."""


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "board":
        wired = HardwareConfig()
        link = SpiLink(open_spidev(wired.spi_path, wired.spi_hz))
        yield Bench(link, time.sleep)
    else:
        board = SimulatedBoard(Chain(), Unplugged(), request.param)
        link = SpiLink(board)
        yield Bench(link, lambda seconds: board.advance(round(seconds * board.chain.tick_hz)))
    link.close()
