"""Loads as described, at the terminals: against sums over sampled points, and figures worked out by hand."""

from __future__ import annotations

from math import pi, radians, sqrt
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from drivers.sim.playing import played
from drivers.sim.waves import LoadState
from gateware.chain import Chain
from rig.files.strict_toml import ConfigError
from rig.hardware.config import load
from rig.load.connected import MeteringPoint, connected
from rig.load.description import Harmonic, LoadDescription
from rig.load.metered import active_power_w, reactive_power_var, rms
from rig.load.profile import read_shape
from rig.meter.measuring.elements import FORMS, ElementEquation

TICK_HZ = Chain().tick_hz


def sampled_watts(state: LoadState, equation: ElementEquation) -> float:
    """The mean of the elements' products, from points of one cycle that this test makes itself."""
    angle = 2 * pi * np.arange(720) / 720

    def points(k: int) -> np.ndarray:
        wave = state.channels[k]
        turned = angle + radians(wave.angle_deg)
        shape = np.cos(turned)
        for order, (share, degrees) in wave.harmonics.items():
            shape = shape + share * np.cos(order * turned + radians(degrees))
        return sqrt(2) * wave.rms * shape

    total = 0.0
    for element in equation.elements:
        v = sum(float(w) * points(k) for k, w in enumerate(element.volt_weights))
        i = sum(float(w) * points(3 + k) for k, w in enumerate(element.ampere_weights))
        total += float(element.scale) * float(np.mean(v * i))
    return total


BY_HAND = [
    # form, service, watts and vars of 120 V, 5 A, power factor 0.8 lagging
    ("1S", "1-phase 2-wire", 120 * 5 * 0.8, 120 * 5 * 0.6),
    ("2S", "1-phase 3-wire", 240 * 5 * 0.8, 240 * 5 * 0.6),
    ("12S", "1-phase 3-wire", 240 * 5 * 0.8, 240 * 5 * 0.6),
    ("9S", "4-wire wye", 360 * 5 * 0.8, 360 * 5 * 0.6),
    ("6S", "4-wire wye", 360 * 5 * 0.8, 360 * 5 * 0.6),
    ("45S", "4-wire wye", 360 * 5 * 0.8, 360 * 5 * 0.6),
    ("5S", "3-wire delta", sqrt(3) * 120 * 5 * 0.8, sqrt(3) * 120 * 5 * 0.6),
    ("8S", "4-wire delta", sqrt(3) * 240 * 5 * 0.8, sqrt(3) * 240 * 5 * 0.6),
    ("36S", "4-wire delta", sqrt(3) * 240 * 5 * 0.8, sqrt(3) * 240 * 5 * 0.6),
    # Two phases of a wye: each has its own neutral, so two single phases.
    ("25S", "3-wire network", 240 * 5 * 0.8, 240 * 5 * 0.6),
]


@pytest.mark.parametrize(("form", "service", "watts", "var"), BY_HAND)
@pytest.mark.parametrize("rotation", ["ABC", "CBA"])
def test_balanced_loads_are_as_worked_out(form: str, service: str, watts: float, var: float, rotation: str) -> None:
    equation = FORMS[form].equation(service)
    given = LoadDescription(volts=120, amps=5, pf=0.8, sense="lag", service=service)  # type: ignore[arg-type]
    if equation.service_type.rotates:
        given = LoadDescription(volts=120, amps=5, pf=0.8, sense="lag", service=service, rotation=rotation)  # type: ignore[arg-type]
    found = connected(given, MeteringPoint(20, form))
    assert found.equation is equation
    assert active_power_w(found.state, equation) == pytest.approx(watts, rel=1e-12)
    assert reactive_power_var(found.state, equation) == pytest.approx(var, rel=1e-12)
    leading = connected(msgspec.structs.replace(given, sense="lead"), MeteringPoint(20, form)).state
    assert active_power_w(leading, equation) == pytest.approx(watts, rel=1e-12)
    assert reactive_power_var(leading, equation) == pytest.approx(-var, rel=1e-12)


@pytest.mark.parametrize(("form", "service"), [(f.name, e.service) for f in FORMS.values() for e in f.equations])
@pytest.mark.parametrize("received", [False, True])
def test_watts_are_those_of_sampled_points(form: str, service: str, received: bool) -> None:
    """Harmonics included, of both: an order that only one of them has gives nothing."""
    given = LoadDescription(
        service=service,  # type: ignore[arg-type]
        pf=0.7,
        sense="lead",
        received=received,
        volts_harmonics=[Harmonic(3, 4, 20), Harmonic(5, 2.5, 100)],
        amps_harmonics=[Harmonic(3, 30, -50), Harmonic(7, 12)],
    )
    found = connected(given, MeteringPoint(200, form))
    expected = sampled_watts(found.state, found.equation)
    assert active_power_w(found.state, found.equation) == pytest.approx(expected, rel=1e-9)
    assert (expected < 0) is received


