"""The engines that claim to be the gateware, held against each other: same bits and frames in, same replies out.

Amaranth's simulator, CXXRTL and our own netlist compiler take the netlist; the model is written apart from it.
Every reply of every frame is compared byte for byte, so what these tests do is go where a difference could hide.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from gateware_bench import Host, Netlist, Source, both, mains, noise, play, steady
from hypothesis import given, settings
from hypothesis import strategies as st

from gateware.chain import TAPS, Chain
from gateware.frames import Op, ReplyStatus, crc32, request
from gateware.record_words import HEADER_WORDS, WORD_MEANS, WORD_PHASORS, Record, RecordFlag
from gateware.registers import (
    BLOCK_BY_NAME,
    BY_NAME,
    LINE_50_BITS,
    LINE_50_MOST,
    REGISTERS,
    TICK_BITS,
    Channel,
    CounterState,
    GateWord,
    configuration_digest,
)
from gateware.twin.behind_bus import ModelBehindBus
from gateware.twin.engine import Twin

CHAIN = Chain()
SAMPLE = CHAIN.ticks_per_sample
FILTER_SAMPLES = len(TAPS) // 2 + 3
"""Samples until the filters have forgotten what was before."""


# --- the netlist in three simulators --------------------------------------------------------------------


def short_program(host: Host) -> None:
    """Every operation, a damaged frame, and a window whose sums are read."""
    host.write("WINDOW_MAX", 1)
    host.frame(b"\x21\x00" + bytes(18))
    host.read("TICK_LO")
    host.run_to(3 * SAMPLE)
    assert host.ask(Op.RECORD, HEADER_WORDS, 6)[0] is ReplyStatus.OK
    assert host.ask(Op.POP, 0)[0] is ReplyStatus.OK
    assert host.ask(Op.POP, 0)[0] is ReplyStatus.NOT_THERE


@pytest.mark.parametrize(
    ("paired", "swapped"),
    [(True, False), *(pytest.param(*pair, marks=pytest.mark.slow) for pair in ((True, True), (False, False)))],
)
def test_amaranth_cxxrtl_and_native_have_the_same_pins(paired, swapped):
    """CIPO at each clock, not only where a host would look, and at the fastest SCK."""
    chain = Chain(paired=paired, swapped=swapped)
    native = Netlist(chain, tape=True)
    short_program(Host(chain, noise(1), native, clocks_per_bit=Fraction(4)))
    bits, pins, cipo = (np.concatenate(part) for part in zip(*native.tape, strict=True))
    np.testing.assert_array_equal(play(chain, bits, pins), cipo)
    np.testing.assert_array_equal(Twin(chain, "cxxrtl").drive(bits, pins), cipo)


def test_cxxrtl_native_and_model_agree_over_many_windows():
    host = Host(CHAIN, mains(4000), Netlist(CHAIN), Netlist(CHAIN, "cxxrtl"), ModelBehindBus(CHAIN))
    host.write("WINDOW_MIN", 8)
    records = []
    for _ in range(12):
        host.run(9_000)
        records += host.drain()
    assert sum(r.whole_cycles for r in records) > 10


def test_a_twin_takes_four_clocks_a_tick():
    with pytest.raises(ValueError, match="10 ticks need 4 pins each, got 39"):
        Twin(CHAIN).drive(np.zeros(10, np.uint8), np.zeros(39, np.uint8))


def test_an_unknown_engine_is_named():
    with pytest.raises(ValueError, match="unknown engine 'verilog': one of native, cxxrtl"):
        Twin(CHAIN, "verilog")


# --- the twin and the model: signals --------------------------------------------------------------------


SIGNALS: dict[str, Callable[[], Source]] = {
    "noise": lambda: noise(2),
    "ones": lambda: steady(0b111111),
    "zeros": lambda: steady(0),
    "ones and zeros": lambda: steady(0b101010),
    "middle": lambda: steady(0b010101, 0b101010),
    "three of four": lambda: steady(0b111000, 0b111111, 0b000111, 0b111111),
    "a bit in 128": lambda: steady(*[0] * 127, 0b111111),
    "a bit in 129": lambda: steady(*[0] * 128, 0b111111),
    "97 %": lambda: steady(*[0b111000] * 97, *[0b000111] * 3),
    "sines": lambda: mains(3333.3),
    "overdriven sines": lambda: mains(5000, amplitude=1.2),
}


@pytest.mark.parametrize(
    ("signal", "paired", "swapped"),
    [
        *((s, True, False) for s in SIGNALS),
        ("noise", False, False),
        ("sines", False, False),
        pytest.param("noise", True, True, marks=pytest.mark.slow),
    ],
)
def test_signals(signal, paired, swapped):
    chain = Chain(paired=paired, swapped=swapped)
    host = both(chain, SIGNALS[signal]())
    host.write("WINDOW_MIN", 8)
    host.write("WINDOW_MAX", 60)
    host.run(4 * 60 * SAMPLE)
    records = host.drain()
    assert sum(r.samples for r in records) * SAMPLE == sum(r.ticks for r in records) > 20 * SAMPLE


def test_a_steady_full_scale_is_overload_and_dead_and_exact():
    """Half the channels at all ones, half at all zeros: the sums are those of the saturated codes."""
    host = both(CHAIN, steady(0b010101))
    host.write("WINDOW_MAX", FILTER_SAMPLES)
    host.run(4 * FILTER_SAMPLES * SAMPLE)
    record = host.drain()[-1]
    highest, lowest = (1 << 19) - 1, -(1 << 19)
    assert (record.overload, record.dead) == (0b111111, 0b111111)
    assert record.mean_sum(Channel.V1) == highest * record.samples
    assert record.mean_sum(Channel.V2) == lowest * record.samples
    assert record.product(Channel.V1, Channel.V2) == highest * lowest * record.samples


def test_dc_patterns_keep_their_value_exactly():
    """Three ones of four are +1/2 of full scale: sample code 2**18, sums to the last unit."""
    host = both(CHAIN, steady(0b000111, 0b111111, 0b111111, 0b111111))
    host.write("WINDOW_MAX", FILTER_SAMPLES)
    host.run(4 * FILTER_SAMPLES * SAMPLE)
    record = host.drain()[-1]
    assert (record.overload, record.dead) == (0b000111, 0b000111)
    assert record.mean_sum(Channel.I1) == (1 << 18) * record.samples
    assert record.product(Channel.I1, Channel.I3) == (1 << 36) * record.samples


def test_delays_changed_on_the_fly():
    host = both(CHAIN, noise(3))
    host.write("WINDOW_MAX", 5)
    delays = np.random.default_rng(3).integers(0, 256, 60).tolist()
    for number, delay in enumerate(delays):
        host.write(f"DELAY_{Channel(number % 6).name}", delay, late=number % 4)
        host.run(delay + number)
        host.record()
    assert host.read("DELAY_V1") == delays[54]


@pytest.mark.slow
def test_settings_changed_while_windows_run():
    host = both(CHAIN, mains(3000))
    choices = {
        "REFERENCE": (0, 1, 2, 3),
        "HYSTERESIS": (0, 1, 20_000, 200_000, (1 << 19) - 1),
        "WINDOW_MIN": (0, 5, 12, 13, 500),
        "WINDOW_MAX": (3, 11, 30, 384),
    }
    generator = np.random.default_rng(4)
    values: dict[str, int] = {}
    seen = RecordFlag(0)
    for number in range(40):
        name = list(choices)[number % 4]
        values[name] = int(generator.choice(choices[name]))
        host.write(name, values[name])
        host.run(int(generator.integers(3000, 9000)))
        for record in host.drain():
            seen |= record.flags
    host.run(40 * SAMPLE)
    host.drain()
    host.write("WINDOW_MAX", values["WINDOW_MAX"])
    host.run(400 * SAMPLE)
    for _ in range(CHAIN.record_slots):  # windows may close faster than they are read: not until none waits
        newest = host.drain()[-1]
        if newest.config_digest == configuration_digest(values):
            break
    else:
        pytest.fail("no record carries the settings written last")
    assert seen & (RecordFlag.START_CROSSING | RecordFlag.END_CROSSING | RecordFlag.END_TIMED) == 0b111


def test_the_delay_of_the_td_products_follows_the_oscillators_step_record_by_record():
    """At and beside both limits of a 50 Hz line, and none; changed in every clock of a tick, and in mid-record."""
    host = both(CHAIN, noise(8))
    host.write("WINDOW_MAX", 40)
    limits = (1 << LINE_50_BITS, (LINE_50_MOST + 1) << LINE_50_BITS)
    steps = [0, limits[0] - 1, limits[0], limits[1] - 1, limits[1], (1 << 32) - 1]
    host.run(90 * SAMPLE)
    host.drain()
    seen = set()
    for number, step in enumerate([*steps, *reversed(steps)]):
        host.write("OSCILLATOR_STEP", step, late=number % 4)
        host.run(75 * SAMPLE + number)
        seen |= {record.oscillator_step for record in host.drain()}
    assert seen > set(steps)


# --- the twin and the model: time -----------------------------------------------------------------------


# Each first count is a netlist of its own, compiled for it.
@pytest.mark.slow
@pytest.mark.parametrize("start", [0, (1 << 32) - 3000, (1 << TICK_BITS) - 3000, (1 << TICK_BITS) - 1])
def test_commanded_closings_and_the_tick_counter_across_its_wraps(start):
    chain = Chain(tick_start=start)
    host = both(chain, noise(5))
    ends = []
    for _ in range(6):
        host.close_at((start + host.ticks + 1500) % (1 << TICK_BITS))
        low, high = host.read("TICK_LO"), host.read("TICK_HI")
        assert (host.ticks - ((high << 32 | low) - start)) % (1 << TICK_BITS) < 800
        host.run(2300)
        record = host.record()
        assert record is not None
        ends.append(record)
        assert record.flags == RecordFlag.END_COMMANDED
    assert sum(r.ticks for r in ends) == (ends[-1].tick_end - start) % (1 << TICK_BITS)
    assert all(a.tick_end == b.tick_start for a, b in itertools.pairwise(ends))


def test_the_upper_half_of_the_tick_count_is_held_by_every_read_of_the_lower():
    """But not by one that asks for no items: that reads nothing."""
    host = both(Chain(tick_start=(1 << 32) - 3000), noise(6))
    host.read("TICK_LO")
    host.run(4000)
    assert host.read("TICK_HI") == 0
    host.ask(Op.READ, BY_NAME["TICK_LO"].address, 0)
    assert host.read("TICK_HI") == 0
    host.read("TICK_LO")
    assert host.read("TICK_HI") == 1


def test_a_closing_commanded_for_a_tick_that_has_passed_happens_at_once():
    host = both(CHAIN, noise(6))
    host.run(10 * SAMPLE)
    host.close_at(0)
    host.run(2 * SAMPLE)
    record = host.record()
    assert record is not None
    assert record.flags == RecordFlag.END_COMMANDED


def test_a_gate_armed_for_now_moves_at_the_tick_of_its_write_at_any_clock_of_a_tick():
    host = both(CHAIN, noise(9))
    gate = BLOCK_BY_NAME["GATE"].address
    host.write("COUNTER_CLEAR", 1)
    for late in range(8):
        host.run(400 + late)
        moved = GateWord.CLOSE_LO if late % 2 else GateWord.OPEN_LO
        host.ask(Op.WRITE, gate + moved, data=0)
        host.ask(Op.WRITE, gate + moved + 1, data=0, late=late // 2)
        host.run(400)
        _, items = host.ask(Op.READ, gate + moved, 2)
        stamp = int.from_bytes(items[:4], "big")
        assert 400 < host.ticks - stamp < 1200
        assert host.read("COUNTER_STATE") == (CounterState(0) if late % 2 else CounterState.OPEN)


# --- stalls ---------------------------------------------------------------------------------------------


DRAIN_TICKS = 120_000
"""Longer than a host takes to read a full memory."""


def prompt(host: Host, ticks: int) -> list[Record]:
    """A host that reads every record soon; then a commanded closing ends the measurement at `ticks`."""
    records = []
    while host.ticks < ticks - DRAIN_TICKS:
        host.run(50_000)
        records += host.drain()
    return [*records, *ended(host, ticks)]


def ended(host: Host, ticks: int) -> list[Record]:
    """Close the window in progress at `ticks`, and read to the end."""
    host.close_at(ticks)
    host.run_to(ticks + 5 * SAMPLE)
    return host.drain()


def totals(records: list[Record], until: int) -> tuple:
    """What is conserved: sums of each word, samples and ticks, of the records up to a tick.

    Not the phasors: their oscillator begins anew with each record, so those of a merged one are no sum of others.
    """
    whole = [r for r in records if r.tick_end <= until]
    assert whole[-1].tick_end == until
    sums = [sum(words) for words in zip(*(r.sums for r in whole), strict=True)]
    sums[WORD_PHASORS - HEADER_WORDS : WORD_MEANS - HEADER_WORDS] = []
    return sums, sum(r.samples for r in whole), sum(r.ticks for r in whole)


def stall(seconds: float, source: Callable[[], Source]) -> None:
    """A host that stalls gets the same totals, coalesced, as one that does not, and nothing is lost."""
    ticks = int(seconds * float(CHAIN.tick_hz)) // SAMPLE * SAMPLE
    stalled = both(Chain(record_slots=8), source())  # so that windows are merged soon
    stalled.run_to(ticks - DRAIN_TICKS)
    late = [*stalled.drain(), *ended(stalled, ticks)]
    early = prompt(Host(CHAIN, source(), Netlist(CHAIN)), ticks)
    assert len(late) < len(early) / 2
    assert max(r.windows for r in late) > 1
    until = next(r.tick_end for r in late if r.flags & RecordFlag.END_COMMANDED)
    assert totals(late, until) == totals(early, until)
    for records in (late, early):
        assert [r.sequence for r in records] == list(range(len(records)))
        assert all(r.ticks == SAMPLE * r.samples for r in records), "256 bits a sample, not one dropped"
        assert all(a.tick_end == b.tick_start for a, b in itertools.pairwise(records))
        assert not any(r.flags & RecordFlag.OVERRUN for r in records)


def test_a_stalled_host_loses_nothing():
    stall(1.2, lambda: mains(55_555))


@pytest.mark.slow
def test_a_host_that_stalls_for_two_minutes_loses_nothing():
    stall(120, lambda: mains(55_555))


# --- any host -------------------------------------------------------------------------------------------


def test_what_happens_while_a_reading_of_many_registers_leaves_is_in_it():
    """The first event is counted some time after the request, before its register's turn in the reply."""
    seen = []
    for tick in (900, 930, 940, 980):
        host = both(Chain(), noise(0))
        host.write("WINDOW_MAX", 3)
        host.run_to(tick)
        _, items = host.ask(Op.READ, BY_NAME["CAPABILITIES"].address, 10)
        place = 4 * (BY_NAME["EVENTS"].address - BY_NAME["CAPABILITIES"].address)
        seen.append(int.from_bytes(items[place : place + 4], "big"))
    assert seen == [0, 1, 1, 1]


