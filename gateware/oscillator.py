"""The line-frequency oscillator of the phasor sums."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.sine import PHASE_BITS, SINE_INTERVAL, SINE_LATENCY, VALUE_BITS

STEP_BITS = 32

_COSINE = 1
_SINE = _COSINE + SINE_INTERVAL
OSCILLATOR_CLOCKS = _SINE + SINE_LATENCY + 1
"""Clocks from `start` to the clock in which `cos` and `sin` are both there."""


class Oscillator(wiring.Component):
    """Cosine and sine for every sample set, beginning at phase 0 with each record.

    With `clear`, at a record's first sample, the phase is 0 and `step` is taken; at any other `start` the phase
    moves on by the step taken, in 2⁻³² of a turn. So the phase at any sample of a record follows from the record
    alone, which carries `taken`; a change of frequency never acts within one. The two values are looked up in the
    shared Sine, one after the other, in the OSCILLATOR_CLOCKS after `start`, when `busy`.
    """

    start: In(1)
    clear: In(1)
    step: In(STEP_BITS)
    taken: Out(STEP_BITS)
    busy: Out(1)
    cos: Out(signed(VALUE_BITS))
    sin: Out(signed(VALUE_BITS))

    sine_phase: Out(PHASE_BITS)
    sine_enable: Out(1)
    sine_value: In(signed(VALUE_BITS))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        phase = Signal(STEP_BITS)
        count = Signal(range(OSCILLATOR_CLOCKS))
        top = phase[STEP_BITS - PHASE_BITS :]
        m.d.comb += [
            self.busy.eq(count != 0),
            self.sine_enable.eq((count == _COSINE) | (count == _SINE)),
            self.sine_phase.eq(Mux(count == _COSINE, top + (1 << (PHASE_BITS - 2)), top)),
        ]
        with m.If(self.start):
            m.d.sync += count.eq(1)
            with m.If(self.clear):
                m.d.sync += [phase.eq(0), self.taken.eq(self.step)]
            with m.Else():
                m.d.sync += phase.eq(phase + self.taken)
        with m.Elif(self.busy):
            m.d.sync += count.eq(Mux(count == OSCILLATOR_CLOCKS - 1, 0, count + 1))
            with m.If(count == _COSINE + SINE_LATENCY):
                m.d.sync += self.cos.eq(self.sine_value)
            with m.If(count == _SINE + SINE_LATENCY):
                m.d.sync += self.sin.eq(self.sine_value)
        return m
