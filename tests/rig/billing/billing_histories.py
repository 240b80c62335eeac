"""Histories of a meter, random or given, and a plain account of what must come of them.

The account goes through time in cells of CELL_S and keeps each by itself: when it was, in which demand interval, rate
and period, and what flowed in it. All it says of demand it works out anew from that list. It plans nothing ahead, cuts
nothing and has no sums that run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from rig.meter.billing.billing import Billing, MeterEvent
from rig.meter.billing.calendar import Calendar
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.dates import DateRule
from rig.meter.billing.demand import DemandSettings
from rig.meter.billing.energy_interval import SQUARES, EnergyInterval
from rig.meter.billing.events import (
    Cause,
    ClockSetFrom,
    ClockSetTo,
    ColdStarted,
    DataCleared,
    DaylightSavingBegan,
    DaylightSavingEnded,
    DemandWasReset,
    EndOfInterval,
    MasterResetDone,
    PowerDown,
    PowerUp,
    RateChanged,
    RateForced,
    RateReleased,
    RegistersCleared,
    ResetRefused,
    SeasonChanged,
    SelfReadTaken,
    TestDemandWasReset,
    TestModeBegan,
    TestModeEnded,
)
from rig.meter.billing.log import LogEvent
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.metric import Metric, RecorderChannel, RecorderSettings
from rig.meter.billing.quantity import PLACES, Quantity
from rig.meter.billing.settings import BillingSettings, SelfReadKind, SelfReads, TestModeSettings
from rig.meter.billing.snapshot import DemandReading, Snapshot
from rig.meter.billing.source import Source
from rig.meter.billing.tariff import DayType, Rate, RateSwitch, Season, Tariff

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
DAY = 24 * HOUR
CELL_S = 30
CELL = CELL_S * SECOND

TORONTO = ZoneInfo("America/Toronto")
STANDARD = -5 * HOUR
"""Of Toronto."""

BINS = (None, *Rate)
"""Demand's: in total, and by rate."""

ASKER, SETTER = Source.OPTICAL, Source.SERVICE_CLOCK
"""Who asks for commands, and who sets the clock."""

QUANTITIES = (Quantity.KWH_DELIVERED, Quantity.KVARH_LAGGING)
PULSES = (Fraction(7, 2), Fraction(11, 3), Fraction(23, 7), Fraction(20, 7), Fraction(1), Fraction(3))
CHANNELS = tuple(
    RecorderChannel(metric, pulse)
    for metric, pulse in zip(
        (Metric.KWH_DELIVERED, Metric.KWH_RECEIVED, Metric.KVARH_LAGGING, Metric.V2H_A, Metric.INPUT_1, Metric.INPUT_2),
        PULSES,
        strict=True,
    )
)

SWITCHES = {
    "summer": ((0, Rate.C), (425, Rate.A), (660, Rate.B), (1025, Rate.A), (1140, Rate.C)),
    "winter": ((0, Rate.C), (425, Rate.B), (661, Rate.A), (1020, Rate.B), (1140, Rate.C)),
}
"""On weekdays, by the minute: some off the boundaries of every interval but the shortest. At weekends rate D."""
SEASONS = {"summer": (5, 1), "winter": (11, 1)}


def _season(name: str) -> Season:
    weekday = tuple(RateSwitch(*switch) for switch in SWITCHES[name])
    weekend = (RateSwitch(0, Rate.D),)
    days = {day: weekday if day is DayType.WEEKDAY else weekend for day in DayType}
    month, day = SEASONS[name]
    return Season(name, DateRule.parse(f"{month:02}-{day:02}"), days)


TARIFF = Tariff((_season("summer"), _season("winter")))


