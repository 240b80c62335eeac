"""Billing of a meter: energy, demand, time of use, recorder, test mode (Q-2, Q-4, Q-5, T-1 to T-4, D-5, P-4).

Advanced by portions of energy in order of time, and by what happens to the meter. Portions are only added up until
the next instant at which something ends: a sub-interval of demand, a rate, a day, a season, an interval of the
recorder, test mode. There they are settled, in this order: demand interval, recorder, calendar (self-read, season,
rate), test mode, commands. So what ends at an instant belongs to what was before it, and splitting a portion changes
nothing. What becomes of the registers then, rig/meter/billing/ledger.py knows; what of each command, in test mode too,
rig/meter/billing/execution.py.

What becomes of a demand interval (the energy in it always counts over its whole length, so nothing inflates a maximum):

    demand reset         what it has counts for the old period; from then on for the new one; it ends at its boundary
    outage               goes on if power returns before its boundary; else it ends there; those in between are empty
    clock set forward    goes on; across its boundary it ends at once
    clock set back       ends at once
    DST, rate change     nothing: boundaries are of the standard clock; each rate counts its own energy
    season change        that of a demand reset, where the program asks for it
    test mode            ends on entering; a new one begins on leaving; the test's own begin with it
    data cleared         ends at once; what it has is cleared too

Test mode (D-5): registers and demand of its own, new each time. Billing registers stand, to the last bit; the
recorder's intervals go by without energy (pulses at inputs are other meters', and count always); self-reads and what
the calendar has to say wait for the end. A demand reset in it is one of its own demand.

Seasons and self-reads that a clock passes are not passed again where it is set back by REPEATS_S or less.
"""

from __future__ import annotations

from operator import add

from rig.meter.billing.commands import Action, Command
from rig.meter.billing.energy_interval import SQUARES, EnergyInterval
from rig.meter.billing.events import Cause, ClockSetFrom, ClockSetTo, ClockSlewed, PowerDown, PowerUp
from rig.meter.billing.execution import CommandExecution
from rig.meter.billing.ledger import NOTHING, Ledger, MeterEvent
from rig.meter.billing.quantity import Quadrant
from rig.meter.billing.recorder import Recorder
from rig.meter.billing.registers import Registers
from rig.meter.billing.schedule import next_self_read_ns
from rig.meter.billing.settings import BillingSettings
from rig.meter.billing.snapshot import Snapshot
from rig.meter.billing.source import Source
from rig.meter.billing.state import BillingState
from rig.meter.billing.tariff import Rate
from rig.meter.billing.time_units import MILLISECOND_NS, SECOND_NS
from rig.meter.billing.waiting import add_waiting

__all__ = ["Billing", "BillingState", "MeterEvent"]

REPEATS_S = 3600
"""A clock set back by more than this comes to seasons and self-reads anew (T-3)."""


_NEVER = 1 << 100