def test_a_frame_may_end_before_its_reply():
    host = both(Chain(), noise(0))
    for size in range(13, 64, 7):
        host.frame(request(Op.READ, 1, 0, 12)[:size].ljust(size, b"\0"))


registers = st.sampled_from([r for r in REGISTERS if r.writable])
frames = st.one_of(
    st.builds(
        lambda r, s, n: request(Op.READ, s, r.address, n),
        st.sampled_from(REGISTERS),
        st.integers(0, 255),
        st.integers(0, 12),
    ),
    st.builds(lambda r, v: request(Op.WRITE, 0, r.address, data=v % (1 << 32)), registers, st.integers(0, 1 << 32)),
    st.builds(lambda v: request(Op.WRITE, 0, BY_NAME["WINDOW_MAX"].address, data=v), st.integers(0, 6)),
    st.builds(lambda a, n: request(Op.RECORD, 0, a, n), st.integers(0, 63), st.integers(0, 6)),
    st.builds(lambda s: request(Op.POP, 0, s), st.integers(0, 12)),
    st.builds(lambda h: h + crc32(h).to_bytes(4, "big") + bytes(40), st.binary(min_size=3, max_size=3)),
    st.binary(min_size=13, max_size=64),
)
steps = st.one_of(
    st.tuples(frames, st.integers(0, 7)),
    st.integers(0, 4 * SAMPLE),
)


@pytest.mark.slow
@settings(max_examples=12)
@given(
    st.lists(steps, min_size=30, max_size=80),
    st.integers(0, 1 << 20),
    st.sampled_from([0, (1 << 32) - 5000, (1 << TICK_BITS) - 5000]),
)
def test_any_host(program, seed, tick_start):
    """Right and wrong frames, any registers, pops of records that are there and that are not, at any clock."""
    host = both(Chain(tick_start=tick_start), noise(seed))
    host.write("WINDOW_MAX", 3)
    for step in program:
        if isinstance(step, int):
            host.run(step)
        else:
            host.frame(step[0], late=step[1])
    host.drain()
    host.ask(Op.RECORD, HEADER_WORDS, 6)
