"""Diagnostics of an installation, from voltages, currents and their angles (P-3, Q-6, M-4).

Every check compares what is measured with what the detected service lets expect (rig/meter/measuring/elements.py), for
the voltages that the form's coils sense and the currents its elements use. The notice names neither checks nor limits;
the checks are those of other meters of the time, and every limit is ours and can be set.
"""

from __future__ import annotations

from cmath import phase
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from math import degrees

from rig.meter.installation.service_detection import (
    ABSENT_V,
    ANGLE_DEG,
    VOLTAGE_TOLERANCE,
    DetectedService,
    UnknownService,
    off_by,
    sensed_voltage,
    voltage_phasors,
)
from rig.meter.measuring.elements import PHASES
from rig.meter.measuring.quantities import Readings

MOST_COUNTED = 255


class Diagnostic(Enum):
    """Diagnostic, with its sentence for people. The first six go by the numbers of the trade, D1 to D6.

    A voltage between two lines goes by the first one's phase: on a 3-wire delta A is A–B, and C is C–B.
    """

    CROSS_PHASE = "a voltage or current has another phase's angle, or its polarity or energy flow is reversed"
    VOLTAGE_DEVIATION = "a voltage deviates from that of the first element"
    INACTIVE_CURRENT = "a phase draws no current while another does"
    CURRENT_ANGLE = "a current is too far from the angle of unity power factor"
    CURRENT_DISTORTION = "a current is distorted"
    VOLTAGE_DISTORTION = "a voltage is distorted"
    PHASE_A_OUT = "phase A has lost its voltage"
    PHASE_B_OUT = "phase B has lost its voltage"
    PHASE_C_OUT = "phase C has lost its voltage"
    UNKNOWN_SERVICE = "the voltages fit no service of the form"

    @property
    def label(self) -> str:
        """Its name in programs, the log and JSON: "phase a out"."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True)
class DiagnosticSettings:
    """Limits, all ours. Shares are of the expected value, distortion is of the fundamental, angles in degrees.

    A current below `low_a` is none: its angle and distortion are not looked at. `both_directions`: currents that are
    all reversed are energy received, and nothing is wrong with that.
    """

    low_a: float
    voltage_angle_deg: float = ANGLE_DEG
    energy_flow_deg: float = 90.0
    voltage_deviation: float = VOLTAGE_TOLERANCE
    current_angle_deg: float = 45.0
    current_tdr: float = 0.30
    voltage_tdr: float = 0.08
    phase_out: float = 0.6
    both_directions: bool = False
    check_ns: int = 5_000_000_000
    triggers_after: int = 3
    clears_after: int = 3

    @classmethod
    def of_class(cls, current_class: int) -> DiagnosticSettings:
        """The default limits of a current class: a current of less than its two-hundredth part is none."""
        return cls(low_a=float(Fraction(current_class, 200)))


@dataclass
class DiagnosticState:
    """Of one diagnostic: is it on, which phases failed last, checks in a row against that, times it came on."""

    on: bool = False
    phases: str = ""
    in_a_row: int = 0
    count: int = 0


@dataclass
class DiagnosticsState:
    """Of all of them, in the order of Diagnostic."""

    each: list[DiagnosticState] = field(default_factory=lambda: [DiagnosticState() for _ in Diagnostic])


@dataclass(frozen=True)
class DiagnosticChange:
    """A diagnostic came on or went off; `phases` are those that failed last, such as "b" or "abc"."""

    at_ns: int
    diagnostic: Diagnostic
    on: bool
    phases: str


@dataclass(frozen=True)
class _Case:
    """One check's view: what is measured, in what is expected to be there."""

    readings: Readings
    service: DetectedService
    settings: DiagnosticSettings
    voltages: tuple[complex | None, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The phase that each sensed voltage goes by."""
        return tuple(e.volts[0] for e in self.service.equation.sensed)

    @property
    def reference(self) -> complex | None:
        """The first sensed voltage over what it should be; None without an angle, or where it is out."""
        first = self.voltages[0]
        return None if first is None or self.out(0) else first / self.service.expected[0]

    def size(self, k: int) -> float:
        """Volts r.m.s. of the k-th sensed voltage; without angles that of the larger line."""
        voltage = self.voltages[k]
        if voltage is not None:
            return abs(voltage)
        weights = self.service.equation.sensed[k].volt_weights
        return max(v for v, w in zip(self.readings.v_rms, weights, strict=True) if w)

    def out(self, k: int) -> bool:
        """Return whether the k-th sensed voltage is lost."""
        return self.size(k) < self.settings.phase_out * abs(self.service.expected[k])

    @property
    def drawn(self) -> str:
        """The phases whose current is one that counts."""
        amperes = dict(zip(PHASES, self.readings.i_rms, strict=True))
        return "".join(p for p in self.service.equation.phases if amperes[p] >= self.settings.low_a)

    def currents_off(self, limit_deg: float) -> str | None:
        """The phases whose current is further than that from unity power factor; None without angles."""
        reference, lags = self.reference, self.readings.lag_deg
        if reference is None or lags is None:
            return None
        limit = limit_deg + self.service.type.spread_deg
        turned = degrees(phase(reference))
        found = []
        for reversal in (0.0, 180.0) if self.settings.both_directions else (0.0,):
            off = ""
            for p in self.drawn:
                lag, expected = lags[3 + PHASES.index(p)], self.service.current_lag(PHASES.index(p))
                if lag is not None and expected is not None and off_by(lag + turned, expected + reversal) > limit:
                    off += p
            found.append(off)
        return min(found, key=len)


def _cross_phase(case: _Case) -> str | None:
    reference = case.reference
    currents = case.currents_off(case.settings.energy_flow_deg)
    if reference is None or currents is None:
        return None
    wrong = set(currents)
    for k, (name, voltage) in enumerate(zip(case.names, case.voltages, strict=True)):
        if voltage is not None and not case.out(k):
            turned = phase(voltage / case.service.expected[k] / reference)
            if abs(degrees(turned)) > case.settings.voltage_angle_deg:
                wrong.add(name)
    return "".join(sorted(wrong))


def _voltage_deviation(case: _Case) -> str | None:
    share = case.settings.voltage_deviation
    sizes = [case.size(k) / abs(e) for k, e in enumerate(case.service.expected)]
    return "".join(n for n, s in zip(case.names, sizes, strict=True) if abs(s - sizes[0]) > share * sizes[0])


def _inactive_current(case: _Case) -> str | None:
    drawn = case.drawn
    return "".join(p for p in case.service.equation.phases if p not in drawn) if drawn else ""


def _current_angle(case: _Case) -> str | None:
    return case.currents_off(case.settings.current_angle_deg)


def _current_distortion(case: _Case) -> str | None:
    tdr = case.readings.tdr
    if tdr is None:
        return None
    return "".join(p for p in case.drawn if (tdr[3 + PHASES.index(p)] or 0.0) > case.settings.current_tdr)


def _voltage_distortion(case: _Case) -> str | None:
    tdr = case.readings.tdr
    if tdr is None:
        return None
    used = {p for e in case.service.equation.sensed for p, w in zip(PHASES, e.volt_weights, strict=True) if w}
    there = [p for p in sorted(used) if case.readings.v_rms[PHASES.index(p)] >= ABSENT_V]
    return "".join(p for p in there if (tdr[PHASES.index(p)] or 0.0) > case.settings.voltage_tdr)


def _phase_out(letter: str) -> Callable[[_Case], str | None]:
    return lambda case: "".join(n for k, n in enumerate(case.names) if n == letter and case.out(k))


_CHECKS: dict[Diagnostic, Callable[[_Case], str | None]] = {
    Diagnostic.CROSS_PHASE: _cross_phase,
    Diagnostic.VOLTAGE_DEVIATION: _voltage_deviation,
    Diagnostic.INACTIVE_CURRENT: _inactive_current,
    Diagnostic.CURRENT_ANGLE: _current_angle,
    Diagnostic.CURRENT_DISTORTION: _current_distortion,
    Diagnostic.VOLTAGE_DISTORTION: _voltage_distortion,
    Diagnostic.PHASE_A_OUT: _phase_out("a"),
    Diagnostic.PHASE_B_OUT: _phase_out("b"),
    Diagnostic.PHASE_C_OUT: _phase_out("c"),
    Diagnostic.UNKNOWN_SERVICE: lambda case: "",
}
"""Each gives the phases that fail: "" where all is well, None where it cannot tell."""


def failing(
    readings: Readings, service: DetectedService | UnknownService, settings: DiagnosticSettings
) -> dict[Diagnostic, str | None]:
    """One check of everything: the phases that fail, "" where all is well, None where it cannot be told.

    `readings` are meter-side. Of an unknown service only that can be told.
    """
    if isinstance(service, UnknownService):
        return {d: PHASES if d is Diagnostic.UNKNOWN_SERVICE else None for d in Diagnostic}
    phasors = voltage_phasors(readings)
    case = _Case(readings, service, settings, tuple(sensed_voltage(e, phasors) for e in service.equation.sensed))
    return {diagnostic: check(case) for diagnostic, check in _CHECKS.items()}


class Diagnostics:
    """All diagnostics over time: a check every `check_ns`, and then, for each of them,

        state   check           in a row         next   counter
        off     good            any              off    stays
        off     bad             triggers_after   on     plus 1, at most 255
        off     bad             fewer            off    stays
        off     cannot tell     any              off    stays
        on      good            clears_after     off    stays
        on      good            fewer            on     stays
        on      bad             any              on     stays
        on      cannot tell     any              on     stays

    A check that cannot tell, or tells what the state already is, begins the row anew. Time is in nanoseconds of a clock
    that does not go back. `state` is what must outlive a power failure.
    """

    def __init__(self, settings: DiagnosticSettings, state: DiagnosticsState | None = None) -> None:
        self.settings = settings
        self.state = state or DiagnosticsState()
        self._next_ns: int | None = None

    @property
    def active(self) -> dict[Diagnostic, str]:
        """The diagnostics that are on, and the phases that failed last."""
        return {d: s.phases for d, s in zip(Diagnostic, self.state.each, strict=True) if s.on}

    @property
    def counters(self) -> dict[Diagnostic, int]:
        """Number of times that each came on, 0 to 255."""
        return {d: s.count for d, s in zip(Diagnostic, self.state.each, strict=True)}

    def due(self, at_ns: int) -> bool:
        """Return whether `advance` would check at this time: readings need not be made before."""
        return self._next_ns is None or at_ns >= self._next_ns

    def advance(
        self, readings: Readings, service: DetectedService | UnknownService | None, at_ns: int
    ) -> tuple[DiagnosticChange, ...]:
        """Check, if it is time, and give what changed. Without a service (None) nothing can be told."""
        if not self.due(at_ns):
            return ()
        self._next_ns = at_ns + self.settings.check_ns
        found = failing(readings, service, self.settings) if service else dict.fromkeys(Diagnostic)
        each = zip(Diagnostic, self.state.each, strict=True)
        return tuple(
            DiagnosticChange(at_ns, diagnostic, state.on, state.phases)
            for diagnostic, state in each
            if self._turns(state, found[diagnostic])
        )

    def _turns(self, state: DiagnosticState, phases: str | None) -> bool:
        """Take one check's result into the state; whether it went on or off."""
        if phases is None or bool(phases) == state.on:
            state.in_a_row = 0
            state.phases = phases or state.phases
            return False
        state.in_a_row += 1
        if state.in_a_row < (self.settings.clears_after if state.on else self.settings.triggers_after):
            return False
        state.in_a_row = 0
        state.on = not state.on
        if state.on:
            state.phases = phases
            state.count = min(state.count + 1, MOST_COUNTED)
        return True
