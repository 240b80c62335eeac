"""The waveform capture against its model, sample set for sample set, and against its table of states."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from amaranth import Module
from gateware_bench import simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateware.capture import Capture
from gateware.chain import Chain
from gateware.model.capture import CaptureModel
from gateware.registers import (
    CHANNELS,
    SAMPLE_BITS,
    CaptureCommand,
    CaptureFlag,
    CaptureState,
    Channel,
    EventKind,
)
from gateware.scan import SCAN_CLOCKS, SampleScan

CHAIN = replace(Chain(), capture_log2=3)
DEPTH = 1 << CHAIN.capture_log2
TICKS = 256
NONE = 7 << 20
LOWEST, HIGHEST = -(1 << SAMPLE_BITS - 1), (1 << SAMPLE_BITS - 1) - 1


@dataclass(frozen=True)
class Set:
    """A sample set, what comes with it, and what the host writes before it."""

    samples: tuple[int, ...] = (0,) * CHANNELS
    closes: bool = False
    kind: EventKind | None = None
    command: CaptureCommand | None = None


@dataclass
class Seen:
    """CAPTURE_STATE after every set, and the ring's words at the end."""

    states: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)


def netlist(sets: list[Set], trigger: int = NONE, after: int = 1, start: int = 0) -> Seen:
    """What the component makes of the sets; the host reads a word during every set, in the middle of its writing."""
    m = Module()
    m.submodules.scan = scan = SampleScan(CHAIN)
    m.submodules.dut = dut = Capture(CHAIN)
    for member in ("valid", "channel", "value", "done"):
        m.d.comb += getattr(dut, member).eq(getattr(scan, member))
    seen = Seen()

    async def fetch(ctx, word: int) -> int:
        ctx.set(dut.fetch, 1)
        ctx.set(dut.fetch_word, word)
        await ctx.tick()
        ctx.set(dut.fetch, 0)
        for _ in range(6):
            if ctx.get(dut.fetched):
                return ctx.get(dut.word)
            await ctx.tick()
        raise AssertionError("no answer in five clocks")

    async def bench(ctx):
        ctx.set(dut.trigger, trigger)
        ctx.set(dut.after, after)
        for number, item in enumerate(sets):
            ctx.set(dut.command, item.command or 0)
            ctx.set(dut.commanded, item.command is not None)
            await ctx.tick()
            ctx.set(dut.commanded, 0)
            await ctx.tick()
            for c in range(CHANNELS):
                ctx.set(dut.samples[c], item.samples[c])
                ctx.set(scan.samples[c], item.samples[c])
            ctx.set(dut.closes, item.closes)
            ctx.set(dut.stamp, start + TICKS * number)
            ctx.set(scan.sample, 1)
            await ctx.tick()
            ctx.set(scan.sample, 0)
            ctx.set(dut.begins, item.kind is not None)
            ctx.set(dut.kind, item.kind or 0)
            await ctx.tick()
            ctx.set(dut.begins, 0)
            await ctx.tick().repeat(SCAN_CLOCKS - 2)
            await fetch(ctx, number % (2 * DEPTH))
            await ctx.tick().repeat(4)
            seen.states.append(ctx.get(dut.state))
        seen.words = [await fetch(ctx, w) for w in range(2 * DEPTH)]

    simulate(m, bench)
    return seen


def integers(sets: list[Set], trigger: int = NONE, after: int = 1, start: int = 0) -> Seen:
    """What the model makes of them."""
    model = CaptureModel(CHAIN)
    model.set_trigger(trigger)
    model.set_after(after)
    seen = Seen()
    for number, item in enumerate(sets):
        if item.command is not None:
            model.command(item.command)
        model.feed(
            np.array([item.samples], np.int64),
            np.array([start + TICKS * number], np.int64),
            np.array([item.closes]),
            np.array([0 if item.kind is None else 1 << item.kind], np.int64),
        )
        seen.states.append(model.state)
    seen.words = model.words.tolist()
    return seen


def level(channel: int, code: int, falling: bool = False) -> int:
    return code & (1 << SAMPLE_BITS) - 1 | channel << 20 | falling << 23


def run(sets: list[Set], trigger: int = NONE, after: int = 1, start: int = 0) -> list[CaptureState]:
    """States after each set, component and model agreeing in everything."""
    seen = netlist(sets, trigger, after, start)
    assert seen == integers(sets, trigger, after, start)
    return [CaptureState(state & 7) for state in seen.states]


def on_v1(*codes: int) -> list[Set]:
    """Sets with these voltages; armed before the first."""
    sets = [Set((code, 0, 0, 0, 0, 0)) for code in codes]
    return [replace(sets[0], command=CaptureCommand.ARM), *sets[1:]]


IDLE, RUNNING, ARMED, TRIGGERED, DONE = CaptureState


@pytest.mark.parametrize("command", [CaptureCommand.STOP, CaptureCommand.RUN, CaptureCommand.ARM])
@pytest.mark.parametrize("state", CaptureState)
def test_commands_lead_from_anywhere(state: CaptureState, command: CaptureCommand):
    arm, fires = Set(command=CaptureCommand.ARM), Set(kind=EventKind.SAG)
    to = {
        IDLE: [Set()],
        RUNNING: [Set(command=CaptureCommand.RUN)],
        ARMED: [arm],
        TRIGGERED: [arm, fires],
        DONE: [arm, fires, Set(), Set()],
    }[state]
    states = run([*to, Set(command=command)], NONE | 1 << 24, after=2)
    assert states[-2:] == [state, (IDLE, RUNNING, ARMED)[command]]


