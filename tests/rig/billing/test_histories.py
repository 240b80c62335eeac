"""Random histories of a meter: against a plain account of them, and by what must hold whatever happens."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from itertools import groupby

import msgspec
from billing_histories import (
    ASKER,
    BINS,
    CELL,
    CELL_S,
    CHANNELS,
    CLEARING,
    HOUR,
    QUANTITIES,
    SETTER,
    WINDOWS,
    Account,
    Ask,
    Flow,
    Outage,
    SetClock,
    ThermalAccount,
    begins,
    flows,
    highest_average,
    histories,
    play,
    programs,
    run,
    unclearing,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.meter.billing.billing import Billing, BillingState, MeterEvent
from rig.meter.billing.commands import Action
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.events import (
    Cause,
    ClockSetTo,
    DemandWasReset,
    EndOfInterval,
    ProfileWords,
    RateForced,
    RegistersCleared,
    SeasonChanged,
    SelfReadTaken,
    TestDemandWasReset,
    TestModeBegan,
)
from rig.meter.billing.log import LogEvent
from rig.meter.billing.metric import Metric
from rig.meter.billing.profile_reading import read_profile
from rig.meter.billing.profile_words import Count, decode
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.billing.settings import SelfReadKind, SelfReads
from rig.meter.billing.snapshot import Snapshot
from rig.meter.billing.source import Source

ALL_KINDS = [*WINDOWS, "thermal:15", "thermal:60"]


def without_words(told: list[MeterEvent]) -> list[MeterEvent]:
    """All but the recorder's words, and peaks, which have tests of their own."""
    return [
        replace(each, peaks=()) if isinstance(each, Snapshot) else each
        for each in told
        if not isinstance(each, ProfileWords)
    ]


# --- against the account ------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(programs(), begins, histories)
def test_all_that_happens_and_registers_is_what_the_account_has(program, start_ns, steps):
    """Every event, end of interval and snapshot, in order, with all that is in it."""
    account = Account(program, start_ns)
    billing, told = Billing.begin(program, start_ns)
    for step in steps:
        account.play(step)
        told += play(billing, step)
        assert billing.now_ns == account.now
    assert without_words(told) == account.told
    stands = billing.snapshot(Cause.COMMUNICATION)
    assert stands.demand == account.readings()
    assert stands.energy == account.energy()


@settings(max_examples=50)
@given(programs(["thermal:15", "thermal:60"]), begins, histories)
def test_thermal_demand_is_what_the_account_has(program, start_ns, steps):
    """Pointers step by cell here and by portion there: 1e-12 a step for thousands of steps, and 1 nW of rounding.

    So may the instant of a maximum differ, on a plateau.
    """
    account = ThermalAccount(program, start_ns)
    billing, told = Billing.begin(program, start_ns)
    for step in steps:
        account.play(step)
        told += play(billing, step)
    assert_near(without_words(told), account.told)
    assert_near(billing.snapshot(Cause.COMMUNICATION).demand, account.readings(), demands=True)


def assert_near(one: object, other: object, demands: bool = False) -> None:
    """The same, but for demands."""
    if demands and isinstance(one, int):
        assert abs(one - other) <= 2 + 1e-11 * abs(other)
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_near(*pair, demands)
    elif is_dataclass(one):
        assert type(one) is type(other)
        for f in fields(one):
            if f.name not in ("at_ns", "coincident"):
                assert_near(getattr(one, f.name), getattr(other, f.name), demands or f.name in ("demand", "demands"))
    else:
        assert one == other


