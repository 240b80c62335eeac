"""Pulse counters: the component against the model, word for word, and the table of its docstring."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from amaranth import Module, Signal
from gateware_bench import simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateware.counter_engine import LOOK_LOG2, STAMP_BITS
from gateware.model.pulse_counters import PulseCountersModel
from gateware.pulse_counters import PulseCounterBank
from gateware.registers import PULSE_PINS, TICK_BITS, Counter, CounterState, CounterWord, GateWord

RING = 1 << TICK_BITS
CLOCKS_PER_TICK = 4
ALL = (1 << PULSE_PINS) - 1
GATE = 56
WORDS = [*range(8 * len(Counter)), *(GATE + w for w in GateWord)]
CLEARING = 40
"""Ticks from reset in which the engine zeroes its words."""
_FAR = 100_000
CHANGE = 28
"""Ticks that a change can cost: 110 clocks."""
LATE = 40
"""Ticks by which a busy engine may take up a command later."""


@dataclass
class Script:
    """What happens, at ticks counted from the start; a change of levels is stamped with its tick."""

    changes: dict[int, int]
    gate: list[tuple[int, GateWord, int]] = field(default_factory=list)
    """(tick, GateWord.OPEN_LO or CLOSE_LO, the tick to arm): the two words are written one tick after another."""
    filter_ticks: int = 0
    pulses: int = 0
    gate_counter: int = Counter.LED
    start: int = 0
    clears: tuple[int, ...] = ()
    reads: tuple[int, ...] = ()
    """Ticks at which the host reads something, at the cost of the engine's clocks."""

    @property
    def end(self) -> int:
        """All settled: the engine has looked at the gate after the last of it."""
        armed = [at for _, _, at in self.gate if at < _FAR]
        latest = max([CLEARING, *self.changes, *self.clears, *(t + 1 for t, _, _ in self.gate), *armed])
        look = 1 << LOOK_LOG2
        settled = self.start + latest + self.filter_ticks + LATE + CHANGE * len(self.changes)
        return (settled // look + 1) * look + LATE - self.start


@dataclass(frozen=True)
class Outcome:
    words: dict[int, int]
    state: CounterState

    def word(self, counter: Counter, word: CounterWord) -> int:
        return self.words[8 * counter + word]

    def gate(self, low: GateWord) -> int:
        return self.words[GATE + low] | self.words[GATE + low + 1] << 32


def play(script: Script) -> Outcome:
    """The component: levels change early in a tick, the host acts early in a tick."""
    m = Module()
    m.submodules.dut = dut = PulseCounterBank()
    phase, ticks = Signal(2), Signal(TICK_BITS, init=script.start)
    m.d.sync += [phase.eq(phase + 1), ticks.eq(ticks + (phase == CLOCKS_PER_TICK - 1))]
    m.d.comb += [dut.tick.eq(phase == CLOCKS_PER_TICK - 1), dut.ticks.eq(ticks)]

    moments: dict[int, list[tuple]] = {}
    for tick, levels in script.changes.items():
        moments.setdefault(tick - 1, []).append((dut.pulses, levels))
    for tick, low, at in script.gate:
        target = (script.start + at) % RING
        moments.setdefault(tick - 1, []).append((GATE + low, target & 0xFFFF_FFFF))
        moments.setdefault(tick, []).append((GATE + low + 1, target >> 32))
    for tick in script.clears:
        moments.setdefault(tick, []).append((dut.clear, 1))
    for tick in script.reads:
        moments.setdefault(tick, []).append((dut.host_read, 1))
    moments.setdefault(CLEARING - 2, []).append((GATE + GateWord.PULSES, script.pulses))
    outcome: list[Outcome] = []

    async def bench(ctx):
        ctx.set(dut.filter_ticks, script.filter_ticks)
        ctx.set(dut.gate_counter, script.gate_counter)
        clock = 0

        async def to(target: int) -> None:
            nonlocal clock
            if target > clock:
                await ctx.tick().repeat(target - clock)
            clock = target

        for tick in sorted(moments):
            await to(max(clock, CLOCKS_PER_TICK * tick))
            for what, value in moments[tick]:
                if isinstance(what, int):
                    ctx.set(dut.host_index, what)
                    ctx.set(dut.host_value, value)
                    ctx.set(dut.host_write, 1)
                else:
                    ctx.set(what, value)
                if what is not dut.pulses:
                    await to(clock + 1)
                    for strobe in (dut.host_write, dut.host_read, dut.clear):
                        ctx.set(strobe, 0)
        await to(CLOCKS_PER_TICK * script.end)
        state = CounterState(ctx.get(dut.state))
        words = {}
        for index in WORDS:
            ctx.set(dut.host_index, index)
            ctx.set(dut.host_read, 1)
            await ctx.tick()
            words[index] = ctx.get(dut.host_data)
        outcome.append(Outcome(words, state))

    simulate(m, bench)
    return outcome[0]


def predict(script: Script, played: Outcome) -> Outcome:
    """The model; when a busy engine took up a command is looked up in what was played."""
    model = PulseCountersModel()
    model.filter_ticks, model.gate_counter = script.filter_ticks, script.gate_counter
    calls: list[tuple[int, int, object]] = [(CLEARING - 2, 1, (GATE + GateWord.PULSES, script.pulses))]
    calls += [(tick, 0, levels) for tick, levels in script.changes.items()]
    calls += [(tick, 2, None) for tick in script.clears]
    for tick, low, at in script.gate:
        taken = (played.gate(low) - script.start) % RING
        when = taken if at != taken and tick < taken <= tick + LATE else tick
        target = (script.start + at) % RING
        calls += [(when, 1, (GATE + low, target & 0xFFFF_FFFF)), (when, 1, (GATE + low + 1, target >> 32))]
    for tick, kind, what in sorted(calls, key=lambda c: c[:2]):
        now = (script.start + tick) % RING
        if kind == 0:
            model.change(now, what)
        elif kind == 1:
            model.write(*what, now)
        else:
            model.clear()
    model.run((script.start + script.end) % RING)
    return Outcome({index: model.read(index) for index in WORDS}, model.state)


def check(script: Script) -> Outcome:
    played = play(script)
    assert played == predict(script, played), script
    return played


def stamped(levels: list[int], first: int = CLEARING, gap: int = 20) -> dict[int, int]:
    return {first + gap * n: level for n, level in enumerate(levels)}


ALWAYS = [(CLEARING - 1, GateWord.OPEN_LO, 0)]
"""An opening at a tick that has passed: at once."""

# --- the table ------------------------------------------------------------------------------------------

OPEN, Y, Z, BOTH = 0b00, 0b01, 0b10, 0b11
REACH = {"neither": OPEN, "Y": Y, "Z": Z}
"""The contacts after which that side was alone last, or neither."""
TABLE = [
    # last alone, contacts before, contacts after, pulses, illegal, last alone then
    *((last, before, OPEN, 0, 0, last) for last, alone in REACH.items() for before in {alone, BOTH} - {OPEN}),
    *((last, before, BOTH, 0, 1, last) for last, alone in REACH.items() for before in {alone, OPEN}),
    *(("neither", before, after, 0, 0, then) for before in (OPEN, BOTH) for after, then in ((Y, "Y"), (Z, "Z"))),
    *(("Y", before, Z, 1, 0, "Z") for before in (OPEN, Y, BOTH)),
    *(("Z", before, Y, 1, 0, "Y") for before in (OPEN, Z, BOTH)),
    ("Y", OPEN, Y, 0, 1, "Y"),
    ("Z", OPEN, Z, 0, 1, "Z"),
    ("Y", BOTH, Y, 0, 0, "Y"),
    ("Z", BOTH, Z, 0, 0, "Z"),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-".join(str(x) for x in row))
def test_every_row_of_the_kyz_table(row):
    """All four outputs take the row together; what is then closed last is told by moving to Y alone."""
    last, before, after, pulses, illegal, then = row
    way = [REACH[last], before, after]
    contacts = [c for n, c in enumerate(way) if n == 0 or c != way[n - 1]]
    if contacts[0] == OPEN:
        contacts = contacts[1:]
    changes = stamped([c * 0b010101010 for c in contacts])
    *_, moved = changes
    outcome = check(Script(changes, [(moved - 10, GateWord.OPEN_LO, 0)]))
    for counter in (Counter.KYZ1, Counter.KYZ2, Counter.KYZ3, Counter.KYZ4):
        assert outcome.word(counter, CounterWord.COUNT) == pulses
        assert outcome.word(counter, CounterWord.ILLEGAL) == illegal
    if after == OPEN:  # the side is told by which one closing now is a bounce
        again = check(Script(changes | {moved + 20: Y * 0b010101010}, [(moved + 10, GateWord.OPEN_LO, 0)]))
        assert again.word(Counter.KYZ1, CounterWord.ILLEGAL) == (then == "Y")
        assert again.word(Counter.KYZ1, CounterWord.COUNT) == (then == "Z")


def test_the_table_is_complete():
    """Every change of the contacts from everything that can be closed with each memory."""
    held = {"neither": (OPEN, BOTH), "Y": (OPEN, Y, BOTH), "Z": (OPEN, Z, BOTH)}
    expected = {(last, b, a) for last, befores in held.items() for b in befores for a in (OPEN, Y, Z, BOTH) if a != b}
    assert {row[:3] for row in TABLE} == expected
    assert len(TABLE) == len(expected)


# --- stamps and intervals -------------------------------------------------------------------------------


def test_led_and_spare_inputs_count_rising_edges_to_the_tick():
    lit = 1 | 1 << 9 | 1 << 10
    outcome = check(Script({100: lit, 101: 0, 150: 1, 151: 0, 400: lit}, ALWAYS))
    for counter, count, shortest, longest in ((Counter.LED, 3, 50, 250), (Counter.SPARE2, 2, 300, 300)):
        words = [outcome.word(counter, w) for w in CounterWord]
        assert words == [count, 100, 0, 400, 0, shortest, longest, 0]


def test_nothing_counted_reads_as_nothing():
    words = [check(Script({50: 1})).word(Counter.LED, w) for w in CounterWord]
    assert words == [0, 0, 0, 0, 0, 0xFFFF_FFFF, 0, 0]


def test_all_seven_in_the_same_tick_have_the_same_stamp():
    """Twice, the second time while the engine is still busy with the first."""
    one = 1 | 0b01010101 << 1 | 0b11 << 9
    other = 0b10101010 << 1
    outcome = check(Script({60: one, 61: other, 62: one}, ALWAYS))
    for counter in Counter:
        kyz = counter in (Counter.KYZ1, Counter.KYZ2, Counter.KYZ3, Counter.KYZ4)
        assert outcome.word(counter, CounterWord.COUNT) == 2
        assert outcome.word(counter, CounterWord.FIRST_LO) == (61 if kyz else 60)
        assert outcome.word(counter, CounterWord.LAST_LO) == 62


@pytest.mark.parametrize("wrap", [1 << 32, 1 << STAMP_BITS, 1 << TICK_BITS, 5 << STAMP_BITS])
def test_stamps_across_the_carries_of_the_tick_count(wrap):
    """In its 21 queued bits, in the words' 32 and in all 48; before, at and after the carry."""
    start = (wrap - 200) % RING
    changes = {199 + n: n % 2 for n in range(6)} | {229: 0, 230: 1}
    outcome = check(Script(changes, [(CLEARING, GateWord.OPEN_LO, 50)], filter_ticks=0, start=start))
    assert outcome.word(Counter.LED, CounterWord.COUNT) == 4
    assert outcome.word(Counter.LED, CounterWord.FIRST_LO) == wrap & 0xFFFF_FFFF
    check(Script(changes, [(CLEARING, GateWord.OPEN_LO, 50)], filter_ticks=9, start=start))


def test_intervals_saturate():
    """The model's arithmetic; the component's is the same chain that the carries above go through."""
    model = PulseCountersModel()
    model.write(GATE, 0, 5)
    model.write(GATE + 1, 0, 5)
    for stamp in (10, 10 + (1 << 32), 10 + (1 << 33) - 1):
        model.change(stamp, 1)
        model.change(stamp + 1, 0)
    model.run(1 << 34)
    assert [model.read(w) for w in (CounterWord.COUNT, CounterWord.SHORTEST, CounterWord.LONGEST)] == [
        3,
        0xFFFF_FFFF,
        0xFFFF_FFFF,
    ]


# --- filter ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "count"), [(1, 0), (19, 0), (20, 1), (21, 1)])
def test_a_level_counts_when_it_lasts_the_filter_and_is_stamped_at_its_edge(width, count):
    outcome = check(Script({100: 1, 100 + width: 0}, ALWAYS, filter_ticks=20))
    assert outcome.word(Counter.LED, CounterWord.COUNT) == count
    assert outcome.word(Counter.LED, CounterWord.FIRST_LO) == 100 * count


def test_a_bouncing_input_does_not_disturb_another():
    """The LED bounces for 40 ticks while a spare input closes in the middle of it."""
    changes = {100 + n: (n % 2 == 0) | (n >= 17) << 9 for n in range(41)}
    outcome = check(Script(changes, ALWAYS, filter_ticks=25))
    assert outcome.word(Counter.SPARE1, CounterWord.FIRST_LO) == 117
    assert outcome.word(Counter.LED, CounterWord.FIRST_LO) == 140
    assert outcome.word(Counter.LED, CounterWord.COUNT) == 1


@pytest.mark.slow
def test_a_full_queue_is_told():
    """128 changes at once are one too many, for a filter that keeps them waiting; the level is right again after."""
    changes = {100 + n: n % 2 for n in range(1, 200)}
    flooded = play(Script(changes, ALWAYS, filter_ticks=300))
    assert CounterState.OVERFLOW in flooded.state
    assert flooded.word(Counter.LED, CounterWord.COUNT) == 1
    assert CounterState.OVERFLOW not in play(Script({t: changes[t] for t in list(changes)[:127]}, ALWAYS, 300)).state
    assert CounterState.OVERFLOW not in play(Script(changes, ALWAYS, 300, clears=(1000,))).state


# --- gate -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("open_at", "close_at", "count"), [(99, 200, 2), (100, 200, 1), (99, 199, 1), (100, 199, 0)])
def test_the_gate_takes_stamps_after_its_opening_up_to_its_closing(open_at, close_at, count):
    script = Script(
        {100: 1, 150: 0, 200: 1},
        [(CLEARING, GateWord.OPEN_LO, open_at), (CLEARING + 2, GateWord.CLOSE_LO, close_at)],
    )
    outcome = check(script)
    assert outcome.word(Counter.LED, CounterWord.COUNT) == count
    assert (outcome.gate(GateWord.OPEN_LO), outcome.gate(GateWord.CLOSE_LO)) == (open_at, close_at)
    assert not outcome.state


def test_a_gate_armed_at_a_tick_that_has_passed_moves_now():
    outcome = check(
        Script({100: 1, 150: 0, 200: 1}, [(120, GateWord.OPEN_LO, 30), (180, GateWord.CLOSE_LO, RING // 2 + 200)])
    )
    assert (outcome.gate(GateWord.OPEN_LO), outcome.gate(GateWord.CLOSE_LO)) == (120, 180)
    assert outcome.word(Counter.LED, CounterWord.COUNT) == 0


def test_a_gate_moves_though_no_contact_does():
    script = Script({}, [(CLEARING, GateWord.OPEN_LO, 300)])
    assert check(script).state == CounterState.OPEN


def test_closing_alone_is_ignored():
    outcome = check(Script({100: 1}, [(60, GateWord.CLOSE_LO, 5000), (80, GateWord.OPEN_LO, 0)]))
    assert outcome.state == CounterState.OPEN
    assert outcome.word(Counter.LED, CounterWord.COUNT) == 1


@pytest.mark.parametrize("counter", list(Counter))
def test_the_last_of_a_number_of_pulses_closes_the_gate(counter):
    """Pulses of the others in that same tick still count, those of the next do not."""
    one = 1 | 0b01010101 << 1 | 0b11 << 9
    other = 0b10101010 << 1
    changes = stamped([other, one] * 5, gap=30)
    outcome = check(Script(changes, ALWAYS, pulses=3, gate_counter=counter))
    kyz = counter in (Counter.KYZ1, Counter.KYZ2, Counter.KYZ3, Counter.KYZ4)
    assert outcome.word(counter, CounterWord.COUNT) == 3
    assert outcome.gate(GateWord.CLOSE_LO) == outcome.word(counter, CounterWord.LAST_LO)
    assert outcome.words[GATE + GateWord.PULSES] == 0
    assert outcome.word(Counter.LED, CounterWord.COUNT) == (2 if kyz else 3)
    assert outcome.word(Counter.KYZ4, CounterWord.COUNT) == (3 if kyz else 5)
    assert not outcome.state & ~CounterState.BUSY


def test_clear_closes_the_gate_and_forgets():
    outcome = check(Script({100: 1, 150: 0, 250: 1}, [*ALWAYS, (98, GateWord.CLOSE_LO, 4000)], clears=(200,)))
    assert not any(outcome.words[8 * c + CounterWord.COUNT] for c in Counter)
    assert not outcome.state


# --- everything together --------------------------------------------------------------------------------


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    filter_ticks = draw(st.sampled_from([0, 1, 2, 7, 60]))
    gaps = st.one_of(st.sampled_from([1, 2, max(filter_ticks - 1, 1), filter_ticks + 1]), st.integers(1, 90))
    toggles = st.one_of(
        st.sampled_from([ALL, 1, 2, 4, 6, 0b111111110, 0x600]), st.integers(0, PULSE_PINS - 1).map(lambda n: 1 << n)
    )
    steps = draw(st.lists(st.tuples(gaps, st.one_of(toggles, st.integers(1, ALL))), min_size=1, max_size=24))
    start = draw(st.sampled_from([0, (1 << 32) - 300, RING - 300, (1 << STAMP_BITS) - 300]))
    changes, tick, levels = {}, CLEARING + 5, 0
    for gap, toggle in steps:
        tick += gap
        levels ^= toggle
        changes[tick] = levels
    edges = st.builds(lambda t, d: t + d, st.sampled_from(list(changes)), st.integers(-1, 1))
    gate = [(CLEARING, GateWord.OPEN_LO, draw(st.one_of(st.just(0), edges)))]
    pulses = draw(st.integers(0, 4))
    if draw(st.booleans()):
        early = draw(st.booleans())
        gate.append(
            (CLEARING + 3 if early else draw(st.integers(CLEARING + 3, tick + 5)), GateWord.CLOSE_LO, draw(edges))
        )
        pulses *= early  # or the limit's closing could be taken for the time of this arming
    return Script(
        changes,
        gate,
        filter_ticks,
        pulses=pulses,
        gate_counter=draw(st.sampled_from(Counter)),
        start=start,
        clears=tuple(draw(st.lists(st.integers(CLEARING + 10, tick + 50), max_size=1))),
        reads=tuple(draw(st.lists(st.integers(CLEARING, tick + 50), max_size=20))),
    )


@settings(max_examples=12, deadline=None)
@given(scripts())
def test_any_contacts_and_gates(script):
    check(script)
