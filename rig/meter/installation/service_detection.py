"""Detection of the service that a meter is on, from its voltages (M-4).

A form can be on any service it has an element equation for. Each of these, at each voltage it comes in and in both
rotations, says what voltages the form's coils would sense (rig/meter/measuring/elements.py). Those that are sensed must
agree with it in size within VOLTAGE_TOLERANCE and in angle within ANGLE_DEG. What no coil of the form senses does not
count.

Where several agree, the order of SERVICES decides, then the nearest nominal voltage: the bands of 240 V and 277 V
overlap from 249 to 264 V. By voltages alone these are the same, and that order settles them, in favour of a neutral and
of four wires:

    4-wire wye 120 V               a network of 120 V with voltage on C; without it, a network
    4-wire wye 277 V               a 3-wire delta of 480 V measured against its middle
    4-wire delta 120 V or 240 V    a 3-wire delta of 240 V or 480 V measured against the middle of A–C

so on a 3-wire delta the rig's common point belongs on phase B. The notice gives no tolerances: these are ours.
"""

from __future__ import annotations

from cmath import phase, rect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import degrees, log, radians

from rig.meter.billing.time_units import SECOND_NS
from rig.meter.measuring.elements import (
    PHASES,
    SERVICES,
    Element,
    ElementEquation,
    Form,
    Rotation,
    ServiceType,
    Weights,
)
from rig.meter.measuring.quantities import Readings

VOLTAGE_TOLERANCE = 0.10
"""Share by which a voltage may be off its nominal value, in the style of other manufacturers' meters."""

ANGLE_DEG = 15.0
"""By how much an angle may be off: half the least difference, 30°, between angles of two services of one form."""

ABSENT_V = 60.0
"""Half of the least nominal voltage: below it a voltage counts as absent."""

CHECK_NS = SECOND_NS
ACCEPTED_AFTER = 3
"""Equal results in a row."""


@dataclass(frozen=True, slots=True)
class FoundService:
    """A service by its name in SERVICES, its volts and, where it has one, its rotation: plain data, of any form."""

    name: str
    volts: int
    rotation: Rotation | None

    @property
    def label(self) -> str:
        """Its type as the display names it, such as "4WY"."""
        return SERVICES[self.name].label

    @property
    def text(self) -> str:
        """For the display, such as "4WY 120 ABC" or "1P3W 120"."""
        return " ".join((self.label, str(self.volts), *([self.rotation.name] if self.rotation else [])))


@dataclass(frozen=True)
class DetectedService:
    """A service as a form meters it: `volts` is that of its row in SERVICES; `rotation` is None where there is none."""

    equation: ElementEquation
    volts: int
    rotation: Rotation | None

    @property
    def type(self) -> ServiceType:
        """The service's row of the table."""
        return self.equation.service_type

    @property
    def found(self) -> FoundService:
        """It as plain data."""
        return FoundService(self.equation.service, self.volts, self.rotation)

    @property
    def text(self) -> str:
        """As that of FoundService."""
        return self.found.text

    @property
    def expected(self) -> tuple[complex, ...]:
        """The voltages of the equation's sensed elements as r.m.s. phasors, phase A's at angle 0."""
        phases = self.type.phasors(self.rotation)
        return tuple(self.volts * _sum(e.volt_weights, phases) for e in self.equation.sensed)

    def current_lag(self, k: int) -> float | None:
        """Degrees by which the current of phase k lags phase A's voltage, balanced and at unity power factor."""
        lag = self.type.current_lags[k]
        return None if lag is None else lag * (self.rotation or Rotation.ABC).value


@dataclass(frozen=True)
class UnknownService:
    """Voltages that fit no service of the form; `reason` is one sentence with both."""

    reason: str
    text: str = "UNKNOWN"


def voltage_phasors(readings: Readings) -> tuple[complex | None, ...]:
    """The voltages of a b c as r.m.s. phasors, V1 at angle 0; None where one is there but its angle is not known."""
    lags = readings.lag_deg or (0.0, None, None)
    return tuple(
        rect(rms, -radians(lag)) if lag is not None else (None if rms >= ABSENT_V else 0j)
        for rms, lag in zip(readings.v_rms, lags[:3], strict=True)
    )


def sensed_voltage(element: Element, phasors: tuple[complex | None, ...]) -> complex | None:
    """Return the voltage that an element's coil senses of these phases; None where an angle it needs is missing."""
    weights = element.volt_weights
    known = [p for p, w in zip(phasors, weights, strict=True) if w]
    return None if None in known else _sum(weights, tuple(p or 0j for p in phasors))


def off_by(lag: float, expected: float) -> float:
    """Return the angle between two angles, 0 to 180°."""
    return abs((lag - expected + 180) % 360 - 180)


def no_voltage(form: Form, readings: Readings) -> bool:
    """Return whether every phase that the form senses is without voltage."""
    used = {k for e in form.equations for element in e.sensed for k, w in enumerate(element.volt_weights) if w}
    return all(readings.v_rms[k] < ABSENT_V for k in used)


