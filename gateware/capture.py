"""Waveform capture: every sample set into a ring, stopped around a trigger, for the host to read."""

from __future__ import annotations

from amaranth import Array, Cat, ClockSignal, Const, Instance, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gateware.chain import Chain
from gateware.registers import (
    CHANNELS,
    SAMPLE_BITS,
    TICK_BITS,
    CaptureCommand,
    CaptureFlag,
    CaptureState,
    EventKind,
)

SET_WORDS = 2
"""Words of a sample set: the voltages with the CaptureFlag bits, then the currents; 20 bits each from bit 0 on."""

SPRAM_LOG2 = 13
"""Sample sets that the four SB_SPRAM256KA of an iCE40UP5K hold, log2."""


class RingMemory(wiring.Component):
    """64-bit words, read or written, never both in a clock; `data` is valid in the clock after `read`.

    With `spram` it is four SB_SPRAM256KA, which have one address and which yosys does not infer from a memory with
    initial contents, and an Amaranth memory always has them.
    """

    def __init__(self, words_log2: int, spram: bool) -> None:
        self._spram = spram
        assert not spram or words_log2 <= SPRAM_LOG2 + 1, "an SB_SPRAM256KA has 16384 words"
        super().__init__(
            {
                "write": In(1),
                "write_word": In(words_log2),
                "value": In(64),
                "read": In(1),
                "read_word": In(words_log2),
                "data": Out(64),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if not self._spram:
            memory = Memory(shape=64, depth=1 << len(self.read_word), init=[])
            m.submodules.memory = memory
            read_port, write_port = memory.read_port(), memory.write_port()
            m.d.comb += [
                read_port.addr.eq(self.read_word),
                read_port.en.eq(self.read),
                self.data.eq(read_port.data),
                write_port.addr.eq(self.write_word),
                write_port.data.eq(self.value),
                write_port.en.eq(self.write),
            ]
            return m
        address = Signal(14)
        m.d.comb += address.eq(Mux(self.write, self.write_word, self.read_word))
        for k in range(4):
            part = slice(16 * k, 16 * k + 16)
            m.submodules[f"spram_{k}"] = Instance(
                "SB_SPRAM256KA",
                i_CLOCK=ClockSignal(),
                i_ADDRESS=address,
                i_DATAIN=self.value[part],
                i_MASKWREN=Const(0xF, 4),
                i_WREN=self.write,
                i_CHIPSELECT=self.write | self.read,
                i_STANDBY=Const(0),
                i_SLEEP=Const(0),
                i_POWEROFF=Const(1),  # active low
                o_DATAOUT=self.data[part],
            )
        return m


class Capture(wiring.Component):
    """Writes every sample set into the ring while it turns; all is decided at `done`, one set after the other.

    ===========  ===========  ==============================================================================
    state        ring         leaves by itself when
    ===========  ===========  ==============================================================================
    IDLE         stands       –
    RUNNING      turns        –
    ARMED        turns        a trigger source fires at this set, which is marked: TRIGGERED
    TRIGGERED    turns        `after` more sets (at least one) have been written: DONE
    DONE         stands       –
    ===========  ===========  ==============================================================================

    The commands STOP, RUN and ARM lead to IDLE, RUNNING and ARMED from anywhere, at once. Trigger sources are the
    crossing of `level` by a channel (from below it to it or above; `falling`: the other way) and the begin of an
    event whose kind is in the mask. What the host can do itself is not here: it lets the ring run for as long as
    it wants sets before the trigger, then arms; and it triggers by stopping, as every set's tick is known.

    Behind the newest set's words lies its tick, to be overwritten by the next set, so a ring of 2**capture_log2
    sets keeps one less. The host reads words with `fetch`, answered by `fetched` when the ring is not being written,
    at most five clocks later, with `word` valid in that clock.
    """

    def __init__(self, chain: Chain, spram: bool = False) -> None:
        self._log2 = chain.capture_log2
        self._spram = spram
        super().__init__(
            {
                "valid": In(1),
                "channel": In(range(CHANNELS)),
                "value": In(signed(SAMPLE_BITS)),
                "done": In(1),
                "samples": In(signed(SAMPLE_BITS)).array(CHANNELS),
                "stamp": In(TICK_BITS),
                "closes": In(1),
                "begins": In(1),
                "kind": In(range(len(EventKind))),
                # registers
                "command": In(2),
                "commanded": In(1),
                "trigger": In(32, init=7 << 20),
                "after": In(16),
                "state": Out(32),
                # to and from the host
                "fetch": In(1),
                "fetch_word": In(self._log2 + 1),
                "fetched": Out(1),
                "word": Out(64),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.ring = ring = RingMemory(self._log2 + 1, self._spram)
        state = Signal(CaptureState)
        place = Signal(self._log2)
        m.d.comb += self.state.eq(Cat(state, Const(0, 1), Const(self._log2, 4), Const(0, 8), place))

        # Sources.
        level, channel = self.trigger[:SAMPLE_BITS].as_signed(), self.trigger[20:23]
        falling, kinds = self.trigger[23], self.trigger[24:]
        armed = state == CaptureState.ARMED
        above, reached, fired = Signal(), Signal(), Signal()
        m.d.comb += above.eq(self.value >= level)
        with m.If(self.valid & (self.channel == channel)):
            m.d.sync += reached.eq(above)
            with m.If(armed & (above != reached) & (above != falling)):
                m.d.sync += fired.eq(1)
        with m.If(self.begins & armed & Array(kinds)[self.kind]):
            m.d.sync += fired.eq(1)

        # States.
        left = Signal(16)
        writing = Signal(range(SET_WORDS + 2))
        mark = Signal()
        with m.If(self.done):
            with m.Switch(state):
                with m.Case(CaptureState.RUNNING, CaptureState.ARMED, CaptureState.TRIGGERED):
                    m.d.sync += writing.eq(1)
            with m.If(armed):
                m.d.sync += [left.eq(self.after), mark.eq(fired), fired.eq(0)]
                with m.If(fired):
                    m.d.sync += state.eq(CaptureState.TRIGGERED)
            with m.Else():
                m.d.sync += [left.eq(left - 1), mark.eq(0)]
                with m.If((state == CaptureState.TRIGGERED) & (left <= 1)):
                    m.d.sync += state.eq(CaptureState.DONE)
        with m.If(self.commanded):
            m.d.sync += fired.eq(0)
            with m.Switch(self.command):
                with m.Case(CaptureCommand.STOP):
                    m.d.sync += state.eq(CaptureState.IDLE)
                with m.Case(CaptureCommand.RUN):
                    m.d.sync += state.eq(CaptureState.RUNNING)
                with m.Case(CaptureCommand.ARM):
                    m.d.sync += state.eq(CaptureState.ARMED)

        # Writing: voltages, currents, then the tick where the next set will begin.
        flags = Signal(4)
        m.d.comb += [
            flags[CaptureFlag.WINDOW.bit_length() - 1].eq(self.closes),
            flags[CaptureFlag.TRIGGER.bit_length() - 1].eq(mark),
        ]
        with m.If(writing != 0):
            m.d.sync += writing.eq(writing + 1)
            with m.If(writing == SET_WORDS):
                m.d.sync += place.eq(place + 1)
        with m.Switch(writing):
            with m.Case(1):
                m.d.comb += ring.value.eq(Cat(self.samples[0], self.samples[1], self.samples[2], flags))
            with m.Case(2):
                m.d.comb += ring.value.eq(Cat(self.samples[3], self.samples[4], self.samples[5]))
            with m.Case(3):
                m.d.comb += ring.value.eq(self.stamp)

        # The host has what clocks the writing leaves.
        waiting = Signal()
        m.d.comb += [
            ring.write.eq(writing != 0),
            ring.write_word.eq(Cat(writing == SET_WORDS, place)),
            ring.read.eq(waiting & (writing == 0)),
            ring.read_word.eq(self.fetch_word),
            self.word.eq(ring.data),
        ]
        m.d.sync += self.fetched.eq(ring.read)
        with m.If(self.fetch):
            m.d.sync += waiting.eq(1)
        with m.Elif(ring.read):
            m.d.sync += waiting.eq(0)
        return m
