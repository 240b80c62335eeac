"""The phantom load: the component against its model, bit for bit; the model against plain loops and against sines."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from amaranth import Module
from gateware_bench import simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateware.chain import Chain
from gateware.model.decimation import Decimation
from gateware.model.phantom import PhantomModel
from gateware.model.sine import sine
from gateware.phantom import PhantomGenerator
from gateware.registers import CHANNELS
from gateware.sine import Sine

HOLD = 256
CLOCKS = 4
ONE = 1 << 16
PERIOD = 217
"""Samples of a line cycle: 60.004 Hz, so that a Fourier sum over whole cycles is exact."""


def register(amplitude: float, turns: float = 0.0) -> int:
    return (round(amplitude * 2**15) & 0xFFFF) << 16 | round(turns * 2**16) & 0xFFFF


# --- component against model ----------------------------------------------------------------------------


def play(ticks: int, step: int, on: dict[int, bool], accesses: dict[int, tuple[int, int | None]]) -> None:
    """Both from reset, compared at each strobe in which they are on.

    `on` switches before a tick; `accesses` are the host's by clock: (index, value), or (index, None) to read.
    """
    m = Module()
    m.submodules.dut = dut = PhantomGenerator()
    m.submodules.sine = generator = Sine()
    m.d.comb += [
        generator.phase.eq(dut.sine_phase),
        generator.enable.eq(dut.sine_enable),
        dut.sine_value.eq(generator.value),
    ]
    model = PhantomModel()
    model.set_step(step)

    async def bench(ctx):
        ctx.set(dut.step, step)
        read = None
        for clock in range(ticks * CLOCKS):
            if read is not None:
                assert ctx.get(dut.host_data) == model.wave(read)
            tick, phase = divmod(clock, CLOCKS)
            if phase == 0 and tick in on:
                ctx.set(dut.on, on[tick])
                model.switch(on[tick])
            index, value = accesses.get(clock, (0, None))
            read = index if clock in accesses and value is None else None
            ctx.set(dut.host_index, index)
            ctx.set(dut.host_read, read is not None)
            ctx.set(dut.host_write, value is not None)
            if value is not None:
                ctx.set(dut.host_value, value)
                model.set_wave(index, value)
            ctx.set(dut.tick, phase == 1)
            if phase == 1:
                (expected,) = model.run(1).tolist()
                assert not ctx.get(dut.on) or ctx.get(dut.bits) == expected, f"tick {tick}"
            await ctx.tick()

    simulate(m, bench)


def apart(clocks: list[int]) -> list[int]:
    """Those that are not next to the one kept before."""
    kept: list[int] = []
    for clock in sorted(clocks):
        if not kept or clock > kept[-1] + 1:
            kept.append(clock)
    return kept


def test_component_equals_model_under_random_waves_and_accesses():
    """On after 30 ticks, off within a run of the engine, on again; waves at random are mostly far overdriven."""
    generator = np.random.default_rng(12)
    ticks = 5 * HOLD
    accesses: dict[int, tuple[int, int | None]] = {
        clock: (int(generator.integers(48)), int(generator.integers(1 << 32)) if generator.random() < 0.7 else None)
        for clock in apart(generator.integers(0, ticks * CLOCKS, 640).tolist())
    }
    play(ticks, 0x0765_4321, {30: True, 2 * HOLD + 40: False, 2 * HOLD + 41: True}, accesses)


@pytest.mark.parametrize("distance", [-1, 0, 1])
def test_writes_about_the_clock_in_which_their_register_is_fetched(distance):
    """Register i is fetched 8·i + 4 clocks after a boundary; a write up to that clock still counts."""
    boundary = (HOLD - 1) * CLOCKS + 1
    first = {2 * i: (i, register(0.01 * (i % 8), 0.1 * (i % 9))) for i in range(48)}
    late = {boundary + 8 * i + 4 + distance: (i, register(-0.02 * (i % 8), 0.07 * (i % 9))) for i in range(0, 48, 3)}
    play(4 * HOLD, 1 << 28, {0: True}, first | late)


def test_every_fetch_can_be_made_to_wait():
    boundary = (HOLD - 1) * CLOCKS + 1
    first = {2 * i: (i, register(0.1 / (1 + i % 8), 0.03 * i)) for i in range(48)}
    reads = {boundary + 8 * i + 4: (47 - i, None) for i in range(48)}
    play(3 * HOLD, 1 << 27, {0: True}, first | reads)


# --- model against its description ----------------------------------------------------------------------


class Loop:
    """One modulator in whole numbers, as the component's docstring has it, with the farthest it has been."""

    def __init__(self) -> None:
        self.x, self.y = 0, 0
        self.far_x, self.far_y = 0, 0

    def tick(self, u: int) -> int:
        bit = int(self.y >= 0)
        v = 1 if bit else -1
        hold = (self.y >= 32 * 256 and self.x >= 0) or (self.y < -32 * 256 and self.x < 0)
        after = self.y if hold else self.y + (self.x >> 8) - 2 * v * 256
        self.x, self.y = self.x + u - v * ONE, after
        self.far_x, self.far_y = max(self.far_x, abs(self.x)), max(self.far_y, abs(self.y))
        return bit


