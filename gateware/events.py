"""Events: sag, swell, loss of phase, overload, dead modulators, missing crossings; the tick of each begin and end."""

from __future__ import annotations

from enum import IntEnum

from amaranth import Array, Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gateware.chain import Chain
from gateware.registers import CHANNELS, EVENT_LOG_ENTRIES, NO_CHANNEL, SAMPLE_BITS, TICK_BITS, Channel, EventKind
from gateware.scan import SPACING

COUNT_BITS = 15
MAGNITUDE_BITS = SAMPLE_BITS - 1


def kinds_of(channel: Channel) -> range:
    """The kinds looked at with a channel: the voltages' only there, those of the whole with the last."""
    first = EventKind.OVERLOAD if channel >= Channel.I1 else EventKind.SAG
    last = EventKind.OVERRUN if channel == Channel.I3 else EventKind.DEAD
    return range(first, last + 1)


class EventStep(IntEnum):
    """Step of the engine in a clock; LOG and COUNT only for a state that changes."""

    FETCH = 0
    DECIDE = 1
    LOG = 2
    COUNT = 3


class Events(wiring.Component):
    """Looks at each channel's sample for each kind of event, and logs every begin and end.

    Each kind has a condition `here`; a detector counts the samples since it last held down from `event_samples` (N):

    ===================  ==============================================  ===================  ===================
    kind                 `here`                                          begins               ends
    ===================  ==============================================  ===================  ===================
    SAG, LOSS            magnitude ≥ its level                           N samples without    at once
    SWELL                magnitude ≥ its level, which is not 0           at once              N samples without
    OVERLOAD, DEAD       the filter's mask                               at once              N samples without
    NO_CROSSING          the last window closed timed, no crossing       at once              at once
    OVERRUN              a stage was late (sticky)                       at once              never
    ===================  ==============================================  ===================  ===================

    The magnitude of code x is x, or −1 − x below zero. The first three are of voltages only; the last two are looked
    at with the last channel and logged for channel 7. An entry carries the tick of the sample set with which it was
    decided: the group delay of the chain after the pins, and for what takes N samples that much after the last one.

    A channel has at most five kinds of four clocks, which the spacing of the scan allows with a few reads of the
    host in between, so no entry is ever lost: the log turns, and `written` tells how many there were. `begins`
    strobes with `kind` for the capture. One memory holds the log (lower half) and the detectors (upper half).
    """

    def __init__(self, chain: Chain) -> None:
        most = max(len(kinds_of(c)) for c in Channel)
        assert most * len(EventStep) < SPACING, "a channel's kinds must be done before the next channel comes"
        super().__init__(
            {
                "valid": In(1),
                "channel": In(range(CHANNELS)),
                "value": In(signed(SAMPLE_BITS)),
                "stamp": In(TICK_BITS),
                "overload": In(CHANNELS),
                "dead": In(CHANNELS),
                "decided": In(1),
                "crossing": In(1),
                "timed": In(1),
                "overrun": In(1),
                "sag_level": In(MAGNITUDE_BITS),
                "swell_level": In(MAGNITUDE_BITS),
                "loss_level": In(MAGNITUDE_BITS),
                "event_samples": In(COUNT_BITS),
                "written": Out(32),
                "begins": Out(1),
                "kind": Out(range(len(EventKind))),
                "host_index": In(6),
                "host_read": In(1),
                "host_data": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory = Memory(shape=32, depth=4 * EVENT_LOG_ENTRIES, init=[])
        m.submodules.memory = memory
        read_port, write_port = memory.read_port(), memory.write_port()

        # The state of the windows, kept because a decision is one strobe.
        timing = Signal()
        with m.If(self.decided):
            with m.If(self.crossing):
                m.d.sync += timing.eq(0)
            with m.Elif(self.timed):
                m.d.sync += timing.eq(1)

        # Where the engine is.
        busy = Signal()
        step = Signal(EventStep)
        last_kind = Mux(self.channel == Channel.I3, EventKind.OVERRUN, EventKind.DEAD)
        changes = Signal()
        leaves = Signal()
        with m.If(self.valid):
            m.d.sync += [busy.eq(1), self.kind.eq(Mux(self.channel >= Channel.I1, EventKind.OVERLOAD, EventKind.SAG))]
        with m.Elif(busy):
            with m.Switch(step):
                with m.Case(EventStep.FETCH):
                    with m.If(~self.host_read):
                        m.d.sync += step.eq(EventStep.DECIDE)
                with m.Case(EventStep.DECIDE):
                    m.d.sync += step.eq(Mux(changes, EventStep.LOG, EventStep.FETCH))
                    m.d.comb += leaves.eq(~changes)
                with m.Case(EventStep.LOG):
                    m.d.sync += step.eq(EventStep.COUNT)
                with m.Case(EventStep.COUNT):
                    m.d.sync += [step.eq(EventStep.FETCH), self.written.eq(self.written + 1)]
                    m.d.comb += leaves.eq(1)
            with m.If(leaves):
                m.d.sync += self.kind.eq(self.kind + 1)
                with m.If(self.kind == last_kind):
                    m.d.sync += busy.eq(0)

        # The detector: whether its condition holds, and what follows from it.
        magnitude, level = Signal(MAGNITUDE_BITS), Signal(MAGNITUDE_BITS)
        reaches, here = Signal(), Signal()
        m.d.comb += [
            magnitude.eq(Mux(self.value < 0, ~self.value, self.value)),
            reaches.eq(magnitude >= level),
        ]
        with m.Switch(self.kind):
            with m.Case(EventKind.SAG):
                m.d.comb += [level.eq(self.sag_level), here.eq(reaches)]
            with m.Case(EventKind.SWELL):
                m.d.comb += [level.eq(self.swell_level), here.eq(reaches & (level != 0))]
            with m.Case(EventKind.LOSS):
                m.d.comb += [level.eq(self.loss_level), here.eq(reaches)]
            with m.Case(EventKind.OVERLOAD):
                m.d.comb += here.eq(Array(self.overload)[self.channel])
            with m.Case(EventKind.DEAD):
                m.d.comb += here.eq(Array(self.dead)[self.channel])
            with m.Case(EventKind.NO_CROSSING):
                m.d.comb += here.eq(timing)
            with m.Case(EventKind.OVERRUN):
                m.d.comb += here.eq(self.overrun)

        left, active = read_port.data[:COUNT_BITS], read_port.data[COUNT_BITS]
        over, settled, becomes, remains = Signal(), Signal(), Signal(), Signal(COUNT_BITS)
        of_all = self.kind >= EventKind.NO_CROSSING
        by_absence = (self.kind == EventKind.SAG) | (self.kind == EventKind.LOSS)
        m.d.comb += [
            over.eq(left <= 1),
            settled.eq(here | over | of_all),
            becomes.eq(Mux(settled, here ^ by_absence, active)),
            changes.eq(becomes != active),
            remains.eq(Mux(here, self.event_samples, left - ~over)),
        ]

        # The memory: a detector is fetched and stored, an entry is two words.
        begin = Signal()
        with m.If(busy & (step == EventStep.DECIDE)):
            m.d.sync += begin.eq(becomes)
        m.d.comb += [
            self.begins.eq(busy & (step == EventStep.LOG) & begin),
            self.host_data.eq(read_port.data),
            read_port.addr.eq(Mux(self.host_read, self.host_index, Cat(self.channel, self.kind, 1))),
            read_port.en.eq(self.host_read | (busy & (step == EventStep.FETCH))),
            write_port.en.eq(busy & (step != EventStep.FETCH)),
        ]
        with m.Switch(step):
            with m.Case(EventStep.DECIDE):
                m.d.comb += [
                    write_port.addr.eq(Cat(self.channel, self.kind, 1)),
                    write_port.data.eq(Cat(remains, becomes)),
                ]
            with m.Case(EventStep.LOG):
                m.d.comb += [write_port.addr.eq(Cat(0, self.written[:5])), write_port.data.eq(self.stamp[:32])]
            with m.Case(EventStep.COUNT):
                kind = Signal(5)
                channel = Signal(3)
                m.d.comb += [
                    kind.eq(self.kind),
                    channel.eq(Mux(of_all, NO_CHANNEL, self.channel)),
                    write_port.addr.eq(Cat(1, self.written[:5])),
                    write_port.data.eq(Cat(self.stamp[32:], kind, channel, begin, self.written[:7])),
                ]
        return m
