"""The CIC against its definition as a filter: each output is a weighted sum of the last 3·R bits, whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from gateware_bench import simulate

from gateware.chain import Chain
from gateware.cic import Cic
from gateware.registers import CHANNELS

SMALL = Chain(decimation=16)
PIPELINE_TICKS = 2
"""Each integrator but the first adds its predecessor's old value."""

LATENCY_CLOCKS = 16
"""From the strobe of an output's last bit to its first `valid`."""


@dataclass
class Output:
    """Six strobes of `valid`: the clocks they came after the strobe of the last bit, and what they carried."""

    clocks: list[int]
    channels: list[int]
    values: list[int]
    last: list[int]
    stamp: int
    dead: int


def run(chain: Chain, bits: np.ndarray, gaps: np.ndarray) -> tuple[list[Output], int]:
    """Feeds bits (n,) bytes of six, `gaps` clocks from each to the next; returns outputs and the overrun flag."""
    dut = Cic(chain)
    outputs: list[Output] = []
    overrun = 0

    async def bench(ctx):
        nonlocal overrun
        since = 0
        for tick, (byte, gap) in enumerate(zip(bits.tolist(), gaps.tolist(), strict=True)):
            ctx.set(dut.bits, byte)
            ctx.set(dut.tick, 1)
            if tick % chain.decimation == chain.decimation - 1:
                since = 0
            for _ in range(gap):
                if ctx.get(dut.valid):
                    if ctx.get(dut.channel) == 0:
                        outputs.append(Output([], [], [], [], ctx.get(dut.stamp), ctx.get(dut.dead)))
                    out = outputs[-1]
                    out.clocks.append(since)
                    out.channels.append(ctx.get(dut.channel))
                    out.values.append(ctx.get(dut.value))
                    out.last.append(ctx.get(dut.last))
                await ctx.tick()
                since += 1
                ctx.set(dut.tick, 0)
        overrun = ctx.get(dut.overrun)

    simulate(dut, bench)
    return outputs, overrun


def reference(chain: Chain, bits: np.ndarray) -> np.ndarray:
    """(outputs, 6): three moving sums over R ticks, one value kept every R, in 64-bit integers that cannot wrap."""
    ones = np.ones(chain.decimation, np.int64)
    weights = np.convolve(np.convolve(ones, ones), ones)
    coded = 2 * (bits[:, None] >> np.arange(CHANNELS) & 1).astype(np.int64) - 1
    late = np.pad(coded, ((PIPELINE_TICKS, 0), (0, 0)))[: len(coded)]
    return np.stack([np.convolve(channel, weights)[: len(coded)] for channel in late.T], axis=1)[
        chain.decimation - 1 :: chain.decimation
    ]


def test_random_bits_and_steady_ones_exactly():
    """Channels 4 and 5 are stuck, so their integrators go round their 14 bits over and over."""
    generator = np.random.default_rng(8)
    bits = generator.integers(0, 64, 60 * SMALL.decimation).astype(np.uint8) & 0b001111 | 0b010000
    outputs, overrun = run(SMALL, bits, generator.integers(4, 7, len(bits)))

    expected = reference(SMALL, bits)
    assert [out.values for out in outputs] == expected[: len(outputs)].tolist()
    assert len(outputs) >= len(expected) - 1  # the last leaves after the run
    third_integrator = np.cumsum(np.cumsum(np.cumsum(np.ones(len(bits), np.int64))))
    assert third_integrator[-1] > 1000 << SMALL.cic_bits, "long enough to wrap"
    assert not overrun
    for out in outputs:
        assert out.channels == list(range(CHANNELS))
        assert out.last == [0, 0, 0, 0, 0, 1]


def test_outputs_leave_in_a_row_at_a_fixed_latency():
    bits = np.zeros(5 * SMALL.decimation, np.uint8)
    outputs, _ = run(SMALL, bits, np.full(len(bits), 4))
    assert [out.clocks for out in outputs] == [[LATENCY_CLOCKS + c for c in range(CHANNELS)]] * 4


def test_a_full_scale_bitstream_reaches_two_to_the_21():
    """Exactly ±R³: one more than signed(22) holds, hence 23 bits (3·log2 R + 2)."""
    chain = Chain()
    bits = np.full(6 * chain.decimation, 0b010101, np.uint8)
    outputs, _ = run(chain, bits, np.full(len(bits), 4))
    assert chain.cic_bits == 23
    assert outputs[-1].values == [1 << 21, -(1 << 21)] * 3


def test_dead_is_a_whole_period_of_equal_bits():
    """One odd bit anywhere in the period, at its very ends too, and the line lives."""
    size = SMALL.decimation
    periods = []
    for position in range(size):
        period = np.full(size, 0b000011, np.uint8)
        period[position] ^= 0b000101
        periods += [period, np.full(size, 0b101010, np.uint8)]
    bits = np.concatenate([*periods, np.zeros(size, np.uint8)])
    outputs, _ = run(SMALL, bits, np.full(len(bits), 4))
    assert [out.dead for out in outputs] == [0b111010, 0b111111] * size


def test_stamps_count_ticks_across_their_wrap():
    chain = Chain(decimation=16, tick_start=(1 << 48) - 40)
    bits = np.zeros(8 * 16, np.uint8)
    outputs, _ = run(chain, bits, np.full(len(bits), 4))
    assert [out.stamp for out in outputs] == [(n * 16 - 40) % (1 << 48) for n in range(1, len(outputs) + 1)]


def test_bits_faster_than_the_combs_raise_overrun():
    chain = Chain(decimation=8)
    _, overrun = run(chain, np.zeros(64, np.uint8), np.ones(64, np.int64))
    assert overrun
    _, overrun = run(chain, np.zeros(64, np.uint8), np.full(64, 4))
    assert not overrun


@pytest.mark.parametrize("decimation", [4, 112, 256])
def test_a_decimation_that_cannot_work_is_refused(decimation):
    """Too short for the combs, no power of two, wider than the multiplier."""
    with pytest.raises(ValueError, match=f"a power of two from 8 to 128, not by {decimation}"):
        Chain(decimation=decimation)
