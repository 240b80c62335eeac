"""Phase compensation against plain indexing of the bits sent."""

from __future__ import annotations

import numpy as np
from gateware_bench import simulate

from gateware.bit_delay import MAX_DELAY, BitDelay
from gateware.registers import CHANNELS


def delayed(sent: list[int], tick: int, delays: list[int]) -> int:
    """What channel by channel was sent `delays` ticks before `tick`; 0 before the first."""
    before = [(sent[tick - d] if tick >= d else 0) >> c & 1 for c, d in enumerate(delays)]
    return sum(bit << c for c, bit in enumerate(before))


def run(sent: list[int], delays_at: dict[int, list[int]], gaps: list[int]) -> list[tuple[int, int]]:
    """Sends bits, each `gaps` clocks after the one before; `delays_at` gives new delays in the clock of a tick's
    strobe. Returns what comes out, with the clocks since the strobe."""
    dut = BitDelay()
    out: list[tuple[int, int]] = []

    async def bench(ctx):
        for tick, (bits, gap) in enumerate(zip(sent, gaps, strict=True)):
            for c, delay in enumerate(delays_at.get(tick, [])):
                ctx.set(dut.delay[c], delay)
            ctx.set(dut.bits, bits)
            ctx.set(dut.tick, 1)
            for clock in range(gap):
                if ctx.get(dut.delayed_tick):
                    out.append((clock, ctx.get(dut.delayed)))
                await ctx.tick()
                ctx.set(dut.tick, 0)
                ctx.set(dut.bits, bits ^ 63)

    simulate(dut, bench)
    return out


def test_every_delay_from_none_to_the_longest():
    generator = np.random.default_rng(6)
    sent = generator.integers(0, 64, 2 * MAX_DELAY).tolist()
    delays = [0, 1, 2, 128, MAX_DELAY - 1, MAX_DELAY]
    out = run(sent, {0: delays}, [4] * len(sent))
    assert out == [(2, delayed(sent, tick, delays)) for tick in range(len(sent))]


def test_delays_changed_on_the_fly_hold_from_their_tick_on():
    generator = np.random.default_rng(7)
    sent = generator.integers(0, 64, 700).tolist()
    changes = {t: generator.integers(0, MAX_DELAY + 1, CHANNELS).tolist() for t in range(0, 700, 23)}
    out = run(sent, changes, generator.integers(4, 7, 700).tolist())
    present = [changes[t - t % 23] for t in range(700)]
    assert out == [(2, delayed(sent, tick, present[tick])) for tick in range(700)]
