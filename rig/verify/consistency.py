"""Consistency of what `rig verify` printed, when it is read again (docs/verification.md, "The report").

    figure                    is by the others
    energy                    pulses × the constant
    error, of a repeat        (energy − reference) / reference; that of all: the mean
    registration              100 % + error
    standard uncertainty      half-width / divisor of its distribution (GUM 4.3)
    expanded uncertainty      coverage factor × the root of the sum of squares, no less than repeats scatter by
    pulses, seconds, Wh       the sums of the repeats; and of the edges, where all of one repeat are there
    verdict                   passed where error and uncertainty are within the limit and no closure is out of order

What a hand has changed in one place contradicts another. It is no proof of an origin: whoever changes all of them finds
no contradiction, and the digest at a report's foot is another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import inf, sqrt
from statistics import fmean, median, stdev

from calibration.budget import Budget, Component, Shape
from rig.results.consistency import clearly_more, figure, origin_twice, same, same_percent, verdict
from rig.verify.closures import CONSTANT_SHARE, Fault
from rig.verify.counters import FPGA, GPIO
from rig.verify.frequency import FREQUENCY
from rig.verify.point import REFERENCES
from rig.verify.result import COVERAGE, MOST_EDGES, BudgetLine, Verification, finite, reasons_of_error

STEP = 0.75
"""Pulses: an edge that is so much later or earlier than the one before has a closure missing or too many at it."""


def contradictions(found: Verification, place: str = "$") -> Iterator[str]:
    """Find what a verification says twice and not alike, each a sentence with the field's place."""
    try:
        constant = Fraction(found.constant_exact)
    except (ValueError, ZeroDivisionError):
        yield f"{place}.constant_exact is {found.constant_exact!r}, which is no number such as 3/20"
        return
    if not same(found.constant_wh, float(constant)) or constant <= 0:
        yield figure(f"{place}.constant_wh", found.constant_wh, "constant_exact", float(constant))
    if found.coverage_factor != COVERAGE:
        yield figure(f"{place}.coverage_factor", found.coverage_factor, "docs/json.md", COVERAGE)
    yield from _of_repeats(found, float(constant), place)
    yield from of_budget(
        found.budget, found.coverage_factor, found.uncertainty_percent, found.degrees_of_freedom, place
    )
    yield from _of_verdict(found, place)
    yield from _of_edges(found, float(constant), place)
    yield from origin_twice(place, found.simulated, found.fidelity, found.provenance)


def of_budget(
    lines: Sequence[BudgetLine], factor: float, uncertainty: float, freedom: float | None, place: str
) -> Iterator[str]:
    """Find what a budget says otherwise than the uncertainty that it is of."""
    shapes = {shape.value: shape for shape in Shape}
    parts = []
    for k, line in enumerate(lines):
        here = f"{place}.budget[{k}]"
        if line.distribution not in shapes:
            yield f"{here}.distribution is {line.distribution!r}, it must be {', '.join(shapes)}"
            return
        own = inf if line.degrees_of_freedom is None else line.degrees_of_freedom
        part = Component(line.source, line.half_width_percent, shapes[line.distribution], own)
        if not same(line.standard_percent, part.standard_percent) or line.half_width_percent < 0:
            yield figure(f"{here}.standard_percent", line.standard_percent, "its half-width", part.standard_percent)
        if own <= 0:
            yield f"{here}.degrees_of_freedom is {own:g}, it must be more than 0"
            return
        parts.append(part)
    whole = Budget(tuple(parts))
    if not same(uncertainty, due := factor * whole.combined_percent):
        yield figure(f"{place}.uncertainty_percent", uncertainty, "budget and coverage_factor", due)
    known = finite(whole.freedom)
    if (known is None) is not (freedom is None) or (known is not None and not same(freedom or 0.0, known)):
        yield figure(f"{place}.degrees_of_freedom", freedom, "budget", known)


def _of_repeats(found: Verification, constant_wh: float, place: str) -> Iterator[str]:
    if not found.repeats:
        yield f"{place}.repeats is empty, a verification has one at least"
        return
    by_frequency = found.counter.startswith(FREQUENCY)
    for k, each in enumerate(found.repeats):
        here = f"{place}.repeats[{k}]"
        if each.reference_wh <= 0 or each.seconds <= 0:
            yield f"{here} has {each.reference_wh:g} Wh in {each.seconds:g} s, and neither can be less than 0 or 0"
            return
        pulses = each.energy_wh / constant_wh
        if not (abs(pulses - each.pulses) <= 0.5 if by_frequency else same(pulses, each.pulses)):
            yield figure(f"{here}.energy_wh", each.energy_wh, "pulses and the constant", each.pulses * constant_wh)
        due = 100 * (each.energy_wh - each.reference_wh) / each.reference_wh
        scatter = _gate_scatter(found.budget) if by_frequency else 0.0
        if not same_percent(each.error_percent, due) and abs(each.error_percent - due) > scatter:
            yield figure(f"{here}.error_percent", each.error_percent, "energy_wh and reference_wh", due)
    sums = (
        ("pulses", float(found.pulses), sum(each.pulses for each in found.repeats)),
        ("seconds", found.seconds, sum(each.seconds for each in found.repeats)),
        ("energy_wh", found.energy_wh, sum(each.energy_wh for each in found.repeats)),
        ("reference_wh", found.reference_wh, sum(each.reference_wh for each in found.repeats)),
    )
    for name, stated, total in sums:
        if not same(stated, total):
            yield figure(f"{place}.{name}", stated, "repeats", total)
    errors = [each.error_percent for each in found.repeats]
    if not same_percent(found.error_percent, fmean(errors)):
        yield figure(f"{place}.error_percent", found.error_percent, "repeats", fmean(errors))
    if not same_percent(found.registration_percent, 100 + found.error_percent):
        yield figure(
            f"{place}.registration_percent", found.registration_percent, "error_percent", 100 + found.error_percent
        )
    least = found.coverage_factor * stdev(errors) / sqrt(len(errors)) if len(errors) > 1 else 0.0
    if clearly_more(least, found.uncertainty_percent):
        yield (
            f"{place}.uncertainty_percent is {found.uncertainty_percent:.10g}, and what repeats scatter by alone makes "
            f"it {least:.10g}"
        )


