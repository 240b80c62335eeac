"""The sine generator: its model against the sine of numpy over every phase, the component against its model."""

from __future__ import annotations

import numpy as np
import pytest
from gateware_bench import simulate

from gateware.model.sine import SINE_TABLE, sine
from gateware.sine import FULL_SCALE, PHASE_BITS, SINE_INTERVAL, SINE_LATENCY, TABLE, Sine

TURN = 1 << PHASE_BITS
QUARTER = TURN // 4

BOUND = 1.15
"""Half a unit of rounding, a quarter of one of the table, and 0.38 by which an arc leaves its chord."""


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """The model's code of each phase of the turn."""
    return sine(np.arange(TURN))


def test_every_phase_is_within_its_bound(values):
    worst, gain = 0.0, 0.0
    for phases in np.split(np.arange(TURN), 16):
        exact = FULL_SCALE * np.sin(phases * (2 * np.pi / TURN))
        worst = max(worst, float(np.abs(values[phases] - exact).max()))
        gain += float(values[phases] @ exact)
    assert worst < BOUND
    assert BOUND / (FULL_SCALE + 1) < 2**-16
    assert gain / (FULL_SCALE**2 * TURN / 2) == pytest.approx(1, abs=1e-7), "the fundamental's amplitude"


def test_symmetries_are_exact(values):
    assert values[0] == 0
    assert values.max() == values[QUARTER] == FULL_SCALE
    assert np.array_equal(values[1:], -values[:0:-1]), "odd"
    assert np.array_equal(values[TURN // 2 :], -values[: TURN // 2]), "half-wave"
    assert np.all(np.diff(values[: QUARTER + 1]) >= 0), "rising to the top"


def test_table_does_not_hang_on_a_last_place():
    """Both sides compute it in floating point: no entry is close to a tie."""
    nodes = np.arange(256) / 256
    chords = 1 + (np.pi / 512) ** 2 / 12
    exact = 2 * (FULL_SCALE * chords * np.sin(np.pi / 2 * nodes) - (FULL_SCALE + 1) * nodes)
    assert np.abs(exact % 1 - 0.5).min() > 1e-6
    assert list(TABLE) == SINE_TABLE.tolist()
    assert 0 <= min(TABLE)
    assert max(TABLE) < 1 << 16


def run(phases: list[int], interval: int) -> list[int]:
    """What `value` is in the clock it is due; between its strobes `phase` is something else."""
    dut = Sine()
    values = []

    async def bench(ctx):
        for clock in range(interval * len(phases) + SINE_LATENCY):
            turn, wait = divmod(clock, interval)
            given = wait == 0 and turn < len(phases)
            ctx.set(dut.phase, phases[turn] if given else 0x5A_5A5A)
            ctx.set(dut.enable, given)
            if clock >= SINE_LATENCY and (clock - SINE_LATENCY) % interval == 0:
                values.append(ctx.get(dut.value))
            await ctx.tick()

    simulate(dut, bench)
    return values


@pytest.mark.parametrize("interval", [SINE_INTERVAL, SINE_LATENCY, 11])
def test_component_equals_model(interval):
    """Random phases, and those at the edges of quarters and of segments."""
    generator = np.random.default_rng(interval)
    edges = [(q * QUARTER + d) % TURN for q in range(4) for d in (-(1 << 14), -1, 0, 1, (1 << 14) - 1, 1 << 14)]
    phases = [*edges, *generator.integers(0, TURN, 300).tolist()]
    assert run(phases, interval)[: len(phases)] == sine(np.array(phases)).tolist()
