"""Bit front end: modulator clock out, six bits in, one strobe a modulator tick."""

from __future__ import annotations

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from gateware.chain import Chain
from gateware.registers import CHANNELS


class BitFrontEnd(wiring.Component):
    """Clocks the modulators and samples their lines late in each half of that clock.

    Paired: line p carries V of phase p while `mclk` is high and I while it is low; swapped, the other way
    round. Separate: lines 0 to 2 are
    V, 3 to 5 are I, changing at the rising edge. A line is taken in the last clock of its half, the widest
    distance from the edges, and passes two flip-flops. Throughput: one `tick` every `clocks_per_tick` clocks,
    always; a tick carries the bits of the period before it.
    """

    def __init__(self, chain: Chain) -> None:
        assert chain.clocks_per_tick == 4, "the sampling instants below are those of four clocks a tick"
        self._paired, self._swapped = chain.paired, chain.swapped
        super().__init__(
            {
                "lines": In(3 if chain.paired else CHANNELS),
                "mclk": Out(1, init=1),
                "bits": Out(CHANNELS),
                "tick": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        phase = Signal(2)
        settled = Signal(len(self.lines))
        m.submodules.sync = FFSynchronizer(self.lines, settled)
        m.d.sync += phase.eq(phase + 1)
        m.d.sync += self.mclk.eq((phase == 3) | (phase == 0))  # high during phases 0 and 1

        # Two flip-flops behind the pin, phase 3 sees the line of phase 1, phase 1 that of phase 3.
        m.d.comb += self.tick.eq(phase == 1)
        if self._paired:
            while_high = Signal(3)
            with m.If(phase == 3):
                m.d.sync += while_high.eq(settled)
            voltages, currents = (settled, while_high) if self._swapped else (while_high, settled)
            m.d.comb += self.bits.eq(Cat(voltages, currents))
        else:
            m.d.comb += self.bits.eq(settled)
        return m