def program(
    demand: str | None = "block:15",
    *,
    test: str | None = "block:5",
    minutes: int = 30,
    recorder_min: int | None = None,
    zone: ZoneInfo = TORONTO,
    tariff: Tariff | None = TARIFF,
    quantities: tuple[Quantity, ...] = QUANTITIES,
    reads: SelfReads | None = None,
    season_resets: bool = True,
    lockout_s: int = 60,
) -> BillingSettings:
    """Settings as a test wants them."""
    return BillingSettings(
        calendar=Calendar(zone, tariff),
        demand=DemandSettings.parse(demand, quantities) if demand else None,
        recorder=RecorderSettings(recorder_min, CHANNELS, 131072) if recorder_min else None,
        test_mode=TestModeSettings(minutes, DemandSettings.parse(test, quantities) if test else None),
        self_reads=reads or SelfReads(),
        lockout_s=lockout_s,
        season_change_resets_demand=season_resets,
    )


def utc_ns(local: datetime, zone: ZoneInfo = TORONTO) -> int:
    """When a clock on the wall shows it."""
    return (local.replace(tzinfo=zone) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


# --- what can happen ----------------------------------------------------------------------------------------------

Amounts = tuple[int, int, int, int, int]
"""Quadrant, then nWh, nvarh and twice nVAh in each nanosecond."""


@dataclass(frozen=True)
class Flow:
    """Power, the same for so many cells, in some quadrants; none at all is time that passes without portions."""

    cells: int
    powers: tuple[Amounts, ...] = ()

    @property
    def span(self) -> int:
        return self.cells * CELL

    def portions(self, start_ns: int, cuts: tuple[int, ...] = ()) -> Iterator[EnergyInterval]:
        """It as a portion, or several."""
        ends = [*sorted({cut for cut in cuts if 0 < cut < self.span}), self.span]
        for since, until in zip([0, *ends], ends, strict=False):
            span = until - since
            (quadrant, *first), *others = [(q, *(p * span for p in powers)) for q, *powers in self.powers]
            squares = (span,) * SQUARES
            yield EnergyInterval(start_ns + since, start_ns + until, quadrant, *first, squares, tuple(others))


@dataclass(frozen=True)
class Outage:
    cells: int


@dataclass(frozen=True)
class SetClock:
    cells: int


@dataclass(frozen=True)
class Ask:
    """A command for so many cells from now, or before."""

    action: Action
    cells: int = 0
    value: int | None = None
    pulses: int = 1

    def command(self, now_ns: int) -> Command:
        return Command(now_ns + self.cells * CELL, self.action, ASKER, self.value, self.pulses)


Step = Flow | Outage | SetClock | Ask


def play(billing: Billing, step: Step, cuts: tuple[int, ...] = ()) -> list[MeterEvent]:
    """Let it happen to the meter; what comes of it."""
    now_ns = billing.now_ns
    match step:
        case Flow(cells, ()):
            end_ns = now_ns + cells * CELL
            return billing.advance(EnergyInterval(end_ns, end_ns, 0, 0))
        case Flow():
            return [happening for portion in step.portions(now_ns, cuts) for happening in billing.advance(portion)]
        case Outage(cells):
            return billing.outage(now_ns + cells * CELL)
        case SetClock(cells):
            return billing.set_clock(now_ns + cells * CELL, SETTER)
        case Ask():
            return billing.command(step.command(now_ns))


def run(settings: BillingSettings, start_ns: int, steps: list[Step]) -> tuple[Billing, list[MeterEvent]]:
    """All of a history from a new meter on."""
    billing, told = Billing.begin(settings, start_ns)
    for step in steps:
        told += play(billing, step)
    return billing, told


_HOUR_CELLS = 3600 // CELL_S

_powers = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), *[st.integers(0, 4)] * 3), min_size=1, max_size=2)
_spans = st.one_of(st.integers(1, 40), st.integers(1, 3 * _HOUR_CELLS))
flows = st.builds(Flow, _spans, _powers.map(tuple))
idles = st.builds(Flow, _spans)
outages = st.builds(
    Outage, st.one_of(st.just(0), st.integers(0, 40), st.integers(0, 80 * _HOUR_CELLS), st.just(2000 * _HOUR_CELLS))
)
clock_sets = st.builds(
    SetClock, st.one_of(st.integers(-40, 40), st.integers(-130, 130), st.integers(-30 * _HOUR_CELLS, 30 * _HOUR_CELLS))
)
_later = st.one_of(st.just(0), st.integers(-10, 10), st.integers(-300, 300))
asks = st.one_of(
    st.builds(
        Ask, st.sampled_from([Action.RESET_BY_SWITCH, Action.RESET, Action.SELF_READ, Action.RELEASE_RATE]), _later
    ),
    st.builds(Ask, st.just(Action.SEASON_CHANGE), _later, st.sampled_from([None, None, 0, 1])),
    st.builds(Ask, st.sampled_from([Action.CLEAR, Action.MASTER_RESET, Action.COLD_START]), _later),
    st.builds(Ask, st.sampled_from([Action.TEST_BEGIN, Action.TEST_BEGIN, Action.TEST_END]), _later),
    st.builds(Ask, st.just(Action.FORCE_RATE), _later, st.integers(0, 3)),
    st.builds(Ask, st.just(Action.INPUT_PULSES), _later, st.integers(0, 1), st.integers(0, 500)),
)
_tests = st.tuples(st.just(Ask(Action.TEST_BEGIN)), flows, st.one_of(flows, asks, clock_sets, outages))
_flow_between = st.tuples(st.one_of(asks, outages, clock_sets, idles), flows)
steps = st.one_of(flows, asks, outages, clock_sets, idles)
histories = st.builds(
    lambda first, rest: [first, *(step for some in rest for step in some)],
    flows,
    st.lists(st.one_of(_flow_between, _tests, st.tuples(asks, asks, flows), st.tuples(clock_sets)), max_size=8),
)
"""Most of the time there is energy, and something in the midst of it."""

