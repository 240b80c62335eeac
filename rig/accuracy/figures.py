"""Figures of the points of an accuracy test, from what their runs measured, each with its uncertainty and verdict.

The error of a run is all energy registered in its segments over all true energy, less 1. Segments are independent of
each other, so their scatter over √n is its standard uncertainty, with n − 1 degrees of freedom (GUM 4.2). A figure that
is the difference of two runs has the components of both. The expanded uncertainty is that times the factor of Student's
distribution for the effective degrees of freedom, so that it holds the truth in 95.45 % of cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite, pi, sqrt
from statistics import stdev

from calibration.budget import Budget, Component, Shape
from calibration.coverage import coverage_factor
from calibration.point_tables import AccuracyPoint, Judged, Quantity, Source, WeightedAverage
from rig.accuracy.plan import HOTTER_K, PlannedPoint, signal_s
from rig.accuracy.result import AccuracyPointResult
from rig.accuracy.run import Measured, Run, Segment
from rig.accuracy.under_test import MeterUnderTest
from rig.meter.billing.quantity import NANO
from rig.meter.billing.time_units import MINUTE_S
from rig.verify.result import budget_lines, finite

INTERPOLATION = 0.00488
"""Of the source's points an interpolation through six is off by no more than this times (ωT)⁶: |Π(u − k)| is at most
3.52 in the middle of the nodes −2 … 3, over 6!."""

GRID_HZ = 52_083.3

FLOOR_PERCENT = 2e-6
"""What is left between registered and true energy where sensors have no noise: measured (decision 111)."""

LEAST_INTERVAL_MIN = 15
"""Of the demand interval: S-E-06 5.15.3."""

MOST_FLASHES = 1
NO_LOAD_FACTORS = {"0.5S": 600.0}
"""IEC 62053-22 8.3.2: minutes of the test without load are so much times 10⁶ / (k m Un Imax); 900 of other classes."""


@dataclass(frozen=True)
class Figure:
    """A figure in percent, and its budget."""

    percent: float
    budget: Budget

    @property
    def factor(self) -> float:
        """The coverage factor; degrees of freedom are cut off to whole ones, as the GUM has it (G.4.1)."""
        freedom = self.budget.freedom
        return coverage_factor(max(1.0, float(int(freedom))) if isfinite(freedom) else freedom)

    @property
    def uncertainty_percent(self) -> float:
        """The expanded uncertainty, of 95.45 %."""
        return self.factor * self.budget.combined_percent


def judged_point(plan: PlannedPoint, found: Sequence[Measured], meter: MeterUnderTest) -> AccuracyPointResult:
    """Give a point's result from what its runs measured."""
    point = plan.point
    if plan.why_not:
        return _result(point, meter, None, None, f"not tested: {plan.why_not}", 0.0)
    seconds = sum(signal_s(run) for run in plan.runs)
    if point.judged is Judged.INTERVAL:
        assert meter.demand is not None
        minutes = meter.demand.interval_s / MINUTE_S
        ok = minutes >= LEAST_INTERVAL_MIN
        return _result(point, meter, None, ok, f"the demand interval is {minutes:g} min", 0.0)
    if faults := sorted({fault for each in found for fault in each.faults}):
        return _result(point, meter, None, False, f"records had faults: {', '.join(faults)}", seconds)
    if any(len(each.segments) < run.segments for each, run in zip(found, plan.runs, strict=True)):
        return _result(point, meter, None, False, "the meter made too few windows to compare", seconds)
    match point.judged:
        case Judged.NO_LOAD:
            return _no_load(plan, found[0], meter, seconds)
        case Judged.STARTS:
            return _starts(plan, found[0], meter, seconds)
        case Judged.REPEATABILITY:
            figure = _spread(plan, found)
        case Judged.CONSTANT:
            if found[0].flashes is None:
                return _result(point, meter, None, False, "the test LED flashed less than twice", seconds)
            figure = _constant(plan.runs[0], found[0])
        case Judged.ERROR:
            figure = error_of(plan.runs[0], found[0], point.quantity)
        case Judged.DEMAND:
            figure = _demand(plan.runs[0], found[0], meter)
        case Judged.PER_KELVIN:
            cold, warm = plan.runs
            warmed = _difference(replace(plan, runs=(warm, cold)), list(reversed(found)))
            figure = _scaled(warmed, 1 / HOTTER_K)
        case _:
            figure = _difference(plan, found)
    return _with_limit(point, meter, figure, seconds)


