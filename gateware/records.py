"""Records: summed in one of two banks, copied into a ring to wait for the host, merged rather than dropped."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gateware.chain import Chain
from gateware.correlator import schedule
from gateware.record_words import HEADER_WORDS, RECORD_WORDS, RecordFlag
from gateware.registers import CHANNELS, SAMPLE_BITS, TICK_BITS
from gateware.ring_memory import RingMemory

_BEGIN, _END = 1, 2
"""Header words with the ticks where a record begins and ends."""


_CLOSE, _COPY, _COPIED = 24, 96, 224
"""What counts the clocks of a closing begins at _CLOSE, with the header. A word is copied every other clock, from _COPY
to before _COPIED, which is 64 words in all, the 49th first. These three make the fewest cells of it."""

CLOSING_CLOCKS = _COPIED - _CLOSE + 1
"""Clocks from the decision that closes a bank to the one in which it has been copied."""

_FIRST_SUM = HEADER_WORDS + 4
"""Clocks from _CLOSE to the first sum that is read for the next bank."""


class Records(wiring.Component):
    """Two banks of 64 words, one of them being summed into, and the ring in which up to `chain.ring` records wait.

    At each sample set (`decided`), before the sums:

    ==========  =================  ======================================================================
    closes      the ring has room  what happens
    ==========  =================  ======================================================================
    no          –                  the sample joins the bank in progress
    yes         yes                the bank's header is written, the other bank begins afresh with this
                                   sample, and then the closed one is copied into the ring
    yes         no                 the sample joins all the same: the record covers one window more
    ==========  =================  ======================================================================

    so a host that does not read loses no energy, only resolution, and that only once the ring is full. A closing with
    no sample yet does nothing. Then `start` strobes for the correlator, and `data` are the sums so far of what it reads
    in the bank in progress, zeros for a bank's first sample, which `clear` tells; in that clock the tick where the
    bank begins is written, the rest of its header when it closes. The host sees `level` waiting records, reads words
    of the oldest (`fetch`, answered by `fetched` at most two clocks later), and drops it with `pop`.

    The ring has one port (RingMemory): the copy writes it every other clock, the host reads in between. With `spram` it
    is an iCE40UP5K's single-port memory, and the zeros come from rows of the banks' block RAM that nothing writes.
    """

    def __init__(self, chain: Chain, spram: bool = False) -> None:
        self._chain = chain
        self._spram = spram
        between = chain.clocks_per_tick * chain.ticks_per_sample
        assert CLOSING_CLOCKS + 1 < between, "a bank must be copied before the next sample set comes"
        summed = _CLOSE + _FIRST_SUM + len(schedule(chain.capabilities))
        assert summed <= _COPY, "the sums and the copy share a port"
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
                "level": Out(range(chain.record_slots)),
                "oldest": Out(8),
                "fetch": In(1),
                "fetch_word": In(range(RECORD_WORDS)),
                "fetched": Out(1),
                "word": Out(64),
                "pop": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        chain = self._chain
        # Block RAM has 256 rows for the banks; where the ring is made of it, all of it is for the ring.
        rows = (4 if self._spram else 2) * RECORD_WORDS
        style = {} if self._spram else {"ram_style": "distributed"}
        m.submodules.banks = banks = Memory(shape=64, depth=rows, init=[], attrs=style)
        read_port, write_port = banks.read_port(), banks.write_port()
        m.submodules.ring = ring = RingMemory(chain.record_slots * RECORD_WORDS, self._spram)

        # What the bank in progress has gathered so far.
        bank = Signal()
        sequence = Signal(32)
        windows = Signal(24)
        samples = Signal(32)
        cycles = Signal(24)
        overload = Signal(CHANNELS)
        dead = Signal(CHANNELS)
        phantom = Signal()
        previous = Signal(TICK_BITS, init=chain.tick_start)
        from_crossing = Signal()

        # Header: one word a clock while `writing` counts, but for the tick of the bank's begin, which is there; then
        # the switch to the next bank.
        step = Signal(range(_COPIED + 1))
        writing = step[: HEADER_WORDS.bit_length()]
        last = Signal()
        closing = Signal()
        switch = Signal()
        copying = Signal()
        moving = Signal()
        copied = Signal()
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
                m.d.comb += header.eq(Cat(cycles, Const(0, 8), samples))
            with m.Case(4):
                before, after = Signal(signed(32)), Signal(signed(32))
                m.d.comb += [before.eq(self.before), after.eq(self.after), header.eq(Cat(after, before))]
            with m.Case(5):
                m.d.comb += header.eq(Cat(dead, Signal(2), overload, Signal(18), self.config_digest))
            with m.Case(6):
                m.d.comb += header.eq(self.oscillator_step)
        m.d.comb += [last.eq(writing == HEADER_WORDS), switch.eq(closing & last)]

        ends, room = Signal(), Signal()
        m.d.comb += [ends.eq(self.decided & self.closes & (samples != 0)), room.eq(self.level != chain.ring)]
        m.d.sync += self.start.eq(switch)
        with m.If(self.decided):
            with m.If(ends):
                m.d.sync += [windows.eq(windows + 1), cycles.eq(cycles + self.crossing)]
            with m.If(ends & room):
                m.d.sync += [closing.eq(1), step.eq(_CLOSE)]
            with m.Else():
                m.d.sync += self.start.eq(1)
        with m.Elif(closing | copying):
            m.d.sync += step.eq(step + 1)

        # The sample joins its bank one clock before the correlator starts on it.
        joins = Signal()
        m.d.comb += joins.eq(switch | (self.decided & ~(ends & room)))
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
                copying.eq(1),
                bank.eq(~bank),
                windows.eq(0),
                cycles.eq(0),
                samples.eq(1),
                self.clear.eq(1),
                overload.eq(self.overload),
                dead.eq(self.dead),
                phantom.eq(self.phantom),
                from_crossing.eq(self.crossing),
            ]

        # The copy: a word is read in one clock and written into the ring in the next.
        writes = Signal()
        m.d.comb += [
            moving.eq(copying & (step >= _COPY)),
            copied.eq(copying & (step == _COPIED)),
            writes.eq(moving & step[0]),
        ]
        with m.If(copied):
            m.d.sync += [copying.eq(0), sequence.eq(sequence + 1)]

        # The ring.
        with m.If(copied & ~self.pop):
            m.d.sync += self.level.eq(self.level + 1)
        with m.Elif(self.pop & ~copied):
            m.d.sync += self.level.eq(self.level - 1)
        oldest = Signal(32)
        m.d.comb += [oldest.eq(sequence - self.level), self.oldest.eq(oldest)]
        newest_slot, oldest_slot = self._slots(m, sequence, oldest, copied)

        m.d.comb += [
            read_port.addr.eq(Mux(moving, Cat(step[1:7], ~bank), Cat(self.sum_read, bank, self.clear & self._spram))),
            read_port.en.eq(self.summing | (moving & ~step[0])),
            self.data.eq(read_port.data if self._spram else Mux(self.clear, 0, read_port.data)),
            write_port.addr.eq(Cat(Mux(self.sum_write, self.sum_word, word), bank)),
            write_port.data.eq(Mux(self.sum_write, self.sum_data, header)),
            write_port.en.eq(
                self.sum_write | begins | (closing & (writing != _BEGIN) & ~last),
            ),
        ]

        # One port: the copy first, the host in between.
        waiting = Signal()
        m.d.comb += [
            ring.write.eq(writes),
            ring.write_word.eq(Cat(step[1:7], newest_slot)),
            ring.value.eq(read_port.data),
            ring.read.eq(waiting & ~writes),
            ring.read_word.eq(Cat(self.fetch_word, oldest_slot)),
            self.word.eq(ring.data),
        ]
        m.d.sync += self.fetched.eq(ring.read)
        with m.If(self.fetch):
            m.d.sync += waiting.eq(1)
        with m.Elif(ring.read):
            m.d.sync += waiting.eq(0)
        return m

    def _slots(self, m: Module, sequence: Signal, oldest: Signal, copied: Signal) -> tuple[Value, Value]:
        """The slots of the ring that the copy fills and that has the oldest record.

        Where a sequence modulo the slots names its own, there is nothing to keep.
        """
        slots, log2 = self._chain.record_slots, self._chain.slots_log2
        if slots == 1 << log2:
            return sequence[:log2], oldest[:log2]
        newest_slot = Signal(range(slots))
        oldest_slot = Signal(range(slots))
        for slot, moves in ((newest_slot, copied), (oldest_slot, self.pop)):
            with m.If(moves):
                m.d.sync += slot.eq(Mux(slot == slots - 1, 0, slot + 1))
        return newest_slot, oldest_slot