@settings(max_examples=60)
@given(programs(), begins, unclearing)
def test_no_maximum_is_more_than_the_highest_average_of_what_registered(program, start_ns, steps):
    """Over any time of the interval's length, by a clock that nobody sets; in total and by rate; to the nW."""
    account = Account(program, start_ns)
    billing, told = Billing.begin(program, start_ns)
    for step in steps:
        account.play(step)
        told += play(billing, step)
    told.append(billing.snapshot(Cause.COMMUNICATION))
    length = program.demand.interval_s // CELL_S
    for period, snapshots in groupby((s for s in told if isinstance(s, Snapshot)), key=lambda s: s.resets):
        cells = [cell for cell in account.cells if cell.period == period]
        highest = [[highest_average(cells, length, rate, q) for rate in BINS] for q in range(len(QUANTITIES))]
        for snapshot in snapshots:
            for readings, bounds in zip(snapshot.demand, highest, strict=True):
                for reading, bound in zip(readings, bounds, strict=True):
                    assert reading.maximum.value <= bound
                    assert reading.present <= bound
            assert snapshot.peaks[:1] == tuple(m for m in [snapshot.demand[0][0].maximum] if m.value)


# --- what must hold whatever happens ------------------------------------------------------------------------------


@settings(max_examples=60)
@given(programs(ALL_KINDS), begins, unclearing)
def test_registers_never_fall_and_add_up(program, start_ns, steps):
    billing, _ = Billing.begin(program, start_ns)
    before = rising(billing)
    for step in steps:
        play(billing, step)
        now = rising(billing)
        assert all(b <= a for b, a in zip(before, now, strict=True))
        before = now
        energy, rates = billing.registers.amounts()
        assert energy == tuple(map(sum, zip(*rates, strict=True)))
        read = {quantity: billing.registers.energy(quantity) for quantity in Quantity}
        for kind in ("kWh", "kvarh"):
            q1, q2, q3, q4 = (read[Quantity(f"{kind} Q{k}")] for k in (1, 2, 3, 4))
            if kind == "kWh":
                assert read[Quantity.KWH_DELIVERED] == q1 + q4
                assert read[Quantity.KWH_RECEIVED] == q2 + q3
                assert read[Quantity.KWH_EITHER] == q1 + q2 + q3 + q4
                assert read[Quantity.KWH_NET] == q1 + q4 - q2 - q3
            else:
                assert read[Quantity.KVARH_LAGGING] == q1 + q3
                assert read[Quantity.KVARH_LEADING] == q2 + q4
                assert read[Quantity.KVARH_NET] == q1 + q3 - q2 - q4


@settings(max_examples=150)
@given(programs(ALL_KINDS), begins, histories)
def test_no_register_changes_without_energy_pulses_or_a_line_in_the_log(program, start_ns, steps):
    """After each step: energy is what flowed more, counts are what came more, unless a line says that all was cleared;
    and every line of an action says who asked."""
    billing, told = Billing.begin(program, start_ns)
    for step in steps:
        before = billing.snapshot(Cause.COMMUNICATION)
        events = play(billing, step)
        after = billing.snapshot(Cause.COMMUNICATION)
        if not any(isinstance(each, RegistersCleared) for each in events):
            grown = [b - a for a, b in zip(before.energy, after.energy, strict=True)]
            assert all(0 <= amount for amount in grown)
            assert not any(grown) or (isinstance(step, Flow) and step.powers)
            assert all(a <= b for a, b in zip(before.inputs, after.inputs, strict=True))
            resets = sum(isinstance(each, DemandWasReset) for each in events)
            assert after.resets == before.resets + resets
            if not resets:
                for one, other in zip(before.demand, after.demand, strict=True):
                    assert all(a.maximum.value <= b.maximum.value for a, b in zip(one, other, strict=True))
                    assert all(a.cumulative == b.cumulative for a, b in zip(one, other, strict=True))
            if after.season != before.season:
                assert [each.season for each in events if isinstance(each, SeasonChanged)][-1:] == [after.season]
        told += events
    for each in told:
        if isinstance(each, RegistersCleared):
            assert each.source is ASKER
        if isinstance(each, DemandWasReset | SelfReadTaken | SeasonChanged | ClockSetTo | RateForced | TestModeBegan):
            assert each.source in (ASKER, SETTER, Source.CALENDAR)


