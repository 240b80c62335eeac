"""Ledger of billing: its registers, and how each event changes them (Q-2, Q-4, Q-5, T-1 to T-4, D-5, P-4).

When that is, is for rig/meter/billing/billing.py to know. It has energy taken in up to now before anything happens.
What is asked of a running meter, rig/meter/billing/execution.py makes of the steps that are here.
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.meter.billing.calendar import Span
from rig.meter.billing.events import (
    Cause,
    DaylightSavingBegan,
    DaylightSavingEnded,
    DemandWasReset,
    EndOfInterval,
    ProfileWords,
    RateChanged,
    RecorderOverflowed,
    SeasonChanged,
    SelfReadTaken,
    TestModeBegan,
    TestModeEnded,
)
from rig.meter.billing.inputs import InputId
from rig.meter.billing.log import LogEvent
from rig.meter.billing.quantity import PLACES, Amounts
from rig.meter.billing.recorder import Recorder
from rig.meter.billing.registers import Registers
from rig.meter.billing.schedule import next_boundary_ns, next_self_read_ns
from rig.meter.billing.settings import BillingSettings
from rig.meter.billing.snapshot import Snapshot, with_maxima
from rig.meter.billing.source import Source
from rig.meter.billing.state import BillingState, TestState
from rig.meter.billing.tariff import Rate
from rig.meter.billing.time_units import SECOND_NS

RATES = len(Rate)
NOTHING: Amounts = (0,) * PLACES

MeterEvent = LogEvent | EndOfInterval | ProfileWords | Snapshot
"""What comes out of billing besides registers: for the log, the contacts, the profile's memory and the history."""


