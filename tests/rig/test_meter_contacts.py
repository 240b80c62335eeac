"""The contacts and the test LED of a whole meter: at their instants, however records are cut (P-1, P-3, P-4, D-5)."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kill_bench import TICK_HZ, metered
from kill_load import SECOND, Flow

from gateware.record_words import Record
from rig.files.strict_toml import convert
from rig.meter.billing.billing import MeterEvent
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.events import ClockSetFrom, ClockSetTo, DemandWasReset, RateForced, TestModeBegan
from rig.meter.billing.log import LogEvent
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.billing.source import Source
from rig.meter.billing.tariff import Rate
from rig.meter.clock import SLEW, MeterClock, Point, tick_at
from rig.meter.contacts.level_functions import LoadControlOutput
from rig.meter.contacts.levels import ContactChange
from rig.meter.contacts.outputs import KYZ_OUTPUTS, OutputId
from rig.meter.contacts.pulses import PulseOutput
from rig.meter.meter import Meter
from rig.program import schema
from rig.program.build import Program, build
from rig.program.parts import levels_of
from rig.service.persistence import Persistence

SECOND_TICKS = int(TICK_HZ)
WINDOW = 20
"""Ticks, two seconds."""

T0 = 1_767_225_600 * SECOND + 13 * SECOND // 10
"""13 ticks after midnight: an interval ends inside a window."""

QUARTER = 900 * SECOND_TICKS - 13
"""Ticks from T0 to the first quarter of an hour."""

TEXT = """
[demand]
method = "block"
interval_minutes = 15
quantities = ["kW delivered", "kW received", "kvar lagging"]

[test_mode]
minutes = 1
interval_minutes = 1

[[tou.seasons]]
name = "all year"
begins = "01-01"
weekday = ["00:00 A", "00:30 B", "01:00 A"]

[[outputs]]
name = "KYZ1"
function = "eoi"
closed_seconds = 4

[[outputs]]
name = "KYZ2"
function = "load control"
rates = ["B"]

[[outputs]]
name = "KYZ3"
function = "demand threshold"
above = "1"

[[outputs]]
name = "KYZ4"
function = "pf threshold"
below = "0.7"

