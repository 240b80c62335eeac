"""Line-cycle windows: the component walks the table of its docstring, held against the table in Python."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from gateware_bench import simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateware.registers import SAMPLE_BITS, TICK_BITS
from gateware.window import LineCycleWindow

TICKS = 256
"""A sample's ticks in these tests."""

LOWEST, HIGHEST = -(1 << SAMPLE_BITS - 1), (1 << SAMPLE_BITS - 1) - 1


@dataclass
class Settings:
    reference: int = 0
    hysteresis: int = 100
    window_min: int = 0
    window_max: int = 0xFFFF
    start: int = 0
    """Stamp before the first sample."""


@dataclass(frozen=True)
class Decision:
    closes: int
    crossing: int
    commanded: int
    timed: int
    before: int
    after: int


def run(config: Settings, samples: list[tuple[int, int, int]], arm: dict[int, int] | None = None) -> list[Decision]:
    """Feeds samples of the three voltages; arm gives, by sample number, a tick to arm just before it."""
    dut = LineCycleWindow()
    decisions: list[Decision] = []

    async def bench(ctx):
        ctx.set(dut.reference, config.reference)
        ctx.set(dut.hysteresis, config.hysteresis)
        ctx.set(dut.window_min, config.window_min)
        ctx.set(dut.window_max, config.window_max)
        for number, voltages in enumerate(samples):
            if arm and number in arm:
                ctx.set(dut.close_at, arm[number])
                ctx.set(dut.arm, 1)
                await ctx.tick()
                ctx.set(dut.arm, 0)
            for c, v in enumerate(voltages):
                ctx.set(dut.samples[c], v)
            ctx.set(dut.stamp, (config.start + (number + 1) * TICKS) % (1 << TICK_BITS))
            ctx.set(dut.sample, 1)
            assert not ctx.get(dut.decided)
            await ctx.tick()
            ctx.set(dut.sample, 0)
            assert ctx.get(dut.decided), "one clock after the sample"
            decisions.append(Decision(*(ctx.get(getattr(dut, f)) for f in Decision.__dataclass_fields__)))
            await ctx.tick()

    simulate(dut, bench)
    return decisions


def table(config: Settings, samples: list[tuple[int, int, int]], arm: dict[int, int] | None = None) -> list[Decision]:
    """The docstring's table, row by row."""
    decisions = []
    length, was_below, armed, before = 0, False, None, 0
    for number, voltages in enumerate(samples):
        armed = (arm or {}).get(number, armed)
        voltage = voltages[min(config.reference, 2)]
        stamp = config.start + (number + 1) * TICKS
        crossing = voltage >= 0 and was_below and length >= config.window_min
        later = (stamp - armed) % (1 << TICK_BITS) if armed is not None else 0
        commanded = 0 < later <= 1 << TICK_BITS - 1
        timed = length >= config.window_max
        closes = crossing or commanded or timed
        decisions.append(Decision(closes, crossing, commanded, timed, before, voltage))
        length = 1 if closes else length + 1
        if voltage >= 0:
            was_below = False
        elif voltage < -config.hysteresis:
            was_below = True
        if commanded:
            armed = None
        before = voltage
    return decisions


def closings(config: Settings, voltages: list[int], arm: dict[int, int] | None = None) -> list[int]:
    """Numbers of the samples that begin a window, with the reference on channel 0."""
    decisions = run(config, [(v, 0, 0) for v in voltages], arm)
    assert decisions == table(config, [(v, 0, 0) for v in voltages], arm)
    return [n for n, d in enumerate(decisions) if d.closes]


# --- the table, a row at a time ---------------------------------------------------------------------------


def test_crossing_begins_at_the_first_sample_not_below_zero():
    assert closings(Settings(), [500, -500, -1, 0, 500, -500, 7, -7]) == [3, 6]