class Ledger:
    """Registers of billing and, in test mode, of the test; the recorder; and the events to be emitted.

    All of it is in `state`, the live object. Each method is something that happens at `state.now_ns`.
    """

    def __init__(self, settings: BillingSettings, state: BillingState) -> None:
        self.settings = settings
        self.state = state
        self.registers = Registers(settings.demand, RATES, state.registers)
        state.registers = self.registers.state
        self.test: Registers | None = None
        if state.test is not None:
            self.test = Registers(settings.test_mode.demand, 0, state.test.registers)
        self.recorder: Recorder | None = None
        if settings.recorder is not None:
            self.recorder = Recorder(settings.recorder, settings.calendar.local, state.recorder)
        state.recorder = self.recorder.state if self.recorder else None
        self._overflows = state.recorder.overflows if state.recorder else 0
        self._events: list[MeterEvent] = []

    @property
    def active(self) -> Registers:
        """Those that energy goes to."""
        return self.test or self.registers

    @property
    def continuous(self) -> bool:
        """True if demand must be given each energy interval by itself (thermal)."""
        demand = self.active.demand
        return demand is not None and demand.continuous

    @property
    def rate(self) -> Rate:
        """The rate in force: forced, or the calendar's."""
        return Rate(self._rate)

    @property
    def _rate(self) -> int:
        """As states and registers have it."""
        state = self.state
        return state.calendar_rate if state.forced_rate is None else state.forced_rate

    def take(self, amounts: Amounts, squares: Sequence[int], start_ns: int) -> None:
        """Accumulate what flowed from an instant until now; neither the rate nor an interval ends in between."""
        now_ns = self.state.now_ns
        if self.test is not None:
            self.test.take(amounts, start_ns, now_ns, 0)
            return
        self.registers.take(amounts, start_ns, now_ns, self._rate)
        if self.recorder is not None:
            self.recorder.take(amounts, squares, ())

    def snapshot(self, cause: Cause) -> Snapshot:
        """The billing registers as they stand."""
        state, reading = self.state, self.registers.reading()
        return Snapshot(
            utc_ns=state.now_ns,
            cause=cause,
            season=state.season,
            resets=state.resets,
            energy=reading.energy,
            rates=reading.rates,
            inputs=tuple(state.inputs),
            demand=reading.demand,
            peaks=reading.peaks,
        )

    # --- demand intervals -----------------------------------------------------------------------------------

    def interval_ends_ns(self) -> int | None:
        """Return when the running interval ends: test mode's counted from its start, billing's by standard time."""
        state = self.state
        if state.test is not None:
            return state.test.interval_ends_ns
        if self.settings.demand is None:
            return None
        return next_boundary_ns(self.settings.calendar, state.now_ns, self.settings.demand.subinterval_s)

    def end_interval(self) -> None:
        """It ends at its boundary."""
        demand, now_ns = self.active.demand, self.state.now_ns
        if demand is None:
            return
        self.end_of_interval(Cause.INTERVAL, demand.end_subinterval(now_ns, self._rate).demands)
        if self.state.test is not None:
            self.begin_test_interval(self.state.test)

    def cut_interval(self, cause: Cause) -> None:
        """That of billing ends before its boundary."""
        demand = self.registers.demand
        self.end_of_interval(cause, demand.cut(self.state.now_ns, self._rate).demands if demand else ())

    def pass_intervals(self, up_ns: int) -> None:
        """Power is off until then: those of billing end with nothing more in them, and no contact closes."""
        demand, down_ns = self.registers.demand, self.state.now_ns
        if demand is None:
            return
        calendar, length_s = self.settings.calendar, demand.settings.subinterval_s
        length_ns = length_s * SECOND_NS
        end_ns, last_ns = (next_boundary_ns(calendar, ns, length_s) for ns in (down_ns, up_ns - length_ns))
        while end_ns <= up_ns:
            demand.idle(down_ns, end_ns)
            demand.end_subinterval(end_ns, self._rate)
            down_ns = end_ns
            # Once as many are empty as the averaging goes back, more change nothing.
            end_ns = max(end_ns + length_ns, last_ns - (demand.settings.subintervals - 1) * length_ns)
        demand.idle(down_ns, up_ns)

    # --- test mode ------------------------------------------------------------------------------------------

    def begin_test(self, source: Source) -> None:
        """Registers of its own, empty; the billing interval ends."""
        mode, now_ns = self.settings.test_mode, self.state.now_ns
        self.cut_interval(Cause.TEST_MODE_BEGIN)
        self.test = Registers(mode.demand, 0)
        self.state.test = TestState(now_ns, now_ns + mode.minutes * 60 * SECOND_NS, None, self.test.state)
        self.begin_test_interval(self.state.test)
        self.emit(TestModeBegan(now_ns, source))

    def end_test(self, source: Source | None) -> None:
        """End test mode; what the calendar was due meanwhile takes effect now."""
        self.end_of_interval(Cause.TEST_MODE_END, self.present())
        self.test = self.state.test = None
        self.emit(TestModeEnded(self.state.now_ns, source))
        self.follow_calendar()

    def begin_test_interval(self, test: TestState) -> None:
        """One of test mode's own begins now."""
        demand = self.settings.test_mode.demand
        test.interval_ends_ns = self.state.now_ns + demand.subinterval_s * SECOND_NS if demand else None

    # --- recorder -------------------------------------------------------------------------------------------

    def begin_recording(self) -> None:
        """A recording begins, with its first words."""
        if self.recorder is not None:
            self.emit_words(self.recorder.begin(self.state.now_ns))

    def emit_words(self, words: tuple[int, ...]) -> None:
        """The recorder wrote these."""
        recorder = self.state.recorder
        if not words or recorder is None:
            return
        self.emit(ProfileWords(recorder.written - len(words), words))
        if recorder.overflows > self._overflows:
            self._overflows = recorder.overflows
            self.emit(RecorderOverflowed(self.state.now_ns, recorder.overflows))

    # --- calendar -------------------------------------------------------------------------------------------

    def follow_calendar(self, clock_jumped: bool = False) -> None:
        """Daylight saving, self-read, season and rate as they are due now; all but the first wait for test mode's end.

        `clock_jumped`: the recorder has marked the new time already.
        """
        state = self.state
        span = self.span
        if span.dst != state.dst:
            state.dst = span.dst
            self.emit((DaylightSavingBegan if span.dst else DaylightSavingEnded)(state.now_ns))
        if span.utc_offset_s != state.utc_offset_s:
            state.utc_offset_s = span.utc_offset_s
            if self.recorder is not None and not clock_jumped:
                self.emit_words(self.recorder.clock_change(state.now_ns))
        if state.test is not None:
            return
        self._end_periods(span.season)
        rate = self.span.rate
        if rate != state.calendar_rate:
            state.calendar_rate = int(rate)
            if state.forced_rate is None:
                self.emit(RateChanged(state.now_ns, rate))

    @property
    def span(self) -> Span:
        """The stretch of the calendar that now falls into, with the rates of a season that was asked for."""
        asked = self.state.asked_season
        return self.settings.calendar.span(self.state.now_ns, None if asked is None else asked.season)

    def _end_periods(self, by_date: int) -> None:
        """A self-read that is due, and the close of a season that is over; where both, both keep the same."""
        state, settings = self.state, self.settings
        reads = state.self_read_ns is not None and state.now_ns >= state.self_read_ns
        season, asker = self._season_due(by_date)
        state.followed_ns = max(state.followed_ns, state.now_ns)
        causes, resets, by = [], None, Source.CALENDAR
        if reads:
            state.self_read_ns = next_self_read_ns(settings.calendar, settings.self_reads, state.followed_ns)
            reader, state.self_read_source = state.self_read_source or Source.CALENDAR, None
            self.emit(SelfReadTaken(state.now_ns, reader))
            causes.append(Cause.SELF_READ)
            if settings.self_reads.resets_demand:
                resets, by = Cause.SELF_READ, reader
        if asker is not None:
            causes.append(Cause.SEASON)
            if settings.season_change_resets_demand:
                resets, by = Cause.SEASON, asker
        self.keep(causes, resets, by)
        if asker is not None:
            state.season = season
            self.emit(SeasonChanged(state.now_ns, season, asker))

    def _season_due(self, by_date: int) -> tuple[int, Source | None]:
        """Give the season that is to be in force, and who has the one before closed now; None: it goes on.

        A season asked for stays until the calendar has changed its own since.
        """
        state, asked = self.state, self.state.asked_season
        if asked is None:
            closes = by_date != state.season and state.now_ns >= state.followed_ns
            return by_date, Source.CALENDAR if closes else None
        over = by_date != asked.calendar_season or state.now_ns >= asked.until_ns
        season = by_date if over else asked.season
        due = season != state.season and state.now_ns >= state.followed_ns
        asker = asked.source if asked.pending else Source.CALENDAR if due else None
        asked.pending = False
        if over and (asker is not None or season == state.season):
            state.asked_season = None
        return season, asker

    # --- what is kept ----------------------------------------------------------------------------------------

    def keep(self, causes: Sequence[Cause], resets: Cause | None, source: Source) -> None:
        """A snapshot for each cause, and for one of them a reset of billing's demand, asked for by a source."""
        state, demand = self.state, self.registers.demand
        snapshots = [self.snapshot(cause) for cause in causes]
        if resets is None or demand is None:
            self._emit_snapshots(snapshots)
            return
        demands = self.present()
        ended = demand.reset(state.now_ns)
        self._emit_snapshots([with_maxima(snapshot, ended) for snapshot in snapshots])
        state.resets += 1
        state.last_reset_ns = state.now_ns
        self.emit(DemandWasReset(state.now_ns, resets, state.resets, source))
        self.end_of_interval(resets, demands)

    def _emit_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        for snapshot in snapshots:
            self.emit(snapshot)
            if snapshot.cause is Cause.SEASON:
                self.state.closed_season = snapshot

    def clear(self) -> None:
        """Let all that is registered begin anew, test mode's own too; the load profile is still to be begun."""
        state, settings, test = self.state, self.settings, self.state.test
        self.registers = Registers(settings.demand, RATES)
        state.registers = self.registers.state
        if test is not None:
            self.test = Registers(settings.test_mode.demand, 0)
            test.registers = self.test.state
            self.begin_test_interval(test)
        if settings.recorder is not None:
            self.recorder = Recorder(settings.recorder, settings.calendar.local)
            state.recorder = self.recorder.state
        self._overflows = 0
        state.inputs = [0] * len(InputId)
        state.resets, state.last_reset_ns, state.closed_season = 0, None, None

    def present(self) -> tuple[int, ...]:
        """The demand of the running interval, by quantity, of the registers that energy goes to."""
        demand = self.active.demand
        return () if demand is None else tuple(demand.present(q) for q in range(len(demand.settings.quantities)))

    # --- events ---------------------------------------------------------------------------------------------

    def emit(self, event: MeterEvent) -> None:
        """It happens now."""
        self._events.append(event)

    def take_events(self) -> list[MeterEvent]:
        """Those that were not taken before."""
        events, self._events = self._events, []
        return events

    def end_of_interval(self, cause: Cause, demands: tuple[int, ...]) -> None:
        """Emit one, of the registers that energy goes to."""
        self.emit(EndOfInterval(self.state.now_ns, cause, demands, self._rate, self.state.test is not None))
