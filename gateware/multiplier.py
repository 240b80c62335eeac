"""The one multiplier, shared by the filter and the correlator, which never work at the same time."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

A_BITS = 23
"""A CIC value, or a sample."""
B_BITS = 20
"""A filter tap, or a sample."""
P_BITS = A_BITS + B_BITS


class Multiplier(wiring.Component):
    """p = a·b two clocks after the operands: the filter's while it is busy, or the correlator's.

    Operands and product are registers of the DSP block, which takes only those that have no reset. It works while
    either user is busy, and for a clock longer.
    """

    filtering: In(1)
    summing: In(1)
    fir_a: In(signed(A_BITS))
    fir_b: In(signed(B_BITS))
    sum_a: In(signed(A_BITS))
    sum_b: In(signed(B_BITS))
    p: Out(signed(P_BITS))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a = Signal(signed(A_BITS), reset_less=True)
        b = Signal(signed(B_BITS), reset_less=True)
        p = Signal(signed(P_BITS), reset_less=True)
        m.d.comb += self.p.eq(p)
        with m.If(self.filtering | self.summing):
            m.d.sync += [
                a.eq(Mux(self.filtering, self.fir_a, self.sum_a)),
                b.eq(Mux(self.filtering, self.fir_b, self.sum_b)),
                p.eq(a * b),
            ]
        return m
