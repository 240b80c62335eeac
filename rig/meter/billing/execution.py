"""Execution of commands by a running meter (Q-5, T-2, T-3, D-5, P-5, S-1; procedures of ANSI C12.19).

    asked                           outside test mode                     in test mode
    demand reset at the switch      billing's, but not within a lockout   the test's own
    demand reset by communication   billing's                             the test's own
    self-read                       now                                   when test mode ends
    season change                   now                                   when test mode ends
    test mode                       begins                                -
    end of test mode                -                                     it ends
    forced rate                     now                                   now
    end of the forced rate          now                                   now
    pulses at an input              counted                               counted: they are another meter's
    clear data                      registers                             registers, the test's too; it goes on
    master reset                    registers and bookkeeping             test mode ends first
    cold start                      registers and bookkeeping             test mode ends first

`-` changes nothing, and leaves no line in the log; nor does a rate forced that is, a release of none, and a reset where
there is no demand. All else is in the log with who asked.

Season change (C12.19 procedure 9): the season closes and its registers are kept as the previous season's; demand is
reset if the program says so; and the season asked for is in force with its rates, or the one that follows in the order
of the year, until the calendar's next season starts.

What begins anew, after a snapshot of the registers as they stood:

    what                                                     clear data   master reset, cold start
    energy, in total and by rate                             anew         anew
    demand, maxima, peaks, cumulative                        anew         anew
    counts of demand resets and of pulses at inputs          anew         anew
    time of the last demand reset                            anew         anew
    registers of the closed season                           anew         anew
    load profile                                             anew         anew
    registers of test mode                                   anew         over
    test mode                                                stays        over
    forced rate                                              stays        over
    lockout of the switch                                    stays        over
    season asked for                                         stays        over
    self-reads and seasons passed                            stay         anew
    service and diagnostics                                  stay         anew
    program, clock, log, commands for later, pulse outputs   stay         stay

The running demand interval ends, with what it has, and the next one at its boundary. Pulse outputs count on: whoever
counts their pulses does not begin anew. Service and diagnostics are found anew by the meter (rig/meter/meter.py). A
cold start goes on with the program that the meter was configured with: that is for the service to see to.
"""

from __future__ import annotations

from rig.meter.billing.commands import Action, Command
from rig.meter.billing.events import (
    Cause,
    ColdStarted,
    DataCleared,
    MasterResetDone,
    RateForced,
    RateReleased,
    RegistersCleared,
    ResetRefused,
    SeasonChanged,
    TestDemandWasReset,
)
from rig.meter.billing.inputs import InputId
from rig.meter.billing.ledger import NOTHING, Ledger
from rig.meter.billing.schedule import next_self_read_ns
from rig.meter.billing.source import Source
from rig.meter.billing.state import AskedSeason
from rig.meter.billing.time_units import SECOND_NS


class CommandExecution:
    """Carries out commands on a ledger, at its present instant."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def execute(self, command: Command) -> None:
        """Do it now."""
        ledger, state, source = self._ledger, self._ledger.state, command.source
        match command.action:
            case Action.RESET_BY_SWITCH:
                self._reset_by_switch(source)
            case Action.RESET:
                self._reset(Cause.COMMUNICATION, source)
            case Action.SELF_READ:
                state.self_read_ns = 0  # overdue, whatever the clock is set to before test mode ends
                state.self_read_source = source
                ledger.follow_calendar()
            case Action.SEASON_CHANGE:
                self._ask_season(command.value, source)
            case Action.TEST_BEGIN if state.test is None:
                ledger.begin_test(source)
            case Action.TEST_END if state.test is not None:
                ledger.end_test(source)
            case Action.FORCE_RATE if state.forced_rate != command.value:
                state.forced_rate = command.value
                ledger.emit(RateForced(state.now_ns, ledger.rate, source))
            case Action.RELEASE_RATE:
                self._release_rate(source)
            case Action.INPUT_PULSES if command.value is not None:
                self._count(command.value, command.pulses)
            case Action.CLEAR:
                self._clear(Cause.CLEAR, DataCleared(state.now_ns, source))
            case Action.MASTER_RESET:
                self._master_reset(Cause.MASTER_RESET, MasterResetDone(state.now_ns, source))
            case Action.COLD_START:
                self._master_reset(Cause.COLD_START, ColdStarted(state.now_ns, source))

    def _reset_by_switch(self, source: Source) -> None:
        """A reset at the switch, unless one came there less than the lockout before (Q-5)."""
        ledger, state = self._ledger, self._ledger.state
        if state.test is None:
            if state.last_switch_reset_ns is not None:
                left_ns = state.last_switch_reset_ns + ledger.settings.lockout_s * SECOND_NS - state.now_ns
                if left_ns > 0:
                    ledger.emit(ResetRefused(state.now_ns, -(-left_ns // SECOND_NS), source))
                    return
            state.last_switch_reset_ns = state.now_ns
        self._reset(Cause.SWITCH, source)

    def _reset(self, cause: Cause, source: Source) -> None:
        ledger, state, demand = self._ledger, self._ledger.state, self._ledger.active.demand
        if demand is None:
            return
        if state.test is None:
            ledger.keep([cause], cause, source)
            return
        demands = ledger.present()
        demand.reset(state.now_ns)
        ledger.begin_test_interval(state.test)
        ledger.emit(TestDemandWasReset(state.now_ns, cause, source))
        ledger.end_of_interval(cause, demands)

    def _ask_season(self, season: int | None, source: Source) -> None:
        ledger, state, calendar = self._ledger, self._ledger.state, self._ledger.settings.calendar
        now_ns = state.now_ns
        if season is None:
            season = calendar.season_after(state.season, now_ns)
        by_date = calendar.span(now_ns).season
        state.asked_season = AskedSeason(season, by_date, calendar.next_season_ns(now_ns), source)
        ledger.follow_calendar()

    def _release_rate(self, source: Source) -> None:
        ledger, state = self._ledger, self._ledger.state
        if state.forced_rate is not None:
            state.forced_rate = None
            ledger.emit(RateReleased(state.now_ns, ledger.rate, source))

    def _count(self, place: int, pulses: int) -> None:
        counts = [0] * len(InputId)
        counts[place] = pulses
        self._ledger.state.inputs[place] += pulses
        if self._ledger.recorder is not None:
            self._ledger.recorder.take(NOTHING, (), counts)

    def _clear(self, cause: Cause, event: RegistersCleared) -> None:
        ledger = self._ledger
        ledger.emit(ledger.snapshot(cause))
        demands = ledger.present()
        ledger.clear()
        ledger.emit(event)
        if ledger.active.demand is not None:
            ledger.end_of_interval(cause, demands)
        ledger.begin_recording()

    def _master_reset(self, cause: Cause, event: MasterResetDone) -> None:
        ledger, state, settings = self._ledger, self._ledger.state, self._ledger.settings
        now_ns = state.now_ns
        if state.test is not None:
            ledger.end_test(event.source)
        self._release_rate(event.source)
        self._clear(cause, event)
        state.last_switch_reset_ns = state.asked_season = state.self_read_source = None
        state.followed_ns = now_ns
        state.self_read_ns = next_self_read_ns(settings.calendar, settings.self_reads, now_ns)
        season = settings.calendar.span(now_ns).season
        if season != state.season:  # one was asked for, and has nothing left to close
            state.season = season
            ledger.emit(SeasonChanged(now_ns, season, event.source))
        ledger.follow_calendar()
