"""The band filter: the response its taps claim, and its arithmetic against whole numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest
from amaranth import Module
from gateware_bench import refuses, simulate

from gateware.chain import FIR_DECIMATION, TAP_SUM_LOG2, TAPS, Chain
from gateware.fir import GROWTH_BITS, SLOTS, Fir
from gateware.multiplier import Multiplier
from gateware.registers import CHANNELS, SAMPLE_BITS

CHAIN = Chain()
TOP = (1 << (SAMPLE_BITS - 1)) - 1
FULL = CHAIN.decimation**3
"""The largest CIC value: a bitstream of ones."""

LATENCY_CLOCKS = 772
"""From the CIC's last strobe to `sample`."""


# --- response -------------------------------------------------------------------------------------------


def response_db(hz: np.ndarray) -> np.ndarray:
    """CIC and taps together, relative to DC, at the exact tick rate."""
    tick_hz = float(CHAIN.tick_hz)
    angle = np.pi * hz / tick_hz
    cic = (np.sin(CHAIN.decimation * angle) / (CHAIN.decimation * np.sin(angle))) ** 3
    turns = np.outer(hz, np.arange(len(TAPS))) * CHAIN.decimation / tick_hz
    fir = np.abs(np.exp(-2j * np.pi * turns) @ np.array(TAPS, float)) / sum(TAPS)
    return 20 * np.log10(np.abs(cic) * fir)


def test_taps_keep_dc_exactly_and_delay_all_frequencies_alike():
    assert sum(TAPS) == 1 << TAP_SUM_LOG2
    assert tuple(reversed(TAPS)) == TAPS
    assert len(TAPS) % 2 == 1


def test_flat_to_the_50th_harmonic_of_60_hz():
    assert np.abs(response_db(np.linspace(1, 3000, 20_000))).max() < 0.0002


def test_the_band_ends_above_3_2_khz():
    """docs/decisions/014-band-edge.md."""
    at_3200, at_4000, at_5000 = response_db(np.array([3200.0, 4000.0, 5000.0]))
    assert at_3200 == pytest.approx(-0.11, abs=0.005)
    assert at_4000 < -47
    assert at_5000 < -58


def test_what_decimation_by_two_folds_onto_the_band_is_105_db_down():
    """From the sample rate less 3.2 kHz to the CIC's Nyquist frequency."""
    sample_hz = float(CHAIN.tick_hz / CHAIN.ticks_per_sample)
    assert sample_hz - 3200 == pytest.approx(9820, abs=1)
    assert response_db(np.linspace(sample_hz - 3200, sample_hz, 20_000)[:-1]).max() < -105


# --- arithmetic -----------------------------------------------------------------------------------------


@dataclass
class Bench:
    """The filter with its multiplier, and what it gave."""

    module: Module
    fir: Fir
    samples: list[list[int]] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    overload: list[int] = field(default_factory=list)
    dead: list[int] = field(default_factory=list)
    clocks: list[int] = field(default_factory=list)
    overrun: int = 0


def bench_of(chain: Chain) -> Bench:
    m = Module()
    m.submodules.fir = fir = Fir(chain)
    m.submodules.multiplier = multiplier = Multiplier()
    m.d.comb += [
        multiplier.filtering.eq(fir.busy),
        multiplier.fir_a.eq(fir.a),
        multiplier.fir_b.eq(fir.b),
        fir.p.eq(multiplier.p),
    ]
    return Bench(m, fir)


def run(values: np.ndarray, dead: list[int], gap_clocks: int) -> Bench:
    """Feeds CIC outputs (n, 6), `gap_clocks` apart; the n-th has stamp 1000·n."""
    bench = bench_of(CHAIN)
    fir = bench.fir
    clock = 0
    started = 0

    async def feed(ctx):
        nonlocal clock, started
        for number, (row, mask) in enumerate(zip(values.tolist(), dead, strict=True)):
            ctx.set(fir.valid, 1)
            ctx.set(fir.stamp_in, 1000 * number)
            ctx.set(fir.dead_in, mask)
            for c, value in enumerate(row):
                ctx.set(fir.channel, c)
                ctx.set(fir.value, value)
                ctx.set(fir.last, c == CHANNELS - 1)
                if c == CHANNELS - 1 and number % FIR_DECIMATION:
                    started = clock
                await ctx.tick()
                clock += 1
            ctx.set(fir.valid, 0)
            ctx.set(fir.last, 0)
            await ctx.tick().repeat(gap_clocks - CHANNELS)
            clock += gap_clocks - CHANNELS
        await ctx.tick().repeat(LATENCY_CLOCKS)
        bench.overrun = ctx.get(fir.overrun)

    async def collect(ctx):
        now = 0
        while True:
            if ctx.get(fir.sample):
                bench.samples.append([ctx.get(fir.samples[c]) for c in range(CHANNELS)])
                bench.stamps.append(ctx.get(fir.stamp))
                bench.overload.append(ctx.get(fir.overload))
                bench.dead.append(ctx.get(fir.dead))
                bench.clocks.append(now - started)
            await ctx.tick()
            now += 1

    simulate(bench.module, feed, background=collect)
    return bench


