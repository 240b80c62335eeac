"""The sine generator: a quarter wave in one memory, interpolated with one small multiplier."""

from math import pi, sin

from amaranth import C, Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

PHASE_BITS = 24
VALUE_BITS = 18
FULL_SCALE = (1 << VALUE_BITS - 1) - 1
"""Amplitude of the sine."""

SINE_LATENCY = 7
"""Clocks from the one of `enable` to the first in which `value` is that phase's."""
SINE_INTERVAL = 4
"""Fewest clocks from one `enable` to the next."""

_SEGMENTS = 256
_FRACTION_BITS = PHASE_BITS - 2 - 8
_TABLE_BITS = 16
_BELOW = 5
"""Bits below the unit of `value` that a quarter's phase has as a straight line."""

_CHORDS = 1 + (pi / 2 / _SEGMENTS) ** 2 / 12
"""Chords lie inside their arc; nodes this much further out let them cross it, and keep the fundamental exact."""

TABLE: tuple[int, ...] = tuple(
    1 + round(2 * (FULL_SCALE * _CHORDS * sin(pi / 2 * i / _SEGMENTS) - (FULL_SCALE + 1) * i / _SEGMENTS))
    for i in range(_SEGMENTS)
)
"""How far the quarter wave is above the straight line from 0 to its top, in halves of the value's unit.

Above the line it takes 16 bits, and is 0 at both ends, so that the address may wrap. The 1 is what rounds.
"""


class Sine(wiring.Component):
    """value = sin(2π·phase / 2**24)·(2**17 − 1), within 1.15 units: 2**-16.8 of full scale.

    sin(−φ) = −sin φ, sin(½ − φ) = sin φ and sin 0 = 0 hold exactly; the fundamental's amplitude is right to 1e-7.
    A phase is taken in a clock with `enable` and its value is there SINE_LATENCY clocks later, until the
    next comes. Throughput one phase every SINE_INTERVAL clocks, because a value needs two reads of the one memory.
    """

    def __init__(self) -> None:
        super().__init__({"phase": In(PHASE_BITS), "enable": In(1), "value": Out(signed(VALUE_BITS))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        table = Memory(shape=_TABLE_BITS, depth=_SEGMENTS, init=TABLE)
        m.submodules.table = table
        fetch = table.read_port()

        phase = Signal(PHASE_BITS)
        stage = Signal(SINE_LATENCY - 1)
        within, falling, lower_half = phase[:-2], phase[-2], phase[-1]
        fraction, segment = within[:_FRACTION_BITS], within[_FRACTION_BITS:]

        # In a falling quarter the segments are gone through from their far ends, backwards.
        mirrored = segment ^ falling.replicate(len(segment))
        near, chord, line = Signal(_TABLE_BITS), Signal(signed(12)), Signal(VALUE_BITS - 1 + _BELOW + 1)
        product = Signal(signed(len(chord) + _FRACTION_BITS))
        magnitude, negative = Signal(VALUE_BITS), Signal()
        run = within ^ falling.replicate(len(within))
        m.d.comb += [
            fetch.addr.eq(mirrored + Mux(stage[0], falling, ~falling)),
            fetch.en.eq(stage[0] | stage[1]),
        ]
        with m.If(self.enable):
            m.d.sync += phase.eq(self.phase)
        with m.If(self.enable | stage.any()):
            m.d.sync += stage.eq(Cat(self.enable, stage))
            with m.If(stage[1]):
                rising = Cat(C(1, 1), run) + Cat(falling, C(0, _BELOW - 1), fetch.data)  # a carry that adds `falling`
                m.d.sync += [near.eq(fetch.data), line.eq(rising >> 1)]
            with m.If(stage[2]):
                m.d.sync += chord.eq(fetch.data - near)
            with m.If(stage[3]):
                m.d.sync += [product.eq(chord * fraction), negative.eq(lower_half)]
            with m.If(stage[4]):
                m.d.sync += magnitude.eq(((product >> len(product) - 16) + line) >> _BELOW)
            with m.If(stage[5]):
                held = magnitude[:-1] | magnitude[-1].replicate(VALUE_BITS - 1)  # the very top would be one too high
                m.d.sync += self.value.eq(Mux(negative, -held, held))
        return m