def _with_limit(point: AccuracyPoint, meter: MeterUnderTest, figure: Figure, seconds: float) -> AccuracyPointResult:
    error, uncertainty, limit = figure.percent, figure.uncertainty_percent, point.limit_percent
    passed, text = verdict(error, uncertainty, limit)
    return _result(point, meter, figure, passed, text, seconds)


def verdict(error: float, uncertainty: float, limit: float | None) -> tuple[bool, str]:
    """Judge a figure in percent: with its uncertainty it must be within the limit. No limit, no pass."""
    if limit is None:
        return False, "the limit is not in the table"
    if abs(error) > limit:
        return False, f"{error:+.4f} % is beyond the limit of ±{limit:g} %"
    if abs(error) + uncertainty > limit:
        return False, f"{error:+.4f} % is within ±{limit:g} %, but with its uncertainty it may be beyond"
    return True, "within the limit"


def error_of(run: Run, found: Measured, quantity: Quantity) -> Figure:
    """Give the error of a run."""
    pairs = [_energies(segment, quantity) for segment in found.segments]
    registered, true = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    errors = [100 * (each / its - 1) for each, its in pairs]
    n = len(errors)
    scatter = Component(f"scatter of {n} segments", stdev(errors) / sqrt(n), freedom=n - 1, random=True)
    source = Component("source between its points", interpolation_percent(run), Shape.RECTANGULAR)
    floor = Component("comparison without noise", FLOOR_PERCENT)
    return Figure(100 * (registered / true - 1), Budget((scatter, source, floor)))


def _energies(segment: Segment, quantity: Quantity) -> tuple[float, float]:
    match quantity:
        case Quantity.REACTIVE:
            return segment.nvarh / NANO, segment.reference_varh
        case Quantity.FUNDAMENTAL:
            return segment.fundamental_varh, segment.reference_varh
        case _:
            return segment.nwh / NANO, segment.reference_wh


def interpolation_percent(run: Run) -> float:
    """Give a bound of what the source's interpolation does to the energy, by the harmonics' shares of it."""
    bound = 0.0
    for step in run.steps[-1:]:
        for k in range(3):
            volts, amperes = step.waves[k], step.waves[k + 3]
            own = {order: share for order, share, _ in volts.harmonics} | {1: 1.0}
            its = {order: share for order, share, _ in amperes.harmonics} | {1: 1.0}
            for order in own.keys() & its.keys():
                step_angle = 2 * pi * order * step.hertz / GRID_HZ
                bound = max(bound, 2 * own[order] * its[order] * INTERPOLATION * step_angle**6)
    return 100 * bound


def _difference(plan: PlannedPoint, found: Sequence[Measured]) -> Figure:
    own, against = (error_of(run, each, plan.point.quantity) for run, each in zip(plan.runs, found, strict=True))
    if plan.runs[0] == plan.runs[1]:
        return Figure(0.0, Budget(()))
    components = (*own.budget.components, *_renamed(against.budget, "compared: "))
    return Figure(own.percent - against.percent, Budget(components))


def _spread(plan: PlannedPoint, found: Sequence[Measured]) -> Figure:
    figures = [error_of(run, each, plan.point.quantity) for run, each in zip(plan.runs, found, strict=True)]
    most, least = max(figures, key=lambda f: f.percent), min(figures, key=lambda f: f.percent)
    components = (*_renamed(most.budget, "largest: "), *_renamed(least.budget, "least: "))
    return Figure(most.percent - least.percent, Budget(components))


