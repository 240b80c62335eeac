"""The simulated board of tests/rig/jitter_bench.py, near MAX: `python -m tests.rig.jitter_board ORDER SPI PINS`."""

from __future__ import annotations

from fractions import Fraction

import rig.hardware.simulation
from drivers.sim.synthetic import LoadState, Step, SyntheticLoad, Wave, current
from rig.hardware import board_process


def full_load(f_mod: Fraction) -> SyntheticLoad:
    """277 V, 19.8 A a phase, lagging by 20°: 99 % of MAX of class 20, and vars for the other outputs."""
    volts = [Wave(277.0, angle) for angle in (0.0, -120.0, 120.0)]
    return SyntheticLoad(f_mod, (Step(0.0, LoadState(tuple(volts), tuple(current(19.8, 20.0, v) for v in volts))),))


if __name__ == "__main__":
    rig.hardware.simulation.lively_load = full_load
    board_process.main()
