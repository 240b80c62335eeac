"""Billing by given courses of events, with figures worked out by hand.

All power is 7.2 kW, which is 2 nWh in each nanosecond: so block and sliding demand are exact, and compared with
equality. Thermal demand follows D + (P − D)·(1 − 10^(−t/T)): 1 nW of rounding, and 1e-12 for arithmetic in floats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec
import pytest
from billing_histories import DAY, HOUR, MINUTE, SECOND, TARIFF, program, utc_ns

from rig.meter.billing import billing as billing_module
from rig.meter.billing.billing import Billing, MeterEvent
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.dates import DateRule
from rig.meter.billing.energy_interval import SQUARES, EnergyInterval
from rig.meter.billing.events import (
    Cause,
    ClockSetFrom,
    ClockSetTo,
    DaylightSavingBegan,
    DaylightSavingEnded,
    DemandWasReset,
    EndOfInterval,
    PowerDown,
    PowerUp,
    ProfileWords,
    RateChanged,
    RateForced,
    RateReleased,
    RecorderOverflowed,
    ResetRefused,
    SeasonChanged,
    SelfReadTaken,
    TestModeBegan,
    TestModeEnded,
)
from rig.meter.billing.log import LogEvent
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.metric import Metric, RecorderChannel, RecorderSettings
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.settings import BillingSettings, SelfReadKind, SelfReads
from rig.meter.billing.snapshot import Snapshot
from rig.meter.billing.source import Source
from rig.meter.billing.tariff import DayType, Rate, RateSwitch, Season, Tariff

KW = 10**12
ACTIVE = (Quantity.KWH_DELIVERED,)
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")

NOON = utc_ns(datetime(2024, 7, 10, 12))
"""A Wednesday in summer; rate B until 17:05."""


class Course:
    """A meter, and all it told; local times of the course's zone are what the clock shows."""

    def __init__(self, settings: BillingSettings, begin: datetime | int = NOON) -> None:
        self.zone = settings.calendar.zone
        begin_ns = begin if isinstance(begin, int) else utc_ns(begin, self.zone)
        self.billing, self.told = Billing.begin(settings, begin_ns)

    @property
    def now(self) -> int:
        return self.billing.now_ns

    def _tell(self, told: list[MeterEvent]) -> list[MeterEvent]:
        self.told += told
        return told

    def run(self, minutes: float, kw: float = 7.2, quadrant: int = 0) -> list[MeterEvent]:
        span = round(minutes * MINUTE)
        return self._tell(
            self.billing.advance(EnergyInterval(self.now, self.now + span, quadrant, round(kw / 3.6 * span)))
        )

    def idle(self, minutes: float) -> list[MeterEvent]:
        """Time without portions."""
        end = self.now + round(minutes * MINUTE)
        return self._tell(self.billing.advance(EnergyInterval(end, end, 0, 0)))

    def ask(
        self,
        action: Action,
        value: int | None = None,
        pulses: int = 1,
        at: int | None = None,
        source: Source = Source.COMMAND_LINE,
    ) -> list[MeterEvent]:
        at = self.now if at is None else at
        return self._tell(self.billing.command(Command(at, action, source, value, pulses)))

    def fail(self, minutes: float) -> list[MeterEvent]:
        return self._tell(self.billing.outage(self.now + round(minutes * MINUTE)))

    def set_clock(self, minutes: float) -> list[MeterEvent]:
        """Forward, or back."""
        return self._tell(self.billing.set_clock(self.now + round(minutes * MINUTE), Source.SERVICE_CLOCK))

    def restart(self) -> None:
        """From the state as it is stored."""
        stored = msgspec.json.encode(self.billing.state)
        state = msgspec.json.decode(stored, type=type(self.billing.state))
        self.billing = Billing(self.billing.settings, state)

    # --- what came of it --------------------------------------------------------------------------------------

    def of(self, kind: type) -> list:
        return [each for each in self.told if isinstance(each, kind)]

    def ends(self) -> list[tuple[str, Cause, bool, list[int]]]:
        """All ends of intervals: when by the clock, why, in test mode, demands."""
        return [(self.clock(e.utc_ns), e.cause, e.test_mode, list(e.demands)) for e in self.of(EndOfInterval)]

    def closures(self) -> list[tuple[str, Cause]]:
        return [(self.clock(e.utc_ns), e.cause) for e in self.of(EndOfInterval)]

    def events(self, *kinds: type[LogEvent]) -> list[tuple[str, type[LogEvent]]]:
        return [(self.clock(e.utc_ns), type(e)) for e in self.of(LogEvent) if not kinds or type(e) in kinds]

    def snapshots(self, cause: Cause) -> list[Snapshot]:
        return [each for each in self.of(Snapshot) if each.cause is cause]

    def times(self, cause: Cause) -> list[str]:
        return [self.clock(each.utc_ns, "%m-%d %H:%M") for each in self.snapshots(cause)]

    def clock(self, ns: int, form: str = "%H:%M") -> str:
        return self.billing.settings.calendar.local(ns).strftime(form)

    def maximum(self, rate: Rate | None = None) -> Maximum:
        self.billing.settle()
        return self.billing.registers.demand.maximum(0, 0 if rate is None else 1 + rate)

    def kwh(self, rate: Rate | None = None) -> Fraction:
        self.billing.settle()
        return Fraction(self.billing.registers.energy(Quantity.KWH_DELIVERED, rate), KW)


def seasons(start: str, switches: tuple[RateSwitch, ...] = (RateSwitch(0, Rate.A),)) -> Tariff:
    """One that begins with the year, and one that does on a date."""
    days = dict.fromkeys(DayType, switches)
    return Tariff((Season("first", DateRule.parse("01-01"), days), Season("second", DateRule.parse(start), days)))


# --- what becomes of a demand interval ----------------------------------------------------------------------------

KINDS = ("block:15", "sliding:5x3", "thermal:15")
HOURLY = {"block:15": "block:60", "sliding:5x3": "sliding:20x3", "thermal:15": "thermal:60"}


def rows() -> list[str]:
    """The first column of the table in the engine's docstring."""
    table = billing_module.__doc__.split("maximum):\n\n")[1].split("\n\n")[0]
    return [re.match(r" {4}(\S.*?)  ", line)[1] for line in table.splitlines()]


def pointer(minutes: float, since: float = 0, power: float = 7.2, response: int = 15) -> float:
    """Where thermal demand has come to in some minutes, in kW."""
    return since + (power - since) * (1 - 10 ** (-minutes / response))


def assert_kw(demands: Iterable[int], *figures: float, kind: str) -> None:
    demands = list(demands)
    if "thermal" in kind:
        assert [demand / KW for demand in demands] == pytest.approx(figures, rel=1e-12, abs=1 / KW)
    else:
        assert demands == [round(figure * KW) for figure in figures]