def _renamed(found: Budget, before: str) -> tuple[Component, ...]:
    return tuple(
        Component(before + part.source, part.half_width_percent, part.shape, part.freedom, part.random)
        for part in found.components
    )


def _scaled(figure: Figure, factor: float) -> Figure:
    parts = tuple(
        Component(part.source, part.half_width_percent * factor, part.shape, part.freedom, part.random)
        for part in figure.budget.components
    )
    return Figure(figure.percent * factor, Budget(parts))


def _constant(run: Run, found: Measured) -> Figure:
    """Give energy by flashes over energy registered, less 1: an edge is at a whole tick of 0.3 µs."""
    flashes = found.flashes
    assert flashes is not None
    by_flashes = float(flashes.intervals * Fraction(run.constant_wh))
    seconds = sum(segment.seconds for segment in found.segments)
    tick = 100 * 0.5 / (seconds * 3_333_333)
    parts = tuple(Component(f"{which} flash, to a tick", tick, Shape.RECTANGULAR) for which in ("first", "last"))
    cut = Component("registers, to a nWh", 100 / (flashes.registered_wh * NANO), Shape.TRIANGULAR)
    return Figure(100 * (by_flashes / flashes.registered_wh - 1), Budget((*parts, cut)))


def _demand(run: Run, found: Measured, meter: MeterUnderTest) -> Figure:
    """Give demand registered less true demand, in percent of the scale, MAX of the nameplate.

    Of the energy it has the uncertainty of the error over as long. Where the interval begins and ends a window is cut
    as if its power were even: within a cycle, at twice the frequency, it swings by its volt-amperes, which is at most
    their 1/(2ω) of energy.
    """
    demand = found.demand
    assert demand is not None
    share = demand.reference_w / meter.ratings.max_w
    energy = error_of(run, found, Quantity.ACTIVE)
    waves = run.steps[-1].waves
    apparent = sum(volts.rms * amperes.rms for volts, amperes in zip(waves[:3], waves[3:], strict=True))
    swing = 100 * apparent / (4 * pi * run.steps[-1].hertz) / (meter.ratings.max_w * demand.seconds)
    cuts = tuple(Component(f"window cut at the {which}", swing, Shape.RECTANGULAR) for which in ("begin", "end"))
    digits = Component("register, to a nW", 100e-9 / meter.ratings.max_w, Shape.RECTANGULAR)
    percent = 100 * (demand.registered_nw / NANO - demand.reference_w) / meter.ratings.max_w
    return Figure(percent, Budget((*_scaled(energy, share).budget.components, *cuts, digits)))


def _no_load(plan: PlannedPoint, found: Measured, meter: MeterUnderTest, seconds: float) -> AccuracyPointResult:
    point, ratings = plan.point, meter.ratings
    line = [phasor[0] for phasor in ratings.line.voltages if phasor is not None]
    constant = float(ratings.constant_wh)
    factor = NO_LOAD_FACTORS.get(point.accuracy_class, 900.0)
    impulses = 1000 / constant
    minutes = factor * 1e6 / (impulses * len(ratings.equation.elements) * line[0] * ratings.current_class)
    measured_s = sum(segment.seconds for segment in found.segments)
    energy_wh = abs(sum(segment.nwh for segment in found.segments)) / NANO
    flashes = energy_wh / measured_s * minutes * 60 / constant
    text = f"{flashes:.3g} flashes in {minutes:.3g} min, by the {energy_wh:g} Wh registered in {measured_s:.3g} s"
    return _result(point, meter, None, flashes <= MOST_FLASHES, text, seconds)