def detect(form: Form, readings: Readings) -> DetectedService | UnknownService:
    """The service that the voltages fit best, or why they fit none. `readings` are meter-side."""
    phasors = voltage_phasors(readings)
    order = {name: place for place, name in enumerate(SERVICES)}
    fits = [(order[s.type.name], off, s.volts, s) for s, off in _fits(form, phasors)]
    if fits:
        return min(fits, key=lambda fit: fit[:3])[3]
    return UnknownService(_reason(form, readings))


def _fits(form: Form, phasors: tuple[complex | None, ...]) -> Iterator[tuple[DetectedService, float]]:
    """Every service that agrees, and how far off its size is."""
    for equation in form.equations:
        there = [s for s in (sensed_voltage(e, phasors) for e in equation.sensed) if s is not None]
        if len(there) < len(equation.sensed):
            continue
        service = equation.service_type
        for volts in service.volts:
            for rotation in Rotation if service.rotates else (None,):
                found = DetectedService(equation, volts, rotation)
                off = _disagreement(there, found.expected)
                if off is not None:
                    yield found, off


def _disagreement(there: Sequence[complex], expected: tuple[complex, ...]) -> float | None:
    """The sum of |ln| of sensed over expected sizes; None if a size or an angle does not agree."""
    off = 0.0
    turned = phase(there[0]) - phase(expected[0])
    for s, e in zip(there, expected, strict=True):
        if not abs(abs(s) / abs(e) - 1) <= VOLTAGE_TOLERANCE:
            return None
        if off_by(degrees(phase(s) - turned), degrees(phase(e))) > ANGLE_DEG:
            return None
        off += abs(log(abs(s) / abs(e)))
    return off


def _sum(weights: Weights, phasors: tuple[complex, ...]) -> complex:
    return sum((float(w) * p for w, p in zip(weights, phasors, strict=True)), 0j)


def _reason(form: Form, readings: Readings) -> str:
    if no_voltage(form, readings):
        return f"no voltage reaches {ABSENT_V:g} V"
    lags = readings.lag_deg or (None,) * 3
    seen = ", ".join(
        f"{name.upper()} {rms:.0f} V" + ("" if lag is None else f" at {lag:.0f}°")
        for name, rms, lag in zip(PHASES, readings.v_rms, lags[:3], strict=True)
    )
    known = "; ".join(f"{e.service} of {', '.join(map(str, e.service_type.volts))} V" for e in form.equations)
    return f"{seen} fit no service of form {form.name}: {known}"


class ServiceObservation(Enum):
    """Result of one check."""

    NOTHING = "no voltage"
    SERVICE = "a service"
    UNKNOWN = "an unknown service"


class ServiceDetector:
    """The service that a meter goes by: accepted after some equal results in a row, then kept until all voltages are
    gone. What happens to single voltages meanwhile is for the diagnostics to say.

    `advance` gives what is accepted:

        accepted   check sees           in a row   accepted then
        nothing    no voltage           any        nothing
        nothing    a service            too few    nothing
        nothing    a service            enough     the service
        nothing    an unknown service   too few    nothing
        nothing    an unknown service   enough     unknown
        unknown    no voltage           any        nothing
        unknown    a service            too few    unknown
        unknown    a service            enough     the service
        unknown    an unknown service   any        unknown
        service    no voltage           any        nothing
        service    a service            any        the same service
        service    one of more wires    too few    the same service
        service    one of more wires    enough     the one of more wires
        service    an unknown service   any        the same service

    One of more wires is what comes to be seen when a phase that was missing at first is connected. Results are equal
    where service, volts and rotation are; one unknown service equals any other. Time is in nanoseconds of a clock that
    does not go back.
    """

    def __init__(self, form: Form, check_ns: int = CHECK_NS, accepted_after: int = ACCEPTED_AFTER) -> None:
        self.form = form
        self.accepted: DetectedService | UnknownService | None = None
        self._check_ns = check_ns
        self._accepted_after = accepted_after
        self._most_wires = max(equation.wires for equation in form.equations)
        self._next_ns: int | None = None
        self._last: DetectedService | ServiceObservation = ServiceObservation.NOTHING
        self._in_a_row = 0

    def due(self, at_ns: int) -> bool:
        """Return whether `advance` would check at this time: readings need not be made before."""
        return self._next_ns is None or at_ns >= self._next_ns

    def advance(self, readings: Readings, at_ns: int) -> DetectedService | UnknownService | None:
        """Check, if it is time, and give what is accepted; None before that and without voltage.

        `readings` are meter-side, of the time since the last check or part of it.
        """
        if self.due(at_ns):
            self._next_ns = at_ns + self._check_ns
            self._check(readings)
        return self.accepted

    def _check(self, readings: Readings) -> None:
        if no_voltage(self.form, readings):
            self.accepted, self._last, self._in_a_row = None, ServiceObservation.NOTHING, 0
            return
        accepted = self.accepted
        if isinstance(accepted, DetectedService) and accepted.type.wires == self._most_wires:
            return
        result = detect(self.form, readings)
        same = ServiceObservation.UNKNOWN if isinstance(result, UnknownService) else result
        self._in_a_row = self._in_a_row + 1 if same == self._last else 1
        self._last = same
        if self._in_a_row < self._accepted_after:
            return
        if not isinstance(accepted, DetectedService) or (
            isinstance(result, DetectedService) and result.type.wires > accepted.type.wires
        ):
            self.accepted = result
