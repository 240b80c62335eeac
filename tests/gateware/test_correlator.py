"""The correlator against sums in Python's integers, across the wrap of 64 bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from amaranth import Module
from amaranth.lib.memory import Memory
from gateware_bench import refuses, simulate

from gateware.chain import Chain
from gateware.correlator import Correlator, schedule
from gateware.multiplier import Multiplier
from gateware.record_words import (
    HEADER_WORDS,
    PRODUCTS,
    RECORD_WORDS,
    WORD_DELAYED,
    WORD_MEANS,
    WORD_PHASORS,
    WORD_PRODUCTS,
    words_present,
)
from gateware.registers import CHANNELS, SAMPLE_BITS, VOLTAGES, Capability
from gateware.sine import FULL_SCALE

CHAIN = Chain()
ROWS = schedule(CHAIN.capabilities)
LOWEST, HIGHEST = -(1 << SAMPLE_BITS - 1), (1 << SAMPLE_BITS - 1) - 1
MODULUS = 1 << 64


@dataclass
class Bench:
    module: Module
    correlator: Correlator
    memory: Memory


def bench_of(words: list[int]) -> Bench:
    """The correlator with its multiplier and a record memory that holds `words`."""
    m = Module()
    m.submodules.correlator = correlator = Correlator(CHAIN)
    m.submodules.multiplier = multiplier = Multiplier()
    m.submodules.memory = memory = Memory(shape=64, depth=RECORD_WORDS, init=words)
    read_port, write_port = memory.read_port(), memory.write_port()
    m.d.comb += [
        multiplier.summing.eq(correlator.busy),
        multiplier.sum_a.eq(correlator.a),
        multiplier.sum_b.eq(correlator.b),
        correlator.p.eq(multiplier.p),
        read_port.addr.eq(correlator.read_word),
        read_port.en.eq(correlator.busy),
        correlator.read_data.eq(read_port.data),
        write_port.addr.eq(correlator.write_word),
        write_port.data.eq(correlator.write_data),
        write_port.en.eq(correlator.write),
    ]
    return Bench(m, correlator, memory)


def added(words: list[int], samples: list[int], before: list[int], cosine: int = 0, sine: int = 0) -> list[int]:
    """The words after one sample set; `before` are the voltages a quarter cycle ago."""
    after = list(words)
    for c in range(CHANNELS):
        for k in range(VOLTAGES):
            after[WORD_DELAYED + VOLTAGES * c + k] += samples[c] * before[k]
        after[WORD_PHASORS + 2 * c] += samples[c] * cosine
        after[WORD_PHASORS + 2 * c + 1] += samples[c] * sine
    for i, (a, b) in enumerate(PRODUCTS):
        after[WORD_PRODUCTS + i] += samples[a] * samples[b]
    for c in range(CHANNELS):
        after[WORD_MEANS + c] += samples[c]
    return [word % MODULUS for word in after]


async def start(ctx, dut: Correlator, samples: list[int]) -> int:
    """One set; returns the clocks it was busy."""
    for c, sample in enumerate(samples):
        ctx.set(dut.samples[c], sample)
    ctx.set(dut.start, 1)
    await ctx.tick()
    ctx.set(dut.start, 0)
    busy = 0
    while ctx.get(dut.busy) or ctx.get(dut.write):
        busy += 1
        await ctx.tick()
    return busy


def contents(ctx, bench: Bench) -> list[int]:
    return [ctx.get(bench.memory.data[w]) for w in range(RECORD_WORDS)]


def test_the_schedule_has_every_sum_of_a_build_once():
    assert sorted(row.word for row in ROWS) == list(range(HEADER_WORDS, RECORD_WORDS))
    for some in (Capability.PHASORS, Capability.DELAYED_PRODUCTS, Capability(0)):
        built = some | Capability.PRODUCTS | Capability.MEANS
        present = [word for words in words_present(built) for word in words]
        assert sorted(row.word for row in schedule(built)) == present[HEADER_WORDS:]


def test_sums_of_many_sets_wrap_modulo_two_to_the_64_and_leave_other_words_alone():
    generator = np.random.default_rng(10)
    words = [int(w) for w in generator.integers(0, MODULUS, RECORD_WORDS, np.uint64)]
    words[WORD_PRODUCTS] = (1 << 63) - 1  # v1²: through the sign bit
    words[WORD_PRODUCTS + 6] = MODULUS - 1  # v2²: through zero
    words[WORD_MEANS + 1] = 0  # v2: below zero
    bench = bench_of(words)
    extremes = [[HIGHEST] + [LOWEST] * 5, [LOWEST] * 6]
    sets = [[0] * 6] * CHAIN.quarter + extremes + generator.integers(LOWEST, HIGHEST + 1, (200, 6)).tolist()

    async def run(ctx):
        expected = words
        for number, samples in enumerate(sets):
            cosine, sine = generator.integers(-FULL_SCALE, FULL_SCALE + 1, 2).tolist()
            ctx.set(bench.correlator.cos, cosine)
            ctx.set(bench.correlator.sin, sine)
            line_50 = int(generator.integers(0, 2))
            ctx.set(bench.correlator.line_50, line_50)
            assert await start(ctx, bench.correlator, samples) == len(ROWS) + 3
            ago = 65 if line_50 else 54  # a quarter of 260 and of 217 samples
            before = sets[number - ago][:3] if number >= ago else [0] * 3
            expected = added(expected, samples, before, cosine, sine)
            assert contents(ctx, bench) == expected
        assert not ctx.get(bench.correlator.overrun)

    simulate(bench.module, run)
    first = added(words, sets[CHAIN.quarter], [0] * 3)
    assert first[WORD_PRODUCTS] >> 63
    assert first[WORD_PRODUCTS + 6] < 1 << 40
    assert first[WORD_MEANS + 1] == MODULUS + LOWEST


def test_a_start_while_it_works_raises_overrun_and_it_stays():
    for clocks, late in ((len(ROWS) + 2, True), (len(ROWS) + 3, False)):
        bench = bench_of([0] * RECORD_WORDS)
        dut = bench.correlator

        async def run(ctx, dut=dut, clocks=clocks, late=late):
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            await ctx.tick().repeat(clocks)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            await ctx.tick().repeat(100)
            assert ctx.get(dut.overrun) == late

        simulate(bench.module, run)


def test_a_decimation_too_small_for_the_sums_is_refused():
    refuses(lambda: Correlator(Chain(decimation=64)), "the sums must be done")