def _starts(plan: PlannedPoint, found: Measured, meter: MeterUnderTest, seconds: float) -> AccuracyPointResult:
    idle = sum(segment.nwh <= 0 for segment in found.segments)
    figure = error_of(plan.runs[0], found, plan.point.quantity)
    text = "registers, and goes on" if not idle else f"registers nothing in {idle} of {len(found.segments)} segments"
    return _result(plan.point, meter, figure, not idle, text, seconds)


def average_of(average: WeightedAverage, points: Sequence[AccuracyPointResult]) -> AccuracyPointResult | None:
    """Give a weighted mean of points' errors; None where one of them has none. They are independent of each other."""
    by_name = {point.name: point for point in points}
    chosen = [(by_name.get(name), weight) for name, weight in average.weights]
    total = sum(weight for _, weight in chosen)
    error, parts = 0.0, []
    for point, weight in chosen:
        if point is None or point.error_percent is None or point.uncertainty_percent is None:
            return None
        error += weight / total * point.error_percent
        freedom = float("inf") if point.degrees_of_freedom is None else point.degrees_of_freedom
        standard = weight / total * point.uncertainty_percent / (point.coverage_factor or 2.0)
        parts.append(Component(f"{weight:g} times {point.name}", standard, freedom=freedom))
    figure = Figure(error, Budget(tuple(parts)))
    passed, text = verdict(error, figure.uncertainty_percent, average.limit_percent)
    return _row(
        average.name, "average", "active", 0.0, "", "", figure, average.limit_percent, 0.0, passed, text, average.source
    )


def _result(
    point: AccuracyPoint, meter: MeterUnderTest, figure: Figure | None, passed: bool | None, text: str, seconds: float
) -> AccuracyPointResult:
    return _row(
        point.name,
        point.judged.value,
        point.quantity.value,
        meter.ratings.amperes(point),
        power_factor_text(point),
        applied_text(point),
        figure,
        point.limit_percent,
        seconds,
        passed,
        text,
        point.source,
    )


def _row(
    name: str, judged: str, quantity: str, amperes: float, power_factor: str, applied: str, figure: Figure | None,
    limit: float | None, seconds: float, passed: bool | None, text: str, source: Source,
) -> AccuracyPointResult:  # fmt: skip
    return AccuracyPointResult(
        name=name,
        judged=judged,
        quantity=quantity,
        amperes=amperes,
        power_factor=power_factor,
        applied=applied,
        error_percent=None if figure is None else figure.percent,
        limit_percent=limit,
        uncertainty_percent=None if figure is None else figure.uncertainty_percent,
        coverage_factor=None if figure is None else figure.factor,
        degrees_of_freedom=None if figure is None else finite(figure.budget.freedom),
        budget=[] if figure is None else budget_lines(figure.budget),
        seconds=seconds,
        passed=passed,
        text=text,
        verified_source=source.status.seen,
        source_status=source.status.value,
        source=source.text,
    )


def power_factor_text(point: AccuracyPoint) -> str:
    """Write a power factor as the tables do."""
    reactive = point.quantity in (Quantity.REACTIVE, Quantity.FUNDAMENTAL)
    side = "" if point.power_factor == 1 and not reactive else "L" if point.side > 0 else "C"
    return f"{'sin' if reactive else ''}{point.power_factor:g}{side}"


def applied_text(point: AccuracyPoint) -> str:
    """Say what of a point is not as usual, in words; "" for nothing."""
    said = []
    if point.volts_percent != 100:
        said.append(f"{point.volts_percent:g} % Un")
    if point.hertz_percent != 100:
        said.append(f"{point.hertz_percent:g} % fn")
    if point.waveform != "sinusoid":
        said.append(point.waveform)
    elif point.shape.volts or point.shape.amperes:
        said.append("harmonics of its own")
    if point.load != "balanced":
        said.append(point.load if " " in point.load or point.load == "reversed" else f"phase {point.load} alone")
    return ", ".join(said)
