"""Line-cycle windows: which sample begins a new window, and why."""

from amaranth import Array, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.registers import CHANNELS, SAMPLE_BITS, TICK_BITS


class LineCycleWindow(wiring.Component):
    """Decides at every sample whether it is the first of a new window.

    =============  ==========================================================================================
    reason         when, at a sample of the reference voltage
    =============  ==========================================================================================
    `crossing`     it is ≥ 0, one before it was < −`hysteresis` since the last crossing, and the window has
                   at least `window_min` samples
    `commanded`    its stamp is later than `close_at`, which was armed since the last commanded closing
    `timed`        the window has `window_max` samples
    =============  ==========================================================================================

    Several may hold at once. `decided` strobes one clock after `sample`, with `closes` (any reason), the
    reasons, and the reference samples `before` and `after` the boundary.
    """

    sample: In(1)
    samples: In(signed(SAMPLE_BITS)).array(CHANNELS)
    stamp: In(TICK_BITS)
    reference: In(2)
    hysteresis: In(19)
    window_min: In(16)
    window_max: In(16)
    close_at: In(TICK_BITS)
    arm: In(1)

    decided: Out(1)
    closes: Out(1)
    crossing: Out(1)
    commanded: Out(1)
    timed: Out(1)
    before: Out(signed(SAMPLE_BITS))
    after: Out(signed(SAMPLE_BITS))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        voltage = Signal(signed(SAMPLE_BITS))
        below = Signal()
        pending = Signal()
        length = Signal(16)
        past = Signal(TICK_BITS)
        at_crossing = Signal()
        at_command = Signal()
        at_limit = Signal()
        m.d.comb += [
            voltage.eq(Array(self.samples[c] for c in (0, 1, 2, 2))[self.reference]),
            past.eq(self.close_at - self.stamp),
            at_crossing.eq(below & (voltage >= 0) & (length >= self.window_min)),
            at_command.eq(pending & past[-1]),
            at_limit.eq(length >= self.window_max),
        ]
        m.d.sync += self.decided.eq(self.sample)
        with m.If(self.sample):
            m.d.sync += [
                self.crossing.eq(at_crossing),
                self.commanded.eq(at_command),
                self.timed.eq(at_limit),
                self.closes.eq(at_crossing | at_command | at_limit),
                self.before.eq(self.after),
                self.after.eq(voltage),
                length.eq(length + 1),
            ]
            with m.If(at_crossing | at_command | at_limit):
                m.d.sync += length.eq(1)
            with m.If(voltage >= 0):
                m.d.sync += below.eq(0)
            with m.Elif(voltage + self.hysteresis < 0):
                m.d.sync += below.eq(1)
            with m.If(at_command):
                m.d.sync += pending.eq(0)
        with m.If(self.arm):
            m.d.sync += pending.eq(1)
        return m
