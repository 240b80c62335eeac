"""What a simulated rig runs with by itself: each form finds its service, nothing is wrong (review C-1, C-2, C-4)."""

from __future__ import annotations

from cmath import rect
from math import isclose, radians, sqrt
from pathlib import Path

import msgspec
import pytest

from drivers.sim.waves import LoadState, Wave
from rig.hardware.config import Config
from rig.hardware.selection import metering_point, opened_for
from rig.load.connected import MOST_PEAK_V, MeteringPoint, connected, most_peak_a
from rig.load.description import LoadDescription
from rig.meter.billing.quantity import Quantity
from rig.meter.display.annunciators import lit
from rig.meter.display.lcd import Annunciator
from rig.meter.installation.diagnostics import Diagnostic, DiagnosticSettings, failing
from rig.meter.installation.service_detection import DetectedService, detect
from rig.meter.measuring.elements import FORMS, PHASES, TEST_AMPERES
from rig.meter.measuring.quantities import Readings
from rig.program.build import default_program, load_program
from rig.program.displayed_nameplate import displayed_nameplate
from rig.service.service import Service
from tests.rig.phasor_readings import readings

EXAMPLES = Path(__file__).parents[3] / "rig" / "program" / "examples"
SECOND_NS = 10**9
USUAL = LoadDescription()
SETTINGS = DiagnosticSettings(low_a=0.1, both_directions=True)

CASES = [(form.name, equation.service) for form in FORMS.values() for equation in form.equations]


def found_by(state: LoadState) -> Readings:
    """The readings of a load, from its waves: r.m.s. and angle of the fundamental, and distortion."""

    def phasor(wave: Wave) -> complex:
        return rect(wave.rms, radians(wave.angle_deg))

    def distortion(wave: Wave) -> float:
        return sqrt(sum(share**2 for share, _ in wave.harmonics.values()))

    waves = [phasor(wave) for wave in state.channels]
    return readings(waves[:3], waves[3:], tuple(distortion(wave) for wave in state.channels))


@pytest.mark.parametrize(("form", "service"), CASES)
@pytest.mark.parametrize("shows_received", [False, True])
def test_every_form_is_healthy_on_each_of_its_services(form: str, service: str, shows_received: bool) -> None:
    """In all states but those that pass within two checks, which are five seconds apart, nothing is diagnosed."""
    point = MeteringPoint(200, form, service, shows_received)
    course = connected(LoadDescription(), point).course
    alone = FORMS[form].on(service)
    lasting = [
        step.state
        for step, end in zip(course.steps, [*(s.time_s for s in course.steps[1:]), course.repeat_s], strict=True)
        if end is not None and end - step.time_s > 3
    ]
    assert len(lasting) >= 2
    for state in lasting:
        found = detect(alone, found_by(state))
        assert isinstance(found, DetectedService)
        assert found.equation.service == service
        assert {d: phases for d, phases in failing(found_by(state), found, SETTINGS).items() if phases} == {}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_finds_the_service_that_its_load_is_of(form: str) -> None:
    """Without a service programmed it is the form's usual one, and detection tells it from all others."""
    state = connected(LoadDescription(), MeteringPoint(20, form)).state
    found = detect(FORMS[form], found_by(state))
    assert isinstance(found, DetectedService)
    assert found.equation.service == FORMS[form].services[0]


@pytest.mark.parametrize(("form", "service"), CASES)
def test_what_the_form_does_not_measure_has_nothing(form: str, service: str) -> None:
    """45S on a network has no phase C (review C-2)."""
    equation = FORMS[form].equation(service)
    for step in connected(LoadDescription(), MeteringPoint(20, form, service)).course.steps:
        for phase, volts, amperes in zip(PHASES, step.state.voltages, step.state.currents, strict=True):
            assert bool(volts.rms) == (phase in equation.volt_phases)
            assert bool(amperes.rms) == (phase in equation.phases)


