"""The event log against its model, entry for entry and clock for clock, and against its table of detectors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from amaranth import Module
from gateware_bench import simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateware.chain import Chain
from gateware.events import Events
from gateware.model.events import EventsModel
from gateware.record_words import RecordFlag
from gateware.registers import CHANNELS, EVENT_LOG_ENTRIES, NO_CHANNEL, SAMPLE_BITS, Channel, EventKind
from gateware.scan import SampleScan

CHAIN = Chain()
TICKS = 256
SET_CLOCKS = 170
"""From one set to the next here: the engine is done, the rest of the 1024 would only take time."""

LOWEST, HIGHEST = -(1 << SAMPLE_BITS - 1), (1 << SAMPLE_BITS - 1) - 1
MOST_MAGNITUDE = HIGHEST
NOTHING = RecordFlag(0)
CROSSING, TIMED, OVERRUN = RecordFlag.END_CROSSING, RecordFlag.END_TIMED, RecordFlag.OVERRUN


@dataclass(frozen=True)
class Config:
    sag: int = 0
    swell: int = 0
    loss: int = 0
    samples: int = 3


@dataclass(frozen=True)
class Set:
    """A sample set with its masks and how windows close with it; the host reads these words at these clocks."""

    samples: tuple[int, ...] = (0,) * CHANNELS
    overload: int = 0
    dead: int = 0
    closing: RecordFlag = NOTHING
    reads: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Entry:
    """One entry of the log."""

    tick: int
    kind: EventKind
    channel: int
    begin: bool
    number: int


@dataclass
class Seen:
    """What the host saw: words read on the way, the count after each set, kinds that began, and the log at the end."""

    reads: list[int]
    written: list[int]
    begins: list[int]
    log: list[int]

    @property
    def entries(self) -> list[Entry]:
        """The log in the order of writing; not for one that has turned."""
        count = self.written[-1]
        assert count <= EVENT_LOG_ENTRIES
        return [decode(*self.log[2 * n : 2 * n + 2]) for n in range(count)]


def decode(low: int, high: int) -> Entry:
    return Entry(
        (high & 0xFFFF) << 32 | low, EventKind(high >> 16 & 0x1F), high >> 21 & 7, bool(high >> 24 & 1), high >> 25
    )


def netlist(config: Config, sets: list[Set], start: int = 0) -> Seen:
    m = Module()
    m.submodules.scan = scan = SampleScan(CHAIN)
    m.submodules.dut = dut = Events(CHAIN)
    m.d.comb += [dut.valid.eq(scan.valid), dut.channel.eq(scan.channel), dut.value.eq(scan.value)]
    seen = Seen([], [], [], [])

    async def bench(ctx):
        ctx.set(dut.sag_level, config.sag)
        ctx.set(dut.swell_level, config.swell)
        ctx.set(dut.loss_level, config.loss)
        ctx.set(dut.event_samples, config.samples)
        for number, item in enumerate(sets):
            for c in range(CHANNELS):
                ctx.set(scan.samples[c], item.samples[c])
            ctx.set(dut.overload, item.overload)
            ctx.set(dut.dead, item.dead)
            ctx.set(dut.overrun, OVERRUN in item.closing)
            ctx.set(dut.crossing, CROSSING in item.closing)
            ctx.set(dut.timed, TIMED in item.closing)
            ctx.set(dut.stamp, start + TICKS * number)
            ctx.set(scan.sample, 1)
            reads, begins = dict(item.reads), 0
            for clock in range(SET_CLOCKS):
                ctx.set(dut.decided, clock == 1)  # the reasons stay, and must not be heard again
                if clock in reads:
                    ctx.set(dut.host_index, reads[clock])
                ctx.set(dut.host_read, clock in reads)
                if clock - 1 in reads:
                    seen.reads.append(ctx.get(dut.host_data))
                if ctx.get(dut.begins):
                    begins |= 1 << ctx.get(dut.kind)
                await ctx.tick()
                ctx.set(scan.sample, 0)
            seen.written.append(ctx.get(dut.written))
            seen.begins.append(begins)
        for word in range(2 * EVENT_LOG_ENTRIES):
            ctx.set(dut.host_index, word)
            ctx.set(dut.host_read, 1)
            await ctx.tick()
            seen.log.append(ctx.get(dut.host_data))

    simulate(m, bench)
    return seen


def integers(config: Config, sets: list[Set], start: int = 0) -> Seen:
    model = EventsModel()
    levels = np.array([config.sag, config.swell, config.loss, config.samples], np.int64)
    seen = Seen([], [], [], [])
    for number, item in enumerate(sets):
        begins = model.feed(
            np.array([item.samples], np.int64),
            np.array([start + TICKS * number], np.int64),
            np.array([item.overload], np.int64),
            np.array([item.dead], np.int64),
            np.array([int(item.closing)], np.int64),
            levels,
        )
        for clock, word in sorted(item.reads):
            model.pass_clocks(clock)
            seen.reads.append(model.word(word))
        model.pass_clocks(None)
        seen.written.append(model.written)
        seen.begins.append(int(begins[0]))
    seen.log = [model.word(w) for w in range(2 * EVENT_LOG_ENTRIES)]
    return seen


def run(config: Config, sets: list[Set], start: int = 0) -> Seen:
    """Component and model, agreeing in everything."""
    seen = netlist(config, sets, start)
    assert seen == integers(config, sets, start)
    return seen


def told(seen: Seen) -> list[tuple[int, EventKind, int, bool]]:
    """(set, kind, channel, begin) of each entry."""
    assert [e.number for e in seen.entries] == list(range(len(seen.entries)))
    return [(e.tick // TICKS, e.kind, e.channel, e.begin) for e in seen.entries]


def on(channel: Channel, *codes: int) -> list[Set]:
    """Sets in which a channel has these codes, and the other voltages plenty."""
    return [Set(tuple(c if k == channel else 1000 for k in range(CHANNELS))) for c in codes]


# --- the table, a row at a time ---------------------------------------------------------------------------


@pytest.mark.parametrize("channel", [Channel.V1, Channel.V2, Channel.V3])
@pytest.mark.parametrize(("kind", "config"), [(EventKind.SAG, Config(sag=100)), (EventKind.LOSS, Config(loss=100))])
def test_sag_and_loss_begin_by_absence_and_end_at_once(channel: Channel, kind: EventKind, config: Config):
    sets = on(channel, 100, 99, -100, -101, 99, 99, 99, 50, -99, -101, 0, 0, 0)
    assert told(run(config, sets)) == [(6, kind, channel, True), (9, kind, channel, False), (12, kind, channel, True)]


def test_swell_begins_at_once_and_ends_by_absence():
    sets = on(Channel.V2, 1999, 2000, 0, 0, -2001, 0, 0, 1999, 0, 2000)
    assert told(run(Config(swell=2000), sets)) == [
        (1, EventKind.SWELL, 1, True), (7, EventKind.SWELL, 1, False), (9, EventKind.SWELL, 1, True)
    ]  # fmt: skip


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("kind", [EventKind.OVERLOAD, EventKind.DEAD])
def test_overload_and_dead_follow_the_masks_of_every_channel(channel: Channel, kind: EventKind):
    bit = 1 << channel
    masks = [0, bit, 0, 0, bit, 0, 0, 0, 0, 63]
    sets = [Set(overload=m) if kind is EventKind.OVERLOAD else Set(dead=m) for m in masks]
    found = told(run(Config(), sets))
    assert [e for e in found if e[2] == channel] == [
        (1, kind, channel, True), (7, kind, channel, False), (9, kind, channel, True)
    ]  # fmt: skip
    assert len([e for e in found if e[0] == 9]) == CHANNELS


def test_no_crossing_from_the_first_timed_window_to_the_next_with_a_crossing():
    closings = [CROSSING, NOTHING, TIMED, NOTHING, TIMED, RecordFlag.END_COMMANDED, TIMED | CROSSING, TIMED]
    found = told(run(Config(), [Set(closing=c) for c in closings]))
    kind = EventKind.NO_CROSSING
    assert found == [(2, kind, NO_CHANNEL, True), (6, kind, NO_CHANNEL, False), (7, kind, NO_CHANNEL, True)]


def test_an_overrun_is_told_once():
    found = told(run(Config(), [Set(), Set(closing=OVERRUN), Set(closing=OVERRUN)]))
    assert found == [(1, EventKind.OVERRUN, NO_CHANNEL, True)]


def test_levels_of_0_tell_nothing():
    sets = [Set(), Set((HIGHEST,) * CHANNELS), Set((LOWEST,) * CHANNELS), *[Set()] * 5]
    assert run(Config(samples=1), sets).written[-1] == 0


def test_currents_are_not_voltages():
    sets = [Set((500, 500, 500, HIGHEST, 0, LOWEST))] * 4
    assert run(Config(sag=500, swell=501, loss=500, samples=1), sets).written[-1] == 0


def test_the_greatest_magnitude_is_that_of_both_ends_of_the_codes():
    for code in (HIGHEST, LOWEST):
        seen = run(Config(swell=MOST_MAGNITUDE), on(Channel.V1, code, code - 1 if code > 0 else code + 1))
        assert told(seen) == [(0, EventKind.SWELL, 0, True)]


@pytest.mark.parametrize("samples", [0, 1])
def test_after_no_or_one_sample(samples: int):
    """Both mean: with the first sample."""
    found = told(run(Config(sag=10, swell=2000, samples=samples), on(Channel.V1, 15, 9, 15, 2000, 15)))
    assert [(e[0], e[1], e[3]) for e in found] == [
        (1, EventKind.SAG, True), (2, EventKind.SAG, False), (3, EventKind.SWELL, True), (4, EventKind.SWELL, False)
    ]  # fmt: skip


# --- nothing is lost ---------------------------------------------------------------------------------------

EVERY = Set((0, 0, 0, 0, 0, 0), overload=63, dead=63, closing=TIMED | OVERRUN)


def test_every_detector_changes_with_the_same_set():
    """The most that one set can bring, with the host reading as often as it may: all in order, none lost."""
    config = Config(sag=10, swell=300, loss=20, samples=1)
    calm = Set((200, 200, 200, 0, 0, 0), closing=CROSSING)
    worst = replace(EVERY, samples=(5, 5, 5, 0, 0, 0), reads=tuple((c, 1) for c in range(3, 160, 9)))
    after = replace(calm, closing=CROSSING | OVERRUN)
    assert run(config, [calm, worst, after]).written == [0, 6 + 12 + 2, 6 + 12 + 2 + 6 + 12 + 1]
    worst = replace(worst, samples=(400, 400, 400, 0, 0, 0))
    assert run(Config(swell=300, samples=1), [worst, calm]).written[0] == 3 + 12 + 2


def test_the_log_turns_and_the_count_goes_on():
    sets = [Set(overload=63 * (k % 2)) for k in range(16)]
    seen = run(Config(samples=1), sets, start=(1 << 47) - 8 * TICKS)
    assert seen.written[-1] == 15 * CHANNELS
    newest = seen.written[-1] - 1
    for number in range(newest, newest - EVENT_LOG_ENTRIES, -1):
        place = 2 * (number % EVENT_LOG_ENTRIES)
        entry = decode(*seen.log[place : place + 2])
        assert entry.number == number % 128
        assert entry.tick == (1 << 47) + (number // CHANNELS + 1 - 8) * TICKS
        assert (entry.channel, entry.begin) == (number % CHANNELS, number // CHANNELS % 2 == 0)


def test_a_host_that_reads_meanwhile_sees_each_word_when_it_is_written():
    """Component and model agree on the clock; one word is looked at over and over, in a run of sets for each clock."""
    for word in (0, 1, 30, 31):
        sets = [Set(overload=63 * (k % 2), reads=((clock, word),)) for k, clock in enumerate(range(2, 160, 11), 1)]
        run(Config(samples=1), [Set(), *sets])


code = st.one_of(st.sampled_from([LOWEST, -11, -10, -1, 0, 9, 10, 11, HIGHEST]), st.integers(LOWEST, HIGHEST))
one = st.builds(
    Set,
    samples=st.tuples(*[code] * CHANNELS),
    overload=st.integers(0, 63),
    dead=st.integers(0, 63),
    closing=st.sampled_from([NOTHING, NOTHING, CROSSING, TIMED, CROSSING | TIMED]),
    reads=st.lists(st.integers(2, 9), max_size=8).map(lambda late: tuple((20 * k + g, 3) for k, g in enumerate(late))),
)
level = st.one_of(st.sampled_from([0, 1, 10, 11, MOST_MAGNITUDE]), st.integers(0, MOST_MAGNITUDE))


@given(
    config=st.builds(Config, sag=level, swell=level, loss=level, samples=st.integers(0, 4)),
    sets=st.lists(one, min_size=1, max_size=12),
)
@settings(max_examples=40)
def test_component_and_model_agree(config: Config, sets: list[Set]):
    run(config, sets)


# --- the model ---------------------------------------------------------------------------------------------


def feed(model: EventsModel, sets: np.ndarray, masks: np.ndarray) -> np.ndarray:
    stamps = TICKS * np.arange(len(sets))
    return model.feed(sets, stamps, masks, masks, 0 * masks, np.array([100, 900, 50, 2], np.int64))


def test_the_model_takes_many_sets_at_once():
    generator = np.random.default_rng(3)
    sets, masks = generator.integers(-1000, 1000, (300, CHANNELS)), generator.integers(0, 64, 300)
    whole, split = EventsModel(), EventsModel()
    begins = feed(whole, sets, masks)
    parts = [feed(split, sets[k : k + 7], masks[k : k + 7]) for k in range(0, 300, 7)]
    assert np.concatenate(parts).tolist() == begins.tolist()
    whole.pass_clocks(None)
    split.pass_clocks(None)
    assert whole.written == split.written > 300