CLEARING = (Action.CLEAR, Action.MASTER_RESET, Action.COLD_START)
unclearing = histories.map(lambda steps: [s for s in steps if not (isinstance(s, Ask) and s.action in CLEARING)])
"""Those in which nothing that was registered is cleared."""

begins = st.builds(
    lambda moment, cells: utc_ns(moment) + cells * CELL,
    st.sampled_from(
        [
            datetime(2024, 3, 9, 22),  # daylight saving begins at 02:00
            datetime(2024, 3, 10, 1, 20),
            datetime(2024, 11, 3, 0, 10),  # and ends
            datetime(2024, 4, 30, 22, 30),  # a season ends at midnight
            datetime(2024, 10, 31, 23, 40),
            datetime(2024, 12, 31, 23, 30),
            datetime(2024, 7, 10, 6, 40),  # rates change
        ]
    ),
    st.integers(0, 50),
)
self_reads = st.one_of(
    st.just(SelfReads()),
    st.builds(SelfReads, st.just(SelfReadKind.DAILY), resets_demand=st.booleans()),
    st.builds(SelfReads, st.just(SelfReadKind.MONTHLY), day=st.sampled_from([1, 10, 28])),
    st.builds(SelfReads, st.just(SelfReadKind.HOURS), hours=st.sampled_from([1, 6]), resets_demand=st.booleans()),
)
WINDOWS = ["block:15", "block:60", "sliding:5x3", "sliding:15x4", "block:1"]


def programs(demands: list[str] | None = None) -> st.SearchStrategy[BillingSettings]:
    """Random settings."""
    return st.builds(
        program,
        st.sampled_from(demands or WINDOWS),
        test=st.sampled_from(["block:5", "sliding:1x3", None]),
        minutes=st.sampled_from([1, 7, 30]),
        recorder_min=st.sampled_from([None, 1, 5, 15, 60]),
        reads=self_reads,
        season_resets=st.booleans(),
        lockout_s=st.sampled_from([60, 600]),
    )


