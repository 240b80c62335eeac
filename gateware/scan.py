"""A sample set as a sequence: one channel after another, for the stages that share one comparator."""

from __future__ import annotations

from amaranth import Array, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.chain import FIR_DECIMATION, TAPS, Chain
from gateware.registers import CHANNELS, SAMPLE_BITS

SPACING = 24
"""Clocks from a channel's strobe to the next, and from the last to `done`: what a listener may take for each."""

FIRST_CLOCKS = 2
"""Clocks from `sample` to the first channel's strobe."""

SCAN_CLOCKS = FIRST_CLOCKS + CHANNELS * SPACING
"""Clocks from `sample` to `done`."""


class SampleScan(wiring.Component):
    """Strobes `valid` for each `channel` of a sample set in turn, with its `value`, and `done` after the last.

    Channel and value stay until the next strobe. All this happens while the filter keeps the set's stamp and masks.
    """

    def __init__(self, chain: Chain) -> None:
        steady = FIR_DECIMATION * chain.clocks_per_output - CHANNELS * (len(TAPS) + 1) - 4
        assert SCAN_CLOCKS + 8 <= steady, "the scan must be done before the filter begins with the next set"
        super().__init__(
            {
                "sample": In(1),
                "samples": In(signed(SAMPLE_BITS)).array(CHANNELS),
                "valid": Out(1),
                "channel": Out(range(CHANNELS)),
                "value": Out(signed(SAMPLE_BITS)),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        running = Signal()
        wait = Signal(range(SPACING))
        upcoming = Signal(range(CHANNELS + 1))
        m.d.sync += [self.valid.eq(0), self.done.eq(0)]
        with m.If(self.sample):
            m.d.sync += [running.eq(1), wait.eq(SPACING - 1)]
        with m.Elif(running):
            m.d.sync += wait.eq(wait + 1)
            with m.If(wait == SPACING - 1):
                m.d.sync += [
                    wait.eq(0),
                    self.valid.eq(1),
                    self.channel.eq(upcoming),
                    self.value.eq(Array(self.samples[c] for c in range(CHANNELS))[upcoming]),
                    upcoming.eq(upcoming + 1),
                ]
                with m.If(upcoming == CHANNELS):
                    m.d.sync += [running.eq(0), self.valid.eq(0), self.done.eq(1), upcoming.eq(0)]
        return m