def test_what_comes_out_of_the_source_is_the_state() -> None:
    """A second of grid points, of whole cycles: power and r.m.s. to the rounding of its ends."""
    given = LoadDescription(
        volts=[118, 120, 122], amps=[4, 5, 6], pf=0.9, sense="lag", amps_harmonics=[Harmonic(5, 20)]
    )
    found = connected(given, MeteringPoint())
    points = played(TICK_HZ, found.course).read(round(float(TICK_HZ) / 64))
    watts = float((points[:, :3] * points[:, 3:]).sum(axis=1).mean())
    assert watts == pytest.approx((118 * 4 + 120 * 5 + 122 * 6) * 0.9, rel=1e-4)
    assert watts == pytest.approx(active_power_w(found.state, found.equation), rel=1e-4)
    for k, volts in enumerate((118, 120, 122)):
        assert np.sqrt((points[:, k] ** 2).mean()) == pytest.approx(volts, rel=1e-4)
        assert np.sqrt((points[:, 3 + k] ** 2).mean()) == pytest.approx((4 + k) * sqrt(1.04), rel=1e-4)
        assert rms(found.state.channels[3 + k]) == pytest.approx((4 + k) * sqrt(1.04), rel=1e-12)


def test_one_value_of_volts_is_that_of_phase_a() -> None:
    state = connected(LoadDescription(volts=240), MeteringPoint(20, "8S")).state
    assert [wave.rms for wave in state.voltages] == pytest.approx([240, 240 * sqrt(3), 240])


def test_what_is_not_given_is_the_test_current_at_the_least_voltage() -> None:
    state = connected(LoadDescription(pf=1, hz=50), MeteringPoint(200, "2S")).state
    assert [wave.rms for wave in state.channels] == [120, 120, 0, 30, 30, 0]
    assert state.frequency_hz == 50


@pytest.mark.parametrize("given", [{"amps": 0}, {"amps": 0.0}, {"volts": 0}, {"pf": 0.0, "sense": "lag"}])
def test_nothing_is_a_load_too(given: dict[str, Any]) -> None:
    """0 A is no current, and not the lively load."""
    found = connected(LoadDescription(**given), MeteringPoint())
    assert len(found.course.steps) == 1
    assert active_power_w(found.state, found.equation) == pytest.approx(0, abs=1e-9)


def test_a_scenario_takes_volts_and_frequency() -> None:
    course = connected(LoadDescription(scenario="lively", volts=277, hz=50), MeteringPoint()).course
    assert course.steps[0].state.frequency_hz == 50
    assert {round(step.state.frequency_hz, 1) for step in course.steps} == {50.0}
    assert course.steps[0].state.voltages[0].rms == pytest.approx(277 * 1.0025)


def test_the_energy_of_a_day_is_that_of_its_shape() -> None:
    """A shape in 24 seconds, against its trapezoids: amperes go in straight lines, and watts with them."""
    found = connected(LoadDescription(amps=10, profile="shop", day_seconds=24), MeteringPoint())
    points = played(TICK_HZ, found.course).read(round(24 * float(TICK_HZ) / 64))
    joules = float((points[:, :3] * points[:, 3:]).sum(axis=1).mean()) * 24
    hours = 7 * 0.15 + 1.5 * (0.15 + 0.9) / 2 + 3.5 * 0.95 + 5 * 0.975 + 1.5 * 1.15 / 2 + 5.5 * (0.2 + 0.15) / 2
    assert joules == pytest.approx(3 * 120 * 10 * hours, rel=1e-4)


def test_a_day_of_86400_seconds_and_panels_that_send_back() -> None:
    course = connected(LoadDescription(profile="solar", day_seconds=86_400), MeteringPoint()).course
    assert course.repeat_s == pytest.approx(86_400)
    watts = [active_power_w(step.state, FORMS["9S"].equation()) for step in course.steps]
    assert min(watts) == pytest.approx(-3 * 120 * 2.5)


