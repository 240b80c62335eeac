"""Result of a verification, as `rig verify --json` prints it (docs/json.md)."""

from __future__ import annotations

from math import isfinite
from statistics import fmean

import msgspec

from calibration.budget import Budget
from rig.results.exact import Rational
from rig.results.provenance import Provenance
from rig.verify.closures import ClosureFault
from rig.verify.errors import CountLost
from rig.verify.run import Run, State


class BudgetLine(msgspec.Struct, frozen=True):
    """A component of the uncertainty, in percent of the reference energy; null degrees of freedom: given."""

    source: str
    half_width_percent: float
    distribution: str
    standard_percent: float
    degrees_of_freedom: float | None


class RepeatLine(msgspec.Struct, frozen=True):
    """One repeat."""

    pulses: int
    seconds: float
    energy_wh: float
    reference_wh: float
    error_percent: float


class OrderError(msgspec.Struct, frozen=True):
    """A closure that was missed, doubled, swapped, late or early; `text` is it in a sentence."""

    fault: str
    count: int
    after: int
    from_s: float
    to_s: float
    text: str


class EdgeLine(msgspec.Struct, frozen=True):
    """A closure, or a flash: its number, when, and how many pulses late it was by the reference and the constant."""

    number: int
    at_s: float
    late_pulses: float
    contact: str | None


class Limits(msgspec.Struct, frozen=True):
    """Limits for passing: an error that with its uncertainty is within ±`error_percent`, and `order_errors`."""

    error_percent: float
    order_errors: int = 0


class Setup(msgspec.Struct, frozen=True):
    """Setup, each a name and its text: the meter's nameplate, the rig's configuration, the surroundings."""

    meter: dict[str, str] = {}
    configuration: dict[str, str] = {}
    environment: dict[str, str] = {}


class Verification(msgspec.Struct, frozen=True):
    """The result. Energy is in Wh (varh, VAh) at the meter; pulses, seconds and energy are those of all repeats."""

    output: str
    quantity: str
    constant_wh: float
    constant_exact: Rational
    counter: str
    reference: str
    pulses: int
    seconds: float
    energy_wh: float
    reference_wh: float
    error_percent: float
    registration_percent: float
    uncertainty_percent: float
    coverage_factor: float
    degrees_of_freedom: float | None
    budget: list[BudgetLine]
    repeats: list[RepeatLine]
    limits: Limits
    passed: bool
    reasons: list[str]
    kyz_order_errors: list[OrderError]
    edges: list[EdgeLine]
    simulated: bool
    fidelity: str
    provenance: Provenance
    setup: Setup = Setup()


COVERAGE = 2.0

MOST_EDGES = 1000
"""So many are in a result, from the first on; what is wrong with any of all is among the order errors."""


def verification(run: Run, counter: str, reference: str, provenance: Provenance) -> Verification:
    """Give the result of a run that is over. Raises CountLost where there is nothing to compare."""
    if not run.repeats:
        raise CountLost(
            f"{run.output.label} was counted too few times for an error: see to its wiring, and begin again"
        )
    found, faults, plan = run.budget, run.faults, run.plan
    error, uncertainty = run.error_percent, found.expanded_percent
    comparisons = [repeat.comparison for repeat in run.repeats]
    reasons = _reasons(run, error, uncertainty, faults)
    return Verification(
        output=run.output.label,
        quantity=run.output.quantity,
        constant_wh=float(run.output.constant_wh),
        constant_exact=str(run.output.constant_wh),
        counter=counter,
        reference=reference,
        pulses=sum(each.pulses for each in comparisons),
        seconds=sum(repeat.seconds for repeat in run.repeats),
        energy_wh=float(sum(each.energy_wh for each in comparisons)),
        reference_wh=float(sum(each.reference_wh for each in comparisons)),
        error_percent=error,
        registration_percent=fmean(float(each.registration_percent) for each in comparisons),
        uncertainty_percent=uncertainty,
        coverage_factor=COVERAGE,
        degrees_of_freedom=finite(found.freedom),
        budget=budget_lines(found),
        repeats=[
            RepeatLine(
                each.pulses, repeat.seconds, float(each.energy_wh), float(each.reference_wh), float(each.error_percent)
            )
            for repeat, each in zip(run.repeats, comparisons, strict=True)
        ],
        limits=Limits(plan.limit_percent),
        passed=not reasons,
        reasons=reasons,
        kyz_order_errors=[
            OrderError(each.fault.value, each.count, each.after, float(each.from_s), float(each.to_s), each.sentence)
            for each in faults
        ],
        edges=[
            EdgeLine(each.number, float(each.at_s), late, each.contact.value if each.contact else None)
            for each, late in run.edges[:MOST_EDGES]
        ],
        simulated=provenance.simulated,
        fidelity=provenance.fidelity,
        provenance=provenance,
    )


def _reasons(run: Run, error: float, uncertainty: float, faults: list[ClosureFault]) -> list[str]:
    """Give the reasons why it has not passed, a sentence each."""
    said = []
    if run.state is State.STOPPED:
        said.append("closures stopped coming while energy went on to flow: see whether the counter is still connected")
    said += reasons_of_error(error, uncertainty, run.plan.limit_percent)
    if faults:
        said.append(f"{len(faults)} order errors: {faults[0].sentence}")
    return said


def reasons_of_error(error: float, uncertainty: float, limit: float) -> list[str]:
    """Give the reason why an error in percent does not pass with its uncertainty; none where it does."""
    if abs(error) > limit:
        return [f"the error is {error:+.4f} %, beyond the limit of ±{limit:g} %"]
    if abs(error) + uncertainty > limit:
        return [
            f"the error of {error:+.4f} % is within ±{limit:g} %, but with its uncertainty of {uncertainty:.4f} % it "
            "may be beyond: count more pulses"
        ]
    return []


def budget_lines(found: Budget) -> list[BudgetLine]:
    """Give the components of a budget."""
    return [
        BudgetLine(part.source, part.half_width_percent, part.shape.value, part.standard_percent, finite(part.freedom))
        for part in found.components
    ]


def finite(value: float) -> float | None:
    """Give a number, or None for infinity."""
    return value if isfinite(value) else None