def reference(values: np.ndarray) -> tuple[list[list[int]], list[int]]:
    """Samples and overload masks in Python's own integers."""
    drop = TAP_SUM_LOG2 + 21 - 19  # full scale 2**21 becomes 2**19
    remainders = [0] * CHANNELS
    samples, masks = [], []
    history = [[0] * CHANNELS] * len(TAPS) + values.tolist()
    for end in range(len(TAPS) + FIR_DECIMATION, len(history) + 1, FIR_DECIMATION):
        newest_first = history[end - len(TAPS) : end][::-1]
        row, mask = [], 0
        for c in range(CHANNELS):
            total = sum(t * x[c] for t, x in zip(TAPS, newest_first, strict=True)) + remainders[c]
            code, remainders[c] = divmod(total, 1 << drop)
            mask |= (abs(code) >= CHAIN.overload_code) << c
            row.append(max(-TOP - 1, min(TOP, code)))
        samples.append(row)
        masks.append(mask)
    return samples, masks


@cache
def stimulus() -> np.ndarray:
    """By channel: noise, the worst case for the accumulator and its negative, an impulse, a small DC, full scale.

    The worst case needs every value right at once: the signs of the taps, newest last.
    """
    generator = np.random.default_rng(9)
    length = SLOTS + 20
    signs = np.sign(np.resize(TAPS, length)) + (np.resize(TAPS, length) == 0)
    values = np.zeros((length, CHANNELS), np.int64)
    values[:, 0] = generator.integers(-FULL, FULL + 1, length)
    values[len(TAPS) % 2 :, 1] = FULL * signs[: length - len(TAPS) % 2]
    values[:, 2] = -values[:, 1]
    values[5, 3] = FULL
    values[:, 4] = -12_345
    values[:, 5] = FULL
    return values


@cache
def whole_run() -> Bench:
    values = stimulus()
    return run(values, [0] * len(values), gap_clocks=400)  # one value arrives while the filter is at work


def test_samples_and_overload_equal_whole_numbers():
    samples, masks = reference(stimulus())
    assert len(samples) == len(stimulus()) // 2
    assert whole_run().samples == samples
    assert whole_run().overload == masks
    assert not whole_run().overrun


def test_the_run_reached_what_it_is_for():
    """Saturation both ways, and overload with and without it."""
    columns = np.array(whole_run().samples).T
    assert columns[1].max() == TOP
    assert columns[2].min() == -TOP - 1
    assert columns[5][-1] == TOP
    assert sum(abs(t) for t in TAPS) * FULL < 1 << CHAIN.cic_bits + GROWTH_BITS - 1
    beyond = np.array(whole_run().overload)[:, None] >> np.arange(CHANNELS) & 1
    assert set(np.abs(columns.T[beyond == 1])) - {TOP, TOP + 1}, "overload begins below saturation"


@pytest.mark.slow
def test_overload_begins_at_its_code_exactly():
    """94 % of 2**19 is 492830.72: from 492830 on, in both directions (review I-4). Levels that are those codes."""
    codes = (492_830, 492_829, -492_830, -492_829, 492_831, -492_831)
    bench = run(np.tile(4 * np.array(codes), (SLOTS, 1)), [0] * SLOTS, gap_clocks=400)  # 2**21 becomes 2**19
    assert tuple(bench.samples[-1]) == codes
    assert bench.overload[-1] == 0b110101


def test_nothing_is_lost_in_the_rounding():
    """Once the taps are full, the samples' running sum is the exact total, cut only once."""
    settled = len(TAPS) // 2 + 1
    codes = np.array(whole_run().samples)[settled:, 4]
    exact = -12_345 / 4  # full scale 2**21 becomes 2**19
    drift = np.cumsum(codes) - exact * np.arange(1, len(codes) + 1)
    assert np.abs(drift).max() <= 1
    assert len(set(codes.tolist())) == 2, "the quarter is carried"


def test_latency():
    assert set(whole_run().clocks) == {LATENCY_CLOCKS}


def test_stamp_and_dead_belong_to_the_sample_set():
    dead = [1, 2, 0, 4, 8, 8, 16, 0, 32, 1]
    bench = run(np.zeros((len(dead), CHANNELS), np.int64), dead, gap_clocks=CHAIN.clocks_per_output)
    assert bench.dead == [3, 4, 8, 16, 33]
    assert bench.stamps == [1000, 3000, 5000, 7000, 9000]


def test_values_that_come_too_fast_raise_overrun():
    values = np.zeros((6, CHANNELS), np.int64)
    assert run(values, [0] * 6, gap_clocks=380).overrun
    assert run(values, [0] * 6, gap_clocks=390).overrun  # a value meets a remainder
    assert not run(values, [0] * 6, gap_clocks=400).overrun


def test_a_decimation_too_small_for_the_taps_is_refused():
    refuses(lambda: Fir(Chain(decimation=64)), "the taps must be done")