def test_a_shape_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text("\ufeffhour,share\n\n0,0.5\n 6 , 1\n18,-0.25\n", encoding="utf-8")
    assert read_shape(path) == ((0, 0.5), (6, 1), (18, -0.25), (24, 0.5))
    (tmp_path / "rig.toml").write_text('[simulation.load]\nprofile = "day.csv"\n')
    described = load(tmp_path / "rig.toml").simulation.load
    assert len(connected(described, MeteringPoint()).course.steps) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "its first line must be hour,share"),
        ("hours,shares\n0,1\n", "its first line must be hour,share"),
        ("hour,share\n", "the first hour must be 0, at which a day begins"),
        ("hour,share\n1,1\n", "the first hour must be 0"),
        ("hour,share\n0,1\n5,1\n5,0.5\n", "line 4 is at hour 5, it must be later than hour 5 above"),
        ("hour,share\n0,1\n25,1\n", "line 3 is at hour 25, it must be 0 to 24"),
        ("hour,share\n0,nan\n", "line 2 has the share nan, it must be -2 to 2"),
        ("hour,share\n0,3\n", "line 2 has the share 3, it must be -2 to 2"),
        ("hour,share\n0,1,2\n", "line 2 has 3 cells, it must have an hour and a share"),
        ("hour,share\n0,much\n", "line 2 is '0,much', it must be two numbers"),
        ('hour,share\n0,"1\n', "is no CSV: "),
        ("hour,share\n" + "0,1\n" * 30_000, "has more than 65536 bytes"),
    ],
)
def test_files_that_are_no_shape(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "day.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"day\.csv") as refused:
        read_shape(path)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("amps = 100", "simulation.load.amps: ia peaks at 141.4 A, and the front end of a meter of class 20 takes"),
        (
            "volts = [120, 1000, 120]",
            "simulation.load.volts: vb peaks at 1414 V, and the front end of a meter of class",
        ),
        (
            "volts = [120, 120]",
            "simulation.load.volts has 2 values, and on 4-wire wye the form measures volts of A B",
        ),
        ("amps = [1, 2, 3, 4]", "simulation.load.amps has 4 entries, it must have at most 3"),
        ("amps = []", "simulation.load.amps has 0 entries, it must have at least 1"),
        ("amps = -1", "simulation.load.amps is -1, it must be amperes r.m.s. from 0"),
        ("amps = nan", "simulation.load.amps is nan, it must be amperes r.m.s. from 0"),
        ("volts = inf", "simulation.load.volts is inf, it must be volts r.m.s. from 0"),
        ("pf = 0.8", "simulation.load.pf is 0.8 without its sense: give lag or lead"),
        ('sense = "lag"', "simulation.load.sense is 'lag' without pf"),
        ('pf = 1.2\nsense = "lag"', "simulation.load.pf is 1.2, it must be a power factor from 0 to 1"),
        ('service = "wye"', "simulation.load.service is 'wye', it must be '1-phase 2-wire' or '1-phase 3-wire'"),
        (
            'service = "3-wire delta"',
            'simulation.load.service: form 9S does not meter the service "3-wire delta"',
        ),
        ('scenario = "lively"\namps = 3', "simulation.load.scenario is 'lively' and amps is given too"),
        ('scenario = "lively"\nvolts = [1, 2, 3]', "simulation.load.volts is a list, it must be one value beside a"),
        ("hz = 400", "simulation.load.hz is 400, it must be a line frequency in Hz from 40 to 70"),
        (
            "amps_harmonics = [{ order = 1, percent = 3 }]",
            "amps_harmonics[0].order is 1, it must be a whole number",
        ),
        (
            "volts_harmonics = [{ order = 3, percent = 3 }, { order = 3, percent = 4 }]",
            "simulation.load.volts_harmonics has order 3 twice",
        ),
        ('profile = "hous"', "simulation.load.profile is 'hous', it must be house, shop, solar, or a file"),
        ('profile = "none.csv"', "none.csv does not exist"),
        ("day_seconds = 30", "simulation.load.day_seconds is given without profile"),
        (
            'profile = ""',
            "simulation.load.profile is '', it must be a shape such as \"house\", or a file that ends in .csv",
        ),
        ('profile = "a\\u0000.csv"', "is no path of a file"),
        ("volts = true", "simulation.load.volts is true, it must be volts r.m.s. from 0 to 100000 or a list"),
        ("ampz = 3", "unknown key ampz in [simulation.load]; did you mean amps?"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(f"[simulation.load]\n{text}\n")
    with pytest.raises(ConfigError) as refused:
        connected(load(path).simulation.load, MeteringPoint())
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_service_without_rotation() -> None:
    with pytest.raises(ConfigError, match=r"simulation\.load\.rotation is 'CBA', but 1-phase 3-wire has none"):
        connected(LoadDescription(rotation="CBA"), MeteringPoint(20, "2S"))


def test_the_services_are_those_of_the_meter() -> None:
    for form in FORMS.values():
        for service in form.services:
            connected(LoadDescription(service=service), MeteringPoint(20, form.name))  # type: ignore[arg-type]
