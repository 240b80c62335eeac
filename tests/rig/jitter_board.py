"""The simulated board of tests/rig/jitter_bench.py, near MAX: `python -m tests.rig.jitter_board RIG.TOML`.

It lives on as that of rig simulate does, so the meter keeps its ring of states as it does on hardware.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

from drivers.sim.board import SimulatedBoard
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import LoadState, Step, Wave, current
from gateware.chain import Chain
from rig.hardware.board_process import simulate
from rig.hardware.config import Config, load
from rig.hardware.hardware import Hardware
from rig.hardware.simulation import simulated_hardware
from rig.load.connected import MeteringPoint

CURRENT_CLASS = 20


def full_load(f_mod: Fraction) -> SyntheticLoad:
    """277 V, 19.8 A a phase, lagging by 20°: 99 % of MAX of class 20, and vars for the other outputs."""
    volts = [Wave(277.0, angle) for angle in (0.0, -120.0, 120.0)]
    return SyntheticLoad(f_mod, (Step(0.0, LoadState(tuple(volts), tuple(current(19.8, 20.0, v) for v in volts))),))


def made(config: Config, point: MeteringPoint) -> tuple[Hardware, SimulatedBoard]:
    """Give the board with that load."""
    source = full_load(Chain().tick_hz)
    return simulated_hardware(config, point.current_class, source, paced=False)[:2]


def main() -> None:
    config = load(Path(sys.argv[1]))
    assert config.simulation.board is not None
    path = Path(config.simulation.board)
    simulate(config, MeteringPoint(CURRENT_CLASS), path, made, ready=lambda: print("ready", flush=True))


if __name__ == "__main__":
    main()
