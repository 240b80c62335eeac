"""What a meter finds of its installation: events at their times, and energy by the service it finds (M-4, P-3)."""

from __future__ import annotations

import cmath
import json
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import degrees, sqrt

import msgspec
import pytest
from line_records import CHAIN, Wave, records
from phasor_readings import lagging, readings

from calibration.constants import FULL_SCALE_CODES, nominal
from gateware.record_words import Record
from rig.meter.billing.billing import Billing
from rig.meter.billing.log import LogEvent
from rig.meter.billing.quantity import Quantity
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.installation.events import DiagnosticOff, DiagnosticOn, ServiceDetected
from rig.meter.installation.installation import Installation, InstallationState
from rig.meter.installation.service_detection import ACCEPTED_AFTER, UnknownService
from rig.meter.measuring.elements import FORMS, SERVICES, Rotation
from rig.meter.measuring.measurement import Measurement
from rig.meter.measuring.quantities import Readings
from rig.meter.meter import Meter
from rig.program.build import default_program

SECOND = 10**9
T0 = 1_767_225_600 * SECOND
FORM = FORMS["45S"]
WYE = [lagging(120, 120 * k) for k in range(3)]
UNIT = [lagging(2, 120 * k) for k in range(3)]
NOTHING = [0j] * 3


def watched(at: Callable[[int], Readings], seconds: int, installation: Installation) -> list[tuple[int, LogEvent]]:
    """What it says, look by look each second, and in which second; the meter's time is not the board's."""
    return [
        (second, event)
        for second in range(seconds)
        for event in installation.advance(at(second), 77 + second * SECOND, T0 + second * SECOND)
    ]


def installed(form: str = "9S", *, follow: bool = True, state: InstallationState | None = None) -> Installation:
    return Installation(FORMS[form], 20, FORMS[form].equation(), follow=follow, state=state)


def of_kind(said: list[tuple[int, LogEvent]], *kinds: type[LogEvent]) -> list[tuple[int, str]]:
    assert all(event.utc_ns == T0 + second * SECOND for second, event in said)
    return [(second, subject(event)) for second, event in said if type(event) in kinds]


def subject(event: LogEvent) -> str:
    match event:
        case ServiceDetected():
            return event.service
        case DiagnosticOn() | DiagnosticOff():
            return event.diagnostic.name.replace("_", " ").lower()
    raise AssertionError(event)


# --- events ---------------------------------------------------------------------------------------------------


def test_a_service_is_told_once_when_it_is_accepted_and_again_after_power_was_gone():
    def at(second: int) -> Readings:
        return readings(NOTHING) if second in (20, 21) else readings(WYE, UNIT)

    installation = installed()
    said = watched(at, 40, installation)
    assert of_kind(said, ServiceDetected) == [(2, "4WY 120 ABC"), (22 + ACCEPTED_AFTER - 1, "4WY 120 ABC")]
    assert installation.state.service == "4-wire wye"


def test_an_unknown_service_is_told_once_though_its_voltages_move():
    def at(second: int) -> Readings:
        return readings([lagging(170 + second, 0), lagging(90, 40), lagging(95, 200)], UNIT)

    installation = installed()
    said = watched(at, 60, installation)
    assert of_kind(said, ServiceDetected) == [(2, "UNKNOWN")]
    assert isinstance(installation.service, UnknownService)
    assert installation.state.service is None
    assert of_kind(said, DiagnosticOn) == [(15, "unknown service")]  # looked at in 5, 10 and 15


def test_unknown_and_then_known():
    def at(second: int) -> Readings:
        return readings([lagging(170, 0), lagging(90, 40), lagging(95, 200)] if second < 10 else WYE, UNIT)

    said = watched(at, 40, installed())
    assert of_kind(said, ServiceDetected) == [(2, "UNKNOWN"), (12, "4WY 120 ABC")]


def test_a_phase_that_fails_comes_on_after_three_checks_and_goes_off_after_three():
    """Checks are every five seconds. What the lost voltage brings with it is on and off with it."""

    def at(second: int) -> Readings:
        return readings([v * (second not in range(16, 42) or k != 1) for k, v in enumerate(WYE)], UNIT)

    said = watched(at, 70, installed())
    on = of_kind(said, DiagnosticOn)
    assert (30, "phase b out") in on
    assert {second for second, _ in on} == {30}
    assert of_kind(said, DiagnosticOff) == [(55, name) for _, name in on]
    (phases,) = {e.phases for _, e in said if isinstance(e, DiagnosticOn) and e.diagnostic is Diagnostic.PHASE_B_OUT}
    assert phases == "b"