[[inputs]]
name = "IN1"
function = "force rate"
rate = "C"
"""
CLOSED, OPEN = True, False


def program(text: str = TEXT) -> Program:
    return build(convert(tomllib.loads(text), schema.ProgramFile))


PROGRAM = program()


class Rig:
    """A meter from T0 on, told of windows of a load in which `p` of 5 volt-amperes are watts."""

    def __init__(self, programmed: Program = PROGRAM, utc_ns: int = T0) -> None:
        persistence = Persistence(None, programmed, "window", utc_ns)
        self.meter: Meter = metered(
            persistence.billing, persistence.installation, persistence.outputs, levels_of(programmed)
        )
        self.tick = self.number = 0
        self.changes: list[ContactChange] = []
        self.events: tuple[MeterEvent, ...] = ()  # of the last record
        self.flashes = 0
        self.controls = any(isinstance(output, LoadControlOutput) for output in programmed.outputs)

    def meters(self, ticks: int, *, tenths_ma: int = 60_000, p: int = 4, q: int = 3, window: int = WINDOW) -> Rig:
        for begin in range(0, ticks, window):
            self._take(Flow(tenths_ma, min(window, ticks - begin), p, q, 0))
        return self

    def _take(self, flow: Flow) -> None:
        record: Record = flow.record(0)
        record = replace(record, sequence=self.number, tick_start=self.tick, tick_end=self.tick + record.ticks)
        advance = self.meter.advance(record)
        self.changes += advance.changes
        self.events = advance.events
        self.flashes += sum(pulse.output is OutputId.TEST_LED for pulse in advance.pulses)
        self.number += 1
        self.tick += flow.samples
        billing = self.meter.billing
        controls = billing.rate is Rate.B and billing.test is None
        if self.controls:
            assert self.meter._levels.closed[OutputId.KYZ2] == controls

    def does(self, action: Action, value: int = 0, after: int = 0) -> Rig:
        """So many ticks after the last record."""
        utc_ns = self.meter.utc_of(self.tick + after)
        assert utc_ns is not None
        self.changes += self.meter.execute(Command(utc_ns, action, Source.COMMAND_LINE, value)).changes
        return self

    def of(self, name: str) -> list[tuple[int, bool]]:
        return [(change.tick, change.closed) for change in self.changes if change.output.label == name]


# --- contacts -------------------------------------------------------------------------------------------------


def test_every_state_is_told_once_at_the_start_then_only_changes_are() -> None:
    rig = Rig().meters(3 * WINDOW)
    assert rig.changes == [ContactChange(0, output, False) for output in KYZ_OUTPUTS]
    half_past = Rig(utc_ns=T0 + 1800 * SECOND).meters(WINDOW)
    assert half_past.of("KYZ2") == [(0, CLOSED)]


def test_intervals_and_rates_change_contacts_at_their_instants_inside_a_window() -> None:
    rig = Rig().meters(4 * QUARTER + 100)
    interval = 900 * SECOND_TICKS
    closed = [(QUARTER + k * interval + late, not late) for k in range(4) for late in (0, 40)]
    assert rig.of("KYZ1") == [(0, OPEN), *closed]
    assert rig.of("KYZ2") == [(0, OPEN), (QUARTER + interval, CLOSED), (QUARTER + 3 * interval, OPEN)]


def test_a_switch_acts_at_its_own_instant() -> None:
    """Reset, and test mode, which opens load control; what has no record yet waits for it."""
    rig = Rig(utc_ns=T0 + 1800 * SECOND).meters(2 * WINDOW)
    rig.does(Action.RESET_BY_SWITCH, after=7).does(Action.TEST_BEGIN, after=90).does(Action.TEST_END, after=193)
    assert rig.of("KYZ1") == [(0, OPEN)]
    rig.meters(300)
    assert rig.of("KYZ1") == [(0, OPEN), (47, True), (87, False), (130, True), (170, False), (233, True), (273, False)]
    assert rig.of("KYZ2") == [(0, CLOSED), (130, OPEN), (233, CLOSED)]


def test_what_is_due_already_happens_at_the_end_of_the_last_record() -> None:
    rig = Rig().meters(2 * WINDOW).does(Action.RESET, after=-3).does(Action.RESET, after=0)
    assert rig.of("KYZ1")[1:] == [(40, CLOSED)]
    rig.meters(WINDOW).does(Action.RESET).meters(3 * WINDOW)  # 2 s later: closed for 2 s more
    assert rig.of("KYZ1")[1:] == [(40, CLOSED), (100, OPEN)]


def test_test_mode_that_ends_by_itself_ends_its_intervals_too() -> None:
    rig = Rig().meters(WINDOW).does(Action.TEST_BEGIN).meters(700)
    minute = 60 * SECOND_TICKS
    assert rig.of("KYZ1")[1:] == [(20, CLOSED), (60, OPEN), (20 + minute, CLOSED), (60 + minute, OPEN)]


def test_a_forced_rate_controls_loads() -> None:
    rig = Rig(utc_ns=T0 + 1800 * SECOND).meters(WINDOW)
    rig.does(Action.FORCE_RATE, Rate.C, after=5).meters(WINDOW).does(Action.RELEASE_RATE, after=6).meters(WINDOW)
    assert rig.of("KYZ2") == [(0, CLOSED), (25, OPEN), (46, CLOSED)]
    rig = Rig().meters(WINDOW).does(Action.FORCE_RATE, Rate.B).meters(WINDOW)
    assert rig.of("KYZ2") == [(0, OPEN), (20, CLOSED)]


def test_before_the_first_record_a_command_is_part_of_how_contacts_begin() -> None:
    rig = Rig()
    assert rig.meter.utc_of(0) is None
    outcome = rig.meter.execute(Command(T0, Action.FORCE_RATE, Source.COMMAND_LINE, Rate.B))
    assert outcome.changes == ()
    assert [type(event) for event in outcome.events if isinstance(event, LogEvent)] == [RateForced]
    assert rig.meters(WINDOW).of("KYZ2") == [(0, CLOSED)]


@pytest.mark.parametrize("model", ["AXLS4", "AXS4", "AXRS4e", "RXS4"])
def test_d10_every_model_has_the_power_factor_alert(model: str) -> None:
    """D-10, "programmed for demand, power factor and voltage threshold alerts", of no model in particular.

    A model without vars goes by Vrms·Irms. Of 5 VA first 4 and then 3 are watts.
    """
    alert = '[[outputs]]\nname = "KYZ4"\nfunction = "pf threshold"\nbelow = "0.7"'
    rig = Rig(program(f'[meter]\nmodel = "{model}"\n{alert}')).meters(3 * SECOND_TICKS)
    assert rig.of("KYZ4") == [(0, OPEN)]
    rig.meters(3 * SECOND_TICKS, p=3, q=4)
    assert [closed for _, closed in rig.of("KYZ4")] == [OPEN, CLOSED]
    rig.meters(3 * SECOND_TICKS, p=5, q=0)
    assert [closed for _, closed in rig.of("KYZ4")] == [OPEN, CLOSED, OPEN]


def test_a_clock_that_is_set_ends_the_interval_and_changes_the_rate_and_leaves_the_closing_time() -> None:
    rig = Rig().meters(2 * WINDOW)
    outcome = rig.meter.compare_clock(rig.tick, rig.meter.billing.now_ns + 1800 * SECOND)
    assert outcome.changes == (ContactChange(40, OutputId.KYZ1, True), ContactChange(40, OutputId.KYZ2, True))
    assert rig.meters(60).of("KYZ1") == [(0, OPEN), (80, OPEN)]


@pytest.mark.parametrize("by_s", [-7200, -3, 3, 7200])
def test_a_switch_just_before_the_clock_is_set_is_not_forgotten(by_s: int) -> None:
    """What came before the clocks were compared happens at once; what is for later, at its time on the new clock."""
    rig = Rig().meters(2 * WINDOW).does(Action.RESET, after=5).does(Action.TEST_BEGIN, after=10)
    outcome = rig.meter.compare_clock(rig.tick + 9, rig.meter.billing.now_ns + SECOND * 9 // 10 + by_s * SECOND)
    kinds = [type(event) for event in outcome.events if isinstance(event, LogEvent)]
    assert kinds[:3] == [DemandWasReset, ClockSetFrom, ClockSetTo]
    assert (TestModeBegan in kinds) == (by_s > 0)
    assert ContactChange(40, OutputId.KYZ1, True) in outcome.changes
    assert rig.meter.billing.resets == 1
    assert [command.action for command in rig.meter.billing.state.waiting] == [Action.TEST_BEGIN] * (by_s < 0)


def test_what_falls_into_a_gap_of_records_comes_at_its_instant_all_the_same() -> None:
    rig = Rig(utc_ns=T0 + 890 * SECOND).meters(2 * WINDOW)
    rig.tick += 300
    rig.number += 1  # one that never came: between records in sequence nothing is missing
    rig.meters(WINDOW)
    assert rig.of("KYZ1") == [(0, OPEN), (87, CLOSED), (127, OPEN)]


def test_demand_above_its_level_is_told_within_a_second_and_until_the_interval_is_over() -> None:
    watts = Flow(480_000, SECOND_TICKS, 4, 3, 0).magnitudes[0] * 3600 // NANO
    assert watts == 4608
    rig = Rig(utc_ns=T0 - 13 * SECOND // 10)
    rig.meters(900 * SECOND_TICKS + 40, tenths_ma=480_000, window=SECOND_TICKS)
    over_s = 900 * 1000 / watts
    ((began, is_closed), (ended, is_open)) = rig.of("KYZ3")[1:]
    assert (is_closed, is_open) == (True, False)
    assert over_s <= began / SECOND_TICKS < over_s + 1
    assert ended == 900 * SECOND_TICKS  # judged at the end of the same second


def test_test_mode_has_its_own_demand_and_power_factor_needs_current() -> None:
    rig = Rig().meters(150 * WINDOW, tenths_ma=500_000).does(Action.TEST_BEGIN)
    assert rig.of("KYZ3")[1:] != []
    before = len(rig.of("KYZ3"))
    rig.meters(WINDOW, tenths_ma=60)
    assert rig.of("KYZ3")[before:] == [(rig.tick, OPEN)]
    rig = Rig().meters(WINDOW, p=3, q=4).meters(WINDOW, p=-4, q=3).meters(WINDOW, p=3, q=-4).meters(WINDOW, tenths_ma=0)
    assert rig.of("KYZ4") == [(0, OPEN), (20, CLOSED), (40, OPEN), (60, CLOSED), (80, OPEN)]


VOLTS = """
[meter]
service = "auto"
[[outputs]]
name = "KYZ1"
function = "voltage threshold"
above_v = "110"
[[outputs]]
name = "KYZ2"
function = "diagnostic"
"""


def test_voltages_are_judged_once_the_service_is_known_and_diagnostics_when_they_come() -> None:
    """The records' voltages are all in phase: no service, which is known after the third look."""
    rig = Rig(program(VOLTS)).meters(20 * WINDOW)
    assert rig.of("KYZ1") == [(0, OPEN), (60, CLOSED)]
    assert [closed for _, closed in rig.of("KYZ2")] == [OPEN, CLOSED]
    assert rig.meter.installation.active
    programmed = Rig(program(VOLTS.replace("auto", "4-wire wye"))).meters(WINDOW)
    assert programmed.of("KYZ1") == [(0, OPEN), (20, CLOSED)]


