"""The correlator: every sum of the record, one after another through the shared multiplier."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from amaranth import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gateware.chain import FIR_DECIMATION, TAPS, Chain
from gateware.multiplier import A_BITS, B_BITS, P_BITS
from gateware.record_words import PRODUCTS, RECORD_WORDS, WORD_DELAYED, WORD_MEANS, WORD_PHASORS, WORD_PRODUCTS
from gateware.registers import CHANNELS, LINE_50_BITS, SAMPLE_BITS, VOLTAGES, Capability, td_delay
from gateware.sine import VALUE_BITS


class Operand(IntEnum):
    """Second factor of a sample's product, besides the samples 0 to 5."""

    ONE = 6
    """The constant 1, which makes a plain sum of a product."""
    DELAYED = 7
    """A voltage some samples ago; which, the row before says."""
    COS = 8
    SIN = 9


class ScheduleRow(NamedTuple):
    """One sum: record word, channel a, operand b, and for DELAYED the voltage."""

    word: int
    a: int
    b: int
    voltage: int = 0


def schedule(capabilities: Capability) -> list[ScheduleRow]:
    """The sums of a build in the order they are made. A new sum is a row here, and an operand if it needs one."""
    rows = [ScheduleRow(WORD_PRODUCTS + i, a, b) for i, (a, b) in enumerate(PRODUCTS)]
    if Capability.DELAYED_PRODUCTS in capabilities:
        for k in range(VOLTAGES):
            rows += [ScheduleRow(WORD_DELAYED + VOLTAGES * c + k, c, Operand.DELAYED, k) for c in range(CHANNELS)]
    if Capability.PHASORS in capabilities:
        for c in range(CHANNELS):
            rows.append(ScheduleRow(WORD_PHASORS + 2 * c, c, Operand.COS))
            rows.append(ScheduleRow(WORD_PHASORS + 2 * c + 1, c, Operand.SIN))
    return [*rows, *(ScheduleRow(WORD_MEANS + c, c, Operand.ONE) for c in range(CHANNELS))]


class Correlator(wiring.Component):
    """On `start`, adds x_a·y_b to each word of the schedule, one a clock; 64-bit sums in the record memory.

    The sum so far is what `read_data` says, zero in a new record: it needs no clearing pass.
    Drives the read port of the record memory while `busy`, and its write port a clock behind. One sum a
    clock and four clocks of latency; `overrun` is sticky. `cos` and `sin` must be there when the first phasor is
    due, PHASOR_CLOCKS after `start`, and so must `line_50`, by which the delayed voltages, which it keeps itself, are
    those of a quarter cycle of 50 Hz instead of 60 Hz ago.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._rows = schedule(chain.capabilities)
        idle = FIR_DECIMATION * chain.clocks_per_output - CHANNELS * (len(TAPS) + 1)
        assert len(self._rows) + 40 < idle, "the sums must be done before the filter needs the multiplier again"
        self._quarters = chain.quarter, td_delay(chain.quarter, 1 << LINE_50_BITS)
        assert self._quarters[1] < 1 << _PLACE_BITS, "the delay line is too short"
        super().__init__(
            {
                "start": In(1),
                "line_50": In(1),
                "samples": In(signed(SAMPLE_BITS)).array(CHANNELS),
                "cos": In(signed(VALUE_BITS)),
                "sin": In(signed(VALUE_BITS)),
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
        rows = self._rows
        ahead = [row.voltage for row in rows[1:]] + [0]  # a delayed voltage is fetched while the row before works
        words = [r.word | r.a << 6 | r.b << 9 | k << 13 for r, k in zip(rows, ahead, strict=True)]
        m.submodules.schedule = table = Memory(shape=15, depth=len(words), init=words)
        fetch = table.read_port()

        # Clock 0: fetch a row. 1: its operands. 2: multiply, and fetch the sum. 3: add and write back.
        step = Signal(range(len(rows)))
        fetching = Signal()
        row = fetch.data
        operating, reading, adding = Signal(), Signal(), Signal()
        word, written = Signal(range(RECORD_WORDS)), Signal(range(RECORD_WORDS))
        first = operating & (row[:6] < WORD_PRODUCTS + VOLTAGES)  # v1·v1, v1·v2, v1·v3: b is each voltage once
        delayed = self._delay_line(m, first, row[9:11], row[13:15]) if Operand.DELAYED in self._operands else 0
        samples = [self.samples[c] for c in range(CHANNELS)]
        m.d.comb += [
            fetch.addr.eq(step),
            fetch.en.eq(fetching),
            self.a.eq(Array(samples)[row[6:9]]),
            self.b.eq(Array([*samples, 1, delayed, self.cos, self.sin][: max(self._operands) + 1])[row[9:13]]),
            self.read_word.eq(word),
            self.busy.eq(fetching | operating | reading),
            self.write.eq(adding),
            self.write_word.eq(written),
            self.write_data.eq(self.read_data + self.p),
        ]
        with m.If(self.busy | adding):
            m.d.sync += [operating.eq(fetching), reading.eq(operating), adding.eq(reading)]
            m.d.sync += [word.eq(row[:6]), written.eq(word)]
        with m.If(self.start):
            m.d.sync += [fetching.eq(1), self.overrun.eq(self.overrun | self.busy | adding)]
        with m.Elif(fetching):
            m.d.sync += step.eq(step + 1)
            with m.If(step == len(rows) - 1):
                m.d.sync += [fetching.eq(0), step.eq(0)]
        return m

    @property
    def _operands(self) -> set[int]:
        return {row.b for row in self._rows}

    def _delay_line(self, m: Module, store: Value, stored: Value, wanted: Value) -> Value:
        """The voltage `wanted` a clock before, as it was a quarter cycle ago (0 before reset)."""
        m.submodules.line = line = Memory(shape=signed(SAMPLE_BITS), depth=4 << _PLACE_BITS, init=[])
        write_port, read_port = line.write_port(), line.read_port()
        place = Signal(_PLACE_BITS)
        sixty, fifty = self._quarters
        m.d.comb += [
            write_port.addr.eq(Cat(place, stored)),
            write_port.data.eq(self.b),
            write_port.en.eq(store),
            read_port.addr.eq(Cat((place - Mux(self.line_50, fifty, sixty))[:_PLACE_BITS], wanted)),
            read_port.en.eq(self.busy),
        ]
        with m.If(self.start):
            m.d.sync += place.eq(place + 1)
        return read_port.data


_PLACE_BITS = 7
"""The delay line holds 128 samples a voltage."""

PHASOR_CLOCKS = len(PRODUCTS) + 1
"""Clocks from `start` to the soonest that a build can ask for `cos`."""
