"""Pulse counters: the meter's test LED and KYZ contacts, looped back, counted and stamped in modulator ticks."""

from __future__ import annotations

from enum import Enum

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gateware.registers import PULSE_PINS, TICK_BITS, Counter, CounterWord, GateWord

STAMP_BITS = 32 - PULSE_PINS
"""A queued change carries its tick modulo 2**21 (0.6 s): it is dealt with long before half of that has passed."""

WAIT_BITS = 17
"""Twice the longest filter: due or not is decided modulo that."""

LOOK_LOG2 = 8
"""Every so many ticks (log2) the engine looks whether an armed gate has moved though no contact did."""

_QUEUE_LOG2 = 7
_KYZ = (Counter.KYZ1, Counter.KYZ2, Counter.KYZ3, Counter.KYZ4)
_GATE_GROUP = 7
_GATE = 8 * _GATE_GROUP


class State(Enum):
    """What the engine is at. From HEAD on each takes two clocks: a word is read, then used.

    HEAD and SCAN read the queue; the last two groups of eight the word of the GATE or of the counter in hand that
    the lower three bits name.
    """

    IDLE = 0b00_000
    CLEAR = 0b00_001
    SEEK = 0b00_010
    EDGE = 0b00_011
    NEXT = 0b00_100
    HEAD = 0b01_000
    SCAN = 0b01_001
    OPEN_LO = 0b10_000 | GateWord.OPEN_LO
    OPEN_HI = 0b10_000 | GateWord.OPEN_HI
    CLOSE_LO = 0b10_000 | GateWord.CLOSE_LO
    CLOSE_HI = 0b10_000 | GateWord.CLOSE_HI
    LIMIT = 0b10_000 | GateWord.PULSES
    COUNT = 0b11_000 | CounterWord.COUNT
    FIRST_LO = 0b11_000 | CounterWord.FIRST_LO
    FIRST_HI = 0b11_000 | CounterWord.FIRST_HI
    LAST_LO = 0b11_000 | CounterWord.LAST_LO
    LAST_HI = 0b11_000 | CounterWord.LAST_HI
    SHORTEST = 0b11_000 | CounterWord.SHORTEST
    LONGEST = 0b11_000 | CounterWord.LONGEST
    ILLEGAL = 0b11_000 | CounterWord.ILLEGAL