def test_the_ring_stops_so_many_sets_after_the_trigger():
    sets = [Set(command=CaptureCommand.ARM), Set(), Set(kind=EventKind.SAG), *[Set()] * 5]
    assert run(sets, NONE | 1 << 24, after=3) == [ARMED, ARMED, *[TRIGGERED] * 3, DONE, DONE, DONE]
    assert run(sets, NONE | 1 << 24, after=0) == run(sets, NONE | 1 << 24, after=1)


def test_without_sources_it_never_triggers():
    sets = [Set((HIGHEST, LOWEST) * 3, kind=EventKind.DEAD, command=CaptureCommand.ARM), *[Set()] * 20]
    assert run(sets)[-1] == ARMED


def test_words_are_the_samples_flags_and_the_tick():
    start = (1 << 48) - 3 * TICKS
    low = 0xFFFFF
    sets = [
        Set((1, -2, 3, LOWEST, HIGHEST, -1), command=CaptureCommand.ARM),
        Set((4, 5, 6, 7, 8, 9), closes=True, kind=EventKind.SWELL),
        Set((-4, -5, -6, -7, -8, -9)),
    ]
    seen = netlist(sets, NONE | 1 << 24 + EventKind.SWELL, after=1, start=start)
    assert [seen.words[k] & low for k in range(6)] == [1, 1 << 19, 4, 7, -4 & low, -7 & low]
    assert [w >> 20 & low for w in seen.words[:6]] == [-2 & low, HIGHEST, 5, 8, -5 & low, -8 & low]
    assert [w >> 40 & low for w in seen.words[:6]] == [3, low, 6, 9, -6 & low, -9 & low]
    assert [w >> 60 for w in seen.words[:6:2]] == [0, CaptureFlag.WINDOW | CaptureFlag.TRIGGER, 0]
    assert seen.words[6] == start + 2 * TICKS
    assert seen.states[-1] == CaptureState.DONE | CHAIN.capture_log2 << 4 | 3 << 16
    assert seen == integers(sets, NONE | 1 << 24 + EventKind.SWELL, after=1, start=start)


def first_triggered(states: list[CaptureState]) -> int | None:
    return states.index(TRIGGERED) if TRIGGERED in states else None


@pytest.mark.parametrize(
    ("codes", "at", "falling", "expected"),
    [
        ((-5, -1, 0, 3), 0, False, 2),
        ((5, 1, 0, -1), 0, True, 3),
        ((5, -1, -1, 0, -1), 0, False, 3),
        ((-1, 0, 0, -1), 0, True, 3),
        ((LOWEST, HIGHEST), HIGHEST, False, 1),
        ((HIGHEST, LOWEST, LOWEST + 1), LOWEST + 1, True, 1),
        ((9, 9, 9), 0, False, None),
    ],
)
def test_level_crossings(codes: tuple[int, ...], at: int, falling: bool, expected: int | None):
    """Whatever came before arming; the set before is enough."""
    sets = on_v1(*codes)
    sets = [Set((codes[0], 0, 0, 0, 0, 0)), *sets]
    found = first_triggered(run([*sets, Set((codes[-1], 0, 0, 0, 0, 0))], level(Channel.V1, at, falling)))
    assert found == (None if expected is None else expected + 1)


@given(data=st.data())
@settings(max_examples=40)
def test_component_and_model_agree(data: st.DataObject):
    sample = st.one_of(st.sampled_from([LOWEST, -1, 0, 1, HIGHEST]), st.integers(LOWEST, HIGHEST))
    sets = data.draw(
        st.lists(
            st.builds(
                Set,
                samples=st.tuples(*[sample] * CHANNELS),
                closes=st.booleans(),
                kind=st.sampled_from([None, None, *EventKind]),
                command=st.sampled_from([None, None, None, *CaptureCommand]),
            ),
            min_size=1,
            max_size=14,
        )
    )
    trigger = level(data.draw(st.sampled_from([0, 3, 5, 7])), data.draw(sample), data.draw(st.booleans()))
    run(sets, trigger | data.draw(st.integers(0, 0xFF)) << 24, data.draw(st.integers(0, 4)))


def test_the_model_takes_many_sets_at_once():
    generator = np.random.default_rng(5)
    samples = generator.integers(LOWEST, HIGHEST, (50, CHANNELS))
    stamps, closes = TICKS * np.arange(50), generator.integers(0, 2, 50).astype(bool)
    begins = np.zeros(50, np.int64)
    begins[31] = 1 << EventKind.LOSS
    whole, split = CaptureModel(CHAIN), CaptureModel(CHAIN)
    for model, parts in ((whole, [slice(0, 50)]), (split, [slice(0, 7), slice(7, 32), slice(32, 50)])):
        model.set_trigger(NONE | 1 << 24 + EventKind.LOSS)
        model.set_after(3)
        model.command(CaptureCommand.ARM)
        for part in parts:
            model.feed(samples[part], stamps[part], closes[part], begins[part])
    assert whole.state == split.state == CaptureState.DONE | 3 << 4 | (35 % DEPTH) << 16
    assert whole.words.tolist() == split.words.tolist()
