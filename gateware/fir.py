"""Band filter: 127 taps, ÷2, from 23-bit CIC values to 20-bit samples."""

from __future__ import annotations

from amaranth import Array, Cat, Const, Module, Mux, Signal, signed
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

_REMAINDERS = CHANNELS
"""The channel in whose first places the remainders are."""


class Fir(wiring.Component):
    """Runs the six channels one after another through the shared multiplier, every second CIC output.

    The sum of products starts from the channel's remainder, and the bits dropped from it become the next
    remainder: nothing is lost in the rounding, so its error is first-order shaped away from the line frequency
    and has no mean. Remainders lie in the values' memory and come through the multiplier, as the product with 1
    in the slot that 127 taps leave of 128.

    Samples beyond 20 bits saturate. `sample` strobes when all six `samples` are new; they stay until the next set
    begins to shift in, 380 clocks later. `overload` and `dead` are masks by channel, `stamp` the tick count, all of
    this sample set. Latency 772 clocks from the CIC's last strobe.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        assert len(TAPS) == SLOTS - 1
        # One CIC value may arrive meanwhile and finds its free place; a second would overwrite one in use.
        assert SLOTS * CHANNELS + 5 <= 2 * chain.clocks_per_output, "the taps must be done before the next set"
        stored = (SLOTS * (c + 1) + 3 for c in range(CHANNELS))  # clocks from the start to each remainder's storing
        idle = chain.clocks_per_output - CHANNELS
        assert all(0 < s % chain.clocks_per_output <= idle for s in stored), "remainders and values share a port"
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
        taps = Memory(shape=signed(B_BITS), depth=SLOTS, init=[*TAPS, 1])
        m.submodules.values, m.submodules.taps = values, taps
        store, fetch, fetch_tap = values.write_port(), values.read_port(), taps.read_port()

        ready = Signal()
        total = Signal(signed(chain.cic_bits + GROWTH_BITS))

        # Filling: all channels share one place counter.
        place = Signal(range(SLOTS))
        odd = Signal(range(FIR_DECIMATION))
        newest = Signal(range(SLOTS))
        dead_before = Signal(CHANNELS)
        start = Signal()
        finished = Signal(range(CHANNELS))
        m.d.comb += [
            store.addr.eq(Mux(ready, Cat(finished, Const(0, 4), Const(_REMAINDERS, 3)), Cat(place, self.channel))),
            store.data.eq(Mux(ready, total[:drop], self.value)),
            store.en.eq(self.valid | ready),
            start.eq(self.last & (odd == FIR_DECIMATION - 1)),
        ]
        with m.If(self.last):
            m.d.sync += [place.eq(place + 1), odd.eq(odd + 1), dead_before.eq(self.dead_in)]

        # Reading: tap k meets the value k places before the newest, 1 in the last slot the next channel's remainder.
        tap = Signal(range(SLOTS))
        channel = Signal(range(CHANNELS))
        running = Signal()
        between = tap == SLOTS - 1
        following = Array([*range(1, CHANNELS), 0])[channel]
        m.d.comb += [
            fetch.addr.eq(
                Mux(
                    between,
                    Cat(following, Const(0, 4), Const(_REMAINDERS, 3)),
                    Cat((newest - tap)[: len(tap)], channel),
                )
            ),
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
            with m.If(between):
                m.d.sync += [channel.eq(following), finished.eq(channel)]
                with m.If(channel == CHANNELS - 1):
                    m.d.sync += running.eq(0)

        # Summing, three clocks behind the addresses: the taps, then the sample while the remainder's product is there.
        adds, final, end = Signal(3), Signal(3), Signal(4)
        m.d.sync += self.sample.eq(end[3])
        with m.If(self.busy):
            m.d.sync += [
                adds.eq(Cat(running & ~between, adds)),
                final.eq(Cat(running & (tap == len(TAPS) - 1), final)),
                ready.eq(final[2]),
                end.eq(Cat(running & (tap == len(TAPS) - 1) & (channel == CHANNELS - 1), end)),
            ]
        m.d.comb += self.busy.eq(running | end.any())

        with m.If(ready):
            m.d.sync += total.eq(self.p[:drop])
        with m.Elif(adds[2]):
            m.d.sync += total.eq(total + self.p)

        top = (1 << (SAMPLE_BITS - 1)) - 1
        rounded = Signal(signed(SAMPLE_BITS))
        beyond = Signal()
        sign, above = total[-1], total[drop + SAMPLE_BITS - 1 : -1]
        m.d.comb += [
            rounded.eq(Mux(above == sign.replicate(len(above)), total[drop:], Mux(sign, ~top, top))),
            beyond.eq((rounded >= chain.overload_code) | (rounded <= -chain.overload_code)),
        ]
        with m.If(ready):
            m.d.sync += [
                self.samples[c].eq(self.samples[c + 1] if c + 1 < CHANNELS else rounded) for c in range(CHANNELS)
            ]
            m.d.sync += self.overload.eq(Cat(self.overload[1:], beyond))
            with m.If(self.valid):
                m.d.sync += self.overrun.eq(1)
        return m