# --- what must come of it -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """What registered in CELL_S: `elapsed` counts all cells that passed, `period` demand resets, `cut` intervals that
    were cut short, `place` sub-intervals of the standard clock. Demand counts `energies`, by quantity."""

    elapsed: int
    period: int
    cut: int
    place: int
    rate: int
    amounts: tuple[int, ...]
    energies: tuple[int, ...]


Key = tuple[int, int, int]
"""Period, cut and place of an interval."""


@dataclass
class TestOfAccount:
    """Test mode. In it as in billing each cell is kept: its demand reset, its sub-interval, what flowed."""

    __test__ = False

    cells_left: int
    period: int = 0
    place: int = 0
    cells_in_place: int = 0
    cells: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)


@dataclass
class AskedSeasonOfAccount:
    """A season that was asked for on a day of the calendar's `by_date`; `closed`: the one before was."""

    season: int
    by_date: int
    on: date
    closed: bool = False

    def over(self, wall: datetime) -> bool:
        """Whether the calendar has come to another season since, be it through a whole year."""
        starts = [date(year, *start) for year in range(self.on.year, wall.year + 1) for start in SEASONS.values()]
        return season_of(wall.date()) != self.by_date or any(self.on < start <= wall.date() for start in starts)


class Account:
    """What must come of a history where demand is block or sliding (test mode's too, or none)."""

    def __init__(self, settings: BillingSettings, start_ns: int) -> None:
        self.settings = settings
        self.now = self.followed = start_ns
        self.elapsed = self.period = self.cut = 0
        self.cells: list[Cell] = []
        self.by_key: dict[Key, list[Cell]] = {}
        self.ended: dict[Key, int] = {}  # when they counted
        self.windows: dict[tuple[Key, int | None], tuple[int, ...]] = {}  # of those
        self.maxima_at_resets: list[list[list[int]]] = []
        self.previous: Key | None = None
        self.test: TestOfAccount | None = None
        self.inputs = [0, 0]
        self.forced: int | None = None
        self.switch_reset_elapsed: int | None = None
        self.self_read_asked = False
        self.asked: AskedSeasonOfAccount | None = None
        self.waiting: list[Command] = []
        self.told: list[LogEvent | EndOfInterval | Snapshot] = []
        wall = self.wall()
        self.season, self.calendar_rate, self.dst = season_of(wall.date()), rate_of(wall), bool(wall.dst())
        demand = settings.demand
        assert demand is not None
        self.sub_ns, self.count = demand.subinterval_s * SECOND, demand.subintervals

    # --- steps ------------------------------------------------------------------------------------------------

    def play(self, step: Step) -> None:
        match step:
            case Flow(cells, powers):
                amounts = [0] * PLACES
                for quadrant, *each in powers:
                    for kind, power in enumerate(each):
                        amounts[4 * quadrant + kind] += power * CELL
                for _ in range(cells):
                    self.pass_cell(tuple(amounts))
            case Outage(cells):
                self.fail(cells)
            case SetClock(cells):
                self.set_clock(cells * CELL)
            case Ask():
                command = step.command(self.now)
                self.waiting.append(command)
                self.waiting.sort(key=lambda waiting: waiting.utc_ns)
                self.execute()

    def pass_cell(self, amounts: tuple[int, ...]) -> None:
        if self.test is not None:
            self.test.cells.append((self.test.period, self.test.place, amounts))
            self.test.cells_left -= 1
            self.test.cells_in_place += 1
        else:
            self.register(amounts)
        before = self.place()
        self.elapsed += 1
        self.now += CELL
        if self.test is None:
            if self.place() != before:
                self.count_interval(before, self.now)
                self.tell_end(Cause.INTERVAL, self.previous_demands(None))
        elif (sub := self.test_sub_s()) and self.test.cells_in_place * CELL_S == sub:
            self.tell_end(Cause.INTERVAL, self.test_demands())
            self.test.place, self.test.cells_in_place = self.test.place + 1, 0
        self.follow()
        if self.test is not None and self.test.cells_left == 0:
            self.end_test(Source.CALENDAR)
        self.execute()

    def fail(self, cells: int) -> None:
        self.tell(PowerDown)
        if self.test is not None:
            self.end_test(None)
        self.sleep(cells)
        self.tell(PowerUp, cells * CELL_S)
        self.follow()
        self.execute()

    def set_clock(self, by: int) -> None:
        self.tell(ClockSetFrom, SETTER)
        before, old = self.place(), self.now
        if self.test is None:
            self.now += by
            out = by < 0 or self.place() != before
            self.now -= by
            if out:
                self.cut_interval(Cause.CLOCK_SET)
            self.followed = max(self.followed, old)
        self.now += by
        if self.followed - self.now > HOUR:
            self.followed = self.now
        self.tell(ClockSetTo, by // SECOND, SETTER)
        self.follow()
        self.execute()

    # --- time -------------------------------------------------------------------------------------------------

    def wall(self, ns: int | None = None) -> datetime:
        ns = self.now if ns is None else ns
        return datetime.fromtimestamp(ns // SECOND, TORONTO)

    def place(self) -> int:
        return (self.now + STANDARD) // self.sub_ns

    @property
    def rate(self) -> int:
        return self.calendar_rate if self.forced is None else self.forced

    def follow(self) -> None:
        """The calendar: daylight saving, then self-reads and seasons, then the rate."""
        wall = self.wall()
        if bool(wall.dst()) != self.dst:
            self.dst = bool(wall.dst())
            self.tell(DaylightSavingBegan if self.dst else DaylightSavingEnded)
        if self.test is not None:
            return
        reads, season, closer = self.settings.self_reads, season_of(wall.date()), Source.CALENDAR
        causes, resets, by = [], None, Source.CALENDAR
        if self.self_read_asked or self.passed_self_read():
            reader = ASKER if self.self_read_asked else Source.CALENDAR
            self.self_read_asked = False
            self.tell(SelfReadTaken, reader)
            causes.append(Cause.SELF_READ)
            if reads.resets_demand:
                resets, by = Cause.SELF_READ, reader
        asked, over = self.asked, self.asked is not None and self.asked.over(wall)
        if asked is not None and not over:
            season = asked.season
        closes = season != self.season and self.now >= self.followed
        if asked is not None and not asked.closed:
            closes, closer, asked.closed = True, ASKER, True
        if closes:
            causes.append(Cause.SEASON)
            if self.settings.season_change_resets_demand:
                resets, by = Cause.SEASON, closer
        self.followed = max(self.followed, self.now)
        self.keep(causes, resets, by)
        if closes:
            self.season = season
            self.tell(SeasonChanged, season, closer)
        if over and season == self.season:
            self.asked = None
        if (rate := rate_of(wall, self.asked.season if self.asked else None)) != self.calendar_rate:
            self.calendar_rate = rate
            if self.forced is None:
                self.tell(RateChanged, Rate(rate))

    def passed_self_read(self) -> bool:
        """Whether the schedule has one after what was followed, and no later than now."""
        if self.now <= self.followed:
            return False
        reads = self.settings.self_reads
        match reads.kind:
            case SelfReadKind.NEVER:
                return False
            case SelfReadKind.HOURS:
                length = reads.hours * HOUR
                return (self.now + STANDARD) // length != (self.followed + STANDARD) // length
        day, last = self.wall(self.followed).date() + timedelta(days=1), self.wall().date()
        while day <= last:
            if reads.kind is SelfReadKind.DAILY or day.day == reads.day:
                return True
            day += timedelta(days=1)
        return False

    # --- demand -----------------------------------------------------------------------------------------------

    def register(self, amounts: tuple[int, ...]) -> None:
        energies = tuple(quantity.of(amounts) for quantity in QUANTITIES)
        cell = Cell(self.elapsed, self.period, self.cut, self.place(), self.rate, amounts, energies)
        self.cells.append(cell)
        self.by_key.setdefault((cell.period, cell.cut, cell.place), []).append(cell)

    def sleep(self, cells: int) -> None:
        """Without power."""
        before = self.place()
        self.elapsed += cells
        self.now += cells * CELL
        if self.place() != before:
            self.count_interval(before, (before + 1) * self.sub_ns - STANDARD)
            self.previous = (self.period, self.cut, self.place() - 1)

    def window(self, key: Key, rate: int | None) -> tuple[int, ...]:
        """Demands of the window that ends with a sub-interval, from its cells."""
        if (key, rate) in self.windows:
            return self.windows[key, rate]
        period, cut, place = key
        energies = [
            cell.energies
            for p in range(place - self.count + 1, place + 1)
            for cell in self.by_key.get((period, cut, p), [])
            if rate is None or cell.rate == rate
        ]
        demands = average(energies, self.sub_ns * self.count)
        if key in self.ended:
            self.windows[key, rate] = demands
        return demands

    def present(self, rate: int | None) -> tuple[int, ...]:
        return self.window((self.period, self.cut, self.place()), rate)

    def previous_demands(self, rate: int | None) -> tuple[int, ...]:
        return (0,) * len(QUANTITIES) if self.previous is None else self.window(self.previous, rate)

    def count_interval(self, place: int, at: int) -> None:
        """It ends, and counts for the maxima."""
        self.previous = (self.period, self.cut, place)
        self.ended.setdefault(self.previous, at)

    def cut_interval(self, cause: Cause) -> None:
        self.count_interval(self.place(), self.now)
        self.tell_end(cause, self.previous_demands(None))
        self.cut += 1

    def begin_period(self) -> None:
        """What the interval has so far counts for the period that ends."""
        self.ended.setdefault((self.period, self.cut, self.place()), self.now)
        self.maxima_at_resets.append([[self.maximum(q, rate).value for rate in BINS] for q in range(len(QUANTITIES))])
        self.period += 1

    def maximum(self, q: int, rate: int | None) -> Maximum:
        """Of this period: the highest of all that counted, the first of equals."""
        best = Maximum(0, None, (0,))
        for key, at in self.ended.items():
            if key[0] == self.period and (demands := self.window(key, rate))[q] > best.value:
                best = Maximum(demands[q], at, demands[:q] + demands[q + 1 :])
        return best

    def readings(self) -> tuple[tuple[DemandReading, ...], ...]:
        """As registers show them."""
        found = []
        for q in range(len(QUANTITIES)):
            bins = []
            for bin, rate in enumerate(BINS):
                maximum = self.maximum(q, rate)
                cumulative = sum(maxima[q][bin] for maxima in self.maxima_at_resets)
                bins.append(
                    DemandReading(
                        self.present(rate)[q],
                        self.previous_demands(rate)[q],
                        maximum,
                        cumulative,
                        cumulative + maximum.value,
                    )
                )
            found.append(tuple(bins))
        return tuple(found)

    def energy(self, rate: int | None = None) -> tuple[int, ...]:
        return total([c.amounts for c in self.cells if rate is None or c.rate == rate])

    # --- commands ---------------------------------------------------------------------------------------------

    def execute(self) -> None:
        while self.waiting and self.waiting[0].utc_ns <= self.now:
            command = self.waiting.pop(0)
            match command.action:
                case Action.RESET_BY_SWITCH:
                    self.reset_by_switch()
                case Action.RESET:
                    self.reset(Cause.COMMUNICATION)
                case Action.SEASON_CHANGE:
                    season = 1 - self.season if command.value is None else command.value
                    day = self.wall().date()
                    self.asked = AskedSeasonOfAccount(season, season_of(day), day)
                    self.follow()
                case Action.CLEAR:
                    self.clear(Cause.CLEAR, DataCleared)
                case Action.MASTER_RESET:
                    self.master_reset(Cause.MASTER_RESET, MasterResetDone)
                case Action.COLD_START:
                    self.master_reset(Cause.COLD_START, ColdStarted)
                case Action.SELF_READ:
                    self.self_read_asked = True
                    self.follow()
                case Action.TEST_BEGIN:
                    self.begin_test()
                case Action.TEST_END:
                    if self.test is not None:
                        self.end_test(ASKER)
                case Action.FORCE_RATE:
                    if self.forced != command.value:
                        self.forced = command.value
                        self.tell(RateForced, Rate(self.rate), ASKER)
                case Action.RELEASE_RATE:
                    self.release()
                case Action.INPUT_PULSES:
                    self.inputs[command.value] += command.pulses

    def reset_by_switch(self) -> None:
        if self.test is None:
            if self.switch_reset_elapsed is not None:
                left = self.settings.lockout_s - (self.elapsed - self.switch_reset_elapsed) * CELL_S
                if left > 0:
                    self.tell(ResetRefused, left, ASKER)
                    return
            self.switch_reset_elapsed = self.elapsed
        self.reset(Cause.SWITCH)

    def reset(self, cause: Cause) -> None:
        if self.test is None:
            self.keep([cause], cause, ASKER)
        elif self.test_sub_s():
            self.tell(TestDemandWasReset, cause, ASKER)
            self.tell_end(cause, self.test_demands())
            self.test.period, self.test.cells_in_place = self.test.period + 1, 0

    def release(self) -> None:
        if self.forced is not None:
            self.forced = None
            self.tell(RateReleased, Rate(self.rate), ASKER)

    def clear(self, cause: Cause, kind: type[RegistersCleared]) -> None:
        """All that was is as if it had not been; the interval in which it happens is another one from then on."""
        self.keep([cause], None, ASKER)
        present = self.present(None) if self.test is None else self.test_demands()
        self.forget()
        self.tell(kind, ASKER)
        if self.test is None:
            self.tell_end(cause, present)
        elif self.test_sub_s():
            self.test.period, self.test.cells_in_place = self.test.period + 1, 0
            self.tell_end(cause, present)

    def forget(self) -> None:
        self.cells.clear()
        self.by_key.clear()
        self.ended.clear()
        self.windows.clear()
        self.maxima_at_resets.clear()
        self.previous = None
        self.inputs = [0, 0]
        self.period += 1

    def master_reset(self, cause: Cause, kind: type[RegistersCleared]) -> None:
        if self.test is not None:
            self.end_test(ASKER)
        self.release()
        self.clear(cause, kind)
        self.switch_reset_elapsed = self.asked = None
        self.self_read_asked = False
        self.followed = self.now
        if (season := season_of(self.wall().date())) != self.season:
            self.season = season
            self.tell(SeasonChanged, season, ASKER)
        self.follow()

    def keep(self, causes: list[Cause], resets: Cause | None, source: Source) -> None:
        present, resets_before = self.present(None), len(self.maxima_at_resets)
        if resets is not None:
            self.ended.setdefault((self.period, self.cut, self.place()), self.now)
        for cause in causes:
            self.told.append(
                Snapshot(
                    utc_ns=self.now,
                    cause=cause,
                    season=self.season,
                    resets=resets_before,
                    energy=self.energy(),
                    rates=tuple(self.energy(rate) for rate in Rate),
                    inputs=(self.inputs[0], self.inputs[1]),
                    demand=self.readings(),
                )
            )
        if resets is not None:
            self.begin_period()
            self.tell(DemandWasReset, resets, resets_before + 1, source)
            self.tell_end(resets, present)

    # --- test mode --------------------------------------------------------------------------------------------

    def test_sub_s(self) -> int:
        demand = self.settings.test_mode.demand
        return 0 if demand is None else demand.subinterval_s

    def test_demands(self) -> tuple[int, ...]:
        demand = self.settings.test_mode.demand
        if demand is None or self.test is None:
            return ()
        test = self.test
        window = [
            tuple(quantity.of(amounts) for quantity in QUANTITIES)
            for period, place, amounts in test.cells
            if period == test.period and test.place - demand.subintervals < place <= test.place
        ]
        return average(window, demand.interval_s * SECOND)

    def begin_test(self) -> None:
        if self.test is None:
            self.cut_interval(Cause.TEST_MODE_BEGIN)
            self.test = TestOfAccount(self.settings.test_mode.minutes * 60 // CELL_S)
            self.tell(TestModeBegan, ASKER)

    def end_test(self, source: Source | None) -> None:
        self.tell_end(Cause.TEST_MODE_END, self.test_demands())
        self.test = None
        self.tell(TestModeEnded, source)
        self.follow()

    # --- what is told -----------------------------------------------------------------------------------------

    def tell(self, kind: type[LogEvent], *facts: object) -> None:
        self.told.append(kind(self.now, *facts))

    def tell_end(self, cause: Cause, demands: tuple[int, ...]) -> None:
        self.told.append(EndOfInterval(self.now, cause, demands, self.rate, self.test is not None))


def season_of(day: date) -> int:
    return 0 if SEASONS["summer"] <= (day.month, day.day) < SEASONS["winter"] else 1


def rate_of(wall: datetime, asked_season: int | None = None) -> int:
    if wall.weekday() >= 5:
        return Rate.D
    minute = 60 * wall.hour + wall.minute
    season = season_of(wall.date()) if asked_season is None else asked_season
    switches = SWITCHES[("summer", "winter")[season]]
    return max((since, rate) for since, rate in switches if since <= minute)[1]


def total(cells: list[tuple[int, ...]]) -> tuple[int, ...]:
    found = [0] * PLACES
    for amounts, times in Counter(cells).items():
        for place, amount in enumerate(amounts):
            found[place] += times * amount
    return tuple(found)


def average(energies: list[tuple[int, ...]], length_ns: int) -> tuple[int, ...]:
    """Demand in nW, by quantity."""
    return tuple(sum(each) * HOUR // length_ns for each in zip((0,) * len(QUANTITIES), *energies, strict=True))


def highest_average(cells: list[Cell], cells_in_window: int, rate: int | None, q: int) -> Fraction:
    """The highest mean power, in nW, over any time of a window's length that passed, whatever clocks showed.

    Power is the same within a cell and windows are whole cells: so no window is higher than the best that ends with a
    cell.
    """
    most = running = begin = 0
    counted = [cell for cell in cells if rate is None or cell.rate == rate]
    for cell in counted:
        running += cell.energies[q]
        while counted[begin].elapsed <= cell.elapsed - cells_in_window:
            running -= counted[begin].energies[q]
            begin += 1
        most = max(most, running)
    return Fraction(most * HOUR, cells_in_window * CELL)


class ThermalAccount(Account):
    """Where demand is thermal: the pointers after each cell, by the exact solution of the lag in floats."""

    def __init__(self, settings: BillingSettings, start_ns: int) -> None:
        super().__init__(settings, start_ns)
        self.pointers = [0.0] * len(QUANTITIES)
        self.pointers_before = [0.0] * len(QUANTITIES)  # where the last interval ended
        self.highest: dict[tuple[int, int | None], list[float]] = {}  # by period and rate

    def move(self, cells: int, powers: tuple[float, ...]) -> None:
        left = 10 ** (-cells * CELL / self.sub_ns)
        self.pointers = [power + (level - power) * left for level, power in zip(self.pointers, powers, strict=True)]

    def look(self, rate: int | None) -> None:
        seen = self.highest.get((self.period, rate), self.pointers)
        self.highest[self.period, rate] = [max(pair) for pair in zip(seen, self.pointers, strict=True)]

    def register(self, amounts: tuple[int, ...]) -> None:
        super().register(amounts)
        for rate in (None, self.rate):
            self.look(rate)
        self.move(1, tuple(energy * HOUR / CELL for energy in self.cells[-1].energies))
        for rate in (None, self.rate):
            self.look(rate)

    def sleep(self, cells: int) -> None:
        before = self.place()
        self.elapsed += cells
        self.now += cells * CELL
        since = (self.now + STANDARD) % self.sub_ns // CELL if self.place() != before else cells
        self.move(cells - since, (0.0,) * len(QUANTITIES))
        if self.place() != before:
            self.pointers_before = self.pointers
        self.move(since, (0.0,) * len(QUANTITIES))

    def count_interval(self, place: int, at: int) -> None:
        self.pointers_before = self.pointers

    def begin_period(self) -> None:
        super().begin_period()
        self.look(None)

    def forget(self) -> None:
        super().forget()
        self.pointers = self.pointers_before = [0.0] * len(QUANTITIES)

    def present(self, rate: int | None) -> tuple[int, ...]:
        return tuple(map(round, self.pointers))

    def previous_demands(self, rate: int | None) -> tuple[int, ...]:
        return tuple(map(round, self.pointers_before))

    def maximum(self, q: int, rate: int | None) -> Maximum:
        return Maximum(round(self.highest.get((self.period, rate), [0.0] * len(QUANTITIES))[q]), None, ())
