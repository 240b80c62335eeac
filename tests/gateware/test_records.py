"""The record FIFO with the correlator that fills it: every row of its table, and pops at every clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from amaranth import Module
from gateware_bench import simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateware.chain import Chain
from gateware.correlator import Correlator
from gateware.multiplier import Multiplier
from gateware.record_words import PRODUCTS, RECORD_WORDS, Record, RecordFlag
from gateware.records import Records
from gateware.registers import CHANNELS, SAMPLE_BITS, TICK_BITS, Capability

PLAIN = Chain(capabilities=Capability.PRODUCTS | Capability.MEANS)
SMALL = Chain(record_slots=4, tick_start=(1 << TICK_BITS) - 700)
"""Three records can wait; ticks wrap after two samples."""

ROOM = SMALL.ring
SAMPLE_CLOCKS = 208
"""Between sample sets in these tests: the header, the copy and the sums fit in between."""

FETCH_CLOCKS = 3
"""The longest a word may take, as the docstring has it."""

REASONS = ("crossing", "commanded", "timed")


@dataclass(frozen=True)
class Set:
    """One sample set and what the window decided on it."""

    samples: tuple[int, ...]
    reasons: frozenset[str] = frozenset()
    overload: int = 0
    dead: int = 0


class Bench:
    """Records, correlator and multiplier wired as in Metrology, and the host's side of the FIFO."""

    def __init__(self, chain: Chain = SMALL, spram: bool = False) -> None:
        self.chain = chain
        m = self.module = Module()
        m.submodules.records = self.records = records = Records(chain, spram)
        m.submodules.correlator = self.correlator = correlator = Correlator(PLAIN)
        m.submodules.multiplier = multiplier = Multiplier()
        m.d.comb += [
            multiplier.summing.eq(correlator.busy),
            multiplier.sum_a.eq(correlator.a),
            multiplier.sum_b.eq(correlator.b),
            correlator.p.eq(multiplier.p),
            correlator.start.eq(records.start),
            correlator.read_data.eq(records.data),
            records.summing.eq(correlator.busy),
            records.sum_read.eq(correlator.read_word),
            records.sum_write.eq(correlator.write),
            records.sum_word.eq(correlator.write_word),
            records.sum_data.eq(correlator.write_data),
        ]
        self.stamp = chain.tick_start
        self.after = 0

    async def decide(self, ctx, a_set: Set, pop_at: int | None = None, clocks: int = SAMPLE_CLOCKS) -> None:
        """One sample set, its decision in the first clock; `pop_at` clocks later the host pops."""
        records = self.records
        self.stamp = (self.stamp + 256) % (1 << TICK_BITS)
        for c, sample in enumerate(a_set.samples):
            ctx.set(self.correlator.samples[c], sample)
        for reason in REASONS:
            ctx.set(getattr(records, reason), reason in a_set.reasons)
        ctx.set(records.closes, bool(a_set.reasons))
        ctx.set(records.before, self.after)
        ctx.set(records.after, a_set.samples[0])
        ctx.set(records.stamp, self.stamp)
        ctx.set(records.overload, a_set.overload)
        ctx.set(records.dead, a_set.dead)
        ctx.set(records.config_digest, 0xC0FFEE42)
        ctx.set(records.oscillator_step, 0x1234_5678)
        self.after = a_set.samples[0]
        for clock in range(clocks):
            ctx.set(records.decided, clock == 0)
            ctx.set(records.pop, clock == pop_at)
            await ctx.tick()
        ctx.set(records.decided, 0)
        ctx.set(records.pop, 0)

    async def word(self, ctx, word: int) -> int:
        records = self.records
        ctx.set(records.fetch_word, word)
        ctx.set(records.fetch, 1)
        await ctx.tick()
        ctx.set(records.fetch, 0)
        for _ in range(FETCH_CLOCKS):
            if ctx.get(records.fetched):
                return ctx.get(records.word)
            await ctx.tick()
        raise AssertionError(f"word {word} did not come within {FETCH_CLOCKS} clocks")

    async def oldest(self, ctx) -> Record:
        record = Record.from_words([await self.word(ctx, w) for w in range(RECORD_WORDS)])
        assert record.sequence & 0xFF == ctx.get(self.records.oldest)
        return record

    async def pop(self, ctx) -> None:
        ctx.set(self.records.pop, 1)
        await ctx.tick()
        ctx.set(self.records.pop, 0)

    async def take(self, ctx) -> Record:
        """The oldest record, popped."""
        record = await self.oldest(ctx)
        await self.pop(ctx)
        return record

    async def take_all(self, ctx) -> list[Record]:
        return [await self.take(ctx) for _ in range(ctx.get(self.records.level))]


