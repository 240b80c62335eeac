"""CIC³ decimator: six one-bit streams in, one 23-bit value a channel every 128 ticks."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gateware.chain import Chain
from gateware.registers import CHANNELS, TICK_BITS

STAGES = 3
_LOW_TICK_BITS = 20


class Cic(wiring.Component):
    """Order 3, integrators in parallel at the tick rate, combs one after another through one subtractor.

    A bit counts +1 or −1, so the output reaches ±decimation³ and needs 3·log2(decimation)+2 bits; everything
    inside is modulo that width, which is exact for a CIC. The integrators are pipelined (each adds its
    predecessor's old value), the combs registered: no carry chain is longer than one adder.

    Every `decimation` ticks the six outputs leave as six strobes of `valid` with their `channel`, the last
    with `last`; `stamp` is then the tick count at which they were taken and `dead` has a bit for each channel whose
    last `decimation` bits were all equal. Latency of the strobes: 16 to 21 clocks after that of the last bit.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        steps = STAGES * CHANNELS
        assert steps + 2 <= chain.clocks_per_output, "the combs must finish before the next output"
        super().__init__(
            {
                "bits": In(CHANNELS),
                "tick": In(1),
                "valid": Out(1),
                "last": Out(1),
                "channel": Out(range(CHANNELS)),
                "value": Out(signed(chain.cic_bits)),
                "ticks": Out(TICK_BITS),
                "stamp": Out(TICK_BITS),
                "dead": Out(CHANNELS),
                "overrun": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = self._chain.cic_bits
        steps = STAGES * CHANNELS

        # Integrators. `count` wraps with the decimation, `ticks` counts every bit ever seen, in two parts so that no
        # carry runs through 48 bits and most of it stands still.
        start = self._chain.tick_start
        low = Signal(_LOW_TICK_BITS, init=start % (1 << _LOW_TICK_BITS))
        high = Signal(TICK_BITS - _LOW_TICK_BITS, init=start >> _LOW_TICK_BITS)
        m.d.comb += self.ticks.eq(Cat(low, high))
        count = Signal(self._chain.cic_log2)
        take = Signal()
        sums = [[Signal(signed(width), name=f"sum_{c}_{s}") for s in range(STAGES)] for c in range(CHANNELS)]
        ones = Signal(CHANNELS)
        zeros = Signal(CHANNELS)
        m.d.sync += take.eq(self.tick & (count == self._chain.decimation - 1))
        with m.If(self.tick):
            m.d.sync += [count.eq(count + 1), low.eq(low + 1)]
            with m.If(low.all()):
                m.d.sync += high.eq(high + 1)
            for c, (first, second, third) in enumerate(sums):
                m.d.sync += [
                    first.eq(first + Mux(self.bits[c], 1, -1)),
                    second.eq(second + first),
                    third.eq(third + second),
                ]
        # At `take` the lower bits of `ticks` are always those it began with; since then it has moved by a few.
        low, high = self.ticks[: len(count)], self.ticks[len(count) :]
        begun = Const(self._chain.tick_start, len(count))
        m.d.comb += self.stamp.eq(Cat(begun, (high - (low < begun))[: len(high)]))
        with m.If(take):  # the tick after `take` is three clocks away
            m.d.sync += [ones.eq(0), zeros.eq(0), self.dead.eq(~(ones & zeros))]
        with m.Elif(self.tick):
            m.d.sync += [ones.eq(ones | self.bits), zeros.eq(zeros | ~self.bits)]

        # Combs. `work` turns like a drum: its front meets its own predecessor from `before` and goes to the back.
        work = [Signal(signed(width), name=f"work_{c}") for c in range(CHANNELS)]
        before = Memory(shape=signed(width), depth=steps, init=[])
        m.submodules.before = before
        read_port, write_port = before.read_port(), before.write_port()
        step = Signal(range(steps))
        reading = Signal()
        turning = Signal()
        index = Signal(range(steps))
        difference = Signal(signed(width))
        m.d.comb += [
            read_port.addr.eq(step),
            read_port.en.eq(reading),
            difference.eq(work[0] - read_port.data),
            write_port.addr.eq(index),
            write_port.data.eq(work[0]),
            write_port.en.eq(turning),
        ]
        m.d.sync += turning.eq(reading)
        with m.If(reading):
            m.d.sync += index.eq(step)
        with m.If(take):
            m.d.sync += [w.eq(s[-1]) for w, s in zip(work, sums, strict=True)]
            m.d.sync += [reading.eq(1), step.eq(0), self.overrun.eq(self.overrun | reading | turning)]
        with m.Else():
            with m.If(turning):
                m.d.sync += [w.eq(v) for w, v in zip(work, [*work[1:], difference], strict=True)]
            with m.If(reading):
                m.d.sync += step.eq(step + 1)
                with m.If(step == steps - 1):
                    m.d.sync += [reading.eq(0), step.eq(0)]

        last_stage = steps - CHANNELS
        m.d.comb += self.value.eq(work[-1])
        m.d.sync += [self.valid.eq(0), self.last.eq(0)]
        with m.If(turning & (index >= last_stage)):
            m.d.sync += [
                self.valid.eq(1),
                self.last.eq(index == steps - 1),
                self.channel.eq(index - last_stage),
            ]
        return m