def interval_ends(course: Course) -> dict[str, int]:
    """Demands of intervals that ended at their boundary, by the clock."""
    return {at: demands[0] for at, cause, test, demands in course.ends() if cause is Cause.INTERVAL and not test}


def demand_reset(kind: str) -> None:
    """8 minutes for the old period; for the new one 7 until 12:15, and then a whole interval."""
    course = Course(program(kind, quantities=ACTIVE))
    course.run(8)
    course.ask(Action.RESET)
    at_once = course.maximum().value
    course.run(22)
    (snapshot,) = course.snapshots(Cause.COMMUNICATION)
    reading = snapshot.demand[0][0]
    (told,) = [demands[0] for _, cause, _, demands in course.ends() if cause is Cause.COMMUNICATION]
    cumulative = course.billing.registers.demand.cumulative(0)
    before = pointer(8) if "thermal" in kind else 3.84
    assert_kw([told, reading.present, reading.maximum.value, cumulative], *[before] * 4, kind=kind)
    by_boundary = interval_ends(course)
    figures = (pointer(8), pointer(15), pointer(30)) if "thermal" in kind else (0, 3.36, 7.2)
    assert_kw([at_once, by_boundary["12:15"], by_boundary["12:30"]], *figures, kind=kind)
    assert_kw([course.maximum().value], figures[-1], kind=kind)


@pytest.mark.parametrize(
    ("kind", "peak_begins", "resets", "old", "new"),
    [
        # A quarter of an hour at 7.2 kW, alone in its interval: its whole demand is 7.2 kW.
        ("block:15", 15, 20, 2.4, 4.8),  # 5 of 15 minutes, and 10
        ("block:15", 15, 30, 7.2, 0.0),  # at the end of the interval nothing is lost
        ("block:15", 15, 15, 0.0, 7.2),
        ("sliding:5x3", 10, 20, 4.8, 2.4),  # 10 of 15 minutes; the window begins anew, and has 5
        ("sliding:5x3", 10, 25, 7.2, 0.0),
        ("sliding:5x3", 10, 10, 0.0, 7.2),
    ],
)
def test_d11_a_peak_across_a_demand_reset_is_whole_in_neither_period(
    kind: str, peak_begins: int, resets: int, old: float, new: float
) -> None:
    """D-11: decided (069), and documented as it is here. The EOI contact closes at the reset; the interval goes on."""
    whole = Course(program(kind, quantities=ACTIVE))
    course = Course(program(kind, quantities=ACTIVE))
    course.idle(0)
    for each, at in ((whole, None), (course, resets)):
        for minute in range(60):
            if minute == at:
                each.ask(Action.RESET)
            each.run(1, kw=7.2 if peak_begins <= minute < peak_begins + 15 else 0.0)
    assert_kw([whole.maximum().value], 7.2, kind=kind)
    (snapshot,) = course.snapshots(Cause.COMMUNICATION)
    assert_kw([snapshot.demand[0][0].maximum.value, course.maximum().value], old, new, kind=kind)
    assert [at for at, cause, _, _ in course.ends() if cause is Cause.COMMUNICATION] == [f"12:{resets:02}"]


def test_d11_thermal_demand_loses_nothing_at_a_reset() -> None:
    """The pointer runs on, so the new maximum begins where it stands: the peak is in both periods."""
    course = Course(program("thermal:15", quantities=ACTIVE))
    course.run(20)
    course.ask(Action.RESET)
    assert_kw([course.maximum().value], pointer(20), kind="thermal:15")
    course.run(10)
    assert_kw([course.maximum().value], pointer(30), kind="thermal:15")


def outage(kind: str) -> None:
    """Off from 12:06 to 12:09: 12 of 15 minutes. In another meter from 12:04 to 12:34: 4, none, and 11 of 15."""
    course = Course(program(kind, quantities=ACTIVE))
    course.run(6)
    course.fail(3)
    course.run(6)
    falls = pointer(6, pointer(3, pointer(6), power=0))
    assert_kw([interval_ends(course)["12:15"]], falls if "thermal" in kind else 5.76, kind=kind)

    course = Course(program(kind, quantities=ACTIVE))
    course.run(4)
    course.fail(30)
    assert course.of(EndOfInterval) == []
    demand = course.billing.registers.demand
    shows = [course.maximum().value, demand.previous(0), demand.present(0)]
    if "thermal" in kind:  # the maximum is where it began to fall, the last boundary before power was back 12:30
        assert course.clock(course.maximum().at_ns) == "12:04"
        fallen = pointer(30, pointer(4), power=0)
        assert_kw(shows, pointer(4), pointer(26, pointer(4), power=0), fallen, kind=kind)
    else:
        assert course.clock(course.maximum().at_ns) == ("12:15" if "block" in kind else "12:05")
        assert_kw(shows, 1.92, 0, 0, kind=kind)
    course.run(11)
    assert_kw([interval_ends(course)["12:45"]], pointer(11, fallen) if "thermal" in kind else 5.28, kind=kind)


def clock_set_forward(kind: str) -> None:
    """From 12:03 to 12:04, 14 of 15 minutes. In another meter from 12:03 to 12:22: 3 minutes, and 8."""
    course = Course(program(kind, quantities=ACTIVE))
    course.run(3)
    course.set_clock(1)
    assert course.of(EndOfInterval) == []
    course.run(11)
    assert_kw([interval_ends(course)["12:15"]], pointer(14) if "thermal" in kind else 6.72, kind=kind)

    course = Course(program(kind, quantities=ACTIVE))
    course.run(3)
    course.set_clock(19)
    ((at, cause, _, demands),) = course.ends()
    assert (at, cause) == ("12:03", Cause.CLOCK_SET)
    course.run(8)
    figures = (pointer(3), pointer(11)) if "thermal" in kind else (1.44, 3.84)
    assert_kw([*demands, interval_ends(course)["12:30"]], *figures, kind=kind)


def clock_set_back(kind: str) -> None:
    """From 12:08 to 12:02: 8 minutes, and then 13."""
    course = Course(program(kind, quantities=ACTIVE))
    course.run(8)
    course.set_clock(-6)
    at, cause, _, demands = course.ends()[-1]
    assert (at, cause) == ("12:08", Cause.CLOCK_SET)
    course.run(13)
    figures = (pointer(8), pointer(21)) if "thermal" in kind else (3.84, 6.24)
    assert_kw([*demands, interval_ends(course)["12:15"]], *figures, kind=kind)
    assert_kw([course.maximum().value], figures[-1], kind=kind)


