"""Waveform capture: every sample set into a ring, stopped around a trigger, for the host to read."""

from __future__ import annotations

from amaranth import Array, Cat, Const, Module, Signal, signed
from amaranth.lib import wiring
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
from gateware.ring_memory import RingMemory

SET_WORDS = 2
"""Words of a sample set: the voltages with the CaptureFlag bits, then the currents; 20 bits each from bit 0 on."""


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

    def __init__(self, chain: Chain) -> None:
        self._log2 = chain.capture_log2
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
        m.submodules.ring = ring = RingMemory(SET_WORDS << self._log2, spram=False)
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