class PulseCounters(wiring.Component):
    """Counts the pulses of seven counters while its gate is open (P-6).

    **What is a pulse.** LED and spare inputs: a rising edge. KYZ: every change between "Y alone closed" and "Z
    alone closed", in either direction, as a three-wire KYZ output is counted. The counter remembers which side was
    closed alone last (neither after reset), and at each change of the contacts:

    ==========  =========================  =========  ===================================================
    last alone  the contacts change to     counts as  then last alone is
    ==========  =========================  =========  ===================================================
    any         both open                  nothing    as before: break before make
    any         both closed                illegal    as before
    neither     Y alone, or Z alone        nothing    Y, or Z
    Y           Z alone                    pulse      Z
    Z           Y alone                    pulse      Y
    Y           Y alone, from both open    illegal    Y: a bounce, or a transition was missed
    Z           Z alone, from both open    illegal    Z: likewise
    Y, or Z     the same, from both closed nothing    the same: that was told of when both closed
    ==========  =========================  =========  ===================================================

    **Stamps.** The pins pass two flip-flops and are taken at each `tick`, a change seen then is stamped with
    `ticks` as it reads after that strobe, so a pulse at stamp s lies within the sample set whose stamp is the first
    not below s. With a filter a new level counts if it then lasts `filter_ticks` ticks at least, judged for each
    input by itself to the tick; the stamp is still that of the change.

    **Gate.** Pulses with stamps in (GATE_OPEN, GATE_CLOSE] count, which are exactly the ticks of the records
    between windows commanded to close at these two. Arming takes a tick that has passed as now; the closing can be
    armed once the opening is, and is ignored on a gate neither open nor to open. GATE_PULSES > 0 is decremented by
    each pulse of `gate_counter`, and the one that makes it 0 is the last: the gate closes at its stamp, with
    pulses of other counters in the same tick still counted. `clear` closes and disarms the gate, then zeroes both
    blocks in some 70 clocks; changes meanwhile wait in the queue, and move the KYZ memory but no counter. Intervals
    reach across a gate that was closed and opened again without it.

    **How.** A change of any input is written, with its tick, to a queue of 127 in the same memory as the results.
    One engine takes the changes in order of time, each `filter_ticks` after it came: it looks through the later
    ones for inputs that did not stay, judges the gate by the stamp, then updates the words of each counter that
    has a pulse, one after another: at most 110 clocks for a change, plus 4 for each later one in the queue, however
    many contacts move together. A full queue sets the overflow flag, and the levels are taken again, with a later
    stamp, when there is room. While nothing changes and no gate is armed, nothing moves but one comparison a tick;
    while one is armed, the engine looks at it every 256 ticks, so `state` tells of a gate that moved by its tick up
    to 300 ticks late, plus the filter.

    `pulses` are the test LED, Y and Z of KYZ1 to KYZ4, then the two spare inputs. The host's port is that of a
    block: index 8·counter + word for COUNTERS, 56 + word for GATE.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "pulses": In(PULSE_PINS),  # pins, asynchronous; 1: lit or closed
                "tick": In(1),
                "ticks": In(TICK_BITS),
                "filter_ticks": In(16),
                "clear": In(1),
                "gate_counter": In(3),
                "state": Out(5),  # as registers.CounterState
                "host_index": In(6),
                "host_read": In(1),
                "host_data": Out(32),
                "host_write": In(1),
                "host_value": In(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory = Memory(shape=32, depth=1 << (_QUEUE_LOG2 + 1), init=[])
        m.submodules.memory = memory
        read_port, write_port = memory.read_port(), memory.write_port()
        word = read_port.data
        word_tick, word_levels = word[:STAMP_BITS], word[STAMP_BITS:]
        m.d.comb += self.host_data.eq(word)

        is_open, opening, closing = Signal(), Signal(), Signal()
        clear_wanted, open_wanted, close_wanted, look = Signal(init=1), Signal(), Signal(), Signal()
        write_at = Signal(_QUEUE_LOG2)  # in the queue: the next change to come,
        read_at = Signal(_QUEUE_LOG2)  # the oldest waiting,
        scan = Signal(_QUEUE_LOG2)  # and the one the engine reads

        # Changes of the pins go to the queue.
        settled = Signal(PULSE_PINS)
        m.submodules.sync = FFSynchronizer(self.pulses, settled)
        levels = Signal(PULSE_PINS)
        pending = Signal()
        overflow = Signal()
        with m.If(self.tick):
            with m.If(settled != levels):
                with m.If((write_at + 1)[:_QUEUE_LOG2] == read_at):
                    m.d.sync += overflow.eq(1)
                with m.Else():
                    m.d.sync += [levels.eq(settled), pending.eq(1)]
            with m.If((opening | closing) & (self.ticks[:LOOK_LOG2] == 0)):
                m.d.sync += look.eq(1)

        # The stamp in hand. Its upper part is that of `ticks`, which may have gone on to the next.
        stamp_low = Signal(STAMP_BITS)
        stamp = Signal(TICK_BITS)
        wrapped = stamp_low[-1] & ~self.ticks[STAMP_BITS - 1]
        m.d.comb += stamp.eq(Cat(stamp_low, self.ticks[STAMP_BITS:] - wrapped))

        # The engine's arithmetic: total = word + operand + carry_in. word + ~x is word − x − 1, that is ~(x − word).
        state = Signal(State)
        operand, total = Signal(32), Signal(32)
        carry_in, carry, borrow = Signal(), Signal(), Signal()
        kept = Signal(32)  # ~interval; 0 if it is longer than 32 bits
        m.d.comb += Cat(Signal(1), total, carry).eq(Cat(Const(1, 1), word) + Cat(carry_in, operand))
        high = Signal()
        constant, other = Signal(), Signal()  # the operand: one bit repeated, or `kept` instead of ~stamp
        with m.Switch(state):
            with m.Case(State.COUNT, State.ILLEGAL):
                m.d.comb += constant.eq(1)
            with m.Case(State.LIMIT):
                m.d.comb += [constant.eq(1), other.eq(1)]
            with m.Case(State.CLEAR):  # zeroes, but for the shortest interval, so that any is shorter
                m.d.comb += [constant.eq(1), other.eq(scan[:3] != CounterWord.SHORTEST)]
            with m.Case(State.SHORTEST, State.LONGEST):
                m.d.comb += other.eq(1)
            with m.Case(State.OPEN_HI, State.CLOSE_HI, State.LAST_HI, State.FIRST_HI):
                m.d.comb += high.eq(1)
        part = Mux(high, stamp[32:], stamp[:32])
        m.d.comb += operand.eq(Mux(constant, other.replicate(32), Mux(other, kept, ~part)))

        # The filter: HEAD has ~age of a change in `total` (the stamp is now), SCAN the ticks from change to change.
        between = Signal(WAIT_BITS)
        lasted = Signal()
        m.d.comb += [
            between.eq(total[:WAIT_BITS] ^ (state == State.SCAN).replicate(WAIT_BITS)),
            lasted.eq((self.filter_ticks + between)[WAIT_BITS - 1]),  # filter − age − 1 is negative
        ]

        # The memory. The engine never meets another at the same word: a host's access makes it read again.
        use = Signal()  # second clock of a state that reads
        reads, stall = Signal(), Signal()
        number = Signal(range(len(Counter) + 1))
        write, sums, engine = Signal(), Signal(), Signal()
        at = Signal(6)
        m.d.comb += [
            reads.eq(state[3:].any()),
            stall.eq(self.host_write | self.host_read),
            at.eq(Mux(state == State.CLEAR, scan, Cat(state[:3], Mux(state[3], number, _GATE_GROUP)))),
            read_port.en.eq(self.host_read | (reads & ~use & ~stall)),
            read_port.addr.eq(Mux(self.host_read, self.host_index, Mux(state[4], at, Cat(scan, Const(1, 1))))),
            engine.eq(use | ((state == State.CLEAR) & ~pending)),
            write_port.en.eq(self.host_write | Mux(engine, write, pending)),
            write_port.addr.eq(Mux(self.host_write, self.host_index, Mux(engine, at, Cat(write_at, Const(1, 1))))),
            write_port.data.eq(
                Mux(
                    self.host_write,
                    self.host_value,
                    Mux(engine, Mux(sums, total, ~operand), Cat(self.ticks[:STAMP_BITS], levels)),
                )
            ),
        ]
        with m.If(pending & ~self.host_write & ~engine):
            m.d.sync += [pending.eq(0), write_at.eq(write_at + 1)]

        # What the new steady levels mean.
        previous, mask, steady = Signal(PULSE_PINS), Signal(PULSE_PINS), Signal(PULSE_PINS)
        after = Signal(PULSE_PINS)
        pulse, wrong = Signal(len(Counter)), Signal(1 + len(_KYZ))
        hits, wrongs = Signal(len(Counter)), Signal(1 + len(_KYZ))
        m.d.comb += after.eq((mask & previous) | (~mask & steady))
        for counter, pin in ((Counter.LED, 0), (Counter.SPARE1, 9), (Counter.SPARE2, 10)):
            m.d.comb += pulse[counter].eq(after[pin] & ~steady[pin])
        sides = []
        for counter in _KYZ:
            pin = 2 * counter - 1
            y, z = after[pin], after[pin + 1]
            were_open, were_both = ~steady[pin : pin + 2].any(), steady[pin : pin + 2].all()
            last_y, last_z = Signal(name=f"last_y_{counter}"), Signal(name=f"last_z_{counter}")
            m.d.comb += [
                pulse[counter].eq((y & ~z & last_z) | (z & ~y & last_y)),
                wrong[counter].eq((y & z & ~were_both) | (were_open & ((y & last_y) | (z & last_z)))),
            ]
            sides.append((y, z, last_y, last_z))

        first = Signal()
        arming, stamping, last_pulse = Signal(), Signal(), Signal()
        active, waiting = Signal(), Signal()
        m.d.comb += [
            waiting.eq(write_at != read_at),
            active.eq((state != State.IDLE) | clear_wanted | open_wanted | close_wanted | waiting | look),
            self.state.eq(Cat(is_open, opening, closing, active | pending, overflow)),
        ]

        # Written outside the states, so that they become flip-flops with enable and reset.
        keep, saturate, judges, none = Signal(), Signal(), Signal(), Signal()
        differs = word_levels ^ previous
        with m.If(keep):
            m.d.sync += kept.eq(total)
        with m.If(saturate):
            m.d.sync += kept.eq(0)
        with m.If(judges):
            m.d.sync += mask.eq(Mux(state == State.SCAN, mask & ~differs, differs))
        with m.If(none):
            m.d.sync += mask.eq(0)

        def judge() -> None:
            """The gate at this stamp, then what changed."""
            m.d.sync += state.eq(Mux(opening, State.OPEN_LO, Mux(closing, State.CLOSE_LO, State.EDGE)))

        def gate_tick(low: State, armed: Signal) -> Value:
            """The second half of comparing stamp and gate, or of putting one in the other's place: has it passed?"""
            passed = Signal(name=f"passed_{low.name}")
            with m.If(stamping):
                m.d.comb += write.eq(1)
                m.d.sync += [stamping.eq(0), armed.eq(arming), state.eq(State.IDLE)]
            with m.Elif(arming):
                m.d.sync += [stamping.eq(total[15]), armed.eq(~total[15]), state.eq(Mux(total[15], low, State.IDLE))]
            with m.Else():
                m.d.comb += passed.eq(total[15])
                m.d.sync += state.eq(State.EDGE)
            return passed

        def advance() -> None:
            """On to the next counter."""
            m.d.sync += [hits.eq(hits >> 1), wrongs.eq(wrongs >> 1), number.eq(number + 1), state.eq(State.NEXT)]

        with m.If(stall):
            m.d.sync += use.eq(0)
        with m.Elif(active & reads & ~use):
            m.d.sync += use.eq(1)
        with m.Elif(active):
            m.d.sync += use.eq(0)
            with m.Switch(state):
                with m.Case(State.IDLE):
                    m.d.comb += none.eq(1)
                    m.d.sync += [stamp_low.eq(self.ticks[:STAMP_BITS]), arming.eq(0)]
                    m.d.sync += scan.eq(Mux(clear_wanted, 0, read_at))
                    with m.If(clear_wanted):
                        m.d.sync += [clear_wanted.eq(0), is_open.eq(0), opening.eq(0), closing.eq(0), overflow.eq(0)]
                        m.d.sync += state.eq(State.CLEAR)
                    with m.Elif(open_wanted):
                        m.d.sync += [open_wanted.eq(0), arming.eq(1), state.eq(State.OPEN_LO)]
                    with m.Elif(close_wanted):
                        m.d.sync += [close_wanted.eq(0), arming.eq(1)]
                        with m.If(is_open | opening):
                            m.d.sync += state.eq(State.CLOSE_LO)
                    with m.Elif(waiting):
                        m.d.sync += state.eq(State.HEAD)
                    with m.Else():
                        m.d.sync += look.eq(0)
                        judge()
                with m.Case(State.CLEAR):
                    m.d.comb += write.eq(1)
                    with m.If(~pending):
                        m.d.sync += scan.eq(scan + 1)
                        with m.If(scan[:6].all()):
                            m.d.sync += state.eq(State.IDLE)

                # A change: is it old enough, and what of it lasted?
                with m.Case(State.HEAD):
                    m.d.comb += judges.eq(1)
                    with m.If(lasted):
                        m.d.sync += [
                            stamp_low.eq(word_tick),
                            previous.eq(word_levels),
                            read_at.eq(scan + 1),
                            scan.eq(scan + 1),
                            state.eq(State.SEEK),
                        ]
                    with m.Else():
                        m.d.sync += state.eq(State.IDLE)
                with m.Case(State.SEEK):
                    with m.If(mask == 0):
                        m.d.sync += state.eq(State.IDLE)
                    with m.Elif(scan == write_at):
                        judge()
                    with m.Else():
                        m.d.sync += state.eq(State.SCAN)
                with m.Case(State.SCAN):
                    m.d.comb += carry_in.eq(1)
                    with m.If(lasted):
                        judge()
                    with m.Else():
                        m.d.comb += judges.eq(1)
                        m.d.sync += [scan.eq(scan + 1), state.eq(State.SEEK)]

                # The gate: the opening first; the closing not before it.
                with m.Case(State.OPEN_LO, State.CLOSE_LO):
                    m.d.comb += [carry_in.eq(1), write.eq(stamping)]
                    m.d.sync += [borrow.eq(carry), state.eq(state | 1)]
                with m.Case(State.OPEN_HI):
                    m.d.comb += carry_in.eq(borrow)
                    with m.If(gate_tick(State.OPEN_LO, opening)):
                        m.d.sync += [is_open.eq(1), opening.eq(0)]
                        m.d.sync += state.eq(Mux(closing, State.CLOSE_LO, State.EDGE))
                with m.Case(State.CLOSE_HI):
                    m.d.comb += carry_in.eq(borrow)
                    with m.If(gate_tick(State.CLOSE_LO, closing)):
                        m.d.sync += [is_open.eq(0), closing.eq(0)]

                # The counters, one after another.
                with m.Case(State.EDGE):
                    m.d.sync += [steady.eq(after), state.eq(State.NEXT)]
                    with m.If(is_open):
                        m.d.sync += [hits.eq(pulse), wrongs.eq(wrong)]
                    for y, z, last_y, last_z in sides:
                        with m.If(y ^ z):
                            m.d.sync += [last_y.eq(y), last_z.eq(z)]
                with m.Case(State.NEXT):
                    with m.If(hits[0]):
                        m.d.sync += state.eq(State.COUNT)
                    with m.Elif(wrongs[0]):
                        m.d.sync += state.eq(State.ILLEGAL)
                    with m.Elif(number != len(Counter)):
                        advance()
                    with m.Else():
                        m.d.sync += [number.eq(0), last_pulse.eq(0), stamping.eq(last_pulse)]
                        m.d.sync += state.eq(Mux(last_pulse, State.CLOSE_LO, State.IDLE))
                        with m.If(last_pulse):
                            m.d.sync += is_open.eq(0)
                with m.Case(State.COUNT):
                    m.d.comb += [carry_in.eq(1), sums.eq(1), write.eq(1)]
                    m.d.sync += first.eq(word == 0)
                    m.d.sync += state.eq(Mux(number == self.gate_counter, State.LIMIT, State.LAST_LO))
                with m.Case(State.LIMIT):
                    m.d.comb += [sums.eq(1), write.eq(carry)]  # carry: it was not 0
                    m.d.sync += [last_pulse.eq(word == 1), state.eq(State.LAST_LO)]
                with m.Case(State.LAST_LO):
                    m.d.comb += write.eq(1)
                    m.d.comb += keep.eq(1)
                    m.d.sync += [borrow.eq(carry), state.eq(State.LAST_HI)]
                with m.Case(State.LAST_HI):
                    m.d.comb += [carry_in.eq(borrow), write.eq(1), saturate.eq(~total[:16].all())]
                    m.d.sync += state.eq(Mux(first, State.FIRST_LO, State.SHORTEST))
                with m.Case(State.FIRST_LO):
                    m.d.comb += write.eq(1)
                    m.d.sync += state.eq(State.FIRST_HI)
                with m.Case(State.FIRST_HI):
                    m.d.comb += write.eq(1)
                    advance()
                with m.Case(State.SHORTEST):
                    m.d.comb += write.eq(carry)  # interval < word
                    m.d.sync += state.eq(State.LONGEST)
                with m.Case(State.LONGEST):
                    m.d.comb += [carry_in.eq(1), write.eq(~carry)]  # interval > word
                    advance()
                with m.Case(State.ILLEGAL):
                    m.d.comb += [carry_in.eq(1), sums.eq(1), write.eq(1)]
                    advance()

        # Commands wait for the engine.
        with m.If(self.host_write):
            with m.Switch(self.host_index):
                with m.Case(_GATE + GateWord.OPEN_LO):
                    m.d.sync += [opening.eq(0), open_wanted.eq(0)]
                with m.Case(_GATE + GateWord.OPEN_HI):
                    m.d.sync += open_wanted.eq(1)
                with m.Case(_GATE + GateWord.CLOSE_LO):
                    m.d.sync += [closing.eq(0), close_wanted.eq(0)]
                with m.Case(_GATE + GateWord.CLOSE_HI):
                    m.d.sync += close_wanted.eq(1)
        with m.If(self.clear):
            m.d.sync += [clear_wanted.eq(1), open_wanted.eq(0), close_wanted.eq(0)]
        return m