# --- however it is cut ----------------------------------------------------------------------------------------

EVENTS = st.tuples(
    st.integers(1, 200),
    st.sampled_from([Action.RESET, Action.TEST_BEGIN, Action.TEST_END, Action.FORCE_RATE, Action.RELEASE_RATE]),
    st.sampled_from(list(Rate)),
)


@settings(max_examples=40)
@given(st.lists(EVENTS, max_size=8), st.data())
def test_how_records_are_cut_changes_no_instant_of_interval_and_rate_and_no_pulse(events, data) -> None:
    """Commands fall at ticks of a run; windows of the run end where they may."""
    length, utc_ns = 1200, T0 + 1750 * SECOND
    commands = [
        Command(utc_ns + tick * SECOND // SECOND_TICKS, action, Source.COMMAND_LINE, value)
        for tick, action, value in events
    ]
    found = []
    for _ in range(2):
        rig = Rig(utc_ns=utc_ns)
        rig.meters(1)
        for command in commands:
            rig.changes += rig.meter.execute(command).changes
        cuts = sorted(data.draw(st.sets(st.integers(2, length - 1), max_size=30)))
        for begin, end in zip([1, *cuts], [*cuts, length], strict=True):
            rig.meters(end - begin, window=end - begin)
        counts = {name: (o.count, o.carried_nwh) for name, o in rig.meter.outputs.items()}
        found.append((rig.of("KYZ1"), rig.of("KYZ2"), counts, rig.flashes))
        for name in ("KYZ1", "KYZ2"):
            told = rig.of(name)
            assert told == sorted(told, key=lambda each: each[0])
            assert all(a[1] != b[1] for a, b in pairwise(told))
    assert found[0] == found[1]


# --- the meter's time -----------------------------------------------------------------------------------------


@given(
    st.integers(-(10**8), 10**8),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=6),
    st.data(),
)
def test_the_time_of_an_instant_is_between_those_of_its_records_whatever_is_slewed(owed, windows, data) -> None:
    clock = MeterClock(Fraction(12_288_000, 7), 0, T0)
    clock.compare(0, T0 + owed)
    for ticks in windows:
        inside = sorted(data.draw(st.lists(st.integers(0, ticks), min_size=1, max_size=4)))
        begin = Point(clock.tick, clock.peek(clock.tick))
        peeked = [clock.peek(begin.tick + tick) for tick in inside]
        assert peeked == sorted(peeked)
        end = Point(begin.tick + ticks, clock.advance(begin.tick + ticks))
        assert clock.peek(end.tick) == end.utc_ns
        for tick, utc_ns in zip(inside, peeked, strict=True):
            assert begin.utc_ns <= utc_ns <= end.utc_ns
            back = tick_at((begin, end), utc_ns)
            assert abs(back - begin.tick - tick) <= ticks // SLEW + 2
        assert tick_at((begin, end), end.utc_ns) == end.tick
        assert tick_at((begin, end), begin.utc_ns) == begin.tick


