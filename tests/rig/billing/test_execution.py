"""What a running meter can be asked: the tables of rig/meter/billing/execution.py, cell by cell, and who asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

import msgspec
import pytest
from billing_histories import MINUTE, SECOND, program, utc_ns
from test_billing import KW, Course

from rig.meter.billing import execution
from rig.meter.billing.billing import Billing, MeterEvent
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.dates import DateRule
from rig.meter.billing.events import (
    Cause,
    ClockSetFrom,
    ClockSetTo,
    ClockSlewed,
    ColdStarted,
    DataCleared,
    DemandWasReset,
    EndOfInterval,
    MasterResetDone,
    ProfileWords,
    Programmed,
    RateForced,
    RateReleased,
    RecorderOverflowed,
    ResetRefused,
    SeasonChanged,
    SelfReadTaken,
    TestDemandWasReset,
    TestModeBegan,
    TestModeEnded,
)
from rig.meter.billing.log import LogEvent
from rig.meter.billing.metric import Metric, RecorderChannel, RecorderSettings
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.reprogram import reprogram
from rig.meter.billing.settings import SelfReadKind, SelfReads
from rig.meter.billing.snapshot import Snapshot
from rig.meter.billing.source import Source
from rig.meter.billing.tariff import DayType, Rate, RateSwitch, Season, Tariff

ASKER = Source.MODEM
CLEARING = (Action.CLEAR, Action.MASTER_RESET, Action.COLD_START)
CAUSES = {
    Action.RESET_BY_SWITCH: Cause.SWITCH,
    Action.RESET: Cause.COMMUNICATION,
    Action.CLEAR: Cause.CLEAR,
    Action.MASTER_RESET: Cause.MASTER_RESET,
    Action.COLD_START: Cause.COLD_START,
}
EVENTS = {
    Action.SELF_READ: SelfReadTaken,
    Action.SEASON_CHANGE: SeasonChanged,
    Action.TEST_BEGIN: TestModeBegan,
    Action.TEST_END: TestModeEnded,
    Action.FORCE_RATE: RateForced,
    Action.RELEASE_RATE: RateReleased,
    Action.CLEAR: DataCleared,
    Action.MASTER_RESET: MasterResetDone,
    Action.COLD_START: ColdStarted,
}
"""The line that says it was done."""

VALUES = {Action.FORCE_RATE: Rate.C, Action.INPUT_PULSES: 0}


def table(first: str) -> list[list[str]]:
    """The rows under a line of the docstring that begins so; cells are two blanks apart."""
    assert execution.__doc__ is not None
    lines = execution.__doc__.splitlines()
    begin = next(k for k, line in enumerate(lines) if line.strip().startswith(f"{first}  ")) + 1
    end = next(k for k in range(begin, len(lines)) if not lines[k].strip())
    return [[cell.strip() for cell in re.split(r" {2,}", line.strip())] for line in lines[begin:end]]


def course() -> Course:
    """In the midst of things at 12:20: a reset at 12:15, pulses, rate D forced; D has been for five minutes."""
    made = Course(program("block:15", recorder_min=15, minutes=60, reads=SelfReads(SelfReadKind.DAILY)))
    made.run(15)
    made.ask(Action.RESET_BY_SWITCH)
    made.ask(Action.INPUT_PULSES, 0, 9)
    made.ask(Action.FORCE_RATE, Rate.D)
    made.run(5)
    made.told.clear()
    return made


def in_test() -> Course:
    """Three minutes of test mode, too."""
    made = course()
    made.ask(Action.TEST_BEGIN)
    made.run(3)
    made.told.clear()
    return made


def asked(made: Course, action: Action) -> list[MeterEvent]:
    return made.ask(action, VALUES.get(action), 4, source=ASKER)


def log(told: list[MeterEvent]) -> list[LogEvent]:
    return [each for each in told if isinstance(each, LogEvent)]


def ends(told: list[MeterEvent]) -> list[tuple[Cause, bool]]:
    return [(each.cause, each.test_mode) for each in told if isinstance(each, EndOfInterval)]


def state(made: Course) -> dict:
    return msgspec.json.decode(msgspec.json.encode(made.billing.state))


def billed(made: Course) -> list[object]:
    """What bills."""
    found = state(made)
    return [found[name] for name in ("registers", "inputs", "resets", "last_reset_ns", "closed_season")]


# --- outside test mode and in it ----------------------------------------------------------------------------------


def billings(made: Course, action: Action) -> None:
    now = made.now
    assert log(asked(made, action)) == [DemandWasReset(now, CAUSES[action], 2, ASKER)]
    assert (made.billing.resets, made.billing.last_reset_ns) == (2, now)
    made.run(0.5)
    assert log(asked(made, action)) == [DemandWasReset(now + 30 * SECOND, CAUSES[action], 3, ASKER)]


def billings_but_not_within_a_lockout(made: Course, action: Action) -> None:
    now = made.now
    assert log(asked(made, action)) == [DemandWasReset(now, CAUSES[action], 2, ASKER)]
    made.run(0.5)
    before = billed(made)
    assert asked(made, action) == [ResetRefused(now + 30 * SECOND, 30, ASKER)]
    assert billed(made) == before
    made.run(0.5)
    assert log(asked(made, action)) == [DemandWasReset(now + 60 * SECOND, CAUSES[action], 3, ASKER)]


def the_tests_own(made: Course, action: Action) -> None:
    before, now = billed(made), made.now
    told = asked(made, action)
    assert log(told) == [TestDemandWasReset(now, CAUSES[action], ASKER)]
    assert ends(told) == [(CAUSES[action], True)]
    assert made.billing.test.demand.cumulative(0) == round(7.2 * KW * 3 / 5)
    assert billed(made) == before


def now_(made: Course, action: Action) -> None:
    found = [each for each in log(asked(made, action)) if type(each) is EVENTS[action]]
    assert [(each.utc_ns, each.source) for each in found] == [(made.now, ASKER)]


def when_test_mode_ends(made: Course, action: Action) -> None:
    before = billed(made)
    assert asked(made, action) == []
    assert billed(made) == before
    made.run(2)
    told = made.ask(Action.TEST_END, source=Source.FRONT)
    found = [each for each in log(told) if type(each) is EVENTS[action]]
    assert [(each.utc_ns, each.source) for each in found] == [(made.now, ASKER)]


def nothing(made: Course, action: Action) -> None:
    before = state(made)
    assert asked(made, action) == []
    assert state(made) | {"followed_ns": 0} == before | {"followed_ns": 0}, "only time has gone on"


def begins(made: Course, action: Action) -> None:
    now_(made, action)
    assert made.billing.test is not None


def it_ends(made: Course, action: Action) -> None:
    now_(made, action)
    assert made.billing.test is None


def counted(made: Course, action: Action) -> None:
    assert asked(made, action) == []
    assert made.billing.inputs == (13, 0)


def registers(made: Course, action: Action) -> None:
    told = asked(made, action)
    assert log(told) == [EVENTS[action](made.now, ASKER)]
    assert ends(told) == [(CAUSES[action], False)]
    assert (made.kwh(), made.billing.inputs, made.billing.rate_forced) == (0, (0, 0), True)


def registers_the_tests_too_it_goes_on(made: Course, action: Action) -> None:
    test_ends_ns = made.billing.test_ends_ns
    told = asked(made, action)
    assert log(told) == [EVENTS[action](made.now, ASKER)]
    assert ends(told) == [(CAUSES[action], True)]
    assert (made.kwh(), made.billing.test_ends_ns) == (0, test_ends_ns)
    assert made.billing.test.energy(Quantity.KWH_DELIVERED) == made.billing.test.demand.present(0) == 0
    assert made.billing.interval_ends_ns == made.now + 5 * MINUTE
    made.run(2)
    made.billing.settle()
    assert made.billing.test.energy(Quantity.KWH_DELIVERED) == KW * 24 // 100


def registers_and_bookkeeping(made: Course, action: Action) -> None:
    told = asked(made, action)
    assert log(told) == [RateReleased(made.now, Rate.B, ASKER), EVENTS[action](made.now, ASKER)]
    assert ends(told) == [(CAUSES[action], False)]
    assert (made.kwh(), made.billing.inputs, made.billing.rate_forced) == (0, (0, 0), False)


def what_is_tested_ends_first(made: Course, action: Action) -> None:
    told = asked(made, action)
    assert [type(each) for each in log(told)] == [TestModeEnded, RateReleased, EVENTS[action]]
    assert {(each.utc_ns, each.source) for each in log(told)} == {(made.now, ASKER)}
    assert ends(told) == [(Cause.TEST_MODE_END, True), (CAUSES[action], False)]
    assert (made.billing.test, made.kwh()) == (None, 0)


CELLS: dict[str, Callable[[Course, Action], None]] = {
    "billing's": billings,
    "billing's, but not within a lockout": billings_but_not_within_a_lockout,
    "the test's own": the_tests_own,
    "now": now_,
    "when test mode ends": when_test_mode_ends,
    "-": nothing,
    "begins": begins,
    "it ends": it_ends,
    "counted": counted,
    "counted: they are another meter's": counted,
    "registers": registers,
    "registers, the test's too; it goes on": registers_the_tests_too_it_goes_on,
    "registers and bookkeeping": registers_and_bookkeeping,
    "test mode ends first": what_is_tested_ends_first,
}


@pytest.mark.parametrize("row", table("asked"), ids=lambda row: row[0])
def test_what_becomes_of_each(row: list[str]) -> None:
    action, outside, inside = Action(row[0]), row[1], row[2]
    CELLS[outside](course(), action)
    CELLS[inside](in_test(), action)


def test_every_action_is_in_the_table_and_every_cell_in_the_test() -> None:
    assert [Action(name) for name, *_ in table("asked")] == list(Action)
    assert {cell for _, *cells in table("asked") for cell in cells} == CELLS.keys()


def test_without_demand_a_reset_changes_nothing_and_is_no_line() -> None:
    made = Course(program(None, test=None))
    made.run(5)
    for tests in (False, True):
        if tests:
            made.ask(Action.TEST_BEGIN)
        before = billed(made)
        for action in (Action.RESET, Action.RESET_BY_SWITCH):
            assert asked(made, action) == []
        assert billed(made) == before


# --- what begins anew ---------------------------------------------------------------------------------------------


def eventful() -> Course:
    """Everything that can be cleared is there, at 12:40: a season asked for, a reset refused, two resets, test mode."""
    made = Course(program("sliding:5x3", recorder_min=5, minutes=60, reads=SelfReads(SelfReadKind.HOURS, hours=1)))
    made.run(65)
    made.ask(Action.SEASON_CHANGE)
    made.run(10)
    made.ask(Action.RESET_BY_SWITCH)
    made.ask(Action.INPUT_PULSES, 1, 6)
    made.ask(Action.FORCE_RATE, Rate.D)
    made.run(23)
    made.ask(Action.RESET_BY_SWITCH)
    made.run(0.5)
    made.ask(Action.TEST_BEGIN)
    made.run(7)
    made.told.clear()
    return made


def of_registers(found: dict) -> object:
    return found["registers"]["energy"], found["registers"]["rates"]


def of_demand(found: dict) -> object:
    demand = dict(found["registers"]["demand"])
    return demand.pop("maxima"), demand


def of_bookkeeping(found: dict) -> object:
    """When the next self-read is due, and up to when seasons were passed: from now on, or as it was."""
    return found["self_read_ns"], found["followed_ns"]


PARTS: dict[str, Callable[[dict], object]] = {
    "energy, in total and by rate": of_registers,
    "demand, maxima, peaks, cumulative": of_demand,
    "counts of demand resets and of pulses at inputs": lambda found: (found["resets"], found["inputs"]),
    "time of the last demand reset": lambda found: found["last_reset_ns"],
    "registers of the closed season": lambda found: found["closed_season"],
    "load profile": lambda found: found["recorder"],
    "registers of test mode": lambda found: found["test"] and found["test"]["registers"],
    "test mode": lambda found: found["test"] and (found["test"]["began_ns"], found["test"]["ends_ns"]),
    "forced rate": lambda found: found["forced_rate"],
    "lockout of the switch": lambda found: found["last_switch_reset_ns"],
    "season asked for": lambda found: (found["asked_season"], found["season"]),
    "self-reads and seasons passed": of_bookkeeping,
}
ELSEWHERE = {"service and diagnostics", "program, clock, log, commands for later, pulse outputs"}
"""Rows that tests/rig/test_meter_requests.py and others here have."""


def begun(made: Course) -> dict:
    """A meter that begins now, with the same program, in test mode too."""
    fresh = Course(made.billing.settings, made.now)
    found = state(fresh)
    if made.billing.test is not None:
        fresh.ask(Action.TEST_BEGIN)
        found["test"] = state(fresh)["test"]
    return found


@pytest.mark.parametrize("action", CLEARING, ids=lambda action: action.value)
@pytest.mark.parametrize("row", [row for row in table("what") if row[0] not in ELSEWHERE], ids=lambda row: row[0])
def test_what_begins_anew(row: list[str], action: Action) -> None:
    what, cleared, reset = row
    cell = cleared if action is Action.CLEAR else reset
    part, made = PARTS[what], eventful()
    before = part(state(made))
    asked(made, action)
    after = part(state(made))
    if cell.startswith("stay"):
        assert after == before
    else:
        assert before != part(begun(made)), "there is something to clear"
        assert after == part(begun(made))
        assert cell == "anew" or made.billing.test is None


def test_the_second_table_is_walked_whole() -> None:
    assert {row[0] for row in table("what")} == PARTS.keys() | ELSEWHERE


@pytest.mark.parametrize("action", CLEARING, ids=lambda action: action.value)
def test_what_is_cleared_is_kept_in_the_history_and_a_new_profile_begins(action: Action) -> None:
    made = course()
    before = made.billing.snapshot(Cause.COMMUNICATION)
    told = asked(made, action)
    (kept,) = [each for each in told if isinstance(each, Snapshot)]
    assert kept == replace(before, cause=CAUSES[action])
    assert (kept.inputs, kept.resets) == ((9, 0), 1)
    (words,) = [each for each in told if isinstance(each, ProfileWords)]
    assert words.first == 0
    order = [type(each) for each in told]
    assert order.index(Snapshot) < order.index(EVENTS[action]) < order.index(ProfileWords)
    told = made.run(10)
    (words,) = [each for each in told if isinstance(each, ProfileWords)]
    assert words.first == 2, "a date and a time came before"


@pytest.mark.parametrize("action", CLEARING, ids=lambda action: action.value)
def test_clock_and_commands_for_later_stay(action: Action) -> None:
    made = course()
    now = made.now
    made.ask(Action.INPUT_PULSES, 1, 5, at=now + MINUTE)
    asked(made, action)
    assert made.now == now
    made.run(2)
    assert made.billing.inputs == (0, 5)
    assert made.kwh() == Fraction(24, 100)


def test_a_master_reset_ends_the_lockout_and_clear_does_not() -> None:
    for action, refused in ((Action.CLEAR, 1), (Action.MASTER_RESET, 0), (Action.COLD_START, 0)):
        made = course()
        made.ask(Action.RESET_BY_SWITCH)
        asked(made, action)
        made.told.clear()
        made.ask(Action.RESET_BY_SWITCH)
        assert len(made.of(ResetRefused)) == refused
        assert made.billing.resets == 1 - refused


def test_each_comes_at_its_instant_and_energy_after_it_counts() -> None:
    """Asked for 12:07:30 of a portion from 12:00 to 12:15: half of its 1.8 kWh is cleared."""
    for action in CLEARING:
        made = Course(program("block:15"))
        made.ask(action, at=made.now + 450 * SECOND)
        made.run(15)
        assert made.kwh() == Fraction(9, 10)
        (kept,) = made.of(Snapshot)
        assert kept.energy[0] == 9 * KW // 10
        assert made.maximum().value == 36 * KW // 10


def test_overflows_of_the_profile_are_counted_anew_and_told_from_the_first_on() -> None:
    """20 Wh in 10 minutes are 20,000 counts of 1 mWh; a word has 16,383."""
    recorder = RecorderSettings(60, (RecorderChannel(Metric.KWH_DELIVERED, Fraction(1, 1000)),), 131072)
    made = Course(replace(program("block:15"), recorder=recorder))
    for _ in range(2):
        made.run(60, 0.02)
        made.run(60, 0)
    assert [each.intervals for each in made.of(RecorderOverflowed)] == [1, 2]
    made.ask(Action.CLEAR)
    made.run(60, 0.02)
    assert [each.intervals for each in made.of(RecorderOverflowed)] == [1, 2, 1]


# --- seasons ------------------------------------------------------------------------------------------------------


def quarters() -> Tariff:
    """Four seasons with a rate each, listed in another order than they come in."""
    begin = {"c": "07-01", "a": "01-01", "d": "10-01", "b": "04-01"}

    def season(name: str) -> Season:
        switches = (RateSwitch(0, Rate[name.upper()]),)
        return Season(name, DateRule.parse(begin[name]), dict.fromkeys(DayType, switches))

    return Tariff(tuple(season(name) for name in "cadb"))


def names(made: Course) -> str:
    """The season in force, and its rate."""
    made.billing.settle()
    return made.billing.settings.calendar.tariff.seasons[made.billing.season].name + made.billing.rate.name


def test_the_next_season_is_the_one_that_follows_in_the_year() -> None:
    made = Course(program("block:60", tariff=quarters()), datetime(2024, 5, 10, 12))
    seen = [names(made)]
    for _ in range(5):
        made.run(60)
        made.ask(Action.SEASON_CHANGE)
        seen.append(names(made))
    assert seen == ["bB", "cC", "dD", "aA", "bB", "cC"]
    assert made.times(Cause.SEASON) == [f"05-10 {hour}:00" for hour in (13, 14, 15, 16, 17)]
    assert [made.kwh(rate) / Fraction(72, 10) for rate in Rate] == [1, 2, 1, 1]


def test_a_season_asked_for_by_its_place_closes_the_one_in_force_even_if_it_is_that_one() -> None:
    made = Course(program("block:60", tariff=quarters()), datetime(2024, 5, 10, 12))
    for place, now in ((2, "dD"), (2, "dD"), (0, "cC"), (3, "bB")):
        made.run(60)
        made.ask(Action.SEASON_CHANGE, place)
        assert names(made) == now
    assert [each.season for each in made.snapshots(Cause.SEASON)] == [3, 2, 2, 0]
    assert [each.season for each in made.of(SeasonChanged)] == [2, 2, 0, 3]
    assert made.billing.closed_season == made.snapshots(Cause.SEASON)[-1]


@pytest.mark.parametrize(
    ("place", "closes", "then"),
    [(None, [], "cC"), (0, [], "cC"), (2, ["07-01 00:00"], "cC"), (3, ["07-01 00:00"], "cC")],
)
def test_it_lasts_until_the_calendars_next_season(place: int | None, closes: list[str], then: str) -> None:
    """The one that comes anyway is in force already: nothing closes then. In another one that one closes."""
    made = Course(program("block:60", tariff=quarters()), datetime(2024, 5, 10, 12))
    made.ask(Action.SEASON_CHANGE, place)
    in_force = names(made)
    made.run(50 * 24 * 60)
    assert names(made) == in_force
    made.run(24 * 60 * 2)
    assert names(made) == then
    assert made.times(Cause.SEASON)[1:] == closes
    made.run(95 * 24 * 60)
    assert names(made) == "dD"
    assert made.times(Cause.SEASON)[-1] == "10-01 00:00"
    changes = [each.source for each in made.of(SeasonChanged)]
    assert changes == [Source.COMMAND_LINE] + [Source.CALENDAR] * (1 + len(closes))


def test_an_outage_of_a_whole_year_ends_it_too() -> None:
    """The date is of the same season again, but the calendar has come to four others."""
    made = Course(program("block:60", tariff=quarters()), datetime(2024, 5, 10, 12))
    made.ask(Action.SEASON_CHANGE, 2)
    made.restart()
    assert names(made) == "dD"
    made.fail(365 * 24 * 60)
    assert names(made) == "bB"
    assert [each.season for each in made.snapshots(Cause.SEASON)] == [3, 2]


def test_with_one_season_it_closes_and_begins_again() -> None:
    made = Course(program("block:60", tariff=None), datetime(2024, 5, 10, 12))
    made.run(60)
    made.ask(Action.SEASON_CHANGE)
    made.run(60)
    made.ask(Action.SEASON_CHANGE, 0)
    assert [each.season for each in made.of(SeasonChanged)] == [0, 0]
    assert (made.billing.resets, made.billing.closed_season.energy[0]) == (2, 2 * 72 * KW // 10)
    made.run(366 * 24 * 60)
    assert len(made.snapshots(Cause.SEASON)) == 2, "the calendar changes nothing"


def test_demand_is_reset_only_if_the_program_says_so() -> None:
    for resets in (True, False):
        made = Course(program("block:15", season_resets=resets))
        made.run(15)
        told = made.ask(Action.SEASON_CHANGE, source=ASKER)
        assert made.of(DemandWasReset) == [DemandWasReset(made.now, Cause.SEASON, 1, ASKER)] * resets
        assert ends(told) == [(Cause.SEASON, False)] * resets
        assert made.billing.closed_season.demand[0][0].maximum.value == 7.2 * KW
        assert (made.maximum().value == 0) is resets


def test_seasons_asked_for_in_test_mode_close_once_when_it_ends() -> None:
    """The last one asked for; and where the calendar came to its own meanwhile, that one is in force."""
    made = Course(program("block:15", tariff=quarters(), minutes=255), datetime(2024, 5, 10, 12))
    made.ask(Action.TEST_BEGIN)
    for place in (2, 0, 1):
        made.run(1)
        made.ask(Action.SEASON_CHANGE, place)
    made.ask(Action.TEST_END)
    assert (names(made), [each.season for each in made.snapshots(Cause.SEASON)]) == ("aA", [3])

    made = Course(program("block:15", tariff=quarters(), minutes=255), datetime(2024, 6, 30, 23, 50))
    made.ask(Action.TEST_BEGIN)
    made.ask(Action.SEASON_CHANGE, 1, source=ASKER)
    made.run(20)
    made.ask(Action.TEST_END)
    assert (names(made), made.of(SeasonChanged)) == ("cC", [SeasonChanged(made.now, 0, ASKER)])
    made.run(24 * 60)
    assert len(made.of(SeasonChanged)) == 1


def test_a_clock_set_over_the_calendars_change_and_back() -> None:
    made = Course(program("block:15", tariff=quarters()), datetime(2024, 6, 30, 23, 30))
    made.ask(Action.SEASON_CHANGE, 2)
    made.run(10)
    made.set_clock(40)
    assert names(made) == "cC"
    made.set_clock(-40)
    assert names(made)[0] == "c", "by less than an hour: it is not passed again"
    made.run(60)
    assert [each.season for each in made.of(SeasonChanged)] == [2, 0]


def test_a_clock_that_was_wrong_when_a_season_was_asked_for_does_not_make_it_last() -> None:
    """On 1 July, by a clock that is a day ahead; set right, it comes to July by itself."""
    made = Course(program("block:15", tariff=quarters()), datetime(2024, 7, 1, 12))
    made.ask(Action.SEASON_CHANGE, 3)
    assert names(made) == "bB"
    made.set_clock(-24 * 60)
    assert names(made) == "bB"
    made.run(24 * 60)
    assert names(made) == "cC"
    assert [each.season for each in made.of(SeasonChanged)] == [3, 0]


def test_a_season_that_the_program_lacks_is_refused_and_nothing_waits() -> None:
    made = Course(program("block:15", tariff=quarters()))
    two = Course(program("block:15"))
    before = state(two)
    with pytest.raises(ValueError, match=r"season 2 is none of the program: it has 2, counted from 0"):
        two.ask(Action.SEASON_CHANGE, 2)
    assert state(two) == before
    for place in (-1, 4, 10**9):
        with pytest.raises(ValueError, match=rf"there is no season {place}: give 0 to 3, or None for the next"):
            Command(made.now, Action.SEASON_CHANGE, ASKER, place)
    made.ask(Action.SEASON_CHANGE, 3, at=made.now + MINUTE)
    made.ask(Action.INPUT_PULSES, 0, 5, at=made.now + MINUTE)
    other, _ = reprogram(program("block:15"), made.billing.state, "abc")
    other.outage(other.now_ns + 2 * MINUTE)
    assert (other.inputs, other.season) == ((5, 0), 0), "of another program's seasons nothing is known"


# --- the clock ----------------------------------------------------------------------------------------------------


def test_who_set_the_clock_is_in_the_log_and_who_had_it_slewed_is_too() -> None:
    made = course()
    now, before = made.now, state(made)
    for by_ns, by_ms in ((400 * 10**6, 400), (-999_999_999, -1000), (0, 0), (-400_000, 0)):
        assert made.billing.slew_clock(by_ns, ASKER) == [ClockSlewed(now, by_ms, ASKER)]
    assert state(made) == before
    told = log(made.billing.set_clock(now + 90 * SECOND, ASKER))
    assert told == [ClockSetFrom(now, ASKER), ClockSetTo(now + 90 * SECOND, 90, ASKER)]


def test_a_self_read_of_the_schedule_is_nobodys_that_asked_before() -> None:
    made = course()
    asked(made, Action.SELF_READ)
    made.run(12 * 60)
    asked(made, Action.SELF_READ)
    made.run(24 * 60)
    sources = [each.source for each in made.of(SelfReadTaken)]
    assert sources == [ASKER, Source.CALENDAR, ASKER, Source.CALENDAR]


def test_a_new_program_says_who_wrote_it() -> None:
    made = in_test()
    told = log(reprogram(program("block:30"), made.billing.state, "abc", ASKER)[1])
    assert told == [TestModeEnded(made.now, ASKER), Programmed(made.now, "abc", ASKER)]
    assert Programmed(made.now, "abc") in reprogram(program("block:30"), made.billing.state, "abc")[1]


def test_nobody_ends_test_mode_when_power_fails_and_the_meters_own_time_does_when_it_is_over() -> None:
    made = in_test()
    made.fail(1)
    assert [each.source for each in made.of(TestModeEnded)] == [None]
    made = in_test()
    made.run(60)
    assert [each.source for each in made.of(TestModeEnded)] == [Source.CALENDAR]


@pytest.mark.parametrize(
    ("action", "value", "pulses"),
    [(action, None, 1) for action in Action if action not in VALUES]
    + [(Action.FORCE_RATE, 3, 1), (Action.INPUT_PULSES, 1, 500), (Action.SEASON_CHANGE, 1, 1)],
)
def test_a_command_that_waits_is_stored_with_who_asked(action: Action, value: int | None, pulses: int) -> None:
    made = course()
    for source in Source:
        made.ask(action, value, pulses, at=made.now + MINUTE, source=source)
    made.restart()
    assert made.billing.state.waiting == [
        Command(made.now + MINUTE, action, source, value, pulses) for source in Source
    ]


def test_utc_is_what_the_tests_think() -> None:
    assert Billing.begin(program(), utc_ns(datetime(2024, 7, 10, 12)))[0].now_ns == 1_720_627_200 * SECOND
