"""The correlator: every sum of the record, one after another through the shared multiplier."""

from __future__ import annotations

from amaranth import Array, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gateware.chain import FIR_DECIMATION, TAPS, Chain
from gateware.multiplier import A_BITS, B_BITS, P_BITS
from gateware.registers import CHANNELS, PRODUCTS, RECORD_WORDS, SAMPLE_BITS, WORD_MEANS, WORD_PRODUCTS

ONE = CHANNELS
"""Operand number of the constant 1, which makes a plain sum of a product."""

SCHEDULE: tuple[tuple[int, int, int], ...] = (
    *((WORD_PRODUCTS + i, a, b) for i, (a, b) in enumerate(PRODUCTS)),
    *((WORD_MEANS + c, c, ONE) for c in range(CHANNELS)),
)
"""(record word, operand a, operand b) of each sum. A new sum is a row here, and an operand if it needs one."""


class Correlator(wiring.Component):
    """On `start`, adds x_a·x_b to each word of the SCHEDULE, one a clock; 64-bit sums in the record memory.

    With `clear` the sums begin at the product instead of being added to: a new window needs no clearing pass.
    Drives the read port of the record memory while `busy`, and its write port two clocks behind. One sum a
    clock and three clocks of latency; `overrun` is sticky.
    """

    def __init__(self, chain: Chain) -> None:
        idle = FIR_DECIMATION * chain.clocks_per_output - CHANNELS * (len(TAPS) + 1)
        assert len(SCHEDULE) + 40 < idle, "the sums must be done before the filter needs the multiplier again"
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "samples": In(signed(SAMPLE_BITS)).array(CHANNELS),
                "a": Out(signed(A_BITS)),
                "b": Out(signed(B_BITS)),
                "p": In(signed(P_BITS)),
                "busy": Out(1),
                "read_word": Out(range(RECORD_WORDS)),
                "read_data": In(64),
                "write": Out(1),
                "write_word": Out(range(RECORD_WORDS)),
                "write_data": Out(64),
                "overrun": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = [word | a << 6 | b << 9 for word, a, b in SCHEDULE]
        schedule = Memory(shape=12, depth=len(rows), init=rows)
        m.submodules.schedule = schedule
        fetch = schedule.read_port()

        # Clock 0: fetch a row. 1: operands to the multiplier, sum from the memory. 2: add and write back.
        step = Signal(range(len(rows)))
        fetching = Signal()
        row = fetch.data
        operands = Array([*(self.samples[c] for c in range(CHANNELS)), 1, 0])
        operating = Signal()
        adding = Signal()
        word = Signal(range(RECORD_WORDS))
        fresh = Signal()
        m.d.comb += [
            fetch.addr.eq(step),
            fetch.en.eq(fetching),
            self.a.eq(operands[row[6:9]]),
            self.b.eq(operands[row[9:12]]),
            self.read_word.eq(row[:6]),
            self.busy.eq(fetching | operating),
            self.write.eq(adding),
            self.write_word.eq(word),
            self.write_data.eq(Mux(fresh, 0, self.read_data) + self.p),
        ]
        with m.If(self.busy | adding):
            m.d.sync += [operating.eq(fetching), adding.eq(operating), word.eq(row[:6])]
        with m.If(self.start):
            m.d.sync += [fetching.eq(1), fresh.eq(self.clear), self.overrun.eq(self.overrun | self.busy | adding)]
        with m.Elif(fetching):
            m.d.sync += step.eq(step + 1)
            with m.If(step == len(rows) - 1):
                m.d.sync += [fetching.eq(0), step.eq(0)]
        return m
