"""A load connected to a meter: which phases it has, at which angles, and whether the front end takes it.

A phase that the form does not measure on its service gets nothing: no wire of a load comes to a terminal that is not
there. The power factor is that of a balanced load, so on a delta the current of A lags Va by 30° more or less.
"""

from __future__ import annotations

from cmath import phase
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import acos, degrees, sqrt

import msgspec

from drivers.sim.scenarios import Scenario
from drivers.sim.waves import Course, Harmonics, Line, LoadState, Step, Wave
from rig.files.strict_toml import ConfigError
from rig.load.description import USUAL_HZ, Harmonic, LoadDescription, check
from rig.load.profile import DAY_HOURS, shape_of
from rig.meter.measuring.elements import (
    PHASES,
    TEST_AMPERES,
    ElementEquation,
    FormError,
    Rotation,
    form_named,
)

PLACE = "simulation.load."
"""What stands before a key in a sentence: where rig.toml has it."""

MOST_PEAK_V = 850.0
"""The reference front end's range, 600 V r.m.s. at its crest (docs/configuration.md)."""

USUAL_DAY_S = 240.0
"""An hour in ten seconds."""


class MeteringPoint(msgspec.Struct, frozen=True):
    """Metering point as a load must know it: form, service (None: detected), class; whether its normal display shows
    what is received."""

    current_class: int = 20
    form: str = "9S"
    service: str | None = None
    shows_received: bool = False


@dataclass(frozen=True)
class ConnectedLoad:
    """Load at the terminals: `course` over time, on the service and by the elements of `equation`."""

    course: Course
    equation: ElementEquation

    @property
    def state(self) -> LoadState:
        """At first; of a steady load always."""
        return self.course.steps[0].state


def connected(load: LoadDescription, point: MeteringPoint, place: str = PLACE) -> ConnectedLoad:
    """Give what a load comes to at a meter. `place` stands before its keys in sentences. Raises ConfigError."""
    check(load, place)
    try:
        equation = form_named(point.form).equation(load.service or point.service)
    except FormError as error:
        raise ConfigError(f"{place}service: {error}") from None
    hz = USUAL_HZ if load.hz is None else load.hz
    line = _line(load, equation, place)
    if not load.steady:
        scenario = Scenario(line, point.current_class, hz)
        match load.scenario or ("solar" if point.shows_received else "lively"):
            case "alarms":
                course = scenario.alarms()
            case "solar":
                course = scenario.solar()
            case _:
                course = scenario.lively()
    else:
        state = line.state(
            _currents(load, point, equation, place), harmonics=_harmonics(load.volts_harmonics), frequency_hz=hz
        )
        course = Course((Step(0.0, state),))
        if load.profile is not None:
            course = _day(load, state, place)
    check_range(course, point.current_class, place)
    return ConnectedLoad(course, equation)


def most_peak_a(current_class: int) -> float:
    """Give the front end's range in amperes: 2.5 times the crest of the class (docs/configuration.md)."""
    return 2.5 * sqrt(2) * current_class


def check_range(course: Course, current_class: int, place: str) -> None:
    """Refuse what a modulator cannot follow: the meter would register less than flows. Raises ConfigError."""
    most = (MOST_PEAK_V,) * 3 + (most_peak_a(current_class),) * 3
    names = [f"{letter}{phase}" for letter in "vi" for phase in PHASES]
    for c, (name, limit) in enumerate(zip(names, most, strict=True)):
        wave = max((step.state.channels[c] for step in course.steps), key=lambda wave: wave.peak)
        if (peak := wave.peak) > limit * (1 + 1e-9):
            unit, key = ("V", "volts") if name[0] == "v" else ("A", "amps")
            raise ConfigError(
                f"{place}{key}: {name} peaks at {peak:.4g} {unit}, and the front end of a meter of class "
                f"{current_class} takes {limit:.4g} {unit}: give at most {abs(wave.rms) * limit / peak:.3g} {unit}"
            )


def _line(load: LoadDescription, equation: ElementEquation, place: str) -> Line:
    service = equation.service_type
    rotation = Rotation[load.rotation] if load.rotation else Rotation.ABC
    if load.rotation is not None and not service.rotates:
        raise ConfigError(f"{place}rotation is {load.rotation!r}, but {service.name} has none: leave it out")
    if isinstance(load.volts, list):
        sizes = _by_phase(load.volts, equation.volt_phases, "volts", equation, place)
    else:
        first = float(service.volts[0]) if load.volts is None else load.volts
        sizes = {p: first * abs(phasor) for p, phasor in zip(PHASES, service.phasors(rotation), strict=True)}
    return line_on(equation, sizes, rotation)


def line_on(equation: ElementEquation, volts: Mapping[str, float], rotation: Rotation) -> Line:
    """Give the line of a service, with r.m.s. volts by phase: what the equation's form measures of it."""
    service = equation.service_type
    phasors = service.phasors(rotation)
    lags = zip(PHASES, service.current_lags, strict=True)
    return Line(
        tuple(
            (volts[p], degrees(phase(phasors[k]))) if p in equation.volt_phases else None for k, p in enumerate(PHASES)
        ),
        tuple(-lag * rotation.value if lag is not None and p in equation.phases else None for p, lag in lags),
    )


def lag_of(load: LoadDescription) -> float:
    """Give the degrees by which its currents lag those of unity power factor, delivered; beyond 90° it is received."""
    lag_deg = 0.0 if load.pf is None else degrees(acos(load.pf)) * (-1 if load.sense == "lead" else 1)
    return lag_deg + (180 if load.received else 0)


def _currents(load: LoadDescription, point: MeteringPoint, equation: ElementEquation, place: str) -> tuple[Wave, ...]:
    amps = float(TEST_AMPERES[point.current_class]) if load.amps is None else load.amps
    if isinstance(amps, list):
        sizes = _by_phase(amps, equation.phases, "amps", equation, place)
    else:
        sizes = dict.fromkeys(equation.phases, amps)
    angle_deg = -lag_of(load)
    harmonics = _harmonics(load.amps_harmonics)
    return tuple(Wave(sizes.get(p, 0.0), angle_deg, harmonics) for p in PHASES)


def _by_phase(values: list[float], phases: str, key: str, equation: ElementEquation, place: str) -> dict[str, float]:
    if len(values) == 1:
        values = values * len(phases)
    if len(values) != len(phases):
        names = " ".join(phases.upper())
        raise ConfigError(
            f"{place}{key} has {len(values)} values, and on {equation.service} the form measures {key} of {names}: "
            f"give one value, or {len(phases)}"
        )
    return dict(zip(phases, values, strict=True))


def _harmonics(harmonics: list[Harmonic]) -> Harmonics:
    return {harmonic.order: (harmonic.percent / 100, harmonic.angle_deg) for harmonic in harmonics}


def _day(load: LoadDescription, state: LoadState, place: str) -> Course:
    """Give the day's shape as straight lines from point to point, over and over."""
    assert load.profile is not None
    shape = shape_of(load.profile, f"{place}profile")
    day_s = USUAL_DAY_S if load.day_seconds is None else load.day_seconds
    second = day_s / DAY_HOURS
    steps = tuple(
        Step(a[0] * second, _scaled(state, b[1]), ramp_s=b[0] * second - a[0] * second) for a, b in pairwise(shape)
    )
    return Course(steps, repeat_s=DAY_HOURS * second)


def _scaled(state: LoadState, share: float) -> LoadState:
    return LoadState(
        state.voltages, tuple(replace(wave, rms=wave.rms * share) for wave in state.currents), state.frequency_hz
    )
