"""The one adder of the pulse counters: counts, comparisons of ticks and intervals, state by state."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.counter_states import EngineState
from gateware.registers import TICK_BITS, CounterWord


class CounterArithmetic(wiring.Component):
    """total = word + operand + carry_in, where the state chooses the operand.

    word + ~x is word − x − 1, that is ~(x − word). `value` goes to the memory: the total if the state `sums`, else
    the operand's complement, which is the stamp's lower or upper part, the interval, or what clearing leaves
    in `place`, the word of a counter.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "state": In(EngineState),
                "word": In(32),
                "stamp": In(TICK_BITS),
                "kept": In(32),  # ~interval; 0 if it is longer than 32 bits
                "place": In(3),
                "carry_in": In(1),
                "sums": In(1),
                "total": Out(32),
                "carry": Out(1),
                "value": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        operand = Signal(32)
        m.d.comb += [
            Cat(Signal(1), self.total, self.carry).eq(Cat(Const(1, 1), self.word) + Cat(self.carry_in, operand)),
            self.value.eq(Mux(self.sums, self.total, ~operand)),
        ]
        high = Signal()
        constant, other = Signal(), Signal()  # the operand: one bit repeated, or `kept` instead of ~stamp
        with m.Switch(self.state):
            with m.Case(EngineState.COUNT, EngineState.ILLEGAL):
                m.d.comb += constant.eq(1)
            with m.Case(EngineState.LIMIT):
                m.d.comb += [constant.eq(1), other.eq(1)]
            with m.Case(EngineState.CLEAR):  # zeroes, but for the shortest interval, so that any is shorter
                m.d.comb += [constant.eq(1), other.eq(self.place != CounterWord.SHORTEST)]
            with m.Case(EngineState.SHORTEST, EngineState.LONGEST):
                m.d.comb += other.eq(1)
            with m.Case(EngineState.OPEN_HI, EngineState.CLOSE_HI, EngineState.LAST_HI, EngineState.FIRST_HI):
                m.d.comb += high.eq(1)
        part = Mux(high, self.stamp[32:], self.stamp[:32])
        m.d.comb += operand.eq(Mux(constant, other.replicate(32), Mux(other, self.kept, ~part)))
        return m
