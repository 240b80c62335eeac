"""Load that a source applies to a meter: volts and amperes by phase, and what the meter is to find of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite

from drivers.sim.waves import Course, Harmonics, LoadState, Step, Wave
from rig.bench.errors import WrongArgument
from rig.files.strict_toml import ConfigError
from rig.load.connected import MeteringPoint, check_range, connected, lag_of, line_on
from rig.load.description import LoadDescription
from rig.load.metered import active_power_w, reactive_power_var
from rig.load.spelling import read_load
from rig.meter.measuring.elements import FORMS, PHASES, ElementEquation, Rotation
from rig.program.build import Program

PLACE = "the source: "

Three = tuple[float, float, float]

_WYE = FORMS["9S"].equation()


@dataclass(frozen=True)
class Applied:
    """Volts and amperes by phase, A B C, on the service of a form's `equation`; what that does not measure is 0.

    Currents lag those of a balanced load of unity power factor by `lag_deg`, on a wye their voltages; beyond 90° power
    is received. `left_out` are phases that were asked for and that the form does not measure, such as "V of C".
    """

    volts: Three = (120.0, 120.0, 120.0)
    amps: Three = (0.0, 0.0, 0.0)
    lag_deg: float = 0.0
    hz: float = 60.0
    equation: ElementEquation = _WYE
    rotation: Rotation = Rotation.ABC
    volts_harmonics: Harmonics = field(default_factory=dict)
    amps_harmonics: Harmonics = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def state(self) -> LoadState:
        """Its waves."""
        line = line_on(self.equation, dict(zip(PHASES, self.volts, strict=True)), self.rotation)
        currents = tuple(Wave(amps, -self.lag_deg, self.amps_harmonics) for amps in self.amps)
        return line.state(currents, harmonics=self.volts_harmonics, frequency_hz=self.hz)

    @property
    def watts(self) -> float:
        """Active power that the form registers, positive when delivered."""
        return active_power_w(self.state, self.equation)

    @property
    def vars(self) -> float:
        """Reactive power of the fundamental, positive when the current lags delivered power."""
        return reactive_power_var(self.state, self.equation)

    @property
    def text(self) -> str:
        """For failures and prompts."""
        left_out = f" ({' and '.join(self.left_out)} left out: the form does not measure it)" if self.left_out else ""
        if not any(self.volts):
            return f"no voltage, no current{left_out}"
        angle = f", lagging by {self.lag_deg:.1f}°" if any(self.amps) and self.lag_deg else ""
        volts, amps = each(self.volts, self.equation.volt_phases), each(self.amps, self.equation.phases)
        service = "" if self.equation.service == _WYE.service else f" on {self.equation.service}"
        harmonics = _orders("V", self.volts_harmonics) + _orders("A", self.amps_harmonics)
        return f"{volts} V, {amps} A{angle}, {self.hz:g} Hz{harmonics}{service}{left_out}"


def equation_of(program: Program) -> ElementEquation:
    """Give that of the service on which a meter is tested: as programmed, else the form's usual one."""
    return program.metering.form.equation(program.metering.service)


def at_first(program: Program) -> Applied:
    """Give what a source gives at first: the least voltage that the service comes in, and no current."""
    equation = equation_of(program)
    return applied_by_phase(equation, float(equation.service_type.volts[0]), 0.0)


def applied_by_phase(
    equation: ElementEquation, volts: float | Sequence[float], amps: float | Sequence[float], **more: float
) -> Applied:
    """Give volts and amperes where the form measures them; `more` as Applied has them.

    One value is of each phase, of volts that of A and the others' as the service has them. Raises WrongArgument.
    """
    left_out = []
    phasors = equation.service_type.phasors(Rotation.ABC)
    shares = tuple(abs(phasor) for phasor in phasors)
    found = []
    for values, unit, phases, share in (
        (volts, "V", equation.volt_phases, shares),
        (amps, "A", equation.phases, (1.0,) * len(PHASES)),
    ):
        one = isinstance(values, int | float)
        three = three_values(values)
        lost = [p.upper() for p, value in zip(PHASES, three, strict=True) if p not in phases and value and not one]
        left_out += [f"{unit} of {' '.join(lost)}"] if lost else []
        a, b, c = (
            value * (k if one else 1.0) if p in phases else 0.0
            for p, value, k in zip(PHASES, three, share, strict=True)
        )
        found.append((a, b, c))
    return Applied(found[0], found[1], equation=equation, left_out=tuple(left_out), **more)  # type: ignore[arg-type]


def applied_load(words: str, program: Program) -> Applied:
    """Give a load in the words of --load (docs/load.md), but one that changes by itself. Raises WrongArgument."""
    metering = program.metering
    try:
        load = read_load(words, PLACE)
        point = MeteringPoint(metering.current_class, metering.form.name, metering.service)
        if load.profile is not None or load.scenario is not None:
            raise WrongArgument(f"{PLACE}{words!r} changes by itself: give volts, amps and what else stays as it is")
        given = connected(_steady(load), point, PLACE)
    except ConfigError as error:
        raise WrongArgument(str(error)) from None
    state = given.state
    volts, amps = (tuple(wave.rms for wave in waves) for waves in (state.voltages, state.currents))
    harmonics = state.voltages[0].harmonics, state.currents[0].harmonics
    return Applied(
        (volts[0], volts[1], volts[2]),
        (amps[0], amps[1], amps[2]),
        lag_of(load),
        state.frequency_hz,
        given.equation,
        Rotation[load.rotation or "ABC"],
        *harmonics,
    )


def _steady(load: LoadDescription) -> LoadDescription:
    """Give it with a power factor, so that it is not the default's scenario."""
    import msgspec

    return msgspec.structs.replace(load, pf=1.0 if load.pf is None else load.pf)


def check_applied(applied: Applied, current_class: int) -> None:
    """Refuse what the front end cannot follow: the meter would count less than flows. Raises WrongArgument."""
    try:
        check_range(Course((Step(0.0, applied.state),)), current_class, PLACE)
    except ConfigError as error:
        raise WrongArgument(str(error)) from None


def three_values(value: float | Sequence[float]) -> Three:
    """Give one value, or three of them, as three. Raises WrongArgument."""
    values = (value,) * len(PHASES) if isinstance(value, int | float) else tuple(value)
    if len(values) != len(PHASES) or not all(isfinite(v) and v >= 0 for v in values):
        raise WrongArgument(f"give one value, or three of them, 0 or more: not {value!r}")
    return values[0], values[1], values[2]


def each(values: Sequence[float], phases: str = PHASES) -> str:
    """Give values of those phases, one where they are equal."""
    shown = [f"{value:.4g}" for value, p in zip(values, PHASES, strict=True) if p in phases]
    return shown[0] if len(set(shown)) == 1 else "/".join(shown)


def _orders(unit: str, harmonics: Harmonics) -> str:
    return "".join(f", h{order} {unit} {100 * share:g} %" for order, (share, _) in harmonics.items())