# --- the lamp -------------------------------------------------------------------------------------------------


def test_the_lamp_shows_what_it_follows_from_nothing_on_and_counts_watt_hours_all_the_time() -> None:
    rig = Rig().meters(30 * WINDOW)
    led = rig.meter.outputs[OutputId.TEST_LED]
    assert rig.flashes == led.count > 3
    rig.meter.follow(Quantity.KVARH_LAGGING)
    before, rig.flashes = led.count, 0
    for _ in range(5):
        rig.meters(10 * WINDOW)
        rig.meter.follow(Quantity.KVARH_LAGGING)  # the same again is no new beginning
    varh = 50 * Flow(60_000, WINDOW, 4, 3, 0).magnitudes[1]
    assert rig.flashes == varh // (led.constant_wh * NANO)
    registered = rig.meter.billing
    registered.settle()
    assert led.count == registered.registers.energy(Quantity.KWH_EITHER) // (led.constant_wh * NANO) > before + 3
    rig.meter.follow(None)
    shown, before, rig.flashes = rig.flashes, led.count, 0
    rig.meters(20 * WINDOW)
    assert rig.flashes == led.count - before > 0 < shown


def test_another_quantity_begins_anew_and_a_net_one_is_followed_either_way() -> None:
    constant = Rig().meter.outputs[OutputId.TEST_LED].constant_wh
    varh, received = (Flow(60_000, WINDOW, 4, 3, 0).magnitudes[k] for k in (1, 0))
    for quantity, p, q, expected in [
        (Quantity.KVARH_NET, 4, 3, 25 * varh),
        (Quantity.KVARH_NET, 4, -3, 25 * varh),
        (Quantity.KVARH_LAGGING, 4, -3, 0),
        (Quantity.KWH_DELIVERED, -4, 3, 0),
        (Quantity.KWH_RECEIVED, -4, 3, 25 * received),
    ]:
        rig = Rig()
        rig.meter.follow(Quantity.KVAH_RMS)
        rig.meters(7 * WINDOW)
        rig.meter.follow(quantity)
        rig.flashes = 0
        rig.meters(25 * WINDOW, p=p, q=q)
        assert rig.flashes == expected // (constant * NANO)


def test_nothing_that_the_lamp_follows_is_kept() -> None:
    rig = Rig()
    rig.meter.follow(Quantity.KVAH_RMS)
    rig.meters(7 * WINDOW)
    plain = Rig().meters(7 * WINDOW)
    assert rig.meter.state.outputs == plain.meter.state.outputs
    assert isinstance(rig.meter.outputs[OutputId.TEST_LED], PulseOutput)


@pytest.mark.parametrize("action", [Action.TEST_BEGIN, Action.RESET])
def test_pulses_go_on_in_test_mode_as_in_normal(action: Action) -> None:
    rig, plain = Rig().meters(WINDOW).does(action).meters(9 * WINDOW), Rig().meters(10 * WINDOW)
    assert (rig.flashes, rig.meter.state.outputs) == (plain.flashes, plain.meter.state.outputs)