@pytest.mark.parametrize("scenario", ["lively", "solar", "alarms"])
@pytest.mark.parametrize("current_class", TEST_AMPERES)
def test_no_scenario_leaves_the_front_ends_range(scenario: str, current_class: int) -> None:
    for form, service in CASES:
        found = connected(LoadDescription(scenario=scenario), MeteringPoint(current_class, form, service))
        assert max(found.course.peaks[:3]) < MOST_PEAK_V
        assert max(found.course.peaks[3:]) < most_peak_a(current_class)
        assert isclose(most_peak_a(20), 70.7, abs_tol=0.05)  # docs/configuration.md


@pytest.mark.parametrize(("form", "service"), CASES)
def test_the_alarms_are_on_purpose(form: str, service: str) -> None:
    """Healthy at first, so that the service is found; then a distorted and a lagging current, and a low voltage where
    there is another to compare it with."""
    point, alone = MeteringPoint(20, form, service), FORMS[form].on(service)
    healthy, bad = (step.state for step in connected(LoadDescription(scenario="alarms"), point).course.steps)
    found = detect(alone, found_by(healthy))
    assert isinstance(found, DetectedService)
    assert not any(failing(found_by(healthy), found, SETTINGS).values())
    alarms = failing(found_by(bad), found, SETTINGS)
    assert alarms[Diagnostic.CURRENT_DISTORTION] == "a"
    assert alarms[Diagnostic.CURRENT_ANGLE] or service in ("3-wire delta", "4-wire delta")
    if len(found.equation.sensed) > 1:
        assert alarms[Diagnostic.VOLTAGE_DEVIATION]


def test_solar_is_for_a_meter_that_shows_what_is_received() -> None:
    examples = {path.stem: metering_point(load_program(path)) for path in EXAMPLES.glob("*.toml")}
    assert {name for name, point in examples.items() if point.shows_received} == {"solar-2s"}
    assert not metering_point(default_program()).shows_received


def run(program_file: Path | None, seconds: float, description: LoadDescription = USUAL) -> Service:
    """A meter that ran so long, in virtual time."""
    program = default_program() if program_file is None else load_program(program_file)
    config = Config()
    config = msgspec.structs.replace(config, simulation=msgspec.structs.replace(config.simulation, load=description))
    hardware = opened_for(config, program, paced=False)
    try:
        service = Service(hardware, config, program)
        service.begin()
        for _ in service.run(hardware.clock.now_ns() + round(seconds * SECOND_NS)):
            pass
    finally:
        hardware.close()
    return service


def annunciators(service: Service) -> set[Annunciator]:
    plate = displayed_nameplate(service.program)
    reading, instant = service.meter.reading(), service.meter.instant
    return set(lit(reading, instant, plate, alternate=False, test=False, since_end_ns=None))


def energy_wh(service: Service, quantity: Quantity) -> float:
    return service.energy_of_run(quantity) / 1e9


@pytest.mark.slow
def test_the_house_with_panels_receives() -> None:
    service = run(EXAMPLES / "solar-2s.toml", 9.0)
    assert Annunciator.RECEIVED in annunciators(service)
    assert Annunciator.ERROR not in annunciators(service)
    assert service.meter.reading().installation.service is not None
    assert energy_wh(service, Quantity.KWH_RECEIVED) > 10 > energy_wh(service, Quantity.KWH_DELIVERED)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*sorted(path.stem for path in EXAMPLES.glob("*.toml")), None])
def test_each_example_runs_healthy_for_two_rounds(name: str | None) -> None:
    service = run(EXAMPLES / f"{name}.toml" if name else None, 50.0)
    reading = service.meter.reading()
    assert reading.installation.service is not None
    assert reading.installation.service.name in service.program.metering.form.services
    assert not reading.installation.active
    assert Annunciator.ERROR not in annunciators(service)
    assert energy_wh(service, Quantity.KWH_DELIVERED) > 10
    assert energy_wh(service, Quantity.KWH_RECEIVED) > 0.5


@pytest.mark.slow
def test_the_alarms_come_on() -> None:
    service = run(None, 30.0, LoadDescription(scenario="alarms"))
    active = service.meter.reading().installation.active
    assert {(d.label, phases) for d, phases in active.items()} == {
        ("voltage deviation", "c"),
        ("current angle", "c"),
        ("current distortion", "a"),
    }
    assert Annunciator.ERROR in annunciators(service)