def dst_and_rate_change(kind: str) -> None:
    """An hour of standard time, in the middle of which the clock goes from 02:00 back to 01:30; a rate's 5 minutes."""
    begin = utc_ns(datetime(2024, 4, 7, 1, 30), LORD_HOWE)
    course = Course(program(HOURLY[kind], quantities=ACTIVE, zone=LORD_HOWE, tariff=None), begin)
    course.run(60)
    assert course.events() == [("01:30", DaylightSavingEnded)]
    causes = [cause for _, cause in course.closures()]
    assert causes == [Cause.INTERVAL] * (3 if "sliding" in kind else 1)
    assert_kw([course.ends()[-1][3][0]], 6.48 if "thermal" in kind else 7.2, kind=kind)

    course = Course(program(kind, quantities=ACTIVE), datetime(2024, 7, 10, 7))
    course.run(15)
    assert course.events() == [("07:05", RateChanged)]
    maxima = [course.maximum(rate).value for rate in (None, Rate.C, Rate.A)]
    figures = (pointer(15), pointer(5), pointer(15)) if "thermal" in kind else (7.2, 2.4, 4.8)
    assert_kw(maxima, *figures, kind=kind)
    assert {cause for _, cause in course.closures()} == {Cause.INTERVAL}


def season_change(kind: str) -> None:
    """At midnight of daylight time, 23:30 by the standard clock: half of an hour for each season."""
    midnight = datetime(2024, 11, 1)
    for resets in (True, False):
        settings = program(
            HOURLY[kind], quantities=ACTIVE, zone=LORD_HOWE, tariff=seasons("11-01"), season_resets=resets
        )
        course = Course(settings, utc_ns(midnight, LORD_HOWE) - 30 * MINUTE)
        course.run(30)
        at_once = course.maximum().value
        course.run(30)
        (snapshot,) = course.snapshots(Cause.SEASON)
        before, after = snapshot.demand[0][0].maximum.value, course.ends()[-1][3][0]
        assert course.closures()[-1] == ("00:30", Cause.INTERVAL)
        assert course.closures().count(("00:00", Cause.SEASON)) == resets == course.billing.resets
        if "thermal" in kind:
            half = pointer(30, response=60)
            assert_kw([before, at_once, after], half, half, 6.48, kind=kind)
        elif resets:
            assert_kw([before, at_once, after], 3.6, 0, 3.6, kind=kind)
        else:
            so_far = 2.4 if "sliding" in kind else 0  # of a sub-interval that has ended
            assert_kw([before, at_once, after], so_far, so_far, 7.2, kind=kind)


def into_test_mode(kind: str) -> None:
    """From 12:04 to 12:16: 4 minutes, and 14. The test's own intervals of 5 minutes: two whole ones, and 2 minutes."""
    course = Course(program(kind, quantities=ACTIVE))
    course.run(4)
    course.ask(Action.TEST_BEGIN)
    course.run(12)
    course.ask(Action.TEST_END)
    tested = [(at, cause, demands) for at, cause, test, demands in course.ends() if test]
    assert [(at, cause) for at, cause, _ in tested] == [
        ("12:09", Cause.INTERVAL),
        ("12:14", Cause.INTERVAL),
        ("12:16", Cause.TEST_MODE_END),
    ]
    assert_kw([demands[0] for *_, demands in tested], 7.2, 7.2, 2.88, kind="block:5")
    course.run(14)
    at, _, _, demands = next(end for end in course.ends() if end[1] is Cause.TEST_MODE_BEGIN)
    assert at == "12:04"
    figures = (pointer(4), pointer(18)) if "thermal" in kind else (1.92, 6.72)
    assert_kw([*demands, interval_ends(course)["12:30"]], *figures, kind=kind)


def data_cleared(kind: str) -> None:
    """8 minutes that nobody will know of; 7 from then until 12:15, and then a whole interval."""
    course = Course(program(kind, quantities=ACTIVE))
    course.run(8)
    course.ask(Action.CLEAR)
    demand = course.billing.registers.demand
    assert [demand.present(0), course.maximum().value, demand.cumulative(0), demand.previous(0)] == [0, 0, 0, 0]
    (told,) = [demands[0] for _, cause, _, demands in course.ends() if cause is Cause.CLEAR]
    course.run(22)
    by_boundary = interval_ends(course)
    figures = (pointer(8), pointer(7), pointer(22)) if "thermal" in kind else (3.84, 3.36, 7.2)
    assert_kw([told, by_boundary["12:15"], by_boundary["12:30"]], *figures, kind=kind)


