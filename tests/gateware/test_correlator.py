"""The correlator against sums in Python's integers, across the wrap of 64 bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from amaranth import Module
from amaranth.lib.memory import Memory
from gateware_bench import refuses, simulate

from gateware.chain import Chain
from gateware.correlator import SCHEDULE, Correlator
from gateware.multiplier import Multiplier
from gateware.registers import (
    CHANNELS,
    PRODUCTS,
    RECORD_WORDS,
    SAMPLE_BITS,
    WORD_MEANS,
    WORD_PRODUCTS,
)

CHAIN = Chain()
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


def added(words: list[int], samples: list[int]) -> list[int]:
    """The words after one sample set."""
    after = list(words)
    for i, (a, b) in enumerate(PRODUCTS):
        after[WORD_PRODUCTS + i] = (after[WORD_PRODUCTS + i] + samples[a] * samples[b]) % MODULUS
    for c in range(CHANNELS):
        after[WORD_MEANS + c] = (after[WORD_MEANS + c] + samples[c]) % MODULUS
    return after


async def start(ctx, dut: Correlator, samples: list[int], clear: int) -> int:
    """One set; returns the clocks it was busy."""
    for c, sample in enumerate(samples):
        ctx.set(dut.samples[c], sample)
    ctx.set(dut.clear, clear)
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


def test_the_schedule_is_the_records_products_and_means():
    assert [row[0] for row in SCHEDULE] == [*range(WORD_PRODUCTS, WORD_PRODUCTS + 21), *range(WORD_MEANS, 64)]


def test_sums_of_many_sets_wrap_modulo_two_to_the_64_and_leave_other_words_alone():
    generator = np.random.default_rng(10)
    words = [int(w) for w in generator.integers(0, MODULUS, RECORD_WORDS, np.uint64)]
    words[WORD_PRODUCTS] = (1 << 63) - 1  # v1²: through the sign bit
    words[WORD_PRODUCTS + 6] = MODULUS - 1  # v2²: through zero
    words[WORD_MEANS + 1] = 0  # v2: below zero
    bench = bench_of(words)
    sets = [[HIGHEST] + [LOWEST] * 5, [LOWEST] * 6, *generator.integers(LOWEST, HIGHEST + 1, (30, 6)).tolist()]

    async def run(ctx):
        expected = words
        for samples in sets:
            assert await start(ctx, bench.correlator, samples, clear=0) == len(SCHEDULE) + 2
            expected = added(expected, samples)
            assert contents(ctx, bench) == expected
        assert not ctx.get(bench.correlator.overrun)

    simulate(bench.module, run)
    first = added(words, sets[0])
    assert first[WORD_PRODUCTS] >> 63
    assert first[WORD_PRODUCTS + 6] < 1 << 40
    assert first[WORD_MEANS + 1] == MODULUS + LOWEST


def test_clear_begins_the_sums_at_the_product():
    words = list(range(1 << 40, (1 << 40) + RECORD_WORDS))
    bench = bench_of(words)
    zeroed = [0 if w in {row[0] for row in SCHEDULE} else value for w, value in enumerate(words)]

    async def run(ctx):
        await start(ctx, bench.correlator, [1, -2, 3, -4, 5, -6], clear=1)
        assert contents(ctx, bench) == added(zeroed, [1, -2, 3, -4, 5, -6])

    simulate(bench.module, run)


def test_a_start_while_it_works_raises_overrun_and_it_stays():
    for clocks, late in ((len(SCHEDULE) + 1, True), (len(SCHEDULE) + 2, False)):
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