def expected(chain: Chain, sets: list[Set], rooms: list[bool]) -> list[Record]:
    """The docstring's table: what the records are, given whether the ring had room at each set."""
    records: list[Record] = []
    members: list[Set] = []
    stamp = start = chain.tick_start
    windows = cycles = 0
    begun = RecordFlag(0)
    for a_set, room in zip(sets, rooms, strict=True):
        if a_set.reasons and members:
            windows += 1
            cycles += "crossing" in a_set.reasons
            if room:
                flags = begun
                flags |= RecordFlag.END_CROSSING if "crossing" in a_set.reasons else 0
                flags |= RecordFlag.END_COMMANDED if "commanded" in a_set.reasons else 0
                flags |= RecordFlag.END_TIMED if "timed" in a_set.reasons else 0
                records.append(record_of(members, len(records), windows, cycles, flags, start, stamp, a_set))
                begun = RecordFlag.START_CROSSING if "crossing" in a_set.reasons else RecordFlag(0)
                members, windows, cycles, start = [], 0, 0, stamp
        members.append(a_set)
        stamp = (stamp + 256) % (1 << TICK_BITS)
    return records


def record_of(
    members: list[Set],
    sequence: int,
    windows: int,
    cycles: int,
    flags: RecordFlag,
    start: int,
    end: int,
    closing: Set,
) -> Record:
    table = np.array([s.samples for s in members], object)
    sums = [0] * (RECORD_WORDS - 7)
    for i, (a, b) in enumerate(PRODUCTS):
        sums[i] = int(table[:, a] @ table[:, b])
    for c in range(CHANNELS):
        sums[-CHANNELS + c] = int(table[:, c].sum())
    overload = dead = 0
    for s in members:
        overload |= s.overload
        dead |= s.dead
    return Record(
        sequence, windows, flags, start, end, len(members), cycles, members[-1].samples[0], closing.samples[0],
        0xC0FFEE42, overload, dead, 0x1234_5678, tuple(sums),
    )  # fmt: skip


def some(count: int, seed: int = 11) -> list[tuple[int, ...]]:
    limit = 1 << SAMPLE_BITS - 1
    return [tuple(row) for row in np.random.default_rng(seed).integers(-limit, limit, (count, CHANNELS)).tolist()]


def closing(*reasons: str) -> frozenset[str]:
    return frozenset(reasons)


TIMED = closing("timed")


def test_each_row_of_the_table():
    """Not closing, closing with room in the ring, and closing with none, with each reason and its flags."""
    x = some(12)
    sets = [
        Set(x[0], TIMED),  # no sample yet: nothing to close
        Set(x[1], overload=0b000001),
        Set(x[2], closing("crossing"), overload=0b010000, dead=0b100000),  # first record; its masks are the second's
        Set(x[3], overload=0b000110),
        Set(x[4], closing("commanded", "crossing")),  # second
        Set(x[5], closing("timed", "commanded"), dead=0b000011),  # third: the ring is full
        Set(x[6], closing("crossing"), overload=0b111000),
        Set(x[7], closing("crossing")),
        Set(x[8]),
        Set(x[9], TIMED),  # after a pop: one record of what was coalesced
        Set(x[10], closing("crossing")),
    ]
    full = {6, 7}
    bench = Bench()
    taken: list[Record] = []

    async def run(ctx):
        levels = []
        for number, a_set in enumerate(sets):
            if number in (9, 10):
                taken.append(await bench.take(ctx))
            await bench.decide(ctx, a_set)
            levels.append(ctx.get(bench.records.level))
        assert levels == [0, 0, 1, 1, 2, 3, 3, 3, 3, 3, 3]
        taken.extend(await bench.take_all(ctx))
        assert ctx.get(bench.records.level) == 0

    simulate(bench.module, run)
    assert taken == expected(SMALL, sets, [n not in full for n in range(len(sets))])
    assert [record.overload for record in taken[:2]] == [0b000001, 0b010110]
    assert taken[3].windows == 3
    assert taken[3].cycles == 2
    assert taken[3].samples == 4


