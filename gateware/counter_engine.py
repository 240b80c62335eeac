"""The engine of the pulse counters: takes changes from the queue in order of time, moves the gate, counts."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.contact_changes import QUEUE_LOG2
from gateware.counter_arithmetic import CounterArithmetic
from gateware.counter_states import EngineState
from gateware.pulse_rules import KYZ, PulseRules
from gateware.registers import GATE_PLACE, PULSE_PINS, TICK_BITS, Counter, CounterWord, GateWord

STAMP_BITS = 32 - PULSE_PINS
"""A queued change carries its tick modulo 2**21 (0.6 s): it is dealt with long before half of that has passed."""

WAIT_BITS = 17
"""Twice the longest filter: due or not is decided modulo that."""

LOOK_LOG2 = 8
"""Every so many ticks (log2) the engine looks whether an armed gate has moved though no contact did."""

_GATE_GROUP = GATE_PLACE // len(CounterWord)


class CounterEngine(wiring.Component):
    """One change at a time, in at most 110 clocks plus 4 for each later one in the queue.

    A change is taken `filter_ticks` after it came: the engine looks through the later ones for inputs that did not
    stay, judges the gate by the stamp, then updates the words of each counter that has a pulse, one after another.
    A `clear` and writes of the gate by the host wait until it is idle. `word` is what the memory reads; `read`,
    `write` and their places go there, and `uses` claims the port of writing.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "tick": In(1),
                "ticks": In(TICK_BITS),
                "filter_ticks": In(16),
                "gate_counter": In(3),
                "clear": In(1),
                "host_index": In(6),
                "host_read": In(1),
                "host_write": In(1),
                "pending": In(1),
                "queue_end": In(QUEUE_LOG2),  # the place of the next change to come,
                "queue_begin": Out(QUEUE_LOG2),  # and of the oldest that waits
                "word": In(32),
                "read": Out(1),
                "read_at": Out(QUEUE_LOG2 + 1),
                "uses": Out(1),
                "write": Out(1),
                "write_at": Out(6),
                "value": Out(32),
                "clears": Out(1),  # the engine begins to clear
                "active": Out(1),
                "is_open": Out(1),
                "opening": Out(1),
                "closing": Out(1),
            }
        )
        self._state = Signal(EngineState)
        self._second = Signal()  # second clock of a state that reads
        self._scan = Signal(QUEUE_LOG2)  # the place of the queue, or the word to clear, in hand
        self._number = Signal(range(len(Counter) + 1))  # of the counter in hand
        self._clear_wanted, self._open_wanted, self._close_wanted = Signal(init=1), Signal(), Signal()
        self._look = Signal()
        self._arming, self._stamping = Signal(), Signal()  # a gate tick is being armed; is being given the stamp
        self._stamp_low = Signal(STAMP_BITS)
        self._levels, self._mask = Signal(PULSE_PINS), Signal(PULSE_PINS)  # of the change in hand: new, and what moved
        self._kept, self._borrow, self._carry_in = Signal(32), Signal(), Signal()
        self._hits, self._wrongs = Signal(len(Counter)), Signal(1 + len(KYZ))
        self._first, self._last_pulse = Signal(), Signal()
        # Flip-flops written outside the states, so that they become such with enable and reset.
        self._keeps, self._saturates, self._judges, self._forgets = Signal(), Signal(), Signal(), Signal()
        self._lasted = Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.arithmetic = self._adder = CounterArithmetic()
        m.submodules.rules = self._rules = PulseRules()
        self._connect(m)
        self._filter(m)
        self._keep(m)
        with m.If(self.tick & (self.opening | self.closing) & (self.ticks[:LOOK_LOG2] == 0)):
            m.d.sync += self._look.eq(1)

        reads, stall = self._state[3:].any(), self.host_write | self.host_read
        m.d.comb += self.read.eq(reads & ~self._second & ~stall)
        with m.If(stall):
            m.d.sync += self._second.eq(0)
        with m.Elif(self.active & reads & ~self._second):
            m.d.sync += self._second.eq(1)
        with m.Elif(self.active):
            m.d.sync += self._second.eq(0)
            with m.Switch(self._state):
                self._idle_states(m)
                self._change_states(m)
                self._gate_states(m)
                self._choosing_states(m)
                self._counting_states(m)
        self._commands(m)
        return m

    def _connect(self, m: Module) -> None:
        """The arithmetic, the rules and the memory's port."""
        # The stamp in hand. Its upper part is that of `ticks`, which may have gone on to the next.
        wrapped = self._stamp_low[-1] & ~self.ticks[STAMP_BITS - 1]
        clearing, waiting = self._state == EngineState.CLEAR, self.queue_end != self.queue_begin
        wanted = self._clear_wanted | self._open_wanted | self._close_wanted
        at = Mux(clearing, self._scan, Cat(self._state[:3], Mux(self._state[3], self._number, _GATE_GROUP)))
        m.d.comb += [
            self._adder.state.eq(self._state),
            self._adder.word.eq(self.word),
            self._adder.stamp.eq(Cat(self._stamp_low, self.ticks[STAMP_BITS:] - wrapped)),
            self._adder.kept.eq(self._kept),
            self._adder.place.eq(self._scan),
            self._adder.carry_in.eq(self._carry_in),
            self._rules.levels.eq(self._levels),
            self._rules.mask.eq(self._mask),
            self.write_at.eq(at),
            self.read_at.eq(Mux(self._state[4], self.write_at, Cat(self._scan, Const(1, 1)))),
            self.uses.eq(self._second | (clearing & ~self.pending)),
            self.value.eq(self._adder.value),
            self.active.eq((self._state != EngineState.IDLE) | wanted | waiting | self._look),
        ]

    def _filter(self, m: Module) -> None:
        """HEAD has ~age of a change in the total (the stamp is now), SCAN the ticks from change to change."""
        between = Signal(WAIT_BITS)
        scanning = self._state == EngineState.SCAN
        m.d.comb += [
            between.eq(self._adder.total[:WAIT_BITS] ^ scanning.replicate(WAIT_BITS)),
            self._lasted.eq((self.filter_ticks + between)[WAIT_BITS - 1]),  # filter − age − 1 is negative
        ]

    def _keep(self, m: Module) -> None:
        differs = self.word[STAMP_BITS:] ^ self._levels
        with m.If(self._keeps):
            m.d.sync += self._kept.eq(self._adder.total)
        with m.If(self._saturates):
            m.d.sync += self._kept.eq(0)
        with m.If(self._judges):
            m.d.sync += self._mask.eq(Mux(self._state == EngineState.SCAN, self._mask & ~differs, differs))
        with m.If(self._forgets):
            m.d.sync += self._mask.eq(0)

    def _idle_states(self, m: Module) -> None:
        """Commands first, then changes, then a look at the gate; clearing."""
        with m.Case(EngineState.IDLE):
            m.d.comb += self._forgets.eq(1)
            m.d.sync += [self._stamp_low.eq(self.ticks[:STAMP_BITS]), self._arming.eq(0)]
            m.d.sync += self._scan.eq(Mux(self._clear_wanted, 0, self.queue_begin))
            with m.If(self._clear_wanted):
                m.d.comb += self.clears.eq(1)
                m.d.sync += [self._clear_wanted.eq(0), self.is_open.eq(0), self.opening.eq(0), self.closing.eq(0)]
                m.d.sync += self._state.eq(EngineState.CLEAR)
            with m.Elif(self._open_wanted):
                m.d.sync += [self._open_wanted.eq(0), self._arming.eq(1), self._state.eq(EngineState.OPEN_LO)]
            with m.Elif(self._close_wanted):
                m.d.sync += [self._close_wanted.eq(0), self._arming.eq(1)]
                with m.If(self.is_open | self.opening):
                    m.d.sync += self._state.eq(EngineState.CLOSE_LO)
            with m.Elif(self.queue_end != self.queue_begin):
                m.d.sync += self._state.eq(EngineState.HEAD)
            with m.Else():
                m.d.sync += self._look.eq(0)
                self._judge(m)
        with m.Case(EngineState.CLEAR):
            m.d.comb += self.write.eq(1)
            with m.If(~self.pending):
                m.d.sync += self._scan.eq(self._scan + 1)
                with m.If(self._scan[:6].all()):
                    m.d.sync += self._state.eq(EngineState.IDLE)

    def _change_states(self, m: Module) -> None:
        """A change: is it old enough, and what of it lasted?"""
        with m.Case(EngineState.HEAD):
            m.d.comb += self._judges.eq(1)
            with m.If(self._lasted):
                m.d.sync += [
                    self._stamp_low.eq(self.word[:STAMP_BITS]),
                    self._levels.eq(self.word[STAMP_BITS:]),
                    self.queue_begin.eq(self._scan + 1),
                    self._scan.eq(self._scan + 1),
                    self._state.eq(EngineState.SEEK),
                ]
            with m.Else():
                m.d.sync += self._state.eq(EngineState.IDLE)
        with m.Case(EngineState.SEEK):
            with m.If(self._mask == 0):
                m.d.sync += self._state.eq(EngineState.IDLE)
            with m.Elif(self._scan == self.queue_end):
                self._judge(m)
            with m.Else():
                m.d.sync += self._state.eq(EngineState.SCAN)
        with m.Case(EngineState.SCAN):
            m.d.comb += self._carry_in.eq(1)
            with m.If(self._lasted):
                self._judge(m)
            with m.Else():
                m.d.comb += self._judges.eq(1)
                m.d.sync += [self._scan.eq(self._scan + 1), self._state.eq(EngineState.SEEK)]

    def _judge(self, m: Module) -> None:
        """On to the gate at this stamp, then to what changed."""
        closing_or_not = Mux(self.closing, EngineState.CLOSE_LO, EngineState.EDGE)
        m.d.sync += self._state.eq(Mux(self.opening, EngineState.OPEN_LO, closing_or_not))

    def _gate_states(self, m: Module) -> None:
        """The gate: the opening first; the closing not before it."""
        with m.Case(EngineState.OPEN_LO, EngineState.CLOSE_LO):
            m.d.comb += [self._carry_in.eq(1), self.write.eq(self._stamping)]
            m.d.sync += [self._borrow.eq(self._adder.carry), self._state.eq(self._state | 1)]
        with m.Case(EngineState.OPEN_HI):
            m.d.comb += self._carry_in.eq(self._borrow)
            with m.If(self._gate_tick(m, EngineState.OPEN_LO, self.opening)):
                m.d.sync += [self.is_open.eq(1), self.opening.eq(0)]
                m.d.sync += self._state.eq(Mux(self.closing, EngineState.CLOSE_LO, EngineState.EDGE))
        with m.Case(EngineState.CLOSE_HI):
            m.d.comb += self._carry_in.eq(self._borrow)
            with m.If(self._gate_tick(m, EngineState.CLOSE_LO, self.closing)):
                m.d.sync += [self.is_open.eq(0), self.closing.eq(0)]

    def _gate_tick(self, m: Module, low: EngineState, armed: Signal) -> Value:
        """The second half of comparing stamp and gate, or of putting one in the other's place: has it passed?"""
        passed = Signal(name=f"passed_{low.name}")
        past = self._adder.total[15]
        with m.If(self._stamping):
            m.d.comb += self.write.eq(1)
            m.d.sync += [self._stamping.eq(0), armed.eq(self._arming), self._state.eq(EngineState.IDLE)]
        with m.Elif(self._arming):
            m.d.sync += [self._stamping.eq(past), armed.eq(~past), self._state.eq(Mux(past, low, EngineState.IDLE))]
        with m.Else():
            m.d.comb += passed.eq(past)
            m.d.sync += self._state.eq(EngineState.EDGE)
        return passed

    def _choosing_states(self, m: Module) -> None:
        """The counters that a change concerns, one after another; then the gate, if the last pulse closes it."""
        with m.Case(EngineState.EDGE):
            m.d.comb += self._rules.take.eq(1)
            m.d.sync += self._state.eq(EngineState.NEXT)
            with m.If(self.is_open):
                m.d.sync += [self._hits.eq(self._rules.pulse), self._wrongs.eq(self._rules.illegal)]
        with m.Case(EngineState.NEXT):
            with m.If(self._hits[0]):
                m.d.sync += self._state.eq(EngineState.COUNT)
            with m.Elif(self._wrongs[0]):
                m.d.sync += self._state.eq(EngineState.ILLEGAL)
            with m.Elif(self._number != len(Counter)):
                self._advance(m)
            with m.Else():
                m.d.sync += [self._number.eq(0), self._last_pulse.eq(0), self._stamping.eq(self._last_pulse)]
                m.d.sync += self._state.eq(Mux(self._last_pulse, EngineState.CLOSE_LO, EngineState.IDLE))
                with m.If(self._last_pulse):
                    m.d.sync += self.is_open.eq(0)

    def _advance(self, m: Module) -> None:
        """On to the next counter."""
        m.d.sync += [self._hits.eq(self._hits >> 1), self._wrongs.eq(self._wrongs >> 1)]
        m.d.sync += [self._number.eq(self._number + 1), self._state.eq(EngineState.NEXT)]

    def _counting_states(self, m: Module) -> None:
        """The words of the counter in hand, and how many pulses the gate still waits for."""
        adder, write = self._adder, self.write
        with m.Case(EngineState.COUNT):
            m.d.comb += [self._carry_in.eq(1), adder.sums.eq(1), write.eq(1)]
            m.d.sync += self._first.eq(self.word == 0)
            limited = self._number == self.gate_counter
            m.d.sync += self._state.eq(Mux(limited, EngineState.LIMIT, EngineState.LAST_LO))
        with m.Case(EngineState.LIMIT):
            m.d.comb += [adder.sums.eq(1), write.eq(adder.carry)]  # carry: it was not 0
            m.d.sync += [self._last_pulse.eq(self.word == 1), self._state.eq(EngineState.LAST_LO)]
        with m.Case(EngineState.LAST_LO):
            m.d.comb += [write.eq(1), self._keeps.eq(1)]
            m.d.sync += [self._borrow.eq(adder.carry), self._state.eq(EngineState.LAST_HI)]
        with m.Case(EngineState.LAST_HI):
            m.d.comb += [self._carry_in.eq(self._borrow), write.eq(1), self._saturates.eq(~adder.total[:16].all())]
            m.d.sync += self._state.eq(Mux(self._first, EngineState.FIRST_LO, EngineState.SHORTEST))
        with m.Case(EngineState.FIRST_LO):
            m.d.comb += write.eq(1)
            m.d.sync += self._state.eq(EngineState.FIRST_HI)
        with m.Case(EngineState.FIRST_HI):
            m.d.comb += write.eq(1)
            self._advance(m)
        with m.Case(EngineState.SHORTEST):
            m.d.comb += write.eq(adder.carry)  # interval < word
            m.d.sync += self._state.eq(EngineState.LONGEST)
        with m.Case(EngineState.LONGEST):
            m.d.comb += [self._carry_in.eq(1), write.eq(~adder.carry)]  # interval > word
            self._advance(m)
        with m.Case(EngineState.ILLEGAL):
            m.d.comb += [self._carry_in.eq(1), adder.sums.eq(1), write.eq(1)]
            self._advance(m)

    def _commands(self, m: Module) -> None:
        """Commands wait for the engine."""
        with m.If(self.host_write):
            with m.Switch(self.host_index):
                with m.Case(GATE_PLACE + GateWord.OPEN_LO):
                    m.d.sync += [self.opening.eq(0), self._open_wanted.eq(0)]
                with m.Case(GATE_PLACE + GateWord.OPEN_HI):
                    m.d.sync += self._open_wanted.eq(1)
                with m.Case(GATE_PLACE + GateWord.CLOSE_LO):
                    m.d.sync += [self.closing.eq(0), self._close_wanted.eq(0)]
                with m.Case(GATE_PLACE + GateWord.CLOSE_HI):
                    m.d.sync += self._close_wanted.eq(1)
        with m.If(self.clear):
            m.d.sync += [self._clear_wanted.eq(1), self._open_wanted.eq(0), self._close_wanted.eq(0)]
