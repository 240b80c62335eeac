"""Phase compensation: each channel's bitstream delayed by whole modulator ticks."""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gateware.registers import CHANNELS

MAX_DELAY = 255


class BitDelay(wiring.Component):
    """Delays channel c by `delay[c]` ticks, 0 to 255 (0.0065° each at 60 Hz): linear phase, no multiplier.

    Latency two clocks beyond the delay itself; one tick in, one tick out. A changed delay takes effect at the
    next tick: bits then repeat or are skipped, none is invented.
    """

    bits: In(CHANNELS)
    tick: In(1)
    delay: In(8).array(CHANNELS)
    delayed: Out(CHANNELS)
    delayed_tick: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        position = Signal(8)
        newest = Signal(8)
        read = Signal()
        m.d.sync += [read.eq(self.tick), self.delayed_tick.eq(read)]
        with m.If(self.tick):
            m.d.sync += [position.eq(position + 1), newest.eq(position)]

        taken = []
        for c in range(CHANNELS):
            line = Memory(shape=1, depth=MAX_DELAY + 1, init=[])
            m.submodules[f"line_{c}"] = line
            write_port = line.write_port()
            read_port = line.read_port()
            m.d.comb += [
                write_port.addr.eq(position),
                write_port.data.eq(self.bits[c]),
                write_port.en.eq(self.tick),
                read_port.addr.eq(newest - self.delay[c]),
                read_port.en.eq(read),
            ]
            taken.append(read_port.data)
        m.d.comb += self.delayed.eq(Cat(*taken))
        return m