class Billing:
    """The billing side of a meter. `Billing.begin` makes a new one; a `state` continues one, programmed alike."""

    def __init__(self, settings: BillingSettings, state: BillingState) -> None:
        self.settings = settings
        self._state = state
        self._ledger = Ledger(settings, state)
        self._execution = CommandExecution(self._ledger)
        self._pending = list(NOTHING)
        self._squares: tuple[int, ...] = ()
        self._settled_ns = state.now_ns
        self._due_ns = _NEVER
        self._plan()

    @classmethod
    def begin(cls, settings: BillingSettings, now_ns: int) -> tuple[Billing, list[MeterEvent]]:
        """A meter with empty registers, and the words that open its recording."""
        span = settings.calendar.span(now_ns)
        first_read_ns = next_self_read_ns(settings.calendar, settings.self_reads, now_ns)
        billing = cls(
            settings,
            BillingState(now_ns, span.season, int(span.rate), span.dst, span.utc_offset_s, now_ns, first_read_ns),
        )
        billing._ledger.begin_recording()
        return billing, billing._ledger.take_events()

    # --- as it stands ---------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """Up to when energy has been taken in, UTC."""
        return self._state.now_ns

    @property
    def state(self) -> BillingState:
        """State to store: the live object, so encode it before the meter goes on."""
        self.settle()
        return self._state

    @property
    def registers(self) -> Registers:
        """Those that bill."""
        return self._ledger.registers

    @property
    def test(self) -> Registers | None:
        """Those of test mode; None outside it."""
        return self._ledger.test

    @property
    def recorder(self) -> Recorder | None:
        """The load-profile recorder, where there is one."""
        return self._ledger.recorder

    @property
    def rate(self) -> Rate:
        """The rate in force: forced, or the calendar's."""
        return self._ledger.rate

    @property
    def season(self) -> int:
        """The season in force, from 0."""
        return self._state.season

    @property
    def resets(self) -> int:
        """Demand resets so far."""
        return self._state.resets

    @property
    def last_reset_ns(self) -> int | None:
        """Instant of the last demand reset; None if there was none."""
        return self._state.last_reset_ns

    @property
    def inputs(self) -> tuple[int, ...]:
        """Pulses counted at each input."""
        return tuple(self._state.inputs)

    @property
    def closed_season(self) -> Snapshot | None:
        """Snapshot that the last change of season closed; None before the first of this program."""
        return self._state.closed_season

    @property
    def rate_forced(self) -> bool:
        """True while the rate in force is forced."""
        return self._state.forced_rate is not None

    @property
    def interval_ends_ns(self) -> int | None:
        """Instant at which the demand interval, or the sub-interval of sliding demand, ends; None without demand."""
        return None if self._interval_ends_ns == _NEVER else self._interval_ends_ns

    @property
    def test_ends_ns(self) -> int | None:
        """Instant at which test mode ends by itself; None outside it."""
        return self._state.test.ends_ns if self._state.test else None

    def snapshot(self, cause: Cause) -> Snapshot:
        """The billing registers as they stand."""
        self.settle()
        return self._ledger.snapshot(cause)

    def settle(self) -> None:
        """Bring the registers up to `now_ns`: to be called before they are read."""
        start_ns = self._settled_ns
        if self._state.now_ns == start_ns:
            return
        pending, squares = self._pending, self._squares
        self._settled_ns, self._pending, self._squares = self._state.now_ns, list(NOTHING), ()
        self._ledger.take(pending, squares, start_ns)

    # --- what happens ---------------------------------------------------------------------------------------

    def advance(self, portion: EnergyInterval) -> list[MeterEvent]:
        """Take in the next portion; what happened in it. Time without portions passes without energy.

        Raises ValueError, and takes nothing in, for one that begins before the last one ended, or ends before it
        begins, or has energy and no length.
        """
        now_ns = self._state.now_ns
        if portion.end_ns <= portion.start_ns:
            if portion.end_ns < portion.start_ns:
                raise ValueError(f"a portion ends at {portion.end_ns} ns, before it begins at {portion.start_ns} ns")
            if not portion.empty:
                raise ValueError(f"a portion at {portion.start_ns} ns has energy and no length: energy takes time")
        if portion.start_ns != now_ns:
            if portion.start_ns < now_ns:
                raise ValueError(f"a portion begins at {portion.start_ns} ns, but time has come to {now_ns} ns")
            self._take_with_what_comes_due(EnergyInterval(now_ns, portion.start_ns, Quadrant.Q1, 0))
        self._take_with_what_comes_due(portion)
        return self._ledger.take_events()

    def command(self, command: Command) -> list[MeterEvent]:
        """Do something when time comes to its instant, after what was asked for then before; now if it has come.

        Raises ValueError for a season that the program does not have.
        """
        seasons = len(self.settings.calendar.tariff.seasons)
        if command.action is Action.SEASON_CHANGE and command.value is not None and command.value >= seasons:
            raise ValueError(f"season {command.value} is none of the program: it has {seasons}, counted from 0")
        add_waiting(self._state.waiting, command)
        if command.utc_ns <= self._state.now_ns:
            self._come_due()
        else:
            self._due_ns = min(self._due_ns, command.utc_ns)
        return self._ledger.take_events()

    def flush_pending(self, until_ns: int) -> list[MeterEvent]:
        """Do now what was asked for an instant up to a near one: a clock that is set might not come to it for long."""
        self.settle()
        self._execute_commands(until_ns)
        self._plan()
        return self._ledger.take_events()

    def outage(self, up_ns: int) -> list[MeterEvent]:
        """Power was off from `now_ns` to `up_ns`. Test mode does not outlive it.

        Raises ValueError for a time before `now_ns`.
        """
        ledger, down_ns = self._ledger, self._state.now_ns
        if up_ns < down_ns:
            raise ValueError(f"power returned at {up_ns} ns, but time had come to {down_ns} ns: set the clock instead")
        self.settle()
        ledger.emit(PowerDown(down_ns))
        if ledger.test is not None:
            ledger.end_test(None)
        ledger.pass_intervals(up_ns)
        if ledger.recorder is not None:
            ledger.emit_words(ledger.recorder.outage(down_ns, up_ns))
        self._state.now_ns = up_ns
        ledger.emit(PowerUp(up_ns, (up_ns - down_ns) // SECOND_NS))
        return self._go_on_from_here()

    def set_clock(self, new_ns: int, source: Source) -> list[MeterEvent]:
        """The meter's clock, at `now_ns`, is set to another time."""
        state, ledger, old_ns = self._state, self._ledger, self._state.now_ns
        self.settle()
        ledger.emit(ClockSetFrom(old_ns, source))
        if state.test is None and self.settings.demand and not old_ns <= new_ns < self._interval_ends_ns:
            ledger.cut_interval(Cause.CLOCK_SET)
        if ledger.recorder is not None:
            ledger.emit_words(ledger.recorder.clock_set(old_ns, new_ns))
        self._move_clock(new_ns - old_ns)
        ledger.emit(ClockSetTo(new_ns, (new_ns - old_ns) // SECOND_NS, source))
        return self._go_on_from_here()

    def slew_clock(self, by_ns: int, source: Source) -> list[MeterEvent]:
        """The clock is to be slewed by so much, forward or back, because someone asked: a line in the log, no more."""
        self._ledger.emit(ClockSlewed(self._state.now_ns, (by_ns + MILLISECOND_NS // 2) // MILLISECOND_NS, source))
        return self._ledger.take_events()

    def _move_clock(self, by_ns: int) -> None:
        """Lockout and test mode last as long as they would have; of seasons and self-reads see REPEATS_S."""
        state, test = self._state, self._state.test
        if test is None:
            state.followed_ns = max(state.followed_ns, state.now_ns)
        state.now_ns += by_ns
        if state.last_switch_reset_ns is not None:
            state.last_switch_reset_ns += by_ns
        if test is not None:
            test.began_ns += by_ns
            test.ends_ns += by_ns
            if test.interval_ends_ns is not None:
                test.interval_ends_ns += by_ns
        if state.followed_ns - state.now_ns > REPEATS_S * SECOND_NS:
            state.followed_ns = state.now_ns
            next_ns = next_self_read_ns(self.settings.calendar, self.settings.self_reads, state.now_ns)
            if state.self_read_ns is not None and next_ns is not None:
                state.self_read_ns = min(state.self_read_ns, next_ns)

    def _go_on_from_here(self) -> list[MeterEvent]:
        """After time has jumped: what of the calendar and of the commands it passed is due now."""
        self._settled_ns = self._state.now_ns
        self._ledger.follow_calendar(clock_jumped=True)
        self._execute_commands(self._state.now_ns)
        self._plan()
        return self._ledger.take_events()

    # --- energy ---------------------------------------------------------------------------------------------

    def _take_with_what_comes_due(self, portion: EnergyInterval) -> None:
        from_ns = portion.start_ns
        while self._due_ns < portion.end_ns:
            due_ns = self._due_ns
            self._take(portion.between(from_ns, due_ns))
            self._come_due()
            from_ns = due_ns
        self._take(portion.between(from_ns, portion.end_ns))
        if portion.end_ns == self._due_ns:
            self._come_due()

    def _take(self, portion: EnergyInterval) -> None:
        _, end_ns, quadrant, wh, varh, vah_rms, vah_td, squares, others = portion
        pending, place = self._pending, 4 * quadrant
        pending[place] += wh
        pending[place + 1] += varh
        pending[place + 2] += vah_rms
        pending[place + 3] += vah_td
        if squares:
            self._squares = tuple(map(add, self._squares or (0,) * SQUARES, squares))
        for quadrant, *amounts in others:
            for place, amount in enumerate(amounts, 4 * quadrant):
                pending[place] += amount
        self._state.now_ns = end_ns
        if self._continuous:
            self.settle()

    # --- what comes due -------------------------------------------------------------------------------------

    def _come_due(self) -> None:
        """Do all that falls on this instant, in the order of the module's docstring."""
        self.settle()
        state, ledger = self._state, self._ledger
        if state.now_ns == self._interval_ends_ns:
            ledger.end_interval()
        if ledger.recorder is not None and state.now_ns == self._recorder_due_ns:
            ledger.emit_words(ledger.recorder.end_interval(state.now_ns))
        ledger.follow_calendar()
        if state.test is not None and state.now_ns >= state.test.ends_ns:
            ledger.end_test(Source.CALENDAR)
        self._execute_commands(state.now_ns)
        self._plan()

    def _execute_commands(self, until_ns: int) -> None:
        waiting = self._state.waiting
        while waiting and waiting[0].utc_ns <= until_ns:
            self._execution.execute(waiting.pop(0))

    def _plan(self) -> None:
        """Find the next instant at which something is due."""
        state, ledger, now_ns = self._state, self._ledger, self._state.now_ns
        self._continuous = ledger.continuous
        interval_ends_ns = ledger.interval_ends_ns()
        self._interval_ends_ns = _NEVER if interval_ends_ns is None else interval_ends_ns
        self._recorder_due_ns = ledger.recorder.next_end_ns(now_ns) if ledger.recorder else _NEVER
        self._due_ns = min(
            ledger.span.end_ns,
            self._interval_ends_ns,
            self._recorder_due_ns,
            _NEVER if state.self_read_ns is None or state.test else state.self_read_ns,
            state.test.ends_ns if state.test else _NEVER,
            state.waiting[0].utc_ns if state.waiting else _NEVER,
        )
