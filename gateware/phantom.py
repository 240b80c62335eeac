"""Phantom load: six waves of DC and seven harmonics as six bitstreams, to be measured in place of the pins."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gateware.registers import CHANNELS, PHANTOM_HOLD_TICKS, PHANTOM_TERMS
from gateware.sine import PHASE_BITS, SINE_INTERVAL, SINE_LATENCY, VALUE_BITS

HOLD_TICKS_LOG2 = (PHANTOM_HOLD_TICKS - 1).bit_length()
U_BITS = 16
"""Fraction bits of a modulator's input and of its first integrator."""
Y_BITS = 8
"""Fraction bits of its second integrator."""

_SUM_BITS = 20
_BEATS = 8


class PhantomGenerator(wiring.Component):
    """u_c = DC_c + Σ amplitude·sin(h·θ + φ), new every 256 ticks, through six delta-sigma modulators in integers.

    Waves. Register 8·c + k of the block is harmonic k of channel c: amplitude in 2⁻¹⁵ of full scale, φ in 2⁻¹⁶ of
    a turn. k = 0 is DC times cos φ, so that its phase is left 0. A sine's top is 1 − 2⁻¹⁷. Products are cut
    to 2⁻²⁰, their sum is rounded to 2⁻¹⁶ and saturates at −1 and 1 − 2⁻¹⁶.

    Time. A boundary is the strobe of every 256th tick since reset, whether on or not: the last tick of a
    sample's bits. There the six values computed since the last boundary begin to be held, θ grows by `step`, and
    the engine starts on the next values: 8·i + 4 clocks after the boundary it fetches register i, with what the
    host has written up to that clock; it is done after 391. The host's accesses must not be in clocks next to each
    other. Holding for 256 ticks dampens by sinc(f/13021 Hz): 3.5e-5 at 60 Hz. Its images lie f beside multiples of
    13 021 Hz, the first of 60 Hz at 1/216 of it, and there the band filter is 100 dB down; ÷2 folds them onto f
    itself, where they change the gain by less than 1e-7.

    On and off. `on` is looked at in strobes. A strobe without it puts all back to zero: integrators, held and next
    values, θ. So the first bits after switching on are ones, the input stays 0 up to the second boundary, and the
    value held from there on is that of θ = step. Off, only the count of ticks moves.

    Modulators. Those of drivers/sim/modulator.py; with v = +1 if y ≥ 0 else −1, in every strobe

        x' = x + u − v
        y' = y + x − 2v,   x cut to 2⁻⁸;   y' = y while y ≥ 32 and x ≥ 0, or y < −32 and x < 0

    A cut of 2⁻⁸ ahead of the second integrator is shaped once: 1.7e-7 of full scale in 3.2 kHz, below the modulator's
    own 4e-7. Ranges, for any |u| ≤ 1: y passes 32 by one step at most, |y| ≤ 30 + |x|max. x grows only while
    y < 0, by at most 2 a tick, and y then by x + 2: from x = x0 < 2 and y = −(30 + |x|max), the worst, n ticks bring x
    to x0 + 2n and y up by n² + n + x0·n, so |x| < 14.5 and |y| < 45: within the 5 and 7 bits they have. Waves
    within 0.9 keep |y| below 20; beyond, the hold lets the loop recover at once.

    `sine_*` is a user's side of a Sine, needed only in the first 391 clocks after a boundary.
    """

    def __init__(self) -> None:
        assert max(SINE_LATENCY, SINE_INTERVAL) < _BEATS, "a late sine must be there for the next term's beat 4"
        super().__init__(
            {
                "on": In(1),
                "tick": In(1),
                "step": In(32),
                "bits": Out(CHANNELS),
                "host_index": In(6),
                "host_read": In(1),
                "host_data": Out(32),
                "host_write": In(1),
                "host_value": In(32),
                "sine_phase": Out(PHASE_BITS),
                "sine_enable": Out(1),
                "sine_value": In(signed(VALUE_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = Signal(HOLD_TICKS_LOG2)
        active = Signal()
        boundary = Signal()
        stop = Signal()
        m.d.comb += [
            boundary.eq(self.tick & self.on & count.all()),
            stop.eq(self.tick & ~self.on & active),
        ]
        with m.If(self.tick):
            m.d.sync += [count.eq(count + 1), active.eq(self.on)]

        coming = [Signal(signed(U_BITS + 1), name=f"coming_{c}") for c in range(CHANNELS)]
        self._modulators(m, coming, boundary, stop)
        self._engine(m, coming, boundary, stop)
        return m

    def _modulators(self, m: Module, coming: list[Signal], boundary: Signal, stop: Signal) -> None:
        for c, value in enumerate(coming):
            u = Signal(signed(U_BITS + 1), name=f"u_{c}")
            x = Signal(signed(5 + U_BITS), name=f"x_{c}")
            y = Signal(signed(7 + Y_BITS), name=f"y_{c}")
            high = ~y[-1]
            # u − v by its bits alone, as |u| ≤ 1.
            difference = Cat(u[:-1], ~u[-1], high).as_signed()
            cut = x >> (U_BITS - Y_BITS)
            # x − 2v: 2 is bit Y_BITS + 1, the bits below it stay as they are.
            feedback = Cat(cut[: Y_BITS + 1], (cut >> (Y_BITS + 1)) + Cat(1, high).as_signed()).as_signed()
            held = (y[-1] ^ y[-2]) & ~(x[-1] ^ y[-1])
            m.d.comb += self.bits[c].eq(high)
            with m.If(stop):
                m.d.sync += [u.eq(0), x.eq(0), y.eq(0)]
            with m.Elif(self.tick & self.on):
                m.d.sync += x.eq(x + difference)
                with m.If(~held):
                    m.d.sync += y.eq(y + feedback)
                with m.If(boundary):
                    m.d.sync += u.eq(value)

    def _engine(self, m: Module, coming: list[Signal], boundary: Signal, stop: Signal) -> None:
        waves = Memory(shape=32, depth=64, init=[])
        m.submodules.waves = waves
        fetch, store = waves.read_port(), waves.write_port()

        # Beat 3 of a term, four clocks from the boundary, fetches its register, beat 4 asks for the sine; each a beat
        # later where the host has the memory. The product is made in beat 4 of the next term, added in beat 5. In
        # beat 6 of term 0 the channel before is complete: seven go into the row of six, in which nothing is
        # then left of the last time.
        running = Signal()
        position = Signal(9)
        beat, term, channel = position[:3], position[3:6], position[6:]
        taken, late, fetching, fetched = Signal(), Signal(), Signal(), Signal()
        theta = Signal(32)
        angle = Signal(PHASE_BITS)
        amplitude = Signal(signed(16))
        product = Signal(signed(16 + VALUE_BITS))
        total = Signal(signed(4 + _SUM_BITS))
        phase = Signal(PHASE_BITS)
        m.d.comb += [
            taken.eq(self.host_read | self.host_write),
            fetching.eq(running & ~taken & ((beat == 3) | (beat == 4) & late)),
            fetched.eq(running & (beat == 4 + late)),
            fetch.addr.eq(Mux(self.host_read, self.host_index, Cat(term, channel))),
            fetch.en.eq(self.host_read | fetching),
            self.host_data.eq(fetch.data),
            store.addr.eq(self.host_index),
            store.data.eq(self.host_value),
            store.en.eq(self.host_write),
            phase.eq(angle + (fetch.data[:16] << PHASE_BITS - 16)),
            self.sine_phase.eq(Cat(phase[:-2], phase[-2:] + (term == 0))),
            self.sine_enable.eq(fetched),
        ]

        drop = _SUM_BITS - U_BITS
        whole = total[drop : _SUM_BITS + 1].as_signed()
        beyond = total[_SUM_BITS:] != total[-1].replicate(4)
        limit = Cat((~total[-1]).replicate(U_BITS), total[-1]).as_signed()
        with m.If(stop):
            m.d.sync += [running.eq(0), theta.eq(0), *(value.eq(0) for value in coming)]
        with m.Elif(boundary):
            m.d.sync += [running.eq(1), position.eq(0), angle.eq(0), theta.eq(theta + self.step)]
        with m.Elif(running):
            m.d.sync += position.eq(position + 1)
            with m.If(beat == 3):
                m.d.sync += late.eq(taken)
            with m.If(fetched):
                m.d.sync += amplitude.eq(fetch.data[16:].as_signed())
            with m.If(beat == 4):
                m.d.sync += product.eq(amplitude * self.sine_value)
            with m.If(beat == 5):
                m.d.sync += total.eq(total + (product >> 2 * 15 + 2 - _SUM_BITS))
            with m.If(beat == 6):
                m.d.sync += angle.eq(Mux(term == PHANTOM_TERMS - 1, 0, angle + theta[-PHASE_BITS:]))
                with m.If(term == 0):
                    m.d.sync += [
                        *(v.eq(w) for v, w in zip(coming, [*coming[1:], Mux(beyond, limit, whole)], strict=True)),
                        total.eq(1 << drop - 1),
                        running.eq(channel != CHANNELS),
                    ]