def test_energy_received_is_no_fault():
    assert of_kind(watched(lambda _: readings(WYE, [-i for i in UNIT]), 40, installed()), DiagnosticOn) == []


def test_what_is_on_stays_on_through_an_outage():
    """The board counts from 0 again, and the service is not known at once: then three good checks, as ever."""
    first = installed()
    watched(lambda second: readings([v * (second < 16 or k != 1) for k, v in enumerate(WYE)], UNIT), 40, first)
    assert "PHASE_B_OUT" in {d.name for d in first.active}
    state = msgspec.json.decode(msgspec.json.encode(first.state), type=InstallationState)
    second = installed(state=state)
    assert (second.active, second.counters) == (first.active, first.counters)
    assert second.service is None
    off = of_kind(watched(lambda _: readings(WYE, UNIT), 40, second), DiagnosticOff)
    assert (15, "phase b out") in off
    assert len(off) == len(first.active)
    assert second.active == {}


HIGH_LEG = [lagging(120), lagging(120 * sqrt(3), 90), lagging(120, 180)]


@pytest.mark.parametrize("form", ["9S", "36S"])
@pytest.mark.parametrize(
    ("follow", "service", "shown"), [(True, "4-wire delta", "4WD 120 ABC"), (False, "4-wire wye", "UNKNOWN")]
)
def test_the_equation_follows_the_service_only_where_none_is_programmed(form, follow, service, shown):
    """D-1, C-2: a service other than the programmed one is told as unknown, and nothing registers by it."""
    installation = installed(form, follow=follow)
    assert installation.equation.service == "4-wire wye"
    said = watched(lambda _: readings(HIGH_LEG, UNIT), 20, installation)
    assert of_kind(said, ServiceDetected) == [(2, shown)]
    assert ((15, "unknown service") in of_kind(said, DiagnosticOn)) is not follow
    assert installation.equation.service == service
    assert installed(form, follow=follow, state=installation.state).equation.service == service


def programmed(form: str, service: str) -> Installation:
    return Installation(FORMS[form], 20, FORMS[form].equation(service), follow=False)


def test_c2_a_45s_programmed_for_a_network_shows_it_and_nothing_of_a_phase_that_it_does_not_meter():
    """C-2: two phases of a 4-wire wye are a network, whatever the third has, even nothing, and whatever it draws."""
    for third in (WYE[2], 0j, lagging(70, 200)):
        installation = programmed("45S", "3-wire network")
        said = watched(lambda _, c=third: readings([*WYE[:2], c], [*UNIT[:2], 0j]), 40, installation)
        assert of_kind(said, ServiceDetected) == [(2, "NET 120 ABC")]
        assert of_kind(said, DiagnosticOn) == []


@pytest.mark.parametrize(
    ("form", "service", "volts", "shown"),
    [
        ("36S", "4-wire delta", HIGH_LEG, "4WD 120 ABC"),
        ("36S", "4-wire delta", WYE, "UNKNOWN"),
        ("36S", "4-wire wye", HIGH_LEG, "UNKNOWN"),
        ("45S", "3-wire delta", WYE, "UNKNOWN"),  # 208 V between lines
        ("45S", "1-phase 3-wire", [lagging(120), lagging(120, 180), 0j], "1P3W 120"),
        ("45S", "1-phase 3-wire", WYE, "UNKNOWN"),
        ("12S", "3-wire network", [lagging(277), lagging(277, 120), 0j], "UNKNOWN"),
    ],
)
def test_a_programmed_service_is_found_or_the_voltages_are_told_as_of_another(form, service, volts, shown):
    installation = programmed(form, service)
    said = watched(lambda _: readings(volts, UNIT), 20, installation)
    assert of_kind(said, ServiceDetected) == [(2, shown)]
    assert ("unknown service" in {n for _, n in of_kind(said, DiagnosticOn)}) == (shown == "UNKNOWN")
    if isinstance(installation.service, UnknownService):
        assert f"fit no service of form {form}: {service} of" in installation.service.reason
    assert installation.equation.service == service


