"""What a whole running meter is asked: clear, master reset, a clock, through its contacts, outputs and installation."""

from __future__ import annotations

import pytest
from test_meter_contacts import CLOSED, OPEN, SECOND_TICKS, T0, VOLTS, WINDOW, Rig, program

from rig.meter.billing.commands import Action, Command
from rig.meter.billing.events import (
    ClockSetFrom,
    ClockSetTo,
    ClockSlewed,
    ColdStarted,
    MasterResetDone,
    RateReleased,
)
from rig.meter.billing.log import LogEvent
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.source import Source
from rig.meter.billing.tariff import Rate
from rig.meter.installation.events import DiagnosticOn, ServiceDetected
from rig.meter.installation.installation import InstallationState
from rig.meter.meter import CommandResult
from rig.program.parts import installation_of

SECOND = 10**9
RESETS = (Action.MASTER_RESET, Action.COLD_START)


def energy(rig: Rig) -> int:
    billing = rig.meter.billing
    billing.settle()
    return billing.registers.energy(Quantity.KWH_EITHER)


def ask(rig: Rig, action: Action, after: int = 0) -> CommandResult:
    utc_ns = rig.meter.utc_of(rig.tick + after)
    assert utc_ns is not None
    result = rig.meter.execute(Command(utc_ns, action, Source.OPTICAL))
    rig.changes += result.changes
    return result


@pytest.mark.parametrize("action", RESETS)
def test_a_master_reset_finds_service_and_diagnostics_anew(action: Action) -> None:
    rig = Rig(program(VOLTS)).meters(20 * WINDOW)
    installation = rig.meter.installation
    before = dict(installation.active)
    assert before
    assert sum(installation.counters.values()) == len(before)
    assert installation.service is not None
    result = ask(rig, action)
    assert [type(each) for each in result.events if isinstance(each, LogEvent)] == [
        MasterResetDone if action is Action.MASTER_RESET else ColdStarted
    ]
    assert (installation.active, installation.service, installation.state.service) == ({}, None, None)
    assert sum(installation.counters.values()) == 0
    rig.meters(WINDOW)
    assert rig.of("KYZ2")[-1] == (rig.tick, OPEN), "the alert has nothing to go by at the next second"
    events: list[object] = []
    for _ in range(20):
        rig.meters(WINDOW)
        events += [type(each) for each in rig.events if isinstance(each, LogEvent)]
    assert ServiceDetected in events
    assert DiagnosticOn in events
    assert rig.meter.installation.active == before
    assert rig.of("KYZ2")[-1][1] is CLOSED


@pytest.mark.parametrize("after", [0, 3], ids=["at once", "in the next record"])
def test_after_a_master_reset_it_meters_by_the_forms_usual_equation_until_it_knows_better(after: int) -> None:
    programmed = program(VOLTS)
    rig = Rig(programmed).meters(WINDOW)
    rig.meter.installation = installation_of(programmed, InstallationState("4-wire delta"))
    rig.meter.measurement.use(rig.meter.installation.equation)
    assert rig.meter.measurement._equation.service == "4-wire delta"
    ask(rig, Action.MASTER_RESET, after)
    rig.meters(WINDOW)
    assert rig.meter.measurement._equation is programmed.equation
    assert programmed.equation.service == "4-wire wye"


def test_clear_leaves_the_installation_as_it_is() -> None:
    rig = Rig(program(VOLTS)).meters(20 * WINDOW)
    before = dict(rig.meter.installation.active), dict(rig.meter.installation.counters), rig.meter.installation.service
    ask(rig, Action.CLEAR)
    rig.meters(WINDOW)
    installation = rig.meter.installation
    assert (dict(installation.active), dict(installation.counters), installation.service) == before