def test_crossing_needs_a_sample_below_the_hysteresis_since_the_last():
    assert closings(Settings(hysteresis=100), [-100, 1, -101, 1, -100, 1, -99, 1, -101, -1, 1]) == [3, 10]
    assert closings(Settings(hysteresis=0), [0, -1, 0, 0, -1, 0]) == [2, 5]
    deepest = (1 << SAMPLE_BITS - 1) - 1
    assert closings(Settings(hysteresis=deepest), [-deepest, 0, LOWEST, 0]) == [3]


def test_a_crossing_too_early_is_missed_not_put_off():
    voltages = [-500, -500, -500, 1, 1, -500, 1, 1, 1, 1, -500, 1]
    assert closings(Settings(window_min=4), voltages) == [6, 11]
    assert closings(Settings(window_min=3), voltages) == [3, 6, 11]


def test_commanded_closes_at_the_first_sample_later_than_its_tick_and_once():
    assert closings(Settings(), [1] * 9, {0: 3 * TICKS}) == [3]
    assert closings(Settings(), [1] * 9, {0: 3 * TICKS - 1}) == [2]
    assert closings(Settings(), [1] * 9, {0: 0, 5: 0}) == [0, 5], "a tick that has passed: at once"
    assert closings(Settings(), [1] * 9, {0: 5 * TICKS, 2: 6 * TICKS}) == [6], "the last command holds"


def test_commanded_across_the_counters_wrap():
    config = Settings(start=(1 << TICK_BITS) - 3 * TICKS)
    assert closings(config, [1] * 9, {0: 2 * TICKS}) == [5]
    assert closings(config, [1] * 9, {1: (1 << TICK_BITS) - 1}) == [2]


def test_timed_closes_when_the_window_is_full():
    assert closings(Settings(window_max=3), [1] * 10) == [3, 6, 9]
    assert closings(Settings(window_max=1), [1] * 4) == [1, 2, 3]
    assert closings(Settings(window_max=0), [1] * 4) == [0, 1, 2, 3]


def test_several_reasons_at_once():
    samples = [(-500, 0, 0), (-500, 0, 0), (7, 0, 0), (7, 0, 0)]
    decisions = run(Settings(window_max=2), samples, {0: 2 * TICKS})
    assert decisions[2] == Decision(closes=1, crossing=1, commanded=1, timed=1, before=-500, after=7)
    assert decisions[3] == Decision(closes=0, crossing=0, commanded=0, timed=0, before=7, after=7)


@pytest.mark.parametrize(("reference", "channel"), [(0, 0), (1, 1), (2, 2), (3, 2)])
def test_the_reference_is_one_of_three_voltages(reference, channel):
    samples = []
    for voltage in (-500, 500):
        row = [0, 0, 0]
        row[channel] = voltage
        samples.append(tuple(row))
    decisions = run(Settings(reference=reference), samples)
    assert [d.crossing for d in decisions] == [0, 1]
    assert (decisions[1].before, decisions[1].after) == (-500, 500)


# --- all rows together ------------------------------------------------------------------------------------

codes = st.one_of(st.integers(-3, 3), st.sampled_from([LOWEST, HIGHEST, -101, -100, -99]), st.integers(LOWEST, HIGHEST))


@settings(max_examples=30)
@given(
    st.builds(
        Settings,
        reference=st.integers(0, 3),
        hysteresis=st.sampled_from([0, 1, 100, (1 << 19) - 1]),
        window_min=st.integers(0, 6),
        window_max=st.integers(0, 12),
        start=st.sampled_from([0, (1 << TICK_BITS) - 10 * TICKS]),
    ),
    st.lists(st.tuples(codes, codes, codes), max_size=60),
    st.dictionaries(st.integers(0, 60), st.integers(-10 * TICKS, 60 * TICKS)),
)
def test_any_samples_and_settings(config, samples, arm):
    ticks = {n: (config.start + t) % (1 << TICK_BITS) for n, t in arm.items()}
    assert run(config, samples, ticks) == table(config, samples, ticks)