# --- energy ---------------------------------------------------------------------------------------------------

SECONDS = 4.0
AMPERES = (10, 6, 3)
"""Not balanced, so that the equation of another service is wrong."""

VOLTS = {"4-wire wye": 120, "3-wire network": 120, "3-wire delta": 480}


def phasors(service: str) -> tuple[list[complex], list[complex]]:
    """An unbalanced load at 30° on it; phases without a voltage of their own, or not wired, have none."""
    row = SERVICES[service]
    currents = [
        lagging(a, lag + 30) if lag is not None else 0j for a, lag in zip(AMPERES, row.current_lags, strict=True)
    ]
    if row.wires == 3 and row.voltages[1] is None:
        currents[1] = -currents[0] - currents[2]  # no neutral
    return [VOLTS[service] * p for p in row.phasors(Rotation.ABC)], currents


@cache
def line(service: str) -> tuple[Record, ...]:
    """Seconds of it."""
    volts, currents = phasors(service)
    waves = [
        Wave(abs(p) * sqrt(2) / full * FULL_SCALE_CODES, -degrees(cmath.phase(p)) if p else 0.0)
        for p, full in [*((v, 1000) for v in volts), *((i, 100) for i in currents)]
    ]
    return tuple(records(waves, 60.0, SECONDS))


def measurement(form: str) -> Measurement:
    return Measurement(
        equation=FORMS[form].equation(),
        calibration=nominal(Fraction(1000), Fraction(100)),
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=0,
        quarter=CHAIN.quarter,
    )


def course(
    service: str, state: InstallationState | None = None
) -> tuple[list[int], list[int], list[LogEvent], InstallationState]:
    """Window by window what a 45S registers of kWh, and what flows: the three phases against the common point."""
    billing, _ = Billing.begin(default_program().billing, T0)
    meter = Meter(measurement("45S"), billing, installed("45S", state=state), CHAIN.tick_hz)
    every_phase = measurement("9S")
    registered, true, events = [], [], []
    for record in line(service):
        advance = meter.advance(record)
        events += [e for e in advance.events if isinstance(e, ServiceDetected)]
        flowed, all_of_it = advance.window.energies, every_phase.advance(record).energies
        registered.append(flowed.of(Quantity.KWH_DELIVERED) if flowed else 0)
        true.append(all_of_it.of(Quantity.KWH_DELIVERED) if all_of_it else 0)
    return registered, true, events, meter.installation.state


@pytest.mark.parametrize(
    ("service", "off_percent"), [("4-wire wye", -15.8), ("3-wire network", -37.5), ("3-wire delta", 0)]
)
def test_a_45s_registers_the_true_energy_once_it_knows_its_service(service, off_percent):
    """It is known at the third look, two seconds after the first. Until then a 45S registers as on a 3-wire delta: the
    neutral's current is missing from what it takes for phase B's, and the energy is off by that."""
    registered, true, (event,), state = course(service)
    assert state.service == service
    assert 2.0 <= (event.utc_ns - T0) / SECOND <= 2.0 + 3 / 60
    known = 124  # windows
    assert len(true) > 230
    # Exact where voltages sum to zero; they are rounded to codes, 1 in 1e5.
    assert sum(registered[known:]) == pytest.approx(sum(true[known:]), rel=2e-5)
    volts, currents = phasors(service)
    by_phase = [(v * i.conjugate()).real for v, i in zip(volts, currents, strict=True)]
    expected = -(volts[1] * sum(currents).conjugate()).real / sum(by_phase)
    off = sum(registered[:118]) / sum(true[:118]) - 1
    assert off == pytest.approx(expected, abs=2e-5)
    assert off * 100 == pytest.approx(off_percent, abs=0.05)


@pytest.mark.parametrize("service", VOLTS)
def test_a_meter_that_is_started_again_knows_it_from_the_first_window(service):
    """What was detected outlives a power failure: nothing is registered by the equation of another service."""
    *_, state = course(service)
    stored = msgspec.json.decode(msgspec.json.encode(state), type=InstallationState)
    registered, true, _, _ = course(service, stored)
    assert sum(registered[:60]) == pytest.approx(sum(true[:60]), rel=2e-5)
    assert json.loads(msgspec.json.encode(stored))["service"] == service
