"""Plan of a test: which runs each point needs, and how long they must be for the uncertainty that is wanted.

The error of a mean over T seconds has, from white noise of density n_v in the voltage and n_i in the current of each
element (V/√Hz and A/√Hz), the relative standard deviation

    √ Σ (n_v² I² + n_i² V²) / (2 T) / |Σ P|,

as ∫v·n over T has the variance n²/2 · V² · T. Runs are so long that the expanded uncertainty of the figure is no more
than limit / SHARE, by this; what it is is found from the scatter of what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, cos, radians, sin, sqrt

from msgspec.structs import replace as replace_struct

from calibration.coverage import coverage_factor
from calibration.point_tables import AccuracyPoint, CurrentUnit, Judged, PointTable, Quantity
from calibration.waveforms import Gate
from drivers.sim.waves import Course
from gateware.chain import Chain
from rig.accuracy.applied import OVERCURRENT_S, course_of, missing_phase, reference_conditions
from rig.accuracy.run import GAP_CYCLES, Run, sensors_in
from rig.accuracy.under_test import MeterUnderTest
from rig.meter.billing.demand import DemandKind
from rig.meter.billing.quantity import Quantity as Registered

SEGMENTS = 20
"""Compared in each run: their scatter has 19 degrees of freedom, a coverage factor of 2.14."""

SHARE = 20
"""The expanded uncertainty that is wanted is the limit over this: half of what a tenth, the usual least, allows."""

REPEATABILITY_SHARE = 4
"""The same of repeatability, whose limit is a tenth of others'."""

WANTED_PERCENT = 0.01
"""Where there is no limit."""

MOST_CYCLES = 180
"""Of a segment: an hour of signal for one point helps nobody; the uncertainty is then what it is."""

REPEATS = 5
"""Of a repeatability test."""

NO_LOAD_CYCLES = 60
"""Of a segment without load: 20 s in all."""

STARTING_CYCLES = 6
"""Of a segment at the starting current: whether it registers is seen in two seconds."""

HOTTER_K = 10.0
"""Of a temperature coefficient: measured at the front end's temperature, and so much above."""


@dataclass(frozen=True)
class PlannedPoint:
    """A point with the runs that its figure is of: the first its own. `why_not`: why it is not tested, "" if it is."""

    point: AccuracyPoint
    runs: tuple[Run, ...]
    why_not: str = ""


def planned(table: PointTable, meter: MeterUnderTest) -> list[PlannedPoint]:
    """Give the plan of a table. Equal conditions share a run, of the longest that any point needs."""
    plans = [_planned(point, meter) for point in table.points]
    longest: dict[str, int] = {}
    for plan in plans:
        for run in plan.runs:
            same = _apart_from_length(run)
            longest[same] = max(longest.get(same, 0), run.cycles)
    return [
        replace(plan, runs=tuple(replace_struct(run, cycles=longest[_apart_from_length(run)]) for run in plan.runs))
        for plan in plans
    ]


def _apart_from_length(run: Run) -> str:
    return replace_struct(run, cycles=0).key("")


def _planned(point: AccuracyPoint, meter: MeterUnderTest) -> PlannedPoint:
    if why_not := _why_not(point, meter):
        return PlannedPoint(point, (), why_not)
    ratings, course = meter.ratings, course_of(point, meter.ratings)
    match point.judged:
        case Judged.INTERVAL:
            return PlannedPoint(point, ())
        case Judged.NO_LOAD:
            return PlannedPoint(point, (meter.run(course, SEGMENTS, NO_LOAD_CYCLES),))
        case Judged.REPEATABILITY:
            cycles = _cycles(point, meter, course, REPEATABILITY_SHARE * sqrt(2))
            return PlannedPoint(point, tuple(meter.run(course, SEGMENTS, cycles, repeat=k) for k in range(REPEATS)))
        case Judged.DEMAND:
            assert meter.demand is not None
            cycles = ceil(meter.demand.interval_s * ratings.hertz / SEGMENTS)
            return PlannedPoint(point, (meter.run(course, SEGMENTS, cycles, demand=meter.demand.text),))
        case Judged.STARTS:
            return PlannedPoint(point, (meter.run(course, SEGMENTS, STARTING_CYCLES),))
        case Judged.ERROR | Judged.CONSTANT:
            return PlannedPoint(point, (_run(point, meter, course, SHARE),))
    own = _run(point, meter, course, SHARE * sqrt(2))
    if point.judged is Judged.PER_KELVIN:
        assert meter.components is not None
        warm = replace_struct(meter.components, temperature_c=meter.components.temperature_c + HOTTER_K)
        return PlannedPoint(point, (own, meter.run(course, SEGMENTS, own.cycles, repeat=1, components=warm)))
    compared = reference_conditions(point)
    if point.judged is Judged.FROM_TA:
        compared = replace(compared, current=Fraction(100), unit=CurrentUnit.TEST, power_factor=1.0)
    against = course_of(compared, ratings)
    return PlannedPoint(point, (own, _run(compared, meter, against, SHARE * sqrt(2))))


