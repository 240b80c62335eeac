"""A load that is changed while it plays: what was asked for from the next point on, its phase going on."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from drivers.sim.live_load import LiveLoad
from drivers.sim.source import GRID_TICKS
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import LoadState, Step, Wave

F_MOD = Fraction(10_000_000, 3)


def volts(rms: float, hz: float = 60.0) -> LoadState:
    return LoadState((Wave(rms, 30.0),), (), hz)


def test_unchanged_it_is_the_synthetic_load() -> None:
    live, still = LiveLoad(F_MOD, volts(120)), SyntheticLoad(F_MOD, [Step(0.0, volts(120))])
    parts = [live.read(points) for points in (1, 700, 4096)]
    assert np.array_equal(np.concatenate(parts), still.read(4797))


def test_the_phase_goes_on() -> None:
    """Twice the voltage is the same wave, twice as high."""
    live, still = LiveLoad(F_MOD, volts(120)), SyntheticLoad(F_MOD, [Step(0.0, volts(120))])
    live.read(1234)
    live.apply(volts(240))
    assert live.read(1000) == pytest.approx(2 * still.read(2234)[1234:], abs=1e-9)
    assert live.peaks[0] == pytest.approx(240 * 2**0.5)


def test_another_frequency_begins_where_the_first_one_was() -> None:
    live = LiveLoad(F_MOD, volts(120))
    before = live.read(5000)[:, 0]
    live.apply(volts(120, 50.0))
    after = live.read(5000)[:, 0]
    step = 120 * 2**0.5 * 2 * np.pi * 60 / float(F_MOD / GRID_TICKS)
    assert abs(after[0] - before[-1]) <= step * 1.001