def test_overrun_is_in_the_flags():
    bench = Bench()

    async def run(ctx):
        ctx.set(bench.records.overrun, 1)
        for x in some(2):
            await bench.decide(ctx, Set(x, TIMED))
        assert (await bench.take(ctx)).flags == RecordFlag.END_TIMED | RecordFlag.OVERRUN

    simulate(bench.module, run)


@pytest.mark.parametrize("waiting", [1, 2, 3])
def test_a_pop_in_any_clock_of_a_closing_loses_nothing(waiting):
    """The closing takes nine clocks, and the copy ends 201 after the decision; pops land all over them, and beyond.

    With the ring full it makes room only for a later decision; else both happen.
    """
    bench = Bench()
    full = waiting == ROOM
    sets: list[Set] = []
    rooms: list[bool] = []
    taken: list[Record] = []

    async def close(ctx, room: bool, pop_at: int | None = None) -> None:
        sets.append(Set(samples[len(sets)], TIMED))
        rooms.append(room)
        await bench.decide(ctx, sets[-1], pop_at)

    async def run(ctx):
        for _ in range(waiting + 1):
            await close(ctx, room=True)
        for pop_at in (*range(12), *range(12, 190, 29), *range(196, 205)):
            assert ctx.get(bench.records.level) == waiting
            taken.append(await bench.oldest(ctx))
            await close(ctx, room=not full, pop_at=pop_at)
            assert ctx.get(bench.records.level) == waiting - full
            if full:
                await close(ctx, room=True)
        taken.extend(await bench.take_all(ctx))

    samples = some(80)
    simulate(bench.module, run)
    assert taken == expected(SMALL, sets, rooms)


@pytest.mark.slow
@pytest.mark.parametrize("reasons", [closing(), TIMED])
def test_words_come_in_time_whenever_they_are_asked_for(reasons):
    """Asked for in each clock of a sample set, with a closing and without."""
    bench = Bench()
    samples = some(SAMPLE_CLOCKS + 3)
    sets = [*(Set(x, TIMED) for x in samples[:3]), *(Set(x, reasons) for x in samples[3:])]
    records = expected(SMALL, sets, [True] * len(sets))

    async def run(ctx):
        for a_set in sets[:3]:
            await bench.decide(ctx, a_set)
        for clock, a_set in enumerate(sets[3:], 1):
            await bench.decide(ctx, a_set, clocks=clock)
            oldest = records[ctx.get(bench.records.oldest)].to_words()
            for word in (7 + clock % 21, 58 + clock % 6, 0):
                assert await bench.word(ctx, word) == oldest[word], f"asked {clock} clocks after the decision"
            await ctx.tick().repeat(SAMPLE_CLOCKS)
            if reasons:
                await bench.pop(ctx)

    simulate(bench.module, run)


@settings(max_examples=8)
@given(st.lists(st.sampled_from(["join", "close", "take"]), max_size=40), st.sampled_from([2, 3, 4, 300]))
def test_whatever_the_host_does_every_sample_is_in_one_record(steps, slots):
    chain = Chain(record_slots=slots)
    bench = Bench(chain)
    samples = iter(some(50))
    sets: list[Set] = []
    rooms: list[bool] = []
    taken: list[Record] = []

    async def run(ctx):
        for step in [*steps, "close", *["take"] * 3, "close", "take"]:
            level = ctx.get(bench.records.level)
            if step != "take":
                sets.append(Set(next(samples), TIMED if step == "close" else closing()))
                rooms.append(level < chain.ring)
                await bench.decide(ctx, sets[-1])
            elif level:
                taken.append(await bench.take(ctx))

    simulate(bench.module, run)
    assert taken == expected(chain, sets, rooms)
    assert sum(r.samples for r in taken) == len(sets) - 1
