"""The synthetic load against closed forms."""

import math
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.sim.playing import lively_load
from drivers.sim.portable import cos_sin
from drivers.sim.source import GRID_TICKS
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import LoadState, Step, Wave, current

F_MOD = Fraction(10_000_000, 3)
GRID_HZ = float(F_MOD / GRID_TICKS)


@settings(deadline=None)  # compiles once
@given(st.floats(-100.0, 100.0))
def test_portable_sine_and_cosine_agree_with_the_library(turns: float) -> None:
    # The library's own argument 2π·turns is rounded: 1e-16 of up to 630 rad.
    assert cos_sin(turns) == pytest.approx((math.cos(2 * math.pi * turns), math.sin(2 * math.pi * turns)), abs=2e-13)


@pytest.mark.parametrize("quarter", range(-9, 9))
def test_portable_quarter_turns_are_exact(quarter: int) -> None:
    exact = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarter % 4]
    assert cos_sin(quarter / 4) == exact


def test_every_channel_is_the_sum_it_says() -> None:
    voltage = Wave(120.0, 10.0, {3: (0.05, 40.0), 25: (0.01, -100.0)}, dc=0.5)
    amperes = current(7.0, 33.0, voltage, {2: (0.1, 5.0)}, dc=-0.2)
    load = SyntheticLoad(F_MOD, [Step(0, LoadState((voltage,), (Wave(), amperes), 59.7))])
    x = load.read(60_000)
    theta = 2 * np.pi * 59.7 * np.arange(60_000) / GRID_HZ
    expected = {
        0: _sum(theta + math.radians(10), 120, {3: (0.05, 40), 25: (0.01, -100)}, 0.5),
        4: _sum(theta + math.radians(-23), 7, {2: (0.1, 5)}, -0.2),
    }
    for channel in range(6):
        # Double precision: 430 rad at the end, times order 25, is known to 1e-12.
        assert np.abs(x[:, channel] - expected.get(channel, 0.0)).max() < 1e-9
        assert np.abs(x[:, channel]).max() <= load.peaks[channel]


def _sum(theta: np.ndarray, rms: float, harmonics: dict[int, tuple[float, float]], dc: float) -> np.ndarray:
    shape = np.cos(theta)
    for order, (fraction, angle) in harmonics.items():
        shape = shape + fraction * np.cos(order * theta + math.radians(angle))
    return math.sqrt(2) * rms * shape + dc


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 9000), min_size=1, max_size=8))
def test_splitting_the_calls_changes_nothing(sizes: list[int]) -> None:
    def load() -> SyntheticLoad:
        wave = Wave(100, 0, {5: (0.1, 0)})
        steps = [
            Step(0, LoadState((wave,), (wave,), 60)),
            Step(0.1, LoadState((wave,), (), 61), ramp_s=0.05),
            Step(0.31, LoadState((), (wave,), 47)),
        ]
        return SyntheticLoad(F_MOD, steps, repeat_s=0.4)

    parts = load()
    assert np.array_equal(np.concatenate([parts.read(n) for n in sizes]), load().read(sum(sizes)))


def test_frequency_steps_and_ramps_keep_the_phase_continuous() -> None:
    wave = Wave(1 / math.sqrt(2))
    steps = [Step(0, LoadState((wave,), (), 60)), Step(0.5, LoadState((wave,), (), 45), ramp_s=0.2)]
    x = SyntheticLoad(F_MOD, steps).read(round(GRID_HZ))[:, 0]
    hertz = np.interp((np.arange(len(x)) + 0.5) / GRID_HZ, [0, 0.5, 0.7, 1], [60, 60, 45, 45])
    phase = 2 * np.pi * np.array([0, *accumulate(hertz[:-1] / GRID_HZ)])
    # The ramp advances the frequency once a point, and its ends fall on points: 2e-5 s · 15 Hz of a turn.
    assert np.abs(x - np.cos(phase)).max() < 2 * np.pi * 15 * 2e-5


def test_time_does_not_drift() -> None:
    load = SyntheticLoad(F_MOD, [Step(0, LoadState((Wave(1),), (), 60))])
    points = 60 * 52_083 + 20  # a minute and a bit, at no round time
    load.read(points)
    turns = float(60 * points * GRID_TICKS / F_MOD % 1)
    # 3e6 points of a step rounded to 2**-65 turns: 1e-13; the sine itself to 1e-15.
    assert load.read(1)[0, 0] == pytest.approx(math.sqrt(2) * math.cos(2 * math.pi * turns), abs=1e-11)


def test_the_lively_load_repeats_and_sends_energy_both_ways() -> None:
    load = lively_load(F_MOD)
    second = round(GRID_HZ)
    watts = [(x[:, :3] * x[:, 3:]).sum(axis=1).mean() for x in (load.read(second) for _ in range(48))]
    assert min(watts[14:16]) < watts[15] / 2 < 0 < min(watts[:13])
    assert watts[24:] == pytest.approx(watts[:24], rel=0.02)  # other phase at the second's ends
    assert np.all(load.peaks < 200)


@pytest.mark.parametrize(
    ("steps", "repeat_s"),
    [((), None), ((1.0,), None), ((0.0, 0.0), None), ((0.0, 2.0), 1.5)],
)
def test_times_that_do_not_go_forward_are_refused(steps: tuple[float, ...], repeat_s: float | None) -> None:
    state = LoadState((), ())
    with pytest.raises(ValueError, match="steps begin at 0 s"):
        SyntheticLoad(F_MOD, [Step(time_s, state) for time_s in steps], repeat_s)


def test_a_ramp_must_end_before_the_next_step() -> None:
    state = LoadState((), ())
    with pytest.raises(ValueError, match="ramp at 0"):
        SyntheticLoad(F_MOD, [Step(0, state, ramp_s=2), Step(1, state)])