def _gate_scatter(budget: Sequence[BudgetLine]) -> float:
    """Give what the errors of single gates scatter by: their mean is off that of the sums by no more."""
    return max((each.standard_percent * sqrt((each.degrees_of_freedom or 0.0) + 1) for each in budget), default=0.0)


def _of_verdict(found: Verification, place: str) -> Iterator[str]:
    if found.passed is bool(found.reasons):
        yield verdict(f"{place}.passed", found.passed, f"it has {len(found.reasons)} reasons why not")
    beyond = reasons_of_error(found.error_percent, found.uncertainty_percent, found.limits.error_percent)
    orders = len(found.kyz_order_errors)
    if found.passed and beyond:
        yield verdict(f"{place}.passed", True, beyond[0])
    if found.passed and orders > found.limits.order_errors:
        yield verdict(f"{place}.passed", True, f"kyz_order_errors has {orders}, of {found.limits.order_errors} allowed")
    if not found.passed and not beyond and orders <= found.limits.order_errors:
        yield verdict(f"{place}.passed", False, "error, uncertainty and closures are within their limits")


def _of_edges(found: Verification, constant_wh: float, place: str) -> Iterator[str]:
    faults = {fault.value for fault in Fault}
    for k, error in enumerate(found.kyz_order_errors):
        here = f"{place}.kyz_order_errors[{k}]"
        if error.fault not in faults:
            yield f"{here}.fault is {error.fault!r}, it must be {', '.join(sorted(faults))}"
        elif error.count < 1 or error.to_s < error.from_s:
            yield f"{here} has {error.count} closures from {error.from_s:g} to {error.to_s:g} s: neither can be"
    for k, (a, b) in enumerate(pairwise(found.edges), 1):
        if b.number <= a.number or b.at_s < a.at_s:
            yield f"{place}.edges[{k}] is number {b.number} at {b.at_s:g} s, and comes after {a.number} at {a.at_s:g} s"
            return
    if found.edges and len(found.repeats) == 1 and len(found.edges) < MOST_EDGES:
        first, last = found.edges[0], found.edges[-1]
        pulses = last.number - first.number
        reference_wh = (last.late_pulses - first.late_pulses + pulses) * constant_wh
        if pulses != found.pulses:
            yield figure(f"{place}.pulses", found.pulses, "edges", pulses)
        if not same(found.seconds, last.at_s - first.at_s):
            yield figure(f"{place}.seconds", found.seconds, "edges", last.at_s - first.at_s)
        if not same(found.reference_wh, reference_wh):
            yield figure(f"{place}.reference_wh", found.reference_wh, "edges", reference_wh)
    if _stamped(found):
        yield from _of_steps(found, place)


def _stamped(found: Verification) -> bool:
    """Return whether each edge has an instant of its own, and the reference is known at it."""
    return found.reference in REFERENCES and (found.counter == FPGA or found.counter.startswith(GPIO))


def _of_steps(found: Verification, place: str) -> Iterator[str]:
    """Find an edge that stands a pulse off its place without an error that says so: what flows for a pulse is the
    median of the gaps, where a constant is wrong by a quarter at most, as rig/verify/closures.py has it."""
    gaps = [(b.number - a.number, b.late_pulses - a.late_pulses, a, b) for a, b in pairwise(found.edges)]
    pulse = median(1 + late / pulses for pulses, late, _, _ in gaps) if gaps else 1.0
    if abs(pulse - 1) > CONSTANT_SHARE:
        pulse = 1.0
    named = [each for each in found.kyz_order_errors if each.fault != Fault.BOTH_CLOSED.value]
    for pulses, late, a, b in gaps:
        step = (pulses + late) / pulse - pulses
        if abs(step) >= STEP and not any(each.from_s <= b.at_s and each.to_s >= a.at_s for each in named):
            yield (
                f"{place}.kyz_order_errors has nothing of edge {b.number} at {b.at_s:.6f} s, which came {step:+.3f} "
                "pulses late"
            )
            return
