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
from rig.meter.billing.billing import Billing, Happening
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.dates import DateRule
from rig.meter.billing.events import Cause, EndOfInterval, Event, EventKind, ProfileWords
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.metric import Channel, Metric, RecorderSettings
from rig.meter.billing.portion import SQUARES, Portion
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.settings import BillingSettings, SelfReadKind, SelfReads
from rig.meter.billing.snapshot import Snapshot
from rig.meter.billing.tariff import DayType, Rate, Season, Switch, Tariff

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

    def _tell(self, told: list[Happening]) -> list[Happening]:
        self.told += told
        return told

    def run(self, minutes: float, kw: float = 7.2, quadrant: int = 0) -> list[Happening]:
        span = round(minutes * MINUTE)
        return self._tell(self.billing.advance(Portion(self.now, self.now + span, quadrant, round(kw / 3.6 * span))))

    def idle(self, minutes: float) -> list[Happening]:
        """Time without portions."""
        end = self.now + round(minutes * MINUTE)
        return self._tell(self.billing.advance(Portion(end, end, 0, 0)))

    def ask(self, action: Action, value: int = 0, pulses: int = 1, at: int | None = None) -> list[Happening]:
        return self._tell(self.billing.command(Command(self.now if at is None else at, action, value, pulses)))

    def fail(self, minutes: float) -> list[Happening]:
        return self._tell(self.billing.outage(self.now + round(minutes * MINUTE)))

    def set_clock(self, minutes: float) -> list[Happening]:
        """Forward, or back."""
        return self._tell(self.billing.set_clock(self.now + round(minutes * MINUTE)))

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

    def events(self, *kinds: EventKind) -> list[tuple[str, EventKind]]:
        return [(self.clock(e.utc_ns), e.kind) for e in self.of(Event) if not kinds or e.kind in kinds]

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


def seasons(start: str, switches: tuple[Switch, ...] = (Switch(0, Rate.A),)) -> Tariff:
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


def outage(kind: str) -> None:
    """Off from 12:06 to 12:09: 12 of 15 minutes. In another meter from 12:04 to 12:34: 4, none, and 11 of 15 minutes."""
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
    assert course.events() == [("01:30", EventKind.DST_OFF)]
    causes = [cause for _, cause in course.closures()]
    assert causes == [Cause.INTERVAL] * (3 if "sliding" in kind else 1)
    assert_kw([course.ends()[-1][3][0]], 6.48 if "thermal" in kind else 7.2, kind=kind)

    course = Course(program(kind, quantities=ACTIVE), datetime(2024, 7, 10, 7))
    course.run(15)
    assert course.events() == [("07:05", EventKind.RATE_CHANGE)]
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


def test_mode(kind: str) -> None:
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
    at, cause, _, demands = next(end for end in course.ends() if end[1] is Cause.TEST_MODE_BEGIN)
    assert at == "12:04"
    figures = (pointer(4), pointer(18)) if "thermal" in kind else (1.92, 6.72)
    assert_kw([*demands, interval_ends(course)["12:30"]], *figures, kind=kind)


test_mode.__test__ = False  # no test by itself: a row

ROWS: dict[str, Callable[[str], None]] = {
    "demand reset": demand_reset,
    "outage": outage,
    "clock set forward": clock_set_forward,
    "clock set back": clock_set_back,
    "DST, rate change": dst_and_rate_change,
    "season change": season_change,
    "test mode": test_mode,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", rows())
def test_what_becomes_of_a_demand_interval(row, kind):
    ROWS[row](kind)


def test_each_row_is_here():
    assert rows() == list(ROWS)