@settings(max_examples=60)
@given(programs(ALL_KINDS), begins, histories, st.sampled_from(CLEARING), histories)
def test_what_was_cleared_is_a_meter_that_begins_then(program, start_ns, before, action, after):
    """But for what is said to stay: and all that comes later is as if nothing had been before."""
    billing, _ = run(program, start_ns, [*before, Ask(Action.TEST_END), Ask(action)])
    state = billing.state
    state.waiting.clear()
    fresh, _ = Billing.begin(program, billing.now_ns)
    if action is Action.CLEAR:
        other = fresh.state
        other.season, other.calendar_rate, other.forced_rate = state.season, state.calendar_rate, state.forced_rate
        other.last_switch_reset_ns, other.asked_season = state.last_switch_reset_ns, state.asked_season
        other.followed_ns, other.self_read_ns = state.followed_ns, state.self_read_ns
        other.dst, other.utc_offset_s = state.dst, state.utc_offset_s
    both = [
        Billing(program, msgspec.json.decode(msgspec.json.encode(b.state), type=BillingState)) for b in (billing, fresh)
    ]
    told = [[event for step in after for event in play(each, step)] for each in both]
    assert told[0] == told[1]
    assert typed(both[0].state) == typed(both[1].state)


def rising(billing: Billing) -> list[int]:
    snapshot = billing.snapshot(Cause.COMMUNICATION)
    cumulative = [each for bins in snapshot.demand for b in bins for each in (b.cumulative, b.continuous_cumulative)]
    places = [place for row in (snapshot.energy, *snapshot.rates) for place in row]
    return [*places, *cumulative, *snapshot.inputs, snapshot.resets]


@settings(max_examples=60)
@given(programs(ALL_KINDS).filter(lambda program: program.recorder), begins, unclearing)
def test_the_recorder_has_what_the_registers_have(program, start_ns, steps):
    """Counts · constant + what is carried = the register, exactly; words are numbered without a gap and read back."""
    account = Account(program, start_ns)
    billing, told = Billing.begin(program, start_ns)
    for step in steps:
        account.play(step)
        told += play(billing, step)
    words: list[int] = []
    for each in told:
        if isinstance(each, ProfileWords):
            assert each.first == len(words)
            assert each.words
            words += each.words
    state = billing.state.recorder
    assert state.written == len(words)
    counts = [word.pulses for word in map(decode, words) if isinstance(word, Count)]
    assert [sum(counts[place :: len(CHANNELS)]) for place in range(len(CHANNELS))] == state.counted
    for channel, counted, carried in zip(CHANNELS, state.counted, state.carried, strict=True):
        metric = channel.metric
        pulse = channel.pulse if metric.input is not None else channel.pulse * NANO
        flowed = counted * pulse + Fraction(carried, pulse.denominator)
        if metric.quantity is not None:
            assert flowed == billing.registers.energy(metric.quantity)
        elif metric.input is not None:
            assert flowed == billing.inputs[metric.input]
        else:
            assert metric is Metric.V2H_A
            assert flowed == CELL * sum(any(cell.amounts) for cell in account.cells)
    newest = program.calendar.local(billing.now_ns).replace(tzinfo=None)
    profile = read_profile(words, program.recorder, newest)
    assert profile.faults == ()
    assert [sum(column) for column in zip(*(i.counts for i in profile.intervals), strict=True)] in ([], state.counted)


short_flows = st.builds(Flow, st.integers(1, 80), flows.map(lambda flow: flow.powers))
"""Five of them are over before test mode is."""