def _why_not(point: AccuracyPoint, meter: MeterUnderTest) -> str:
    current_class = meter.ratings.current_class
    if point.needs:
        return f"needs {point.needs}"
    if point.meter_class is not None and point.meter_class != current_class:
        return f"is for meters of class {point.meter_class}, this one is of class {current_class}"
    if phase := missing_phase(point, meter.ratings):
        return f"is for phase {phase}, which form {meter.form} does not meter"
    if point.judged is Judged.PER_KELVIN and meter.components is None:
        return "needs components with temperature coefficients: a lot, or components in rig.toml"
    if point.judged in (Judged.DEMAND, Judged.INTERVAL) and meter.demand is None:
        return "needs a meter with demand"
    if point.judged is Judged.DEMAND and meter.demand is not None:
        if meter.demand.kind is DemandKind.THERMAL:
            return "needs block or sliding demand: thermal demand comes near to the load in hours alone"
        if not set(meter.demand.quantities[0].adds) & set(Registered.KWH_DELIVERED.adds):
            return f"needs demand of energy delivered, this meter's first is of {meter.demand.quantities[0].value}"
    return ""


def _run(point: AccuracyPoint, meter: MeterUnderTest, course: Course, share: float) -> Run:
    from_s = OVERCURRENT_S if point.shape.gate is Gate.OVERCURRENT else 0.0
    return meter.run(course, SEGMENTS, _cycles(point, meter, course, share), from_s=from_s)


def _cycles(point: AccuracyPoint, meter: MeterUnderTest, course: Course, share: float) -> int:
    """Give the cycles of a segment."""
    wanted = WANTED_PERCENT if point.limit_percent is None else point.limit_percent / share
    deviation = noise_percent(meter, course, reactive=point.quantity in (Quantity.REACTIVE, Quantity.FUNDAMENTAL))
    hertz = course.steps[-1].state.frequency_hz
    seconds = (coverage_factor(SEGMENTS - 1) * deviation / wanted) ** 2
    cycles = min(MOST_CYCLES, max(1, ceil(seconds * hertz / SEGMENTS)))
    return cycles if point.shape.gate is not Gate.BURST else 4 * ceil(cycles / 4)


def noise_percent(meter: MeterUnderTest, course: Course, *, reactive: bool = False) -> float:
    """Give the standard deviation in percent that a mean over one second has from the sensors' noise."""
    sensors = sensors_in(meter.run(course, 1, 1), Chain())
    state = course.steps[-1].state
    power = variance = 0.0
    for k in range(3):
        volts, amperes = state.channels[k], state.channels[k + 3]
        v, i = sensors[k].noise_density, sensors[k + 3].noise_density
        variance += (v * amperes.rms) ** 2 + (i * volts.rms) ** 2
        power += abs(volts.rms * amperes.rms * _share(volts.angle_deg - amperes.angle_deg, reactive=reactive))
    return 100 * sqrt(variance / 2) / power if power else 0.0


def _share(angle_deg: float, *, reactive: bool) -> float:
    return sin(radians(angle_deg)) if reactive else cos(radians(angle_deg))


def signal_s(run: Run) -> float:
    """Give how long a run lasts, of the meter's own time."""
    cycles = run.settle_cycles + run.segments * (run.cycles + GAP_CYCLES)
    return run.from_s + cycles / run.steps[-1].hertz
