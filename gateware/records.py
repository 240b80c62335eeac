"""Record memory and FIFO: windows wait here for the host, and are merged rather than dropped."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gateware.chain import Chain
from gateware.registers import CHANNELS, HEADER_WORDS, RECORD_WORDS, SAMPLE_BITS, TICK_BITS, RecordFlag

_BEGIN, _END = 1, 2
"""Header words with the ticks where a record begins and ends."""


class Records(wiring.Component):
    """`banks` memories of 64 words in a ring: one is being summed into, up to banks − 1 wait for the host.

    At each sample set (`decided`), before the sums:

    ==========  ===============  ========================================================================
    closes      a bank is free   what happens
    ==========  ===============  ========================================================================
    no          –                the sample joins the bank in progress
    yes         yes              its header is written, it starts to wait, the next bank begins afresh
    yes         no               the sample joins all the same: the record will cover one window more
    ==========  ===============  ========================================================================

    so a host that does not read loses no energy, only resolution. A closing with no sample yet does nothing.
    Then `start` strobes for the correlator, with `clear` for a bank's first sample; in that clock the tick where the
    bank begins is written, the rest of its header when it closes. The host sees `level`
    waiting records, reads words of the oldest (`fetch`, answered by `fetched` when the correlator leaves the
    memory free, at most 64 clocks later), and drops it with `pop`.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        super().__init__(
            {
                "decided": In(1),
                "closes": In(1),
                "crossing": In(1),
                "commanded": In(1),
                "timed": In(1),
                "before": In(signed(SAMPLE_BITS)),
                "after": In(signed(SAMPLE_BITS)),
                "stamp": In(TICK_BITS),
                "overload": In(CHANNELS),
                "dead": In(CHANNELS),
                "overrun": In(1),
                "phantom": In(1),
                "config_digest": In(32),
                "oscillator_step": In(32),
                # to and from the correlator
                "start": Out(1),
                "clear": Out(1),
                "summing": In(1),
                "sum_read": In(range(RECORD_WORDS)),
                "sum_write": In(1),
                "sum_word": In(range(RECORD_WORDS)),
                "sum_data": In(64),
                "data": Out(64),
                # to and from the host
                "level": Out(range(chain.banks)),
                "oldest": Out(8),
                "fetch": In(1),
                "fetch_word": In(range(RECORD_WORDS)),
                "fetched": Out(1),
                "pop": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        banks_log2 = self._chain.banks_log2
        full = self._chain.banks - 1

        memory = Memory(shape=64, depth=RECORD_WORDS << banks_log2, init=[])
        m.submodules.memory = memory
        read_port, write_port = memory.read_port(), memory.write_port()

        # What the bank in progress has gathered so far.
        bank = Signal(banks_log2)
        sequence = Signal(32)
        windows = Signal(24)
        samples = Signal(32)
        cycles = Signal(32)
        overload = Signal(CHANNELS)
        dead = Signal(CHANNELS)
        phantom = Signal()
        previous = Signal(TICK_BITS, init=self._chain.tick_start)
        from_crossing = Signal()

        # Header: one word a clock while `writing` counts, but for the tick of the bank's begin, which is there; then
        # the switch to the next bank.
        writing = Signal(range(HEADER_WORDS + 1))
        closing = Signal()
        switch = Signal()
        flags = Signal(8)
        header = Signal(64)
        for flag, value in (
            (RecordFlag.START_CROSSING, from_crossing),
            (RecordFlag.END_CROSSING, self.crossing),
            (RecordFlag.END_TIMED, self.timed),
            (RecordFlag.END_COMMANDED, self.commanded),
            (RecordFlag.OVERRUN, self.overrun),
            (RecordFlag.PHANTOM, phantom),
        ):
            m.d.comb += flags[int(flag).bit_length() - 1].eq(value)
        begins = Signal()
        word = Signal(range(HEADER_WORDS + 1))
        m.d.comb += [begins.eq(self.start & self.clear), word.eq(Mux(begins, _BEGIN, writing))]
        with m.If(self.start):
            m.d.sync += previous.eq(self.stamp)
        with m.Switch(word):
            with m.Case(0):
                m.d.comb += header.eq(Cat(flags, windows, sequence))
            with m.Case(_BEGIN, _END):
                m.d.comb += header.eq(previous)
            with m.Case(3):
                m.d.comb += header.eq(Cat(cycles, samples))
            with m.Case(4):
                before, after = Signal(signed(32)), Signal(signed(32))
                m.d.comb += [before.eq(self.before), after.eq(self.after), header.eq(Cat(after, before))]
            with m.Case(5):
                m.d.comb += header.eq(Cat(dead, Signal(2), overload, Signal(18), self.config_digest))
            with m.Case(6):
                m.d.comb += header.eq(self.oscillator_step)
        m.d.comb += switch.eq(closing & (writing == HEADER_WORDS))

        ends = Signal()
        m.d.comb += ends.eq(self.decided & self.closes & (samples != 0))
        m.d.sync += self.start.eq(switch)
        with m.If(self.decided):
            with m.If(ends):
                m.d.sync += [windows.eq(windows + 1), cycles.eq(cycles + self.crossing)]
            with m.If(ends & (self.level != full)):
                m.d.sync += [closing.eq(1), writing.eq(0)]
            with m.Else():
                m.d.sync += self.start.eq(1)
        with m.Elif(closing):
            m.d.sync += writing.eq(writing + 1)

        # The sample joins its bank one clock before the correlator starts on it.
        joins = Signal()
        m.d.comb += joins.eq(switch | (self.decided & ~(ends & (self.level != full))))
        with m.If(joins):
            m.d.sync += [
                samples.eq(samples + 1),
                self.clear.eq(samples == 0),
                overload.eq(overload | self.overload),
                dead.eq(dead | self.dead),
                phantom.eq(phantom | self.phantom),
            ]
        with m.If(switch):
            m.d.sync += [
                closing.eq(0),
                bank.eq(bank + 1),
                sequence.eq(sequence + 1),
                windows.eq(0),
                cycles.eq(0),
                samples.eq(1),
                self.clear.eq(1),
                overload.eq(self.overload),
                dead.eq(self.dead),
                phantom.eq(self.phantom),
                from_crossing.eq(self.crossing),
            ]

        # The ring.
        with m.If(switch & ~self.pop):
            m.d.sync += self.level.eq(self.level + 1)
        with m.Elif(self.pop & ~switch):
            m.d.sync += self.level.eq(self.level - 1)
        m.d.comb += self.oldest.eq(sequence - self.level)

        # One port each way: the correlator first, the host in between.
        waiting = Signal()
        grant = Signal()
        m.d.comb += [
            grant.eq(waiting & ~self.summing),
            read_port.addr.eq(
                Mux(self.summing, Cat(self.sum_read, bank), Cat(self.fetch_word, (bank - self.level)[:banks_log2]))
            ),
            read_port.en.eq(self.summing | grant),
            self.data.eq(read_port.data),
            write_port.addr.eq(Cat(Mux(self.sum_write, self.sum_word, word), bank)),
            write_port.data.eq(Mux(self.sum_write, self.sum_data, header)),
            write_port.en.eq(
                self.sum_write | begins | (closing & (writing != _BEGIN) & (writing != HEADER_WORDS)),
            ),
        ]
        m.d.sync += self.fetched.eq(grant)
        with m.If(self.fetch):
            m.d.sync += waiting.eq(1)
        with m.Elif(grant):
            m.d.sync += waiting.eq(0)
        return m