@settings(max_examples=40)
@given(
    programs(ALL_KINDS).map(lambda program: replace(program, test_mode=replace(program.test_mode, minutes=255))),
    begins,
    histories.map(lambda steps: [replace(s, cells=min(s.cells, 0)) if isinstance(s, Ask) else s for s in steps]),
    st.lists(
        st.one_of(short_flows, st.builds(Ask, st.sampled_from([Action.RESET, Action.RESET_BY_SWITCH]))), max_size=5
    ),
    histories,
)
def test_test_mode_changes_nothing_that_bills(program, start_ns, before, tested, after):
    """To the last bit: neither while it lasts, nor in all that comes later."""
    quiet = [Flow(step.cells) for step in tested if isinstance(step, Flow)]
    ends = []
    for steps in (tested, quiet):
        billing, told = run(program, start_ns, [*before, Ask(Action.TEST_END), Ask(Action.TEST_BEGIN)])
        assert billing.test is not None
        stood = billed(billing)
        for step in steps:
            told += play(billing, step)
            if billing.test is not None:
                assert billed(billing) == stood
        for step in [Ask(Action.TEST_END), *after]:
            told += play(billing, step)
        told = [
            each
            for each in told
            if not (isinstance(each, TestDemandWasReset) or (isinstance(each, EndOfInterval) and each.test_mode))
        ]
        ends.append((told, msgspec.json.encode(billing.state)))
    assert ends[0] == ends[1]
    if any(isinstance(step, Flow) for step in tested):
        assert ends[0] == ends[1]


def billed(billing: Billing) -> bytes:
    """The registers as they are stored, inputs but not their time, and what the recorder has counted and carries."""
    state = billing.state
    flowed = [
        counted * (pulse := channel.pulse * NANO) + Fraction(carried, pulse.denominator)
        for channel, counted, carried in zip(CHANNELS, state.recorder.counted, state.recorder.carried, strict=True)
        if channel.metric.input is None
    ] if state.recorder else []  # fmt: skip
    return msgspec.json.encode(
        [state.registers, state.inputs, state.resets, state.last_reset_ns, [str(each) for each in flowed]]
    )


@settings(max_examples=40)
@given(programs(ALL_KINDS), begins, histories)
def test_a_meter_goes_on_from_its_stored_state_as_if_nothing_had_been(program, start_ns, steps):
    """Stored and restored after each step, against one that ran through."""
    through, told = Billing.begin(program, start_ns)
    billing, told_again = Billing.begin(program, start_ns)
    for step in steps:
        told += play(through, step)
        told_again += play(billing, step)
        stored = msgspec.json.encode(billing.state)
        restored = msgspec.json.decode(stored, type=BillingState)
        assert typed(restored) == typed(billing.state)
        assert msgspec.json.encode(restored) == stored
        billing = Billing(program, restored)
    assert told == told_again
    assert typed(billing.state) == typed(through.state)


def typed(value: object) -> object:
    """With all types written out: 1 is not 1.0, nor a tuple a list."""
    if is_dataclass(value):
        return type(value).__name__, [(f.name, typed(getattr(value, f.name))) for f in fields(value)]
    if isinstance(value, list | tuple):
        return type(value).__name__, [typed(each) for each in value]
    return type(value).__name__, value


cuts = st.lists(st.integers(1, 3 * HOUR), max_size=6).map(tuple)


@settings(max_examples=50)
@given(programs(), begins, st.lists(st.tuples(histories, cuts), max_size=3))
def test_splitting_portions_changes_nothing(program, start_ns, parts):
    """At any instants; energy is even to the nWh in the pieces."""
    whole, told = Billing.begin(program, start_ns)
    split, told_split = Billing.begin(program, start_ns)
    for steps, instants in parts:
        for step in steps:
            told += play(whole, step)
            told_split += play(split, step, instants)
    assert told == told_split
    assert typed(whole.state) == typed(split.state)


