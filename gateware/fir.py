"""Band filter: 127 taps, ÷2, from 23-bit CIC values to 20-bit samples."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gateware.chain import FIR_DECIMATION, TAPS, Chain
from gateware.multiplier import A_BITS, B_BITS, P_BITS
from gateware.registers import CHANNELS, SAMPLE_BITS, TICK_BITS

GROWTH_BITS = (sum(abs(t) for t in TAPS) - 1).bit_length()
"""Bits by which the sum of products can outgrow a CIC value."""

SLOTS = 128
"""Memory places a channel: the newest 127 CIC values and the one that comes while the filter works on them."""


class Fir(wiring.Component):
    """Runs the six channels one after another through the shared multiplier, every second CIC output.

    The sum of products starts from the channel's remainder, and the bits dropped from it become the next
    remainder: nothing is lost in the rounding, so its error is first-order shaped away from the line frequency
    and has no mean. Samples beyond 20 bits saturate. `sample` strobes when all six `samples` are new; they
    stay until the next set begins to shift in, 380 clocks later. `overload` and `dead` are masks by
    channel, `stamp` the tick count, all of this sample set. Latency 771 clocks from the CIC's last strobe.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        assert len(TAPS) == SLOTS - 1
        # One CIC value may arrive meanwhile and finds its free place; a second would overwrite one in use.
        assert SLOTS * CHANNELS + 4 <= 2 * chain.clocks_per_output, "the taps must be done before the next set"
        super().__init__(
            {
                "valid": In(1),
                "last": In(1),
                "channel": In(range(CHANNELS)),
                "value": In(signed(chain.cic_bits)),
                "stamp_in": In(TICK_BITS),
                "dead_in": In(CHANNELS),
                "busy": Out(1),
                "a": Out(signed(A_BITS)),
                "b": Out(signed(B_BITS)),
                "p": In(signed(P_BITS)),
                "sample": Out(1),
                "samples": Out(signed(SAMPLE_BITS)).array(CHANNELS),
                "stamp": Out(TICK_BITS),
                "overload": Out(CHANNELS),
                "dead": Out(CHANNELS),
                "overrun": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        chain = self._chain
        drop = chain.round_bits

        values = Memory(shape=signed(chain.cic_bits), depth=SLOTS * 8, init=[])
        taps = Memory(shape=signed(B_BITS), depth=SLOTS, init=[*TAPS, 0])
        m.submodules.values, m.submodules.taps = values, taps
        store, fetch, fetch_tap = values.write_port(), values.read_port(), taps.read_port()

        # Filling: all channels share one place counter.
        place = Signal(range(SLOTS))
        odd = Signal(range(FIR_DECIMATION))
        newest = Signal(range(SLOTS))
        dead_before = Signal(CHANNELS)
        start = Signal()
        m.d.comb += [
            store.addr.eq(Cat(place, self.channel)),
            store.data.eq(self.value),
            store.en.eq(self.valid),
            start.eq(self.last & (odd == FIR_DECIMATION - 1)),
        ]
        with m.If(self.last):
            m.d.sync += [place.eq(place + 1), odd.eq(odd + 1), dead_before.eq(self.dead_in)]

        # Reading: tap k meets the value k places before the newest; the counter's last place is a bubble.
        tap = Signal(range(SLOTS))
        channel = Signal(range(CHANNELS))
        running = Signal()
        m.d.comb += [
            fetch.addr.eq(Cat((newest - tap)[: len(tap)], channel)),
            fetch.en.eq(running),
            fetch_tap.addr.eq(tap),
            fetch_tap.en.eq(running),
            self.a.eq(fetch.data),
            self.b.eq(fetch_tap.data),
        ]
        with m.If(start):
            m.d.sync += [
                running.eq(1),
                newest.eq(place),
                self.stamp.eq(self.stamp_in),
                self.dead.eq(self.dead_in | dead_before),
                self.overrun.eq(self.overrun | self.busy),
            ]
        with m.Elif(running):
            m.d.sync += tap.eq(tap + 1)
            with m.If(tap == SLOTS - 1):
                m.d.sync += channel.eq(channel + 1)
                with m.If(channel == CHANNELS - 1):
                    m.d.sync += [running.eq(0), channel.eq(0)]

        # Summing, two clocks behind the addresses: first tap, last tap, then the sample in the bubble.
        first, final, ready, end = Signal(2), Signal(2), Signal(), Signal(3)
        m.d.sync += self.sample.eq(end[2])
        with m.If(self.busy):
            m.d.sync += [
                first.eq(Cat(running & (tap == 0), first)),
                final.eq(Cat(running & (tap == len(TAPS) - 1), final)),
                ready.eq(final[1]),
                end.eq(Cat(running & (tap == len(TAPS) - 1) & (channel == CHANNELS - 1), end)),
            ]
        m.d.comb += self.busy.eq(running | end.any())

        total = Signal(signed(chain.cic_bits + GROWTH_BITS))
        remainders = [Signal(unsigned(drop), name=f"remainder_{c}") for c in range(CHANNELS)]
        with m.If(self.busy):
            with m.If(first[1]):
                m.d.sync += total.eq(self.p + remainders[0])
            with m.Else():
                m.d.sync += total.eq(total + self.p)

        top = (1 << (SAMPLE_BITS - 1)) - 1
        quotient = Signal(signed(len(total) - drop))
        rounded = Signal(signed(SAMPLE_BITS))
        beyond = Signal()
        m.d.comb += [
            quotient.eq(total[drop:].as_signed()),
            rounded.eq(quotient),
            beyond.eq((quotient >= chain.overload_code) | (quotient <= -chain.overload_code)),
        ]
        with m.If(quotient > top):
            m.d.comb += rounded.eq(top)
        with m.Elif(quotient < -top - 1):
            m.d.comb += rounded.eq(Const(-top - 1, signed(SAMPLE_BITS)))
        with m.If(ready):
            m.d.sync += [r.eq(v) for r, v in zip(remainders, [*remainders[1:], total[:drop]], strict=True)]
            m.d.sync += [
                self.samples[c].eq(self.samples[c + 1] if c + 1 < CHANNELS else rounded) for c in range(CHANNELS)
            ]
            m.d.sync += self.overload.eq(Cat(self.overload[1:], beyond))
        return m