def value(registers: list[int], theta: int) -> int:
    """What is held for a channel: its eight registers, exact but for the two roundings."""
    total = 0
    for k, word in enumerate(registers):
        amplitude = (word >> 16 ^ 0x8000) - 0x8000
        phase = (k * (theta >> 8) + ((word & 0xFFFF) << 8) + (1 << 22 if k == 0 else 0)) % (1 << 24)
        total += (amplitude * int(sine(np.array([phase]))[0])) // (1 << 12)
    return min(max((total + 8) // 16, -ONE), ONE - 1)


def test_bits_are_those_of_plain_loops():
    generator = np.random.default_rng(4)
    step = 0x0123_4567
    waves = generator.integers(0, 1 << 32, 48).tolist()
    waves[:16] = [register(0.2)] + [register(0.08, 0.1 * k) for k in range(1, 8)] + [register(-0.9)] + [0] * 7
    model = PhantomModel()
    model.set_step(step)
    for index, word in enumerate(waves):
        model.set_wave(index, word)
    model.switch(True)
    bits = model.run(9 * HOLD)

    loops = [Loop() for _ in range(CHANNELS)]
    for tick, row in enumerate(bits.tolist()):
        hold = tick // HOLD
        if tick % HOLD == 0:
            held = [value(waves[8 * c : 8 * c + 8], (hold - 1) * step) if hold > 1 else 0 for c in range(CHANNELS)]
        assert row == sum(loop.tick(u) << c for c, (loop, u) in enumerate(zip(loops, held, strict=True)))


@given(st.lists(st.integers(0, 700), max_size=12), st.integers(0, 700))
def test_any_split_of_time_gives_the_same_bits(splits, off_at):
    def run(pieces: list[int]) -> list[int]:
        model = PhantomModel()
        model.set_step(0x0234_5678)
        for index in range(48):
            model.set_wave(index, register(0.1, 0.02 * index))
        model.run(off_at)
        model.switch(True)
        out = [bit for ticks in pieces for bit in model.run(ticks).tolist()]
        model.switch(False)
        model.run(3)
        model.switch(True)
        return out + model.run(2 * HOLD).tolist()

    assert run(splits) == run([sum(splits)])


def test_switched_on_again_it_begins_anew():
    """From the same place between boundaries, the same bits."""
    model = PhantomModel()
    model.set_step(1 << 28)
    for c in range(CHANNELS):
        model.set_wave(8 * c + 1, register(0.7, 0.1 * c))
    runs = []
    for _ in range(2):
        model.switch(False)
        model.run(5 * HOLD)
        model.switch(True)
        runs.append(model.run(10 * HOLD + 77).tolist())
        model.switch(False)
        model.run(HOLD - 77)
    assert runs[0] == runs[1]
    assert set(runs[0]) > {0, 63}


# --- ranges ---------------------------------------------------------------------------------------------


def waves_at(amplitude: float) -> dict[str, np.ndarray]:
    """Inputs held for 256 ticks each."""
    turn = np.arange(2 * PERIOD) / PERIOD
    third = np.sin(2 * np.pi * turn) + np.sin(6 * np.pi * turn) / 3
    shapes = {
        "sine": np.sin(2 * np.pi * turn),
        "seventh": np.sin(14 * np.pi * turn),
        "square": third / np.abs(third).max(),
        "DC": np.ones(200),
        "negative DC": -np.ones(200),
    }
    return {name: np.rint(ONE * amplitude * shape).astype(int) for name, shape in shapes.items()}


@pytest.mark.parametrize("name", waves_at(0.9))
def test_a_wave_within_the_limit_never_meets_the_hold(name):
    loop = Loop()
    for u in waves_at(0.9)[name].tolist():
        for _ in range(HOLD):
            loop.tick(u)
    assert loop.far_x < 4 * ONE
    assert loop.far_y < 20 * 256


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.sampled_from([0.5, 0.9, 1.0]))
def test_no_input_leaves_the_ranges(seed, longest, amplitude):
    """Extremes for random times, and an adversary that pushes x while it still can."""
    generator = np.random.default_rng(seed)
    loop = Loop()
    ticks = 0
    while ticks < 3000:
        u = round(ONE * amplitude) * int(generator.choice((-1, 1)))
        stretch = int(generator.integers(1, longest + 1))
        ticks += stretch
        for _ in range(stretch):
            loop.tick(min(u, ONE - 1))
    for _ in range(2000):
        u = ONE - 1 if loop.x >= 0 else -ONE
        loop.tick(u if generator.random() < 0.97 else -u)
    assert loop.far_x < 14.5 * ONE
    assert loop.far_y < 45 * 256


def test_an_overdriven_loop_recovers():
    """Ten thousand ticks beyond full scale: within two holds the density is that of the input again."""
    model = PhantomModel()
    for c in range(CHANNELS):
        model.set_wave(8 * c, register(0.999))
        model.set_wave(8 * c + 1, register(0.999, 0.25))  # θ stands still: another DC
    model.switch(True)
    model.run(40 * HOLD)
    assert set(model.run(HOLD).tolist()) == {63}
    for c in range(CHANNELS):
        model.set_wave(8 * c + 1, register(-0.5, 0.25))
    model.run(2 * HOLD + 2 * HOLD)
    ones = model.run(16 * HOLD) & 1
    assert 2 * ones.mean() - 1 == pytest.approx(0.499, abs=4 * 4 / (16 * HOLD))  # x moves within ±4


# --- as measured ----------------------------------------------------------------------------------------


@cache
def spectrum() -> np.ndarray:
    """(samples / 2 + 1, 6) amplitudes in full scale of 24 cycles through the decimation; bin 24·h is harmonic h."""
    model = PhantomModel()
    model.set_step(round(2**32 / PERIOD))
    for c in range(CHANNELS):
        model.set_wave(8 * c + 1, register(0.5, c / 6))
    model.set_wave(8 * 5 + 3, register(0.125))
    model.set_wave(8 * 5 + 7, register(0.0625, 0.25))
    model.set_wave(8 * 4, register(0.25))
    model.switch(True)
    settle, count = 100, 24 * PERIOD
    samples, _, dead = Decimation(Chain()).feed(model.run((settle + count) * HOLD), np.zeros(CHANNELS, np.int64))
    assert not dead[settle:].any()
    return np.fft.rfft(samples[settle:], axis=0) * 2 / count / 2**19


def droop(order: int) -> float:
    """Gain of holding a value for 256 ticks."""
    half = np.pi * order / PERIOD
    return float(np.sin(half) / (HOLD * np.sin(half / HOLD)))


CHAIN_GAIN = 2.3e-5
"""0.0002 dB: how flat gateware.chain.TAPS are."""

ROUNDING = 2**-17 * np.sqrt(2 / PERIOD)
"""Half a step of the held values, the same error every cycle, seen at one frequency."""


@pytest.mark.parametrize(
    ("channel", "order", "amplitude"), [*((c, 1, 0.5) for c in range(CHANNELS)), (5, 3, 0.125), (5, 7, 0.0625)]
)
def test_amplitudes_measured_are_those_set(channel, order, amplitude):
    measured = abs(spectrum()[24 * order, channel])
    assert measured == pytest.approx(amplitude * (1 - 2**-17) * droop(order), rel=CHAIN_GAIN, abs=ROUNDING)


def test_angles_measured_are_those_set():
    angles = np.angle(spectrum()[24] / spectrum()[24, 0]) / (2 * np.pi)
    settings_turns = np.array([round(c / 6 * 2**16) for c in range(CHANNELS)]) / 2**16
    assert np.abs((angles - settings_turns + 0.5) % 1 - 0.5).max() < ROUNDING / 0.5


def test_dc_measured_is_that_set():
    assert abs(spectrum()[0, 4]) / 2 == pytest.approx(0.25, abs=2**-17)
    assert abs(spectrum()[0, 0]) / 2 < 2**-17


def test_what_was_not_set_is_90_db_down():
    """All frequencies up to the 50th harmonic, not only the harmonics."""
    spurs = np.abs(spectrum()[1 : 24 * 50 + 1])
    spurs[23] = 0
    spurs[[24 * 3 - 1, 24 * 7 - 1], 5] = 0
    assert 20 * np.log10(spurs.max() / 0.5) < -90