ROWS: dict[str, Callable[[str], None]] = {
    "demand reset": demand_reset,
    "outage": outage,
    "clock set forward": clock_set_forward,
    "clock set back": clock_set_back,
    "DST, rate change": dst_and_rate_change,
    "season change": season_change,
    "test mode": into_test_mode,
    "data cleared": data_cleared,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", rows())
def test_what_becomes_of_a_demand_interval(row, kind):
    ROWS[row](kind)


def test_each_row_is_here():
    assert rows() == list(ROWS)


# --- ends of intervals (P-4) --------------------------------------------------------------------------------------


def test_the_contact_closes_once_for_each_end_of_interval():
    course = Course(program("block:15"))
    course.run(20)
    course.ask(Action.RESET)
    course.run(2)
    course.ask(Action.TEST_BEGIN)
    course.run(7)
    course.ask(Action.RESET_BY_SWITCH)
    course.run(6)
    course.ask(Action.TEST_END)
    course.run(20)
    course.fail(20)
    course.run(6)
    course.set_clock(-2)
    course.run(7)
    course.ask(Action.RESET)
    course.run(8)
    assert course.closures() == [
        ("12:15", Cause.INTERVAL),
        ("12:20", Cause.COMMUNICATION),
        ("12:22", Cause.TEST_MODE_BEGIN),
        ("12:27", Cause.INTERVAL),
        ("12:29", Cause.SWITCH),
        ("12:34", Cause.INTERVAL),
        ("12:35", Cause.TEST_MODE_END),
        ("12:45", Cause.INTERVAL),  # 13:00 and 13:15 passed without power
        ("13:21", Cause.CLOCK_SET),
        ("13:26", Cause.COMMUNICATION),
        ("13:30", Cause.INTERVAL),
    ]
    assert [test for _, _, test, _ in course.ends()] == [False] * 3 + [True] * 4 + [False] * 4


def test_without_demand_it_closes_for_test_mode_alone():
    course = Course(program(None, test=None))
    course.run(20)
    course.ask(Action.RESET)
    course.ask(Action.RESET_BY_SWITCH)
    course.set_clock(-7)
    course.ask(Action.TEST_BEGIN)
    course.run(3)
    course.ask(Action.RESET)
    course.set_clock(4)
    course.ask(Action.TEST_END)
    assert course.ends() == [
        ("12:13", Cause.TEST_MODE_BEGIN, False, []),
        ("12:20", Cause.TEST_MODE_END, True, []),
    ]
    assert course.billing.resets == 0
    assert course.kwh() == Fraction(12, 5)


# --- at one instant -----------------------------------------------------------------------------------------------


def in_order(told: list[MeterEvent]) -> list[object]:
    """By cause, by kind, or as words."""
    return [
        "words" if isinstance(each, ProfileWords)
        else type(each) if isinstance(each, LogEvent)
        else (type(each).__name__, each.cause)
        for each in told
    ]  # fmt: skip


def test_what_ends_at_one_instant_ends_in_order():
    """At the midnight that begins summer: first what belongs to the day that is over."""
    reads = SelfReads(SelfReadKind.DAILY)
    course = Course(program("block:15", recorder_min=60, reads=reads), datetime(2024, 4, 30, 23, 50))
    midnight = course.now + 10 * MINUTE
    course.ask(Action.RESET, at=midnight)
    course.ask(Action.FORCE_RATE, Rate.B, at=midnight)
    assert in_order(course.run(10)) == [
        ("EndOfInterval", Cause.INTERVAL),
        "words",
        SelfReadTaken,
        ("Snapshot", Cause.SELF_READ),
        ("Snapshot", Cause.SEASON),
        DemandWasReset,
        ("EndOfInterval", Cause.SEASON),
        SeasonChanged,
        ("Snapshot", Cause.COMMUNICATION),
        DemandWasReset,
        ("EndOfInterval", Cause.COMMUNICATION),
        RateForced,
    ]
    course.run(20)
    assert [course.kwh(rate) for rate in Rate] == [0, Fraction(12, 5), Fraction(6, 5), 0]


def test_the_calendar_comes_before_the_end_of_test_mode_and_that_before_commands():
    reads = SelfReads(SelfReadKind.DAILY)
    settings = program("block:15", recorder_min=60, reads=reads, minutes=10)
    course = Course(settings, datetime(2024, 4, 30, 23, 50))
    course.ask(Action.TEST_BEGIN)
    course.ask(Action.RESET, at=course.now + 10 * MINUTE)
    course.run(7)
    assert in_order(course.run(3)) == [
        ("EndOfInterval", Cause.INTERVAL),
        "words",
        ("EndOfInterval", Cause.TEST_MODE_END),
        TestModeEnded,
        SelfReadTaken,
        ("Snapshot", Cause.SELF_READ),
        ("Snapshot", Cause.SEASON),
        DemandWasReset,
        ("EndOfInterval", Cause.SEASON),
        SeasonChanged,
        ("Snapshot", Cause.COMMUNICATION),
        DemandWasReset,
        ("EndOfInterval", Cause.COMMUNICATION),
    ]
    assert {each.utc_ns for each in course.told[-12:] if not isinstance(each, ProfileWords)} == {course.now}


def test_self_read_and_season_at_one_instant_keep_the_same():
    """Whichever asks for a reset: one reset, and both have the maxima that it ended."""
    for reading_resets, season_resets, cause in [
        (True, True, "season"),
        (True, False, "self read"),
        (False, True, "season"),
        (False, False, None),
    ]:
        reads = SelfReads(SelfReadKind.MONTHLY, resets_demand=reading_resets)
        settings = program("sliding:5x3", reads=reads, season_resets=season_resets)
        course = Course(settings, datetime(2024, 10, 31, 23, 30))
        course.run(60)
        (read,), (season,) = course.snapshots(Cause.SELF_READ), course.snapshots(Cause.SEASON)
        assert replace(read, cause=Cause.SEASON) == season
        assert course.clock(season.utc_ns) == "00:00"
        assert season.demand[0][0].maximum.value == 7.2 * KW
        assert season.season == 0
        assert [event.cause.value for event in course.of(DemandWasReset)] == ([cause] if cause else [])


@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_has_the_maxima_that_its_reset_ends(kind):
    """Also what the running interval has until then: cumulative demand grows by just that."""
    course = Course(program(kind))
    course.run(3, 3.6)
    course.ask(Action.RESET)
    course.run(25)
    course.ask(Action.RESET_BY_SWITCH)
    first, second = course.of(Snapshot)
    demand = course.billing.registers.demand
    for snapshot in (first, second):
        for bins in snapshot.demand:
            for reading in bins:
                assert reading.continuous_cumulative == reading.cumulative + reading.maximum.value
        assert snapshot.peaks[0] == snapshot.demand[0][0].maximum
    assert (first.resets, second.resets) == (0, 1)
    assert first.demand[0][0].maximum.value > 0
    assert second.demand[0][0].cumulative == first.demand[0][0].maximum.value
    assert demand.cumulative(0) == first.demand[0][0].maximum.value + second.demand[0][0].maximum.value


def test_a_reset_at_a_boundary_and_a_nanosecond_beside_it():
    """What ends at an instant belongs to what was before: 7.2 kW for the old period, none of it for the new one."""
    boundary = NOON + 15 * MINUTE
    for at, old, new in [
        (boundary - 1, 7_199_999_999_992, 8),  # 2 nWh in a quarter of an hour
        (boundary, 7_200_000_000_000, 0),
        (boundary + 1, 7_200_000_000_000, 0),
    ]:
        course = Course(program("block:15"))
        course.ask(Action.RESET, at=at)
        course.run(15.5)
        (snapshot,) = course.of(Snapshot)
        assert snapshot.utc_ns == at
        assert snapshot.energy[0] == 2 * (at - NOON)
        assert snapshot.demand[0][0].maximum.value == old
        assert course.maximum().value == new
        assert course.billing.last_reset_ns == at


# --- commands -----------------------------------------------------------------------------------------------------


def test_commands_wait_for_their_time_and_come_in_its_order():
    course = Course(program("block:15"))
    course.ask(Action.FORCE_RATE, Rate.D, at=NOON + 10 * MINUTE)
    course.ask(Action.RELEASE_RATE, at=NOON + 5 * MINUTE)  # nothing is forced then
    course.ask(Action.FORCE_RATE, Rate.A, at=NOON + 2 * MINUTE)
    course.ask(Action.RESET, at=10**30)
    course.ask(Action.INPUT_PULSES, 1, 3, at=NOON - DAY)
    assert course.billing.inputs == (0, 3)
    course.run(12)
    assert [course.kwh(rate) for rate in (Rate.A, Rate.B, Rate.D)] == [Fraction(k, 25) for k in (9, 21, 6)]
    assert course.events() == [
        ("12:02", RateForced),
        ("12:05", RateReleased),
        ("12:10", RateForced),
    ]
    assert course.billing.resets == 0


def test_two_commands_at_one_instant_come_as_they_were_asked():
    for first, second, rate in [
        ((Action.FORCE_RATE, Rate.D), (Action.FORCE_RATE, Rate.A), Rate.A),
        ((Action.FORCE_RATE, Rate.A), (Action.FORCE_RATE, Rate.D), Rate.D),
        ((Action.FORCE_RATE, Rate.A), (Action.RELEASE_RATE, 0), Rate.B),
    ]:
        course = Course(program("block:15"))
        for action, value in (first, second):
            course.ask(action, value, at=NOON + MINUTE)
        course.run(2)
        assert course.billing.rate is rate
        assert len(course.events()) == 2


def test_commands_that_wait_survive_a_cut_of_power_and_are_not_passed_over():
    """By an outage, nor by a clock: what was to be done meanwhile is done at once."""
    for pass_over in (Course.fail, Course.set_clock):
        course = Course(program("block:15", recorder_min=15))
        course.ask(Action.INPUT_PULSES, 0, 7, at=NOON + 5 * MINUTE)
        course.ask(Action.RESET, at=NOON + 6 * MINUTE)
        course.ask(Action.INPUT_PULSES, 0, 5, at=NOON + 40 * MINUTE)
        course.run(4)
        course.restart()
        pass_over(course, 10)
        assert course.billing.inputs == (7, 0)
        assert course.clock(course.billing.last_reset_ns) == "12:14"
        course.run(26)
        assert course.billing.inputs == (12, 0)
        assert course.kwh() == Fraction(18, 5)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ((Action.FORCE_RATE, 4), "rate 4 cannot be forced: give 0 (A) to 3 (D)"),
        ((Action.FORCE_RATE, -1), "rate -1 cannot be forced: give 0 (A) to 3 (D)"),
        ((Action.INPUT_PULSES, 2), "there is no input 2: give 0 to 1"),
        ((Action.INPUT_PULSES, 0, -3), "-3 pulses came at input 0: give 0 or more"),
    ],
)
def test_a_command_that_cannot_be_is_refused(command, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Command(NOON, command[0], Source.COMMAND_LINE, *command[1:])


def test_forced_rate():
    """The calendar's goes on beneath it; to force what is forced, or to release twice, does nothing."""
    course = Course(program("block:15"), datetime(2024, 7, 10, 7))
    for value in (Rate.D, Rate.D):
        course.ask(Action.FORCE_RATE, value)
    course.run(10)
    assert course.billing.rate is Rate.D
    for _ in range(2):
        course.ask(Action.RELEASE_RATE)
    assert course.billing.rate is Rate.A
    course.run(10)
    assert course.events() == [("07:00", RateForced), ("07:10", RateReleased)]
    assert [course.kwh(rate) for rate in Rate] == [Fraction(6, 5), 0, 0, Fraction(6, 5)]
    assert course.maximum(Rate.D).value == 4.8 * KW


# --- demand reset (Q-5) -------------------------------------------------------------------------------------------


def test_resets_at_the_switch_are_locked_out_for_a_minute():
    course = Course(program("block:15"))
    course.ask(Action.RESET_BY_SWITCH)
    course.ask(Action.RESET_BY_SWITCH, at=NOON + 30 * SECOND)
    course.ask(Action.RESET_BY_SWITCH, at=NOON + MINUTE - 1)
    course.ask(Action.RESET, at=NOON + MINUTE - 1)
    course.ask(Action.RESET_BY_SWITCH, at=NOON + MINUTE)
    course.ask(Action.RESET_BY_SWITCH, at=NOON + 2 * MINUTE - SECOND)
    course.run(3)
    assert [event.wait_s for event in course.of(ResetRefused)] == [30, 1, 1]
    assert course.billing.resets == 3
    assert course.billing.last_reset_ns == NOON + MINUTE


@pytest.mark.parametrize("minutes", [-600, -1, 0, 1, 600])
def test_a_clock_neither_ends_nor_prolongs_the_lockout(minutes):
    course = Course(program("block:15", lockout_s=600))
    course.ask(Action.RESET_BY_SWITCH)
    course.run(4)
    course.set_clock(minutes)
    course.run(5.9)
    course.ask(Action.RESET_BY_SWITCH)
    assert course.billing.resets == 1
    course.run(0.1)
    course.ask(Action.RESET_BY_SWITCH)
    assert course.billing.resets == 2


def test_an_outage_right_after_a_reset_loses_neither_it_nor_the_lockout():
    course = Course(program("block:15"))
    course.run(10)
    course.ask(Action.RESET_BY_SWITCH)
    course.restart()
    course.fail(0.5)
    course.ask(Action.RESET_BY_SWITCH)
    course.run(4.5)
    assert course.billing.resets == 1
    assert course.billing.registers.demand.cumulative(0) == 4.8 * KW
    assert course.maximum().value == round(7.2 * KW * 4.5 / 15)
    course.fail(0.5)
    course.ask(Action.RESET_BY_SWITCH)
    assert course.billing.resets == 2


# --- self-reads and seasons (T-3) ---------------------------------------------------------------------------------


@pytest.mark.parametrize("begin", [datetime(2024, 3, 8, 13), datetime(2024, 11, 1, 13)])
def test_daily_self_reads_are_at_local_midnight_on_days_of_23_and_25_hours_too(begin):
    course = Course(program("block:15", reads=SelfReads(SelfReadKind.DAILY)), begin)
    for _ in range(8 * 12):
        course.run(30)
        course.idle(30)
    days = [begin.date() + timedelta(days=k) for k in (1, 2, 3, 4)]
    assert course.times(Cause.SELF_READ) == [day.strftime("%m-%d 00:00") for day in days]


def test_monthly_self_reads():
    course = Course(program("block:60", reads=SelfReads(SelfReadKind.MONTHLY, day=28)), datetime(2023, 12, 28))
    course.run(366 * 24 * 60)
    assert course.times(Cause.SELF_READ) == [f"{month:02}-28 00:00" for month in range(1, 13)]


def test_hourly_self_reads_are_by_the_standard_clock():
    course = Course(program("block:60", reads=SelfReads(SelfReadKind.HOURS, hours=6)), datetime(2024, 3, 9, 20))
    course.run(25 * 60)
    assert course.times(Cause.SELF_READ) == ["03-10 00:00", "03-10 07:00", "03-10 13:00", "03-10 19:00"]


def test_a_midnight_that_daylight_saving_leaps_over_or_shows_twice():
    leaps, doubles = ZoneInfo("America/Sao_Paulo"), ZoneInfo("America/Havana")
    for zone, begin, read in [
        (leaps, datetime(2018, 11, 3, 22), "11-04 01:00"),
        (doubles, datetime(2024, 11, 2, 22), "11-03 00:00"),
    ]:
        settings = program("block:15", zone=zone, tariff=None, reads=SelfReads(SelfReadKind.DAILY))
        course = Course(settings, begin)
        course.run(6 * 60)
        assert course.times(Cause.SELF_READ) == [read]
        assert course.snapshots(Cause.SELF_READ)[0].energy[0] == 2 * 2 * HOUR


def test_an_outage_over_midnights_reads_once_when_power_is_back():
    course = Course(program("block:15", reads=SelfReads(SelfReadKind.DAILY)))
    course.run(60)
    course.fail(3 * 24 * 60)
    course.run(24 * 60)
    assert course.times(Cause.SELF_READ) == ["07-13 13:00", "07-14 00:00"]


def test_a_long_outage_is_one_of_everything():
    """Over a year, with two ends of summer in it and all that daylight saving does."""
    reads = SelfReads(SelfReadKind.MONTHLY)
    course = Course(program("sliding:5x3", recorder_min=15, reads=reads), datetime(2023, 7, 3, 12, 7))
    course.run(4)
    told = course.fail((366 + 150) * 24 * 60)
    assert course.events() == [
        ("12:11", PowerDown),
        ("11:11", PowerUp),
        ("11:11", DaylightSavingEnded),
        ("11:11", SelfReadTaken),
        ("11:11", DemandWasReset),
        ("11:11", SeasonChanged),
        ("11:11", RateChanged),
    ]
    assert [each.cause for each in course.of(Snapshot)] == [Cause.SELF_READ, Cause.SEASON]
    assert [event.outage_s for event in course.of(PowerUp)] == [516 * 86400]
    assert len([each for each in told if isinstance(each, ProfileWords)]) == 1
    assert course.snapshots(Cause.SEASON)[0].demand[0][0].maximum.value == round(7.2 * KW * 4 / 15)


def test_a_meter_without_demand_keeps_its_seasons_and_self_reads():
    reads = SelfReads(SelfReadKind.DAILY, resets_demand=True)
    course = Course(program(None, test=None, reads=reads), datetime(2024, 4, 30, 23))
    course.run(120)
    (read,), (season,) = course.snapshots(Cause.SELF_READ), course.snapshots(Cause.SEASON)
    assert read.energy[0] == season.energy[0] == 7.2 * KW
    assert (season.season, course.billing.season) == (1, 0)
    assert season.demand == season.peaks == ()
    assert course.billing.resets == 0


@pytest.mark.parametrize("disturb", [Course.run, Course.idle, Course.fail, Course.set_clock])
def test_a_season_closes_once(disturb):
    """Reached with power or without, or leapt over."""
    course = Course(program("block:15"), datetime(2024, 10, 31, 23, 50))
    course.run(5)
    disturb(course, 20)
    course.run(60)
    (season,) = course.snapshots(Cause.SEASON)
    assert season.season == 0
    assert [kind for _, kind in course.events(SeasonChanged)] == [SeasonChanged]
    assert (course.billing.season, course.billing.resets) == (1, 1)


def test_a_season_and_a_self_read_wait_for_the_end_of_test_mode():
    course = Course(program("block:15", reads=SelfReads(SelfReadKind.DAILY)), datetime(2024, 10, 31, 23, 50))
    course.ask(Action.TEST_BEGIN)
    course.run(25)
    assert course.of(Snapshot) == []
    assert course.billing.season == 0
    course.ask(Action.TEST_END)
    course.run(60)
    assert course.times(Cause.SELF_READ) == course.times(Cause.SEASON) == ["11-01 00:15"]
    assert course.billing.season == 1


def test_a_clock_set_back_over_a_midnight_and_on_again_passes_it_once():
    """Back by an hour at most, also by several times less: seasons and self-reads are not repeated."""
    reads = SelfReads(SelfReadKind.DAILY, resets_demand=True)
    course = Course(program("block:15", reads=reads), datetime(2024, 10, 31, 23, 50))
    course.run(20)
    course.set_clock(-30)
    course.run(10)
    course.set_clock(-40)
    assert course.billing.season == 1
    course.run(24 * 60)
    assert course.times(Cause.SEASON) == ["11-01 00:00"]
    assert course.times(Cause.SELF_READ) == ["11-01 00:00"]
    course.run(60)
    assert course.times(Cause.SELF_READ) == ["11-01 00:00", "11-02 00:00"]
    course.set_clock(-30)
    course.ask(Action.SELF_READ)  # before a midnight that was passed
    course.run(60)
    assert course.times(Cause.SELF_READ)[2:] == ["11-01 23:40"]


def test_a_clock_set_back_further_comes_to_it_anew():
    """In one step or in many: the last of which makes it more than an hour."""
    reads = SelfReads(SelfReadKind.DAILY)
    for step, steps in [(-61, 1), (-20, 4)]:
        course = Course(program("block:15", reads=reads), datetime(2024, 10, 31, 23, 50))
        course.run(15)
        for _ in range(steps):
            course.set_clock(step)
        assert course.billing.season == 0
        course.run(120)
        assert [season.season for season in course.snapshots(Cause.SEASON)] == [0, 1, 0]
        assert course.times(Cause.SELF_READ) == ["11-01 00:00"] * 2
        assert course.billing.season == 1


def test_a_clock_that_was_wrong_by_months_and_is_set_right_goes_on_reading():
    course = Course(program("block:15", reads=SelfReads(SelfReadKind.DAILY)))
    course.set_clock(100 * 24 * 60)
    course.run(60)
    course.set_clock(-100 * 24 * 60)
    course.run(24 * 60)
    assert course.times(Cause.SELF_READ) == ["10-18 12:00", "07-11 00:00"]


def test_a_self_read_on_request():
    """It does not move those of the schedule; one that comes in test mode is done after it."""
    course = Course(program("block:15", reads=SelfReads(SelfReadKind.DAILY)))
    course.run(10)
    course.ask(Action.SELF_READ)
    course.ask(Action.TEST_BEGIN)
    course.run(5)
    course.ask(Action.SELF_READ)
    course.set_clock(-200)
    course.run(2)
    assert course.times(Cause.SELF_READ) == ["07-10 12:10"]
    course.ask(Action.TEST_END)
    assert course.times(Cause.SELF_READ) == ["07-10 12:10", "07-10 08:57"]
    course.run(24 * 60)
    assert course.times(Cause.SELF_READ)[2:] == ["07-11 00:00"]
    assert course.billing.resets == 0


# --- test mode (D-5) ----------------------------------------------------------------------------------------------


def test_test_mode_ends_by_itself_and_its_energy_is_its_own():
    course = Course(program("block:15", minutes=7, recorder_min=5))
    course.run(1)
    course.ask(Action.TEST_BEGIN)
    course.run(3)
    test = course.billing.test
    course.billing.settle()
    assert test.energy(Quantity.KWH_DELIVERED) == 3 * KW * 12 // 100
    course.run(10)
    assert course.billing.test is None
    assert course.events() == [("12:01", TestModeBegan), ("12:08", TestModeEnded)]
    assert course.kwh() == Fraction(7, 1) * Fraction(12, 100)
    course.ask(Action.TEST_BEGIN)
    assert course.billing.test.energy(Quantity.KWH_DELIVERED) == 0


def test_a_clock_set_in_test_mode_leaves_its_length_and_its_intervals():
    for minutes in (-90, 3, 300):
        course = Course(program("block:15", minutes=12))
        course.ask(Action.TEST_BEGIN)
        course.run(4)
        course.set_clock(minutes)
        course.run(20)
        at = datetime(2024, 7, 10, 12, 4) + timedelta(minutes=minutes)
        tested = [(end, demands[0]) for end, _, test, demands in course.ends() if test]
        assert tested == [
            ((at + timedelta(minutes=1)).strftime("%H:%M"), 7.2 * KW),
            ((at + timedelta(minutes=6)).strftime("%H:%M"), 7.2 * KW),
            ((at + timedelta(minutes=8)).strftime("%H:%M"), 2.88 * KW),
        ]
        assert course.kwh() == 12 * Fraction(12, 100)


def test_a_cut_of_power_ends_test_mode():
    """From the stored state, with a season that waited: it closes as power went."""
    course = Course(program("block:15", minutes=255), datetime(2024, 10, 31, 23, 50))
    course.run(1)
    course.ask(Action.TEST_BEGIN)
    course.run(14)
    course.restart()
    assert course.billing.test is not None
    told = course.fail(60)
    assert course.billing.test is None
    assert [type(each) for each in told if isinstance(each, LogEvent)] == [
        PowerDown,
        TestModeEnded,
        DemandWasReset,
        SeasonChanged,
        PowerUp,
    ]
    assert course.times(Cause.SEASON) == ["11-01 00:05"]
    course.run(5)
    assert course.kwh() == 6 * Fraction(12, 100)


def test_a_reset_in_test_mode_is_of_its_own_demand():
    course = Course(program("block:15", test="sliding:1x3"))
    course.run(10)
    course.ask(Action.TEST_BEGIN)
    course.run(2.5)
    for _ in range(3):
        course.ask(Action.RESET_BY_SWITCH)  # no lockout for tests
    course.run(1)
    course.ask(Action.RESET)
    assert [(end, cause, demands[0]) for end, cause, test, demands in course.ends() if test] == [
        ("12:11", Cause.INTERVAL, 2.4 * KW),
        ("12:12", Cause.INTERVAL, 4.8 * KW),
        ("12:12", Cause.SWITCH, 6 * KW),
        ("12:12", Cause.SWITCH, 0),
        ("12:12", Cause.SWITCH, 0),
        ("12:13", Cause.INTERVAL, 2.4 * KW),  # a minute after the reset
        ("12:13", Cause.COMMUNICATION, 2.4 * KW),
    ]
    assert course.billing.test.demand.cumulative(0) == (6 + 2.4) * KW
    assert course.billing.resets == 0
    assert course.billing.last_reset_ns is None
    course.ask(Action.TEST_END)
    course.ask(Action.RESET_BY_SWITCH)
    assert course.billing.resets == 1


def test_commands_of_test_mode_outside_and_inside_it():
    course = Course(program("block:15"))
    assert course.ask(Action.TEST_END) == []
    course.ask(Action.TEST_BEGIN)
    course.run(2)
    assert course.ask(Action.TEST_BEGIN) == []
    course.ask(Action.TEST_END)
    assert course.ask(Action.TEST_END) == []
    assert [kind for _, kind in course.events()] == [TestModeBegan, TestModeEnded]


def test_rates_wait_for_the_end_of_test_mode_and_daylight_saving_does_not():
    course = Course(program("block:15", recorder_min=60, minutes=255), datetime(2024, 3, 10, 1, 50))
    course.ask(Action.TEST_BEGIN)
    course.ask(Action.FORCE_RATE, Rate.A)
    told = course.run(20)
    assert [type(each) for each in told if isinstance(each, LogEvent)] == [DaylightSavingBegan]
    assert len([each for each in told if isinstance(each, ProfileWords)]) == 2  # counts, and marks
    course.ask(Action.TEST_END)
    course.run(1)
    assert course.kwh(Rate.A) == Fraction(12, 100)

    course = Course(program("block:15"), datetime(2024, 7, 10, 7))
    course.ask(Action.TEST_BEGIN)
    course.run(10)
    course.ask(Action.TEST_END)
    course.run(5)
    assert course.events(RateChanged) == [("07:10", RateChanged)]
    assert course.kwh(Rate.A) == course.kwh() == 5 * Fraction(12, 100)


def test_pulses_at_inputs_count_in_test_mode_too():
    """They are another meter's."""
    course = Course(program("block:15", recorder_min=5))
    course.ask(Action.TEST_BEGIN)
    course.ask(Action.INPUT_PULSES, 0, 9)
    course.run(10)
    assert course.billing.inputs == (9, 0)
    counts = {channel.metric: n for channel, n in zip(
        course.billing.recorder.settings.channels, course.billing.state.recorder.counted, strict=True)}  # fmt: skip
    assert counts[Metric.INPUT_1] == 9
    assert counts[Metric.KWH_DELIVERED] == 0


# --- portions and time --------------------------------------------------------------------------------------------


def test_time_without_portions_passes_without_energy():
    course = Course(program("block:15", recorder_min=15))
    course.run(5)
    course.billing.advance(EnergyInterval(NOON + 25 * MINUTE, NOON + 30 * MINUTE, 0, 10**11))
    assert course.billing.now_ns == NOON + 30 * MINUTE
    demand = course.billing.registers.demand
    assert (demand.previous(0), course.maximum().value) == (4 * 10**11, 2.4 * KW)


@pytest.mark.parametrize(
    ("portion", "sentence"),
    [
        (
            EnergyInterval(NOON - 1, NOON + 5, 0, 1),
            f"a portion begins at {NOON - 1} ns, but time has come to {NOON} ns",
        ),
        (
            EnergyInterval(NOON + 5, NOON + 4, 0, 0),
            f"a portion ends at {NOON + 4} ns, before it begins at {NOON + 5} ns",
        ),
        (EnergyInterval(NOON, NOON, 0, 1), f"a portion at {NOON} ns has energy and no length: energy takes time"),
        (
            EnergyInterval(NOON + 5, NOON + 5, 0, 0, squares=(1,) * SQUARES),
            f"a portion at {NOON + 5} ns has energy and no length: energy takes time",
        ),
    ],
)
def test_a_portion_that_cannot_be_is_refused_and_changes_nothing(portion, sentence):
    billing, _ = Billing.begin(program("block:15", recorder_min=15), NOON)
    before = msgspec.json.encode(billing.state)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        billing.advance(portion)
    assert msgspec.json.encode(billing.state) == before


def test_a_portion_of_no_length_is_time_alone():
    course = Course(program("thermal:15", recorder_min=15))
    assert course.run(0) == []
    course.idle(20)
    assert course.now == NOON + 20 * MINUTE
    assert course.closures() == [("12:15", Cause.INTERVAL)]


def test_an_outage_cannot_end_before_it_began():
    course = Course(program("block:15"))
    with pytest.raises(ValueError, match=r"power returned at .* ns, but time had come to .* ns: set the clock instead"):
        course.fail(-1)
    assert course.billing.outage(NOON) == [
        PowerDown(NOON),
        PowerUp(NOON, 0),
    ]


def test_an_outage_of_no_length_changes_no_demand():
    for kind in KINDS:
        course, other = Course(program(kind)), Course(program(kind))
        for each in (course, other):
            each.run(7)
            if each is course:
                each.fail(0)
            each.run(23)
        assert msgspec.json.encode(course.billing.state) == msgspec.json.encode(other.billing.state)


def test_an_outage_that_ends_on_a_boundary():
    """The interval is over; the next one is whole."""
    course = Course(program("block:15", recorder_min=15))
    course.run(5)
    told = course.fail(10)
    assert [each for each in told if isinstance(each, EndOfInterval)] == []
    assert course.maximum() == Maximum(round(2.4 * KW), NOON + 15 * MINUTE, (0,))
    course.run(15)
    assert interval_ends(course) == {"12:30": 7.2 * KW}


def test_a_year_in_one_portion():
    """Each quarter of an hour of it ends once, with the same demand; not a nWh is missing."""
    reads = SelfReads(SelfReadKind.DAILY)
    course = Course(program("block:15", reads=reads), datetime(2024, 1, 1))
    energy = 366 * 24 * 7_200_000_000_000 + 12_345  # it rounds differently in each interval
    course.billing.command(Command(course.now, Action.INPUT_PULSES, Source.COMMAND_LINE, 0, 1))
    year = 366 * DAY
    begin = course.now
    course.told += course.billing.advance(EnergyInterval(begin, begin + year, 0, energy))
    assert course.kwh() == Fraction(energy, KW)
    ends = course.of(EndOfInterval)
    boundaries = [end for end in ends if end.cause is Cause.INTERVAL]
    assert [end.utc_ns for end in boundaries] == [begin + k * 15 * MINUTE for k in range(1, 366 * 96 + 1)]
    assert {end.demands[0] for end in boundaries} == {7_200_000_000_000, 7_200_000_000_004}
    read = course.snapshots(Cause.SELF_READ)
    assert [each.energy[0] for each in read] == [energy * (each.utc_ns - begin) // year for each in read]
    assert len(read) == 366
    assert len(course.snapshots(Cause.SEASON)) == 2


def test_instants_may_be_any_nanosecond():
    """Portions, resets and outages off every grid: each part of the interval has its own energy."""
    settings = program("block:15")
    billing, _ = Billing.begin(settings, NOON + 1)
    told = billing.advance(EnergyInterval(NOON + 1, NOON + 100 * SECOND + 3, 0, 2 * (100 * SECOND + 2)))
    told += billing.command(Command(NOON, Action.RESET, Source.COMMAND_LINE))
    told += billing.outage(NOON + 200 * SECOND + 7)
    told += billing.advance(EnergyInterval(NOON + 200 * SECOND + 7, NOON + 900 * SECOND + 1, 0, 2 * (700 * SECOND - 6)))
    (snapshot,) = [each for each in told if isinstance(each, Snapshot)]
    assert snapshot.demand[0][0].maximum.value == 2 * (100 * SECOND + 2) * 4
    (end,) = [each for each in told if isinstance(each, EndOfInterval) and each.cause is Cause.INTERVAL]
    assert end.demands[0] == 2 * (700 * SECOND - 7) * 4
    assert billing.snapshot(Cause.COMMUNICATION).demand[0][0].present == 2 * 4


# --- recorder -----------------------------------------------------------------------------------------------------


def test_overflow_of_the_recorder_is_told_whatever_ends_the_interval():
    """20 Wh in 10 minutes are 20,000 counts of 1 mWh; a word has 16,383."""
    recorder = RecorderSettings(60, (RecorderChannel(Metric.KWH_DELIVERED, Fraction(1, 1000)),), 131072)
    for disturb in (Course.idle, Course.fail, Course.set_clock):
        course = Course(replace(program("block:15"), recorder=recorder))
        course.run(10, 0.12)
        disturb(course, 60)
        assert [event.intervals for event in course.of(RecorderOverflowed)] == [1]
        course.run(60, 0)
        course.restart()
        course.run(60, 0)
        assert len(course.events(RecorderOverflowed)) == 1
        assert course.billing.state.recorder.counted == [20_000]


# --- events -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "ends"), [(-1, True), (0, False), (1, False), (12 * MINUTE - 1, False), (12 * MINUTE, True)]
)
def test_to_the_nanosecond_where_a_clock_set_ends_the_interval(by, ends):
    """The interval has its begin, and not its end."""
    course = Course(program("block:15"))
    course.run(3)
    course.told += course.billing.set_clock(course.now + by, Source.SERVICE_CLOCK)
    assert course.closures() == ([("12:03", Cause.CLOCK_SET)] if ends else [])


def test_clock_sets_are_told_at_the_old_time_and_at_the_new():
    course = Course(program("block:15", recorder_min=15))
    course.run(5)
    told = course.set_clock(60)
    assert told[0] == ClockSetFrom(NOON + 5 * MINUTE, Source.SERVICE_CLOCK)
    assert ClockSetTo(NOON + 65 * MINUTE, 3600, Source.SERVICE_CLOCK) in told
    assert course.events() == [("12:05", ClockSetFrom), ("13:05", ClockSetTo)]


def test_a_clock_set_into_another_rate_and_over_daylight_saving():
    course = Course(program("block:15", recorder_min=15), datetime(2024, 3, 8, 8))
    course.run(5)
    told = course.set_clock(3 * 24 * 60)
    assert len([each for each in told if isinstance(each, ProfileWords)]) == 1
    assert course.events() == [
        ("08:05", ClockSetFrom),
        ("09:05", ClockSetTo),
        ("09:05", DaylightSavingBegan),
    ]
    course.set_clock(3 * 60)
    assert course.events()[-1] == ("12:05", RateChanged)
    assert course.billing.rate is Rate.A


def test_what_a_meter_shows():
    course = Course(program("block:15", reads=SelfReads(SelfReadKind.DAILY)), datetime(2024, 10, 31, 23, 50))
    billing = course.billing
    assert (billing.rate, billing.season, billing.resets, billing.last_reset_ns) == (Rate.C, 0, 0, None)
    course.run(20)
    assert (billing.rate, billing.season, billing.resets) == (Rate.C, 1, 1)
    assert billing.last_reset_ns == utc_ns(datetime(2024, 11, 1))
    assert billing.settings.calendar.tariff is TARIFF
    assert billing.settings.calendar.local(billing.now_ns).date() == date(2024, 11, 1)
    assert billing.recorder is None
    assert billing.test is None
