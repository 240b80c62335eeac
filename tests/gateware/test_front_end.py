"""The bit front end against modulators that are settled only in the last clock of each half period."""

from __future__ import annotations

import numpy as np
import pytest
from gateware_bench import refuses, simulate

from gateware.chain import Chain
from gateware.front_end import BitFrontEnd

TICKS = 200


@pytest.mark.parametrize(("paired", "swapped"), [(True, False), (True, True), (False, False)])
def test_bits_of_a_period_leave_with_the_tick_of_the_next(paired, swapped):
    """Lines carry noise except in the clock in which they are taken: paired V before the falling edge, or the rising
    one where halves are swapped (review C-5); its I before the other; all else before the rising one."""
    dut = BitFrontEnd(Chain(paired=paired, swapped=swapped))
    generator = np.random.default_rng(5)
    sent = generator.integers(0, 64, TICKS).tolist()
    taken: list[tuple[int, int]] = []
    levels: list[int] = []

    async def bench(ctx):
        for clock in range(4 * TICKS):
            levels.append(ctx.get(dut.mclk))
            bits, quarter = sent[clock // 4], clock % 4
            noise = int(generator.integers(0, 64))
            if paired:
                high, low = (bits >> 3, bits & 7) if swapped else (bits & 7, bits >> 3)
                ctx.set(dut.lines, {1: high, 3: low}.get(quarter, noise & 7))
            else:
                ctx.set(dut.lines, bits if quarter == 3 else noise)
            if ctx.get(dut.tick):
                taken.append((clock, ctx.get(dut.bits)))
            await ctx.tick()

    simulate(dut, bench)
    assert levels == [1, 1, 0, 0] * TICKS
    assert [clock for clock, _ in taken] == list(range(1, 4 * TICKS, 4))
    assert [bits for _, bits in taken] == [0, *sent[:-1]]


def test_halves_of_what_is_no_pair_cannot_be_swapped():
    with pytest.raises(ValueError, match="only the halves of a pair can be swapped"):
        Chain(paired=False, swapped=True)


def test_other_clock_ratios_are_refused():
    refuses(lambda: BitFrontEnd(Chain(clocks_per_tick=6)), "four clocks a tick")