@settings(max_examples=30)
@given(programs(["thermal:15", "thermal:60"]), begins, histories, cuts)
def test_splitting_portions_moves_thermal_pointers_by_rounding_only(program, start_ns, steps, instants):
    """1e-12 of the highest power there was, for each of the dozens of steps that may follow."""
    whole, _ = Billing.begin(program, start_ns)
    split, _ = Billing.begin(program, start_ns)
    for step in steps:
        play(whole, step)
        play(split, step, instants)
        pair = [billing.state.registers.demand.thermal.levels for billing in (whole, split)]
        for one, other in zip(*pair, strict=True):
            assert abs(one - other) <= 1e-12 * 8 * 3.6e12
        for q in range(len(QUANTITIES)):
            one, other = (billing.registers.demand.maximum(q).value for billing in (whole, split))
            assert abs(one - other) <= 1e-12 * 8 * 3.6e12 + 1
    assert whole.registers.amounts() == split.registers.amounts()


@settings(max_examples=40)
@given(
    programs().map(lambda program: replace(program, self_reads=SelfReads(SelfReadKind.HOURS, hours=1))),
    begins,
    st.integers(1, 40 * HOUR),
    st.tuples(*[st.integers(0, 10**13)] * 4),
)
def test_what_has_flowed_at_an_instant_is_rounded_down_from_the_whole_portion(program, start_ns, span, energies):
    """However many boundaries there are before it."""
    billing, _ = Billing.begin(program, start_ns)
    told = billing.advance(EnergyInterval(start_ns, start_ns + span, 2, *energies))
    reads = [each for each in told if isinstance(each, Snapshot) and each.cause is Cause.SELF_READ]
    assert len(reads) in (span // HOUR, span // HOUR + 1)
    for read in reads:
        assert read.energy[8:12] == tuple(e * (read.utc_ns - start_ns) // span for e in energies)
    assert billing.snapshot(Cause.COMMUNICATION).energy[8:12] == energies


@settings(max_examples=40)
@given(programs(), begins, st.lists(st.tuples(flows, flows), min_size=1, max_size=4))
def test_a_portion_in_several_quadrants_is_the_sum_of_portions_in_one_each(program, start_ns, pairs):
    """In every register and every demand: each interval's length divides the hour, so no demand is rounded."""
    one, other, both = (Billing.begin(program, start_ns)[0] for _ in range(3))
    for flow, added in pairs:
        added = replace(added, cells=flow.cells)
        play(one, flow)
        play(other, added)
        play(both, replace(flow, powers=flow.powers + added.powers))
        snapshots = [billing.snapshot(Cause.COMMUNICATION) for billing in (one, other, both)]
        for name in ("energy", "rates"):
            a, b, c = (flat(getattr(snapshot, name)) for snapshot in snapshots)
            assert [x + y for x, y in zip(a, b, strict=True)] == c
        a, b, c = (flat(tuple((r.present, r.previous) for bins in s.demand for r in bins)) for s in snapshots)
        assert [x + y for x, y in zip(a, b, strict=True)] == c


def flat(rows: tuple) -> list[int]:
    return [each for row in rows for each in (row if isinstance(row, tuple) else (row,))]


@settings(max_examples=40)
@given(programs(ALL_KINDS), begins, histories)
def test_time_only_jumps_where_a_clock_is_set(program, start_ns, steps):
    """Events come in order of time, none before what it belongs to or after; nothing is told twice."""
    billing, _ = Billing.begin(program, start_ns)
    for step in steps:
        begin_ns = billing.now_ns
        asked = any(command.action is Action.TEST_BEGIN for command in billing.state.waiting)
        told = play(billing, step)
        times = [each.utc_ns for each in told if isinstance(each, LogEvent | EndOfInterval | Snapshot)]
        if not isinstance(step, SetClock):
            assert times == sorted(times)
            assert all(begin_ns <= at <= billing.now_ns for at in times)
        else:
            assert set(times) <= {begin_ns, billing.now_ns}
        if isinstance(step, Outage):
            assert set(times) <= {begin_ns, billing.now_ns}
            assert billing.test is None or asked, "what an outage passes over is done when power is back"
        assert billing.advance(EnergyInterval(billing.now_ns, billing.now_ns, 0, 0)) == []