@pytest.mark.parametrize("action", [Action.CLEAR, *RESETS])
def test_energy_from_the_instant_on_counts_inside_a_record_too_and_pulses_go_on(action: Action) -> None:
    """Asked for 7 ticks into a window of 20: 13 of its ticks, and what comes later."""
    rig, plain = Rig().meters(50 * WINDOW), Rig().meters(50 * WINDOW)
    ask(rig, action, after=7)
    assert energy(rig) == energy(plain) > 0
    rig.meters(WINDOW)
    plain.meters(WINDOW)
    per_window = energy(plain) // 51
    assert energy(plain) == 51 * per_window, "a steady load"
    assert energy(rig) == per_window - per_window * 7 // 20
    rig.meters(50 * WINDOW)
    plain.meters(50 * WINDOW)
    assert energy(rig) == 51 * per_window - per_window * 7 // 20
    assert rig.flashes == plain.flashes > 0
    assert rig.meter.state.outputs == plain.meter.state.outputs


@pytest.mark.parametrize("action", [Action.CLEAR, *RESETS])
def test_contacts_at_the_instant(action: Action) -> None:
    """The interval ends: EOI closes. Load control opens where the forced rate is released, and stays after a clear."""
    rig = Rig().meters(2 * WINDOW).does(Action.FORCE_RATE, Rate.B).meters(WINDOW)
    assert rig.of("KYZ2")[-1] == (40, CLOSED)
    rig.controls = False
    ask(rig, action, after=5)
    rig.meters(3 * WINDOW)
    assert (65, CLOSED) in rig.of("KYZ1")
    assert rig.of("KYZ2")[-1] == ((40, CLOSED) if action is Action.CLEAR else (65, OPEN))


def test_events_of_a_record_in_which_it_happens() -> None:
    rig = Rig().meters(WINDOW).does(Action.FORCE_RATE, Rate.B)
    ask(rig, Action.MASTER_RESET, after=3)
    rig.meters(WINDOW)
    at = T0 + 2 * SECOND + 3 * SECOND // SECOND_TICKS
    found = [each for each in rig.events if isinstance(each, LogEvent)]
    assert found == [RateReleased(at, Rate.A, Source.OPTICAL), MasterResetDone(at, Source.OPTICAL)]


# --- the clock ------------------------------------------------------------------------------------------------


def logged(result: CommandResult | None) -> list[LogEvent]:
    assert result is not None
    return [each for each in result.events if isinstance(each, LogEvent)]


def test_who_sets_the_clock_is_in_the_log() -> None:
    rig = Rig().meters(2 * WINDOW)
    now = rig.meter.billing.now_ns
    found = logged(rig.meter.compare_clock(rig.tick, now + 90 * SECOND, Source.MODEM))
    assert found == [ClockSetFrom(now, Source.MODEM), ClockSetTo(now + 90 * SECOND, 90, Source.MODEM)]
    found = logged(rig.meter.compare_clock(rig.tick, now))
    assert [each.source for each in found] == [Source.SERVICE_CLOCK] * 2


@pytest.mark.parametrize(("by_ms", "told"), [(250, 250), (-1000, -1000), (0, 0), (1000, 1000)])
def test_a_clock_that_someone_sets_by_little_is_slewed_and_in_the_log(by_ms: int, told: int) -> None:
    rig = Rig().meters(2 * WINDOW)
    now = rig.meter.billing.now_ns
    found = logged(rig.meter.compare_clock(rig.tick, now + by_ms * 10**6, Source.OPTICAL))
    assert found == [ClockSlewed(now, told, Source.OPTICAL)]
    assert rig.meter.billing.now_ns == now
    rig.meters(60 * SECOND_TICKS)
    off = rig.meter.billing.now_ns - now - 60 * SECOND
    assert off == max(-60 * SECOND // 2000, min(60 * SECOND // 2000, by_ms * 10**6))
    assert rig.meter.compare_clock(rig.tick, rig.meter.billing.now_ns + by_ms * 10**6) == CommandResult(), (
        "the service's own clock is compared all the time, and that is no event"
    )


def test_where_the_count_tells_nothing_nothing_is_done() -> None:
    assert Rig().meter.compare_clock(5, T0, Source.OPTICAL) is None
