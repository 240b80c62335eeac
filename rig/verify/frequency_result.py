"""Result of a verification by frequency: as any other, but for closures, of which it has none."""

from __future__ import annotations

from rig.results.provenance import Provenance
from rig.verify.frequency import FrequencyRun
from rig.verify.result import (
    COVERAGE,
    Limits,
    RepeatLine,
    Verification,
    budget_lines,
    finite,
    reasons_of_error,
)


def frequency_verification(run: FrequencyRun, counter: str, reference: str, provenance: Provenance) -> Verification:
    """Give the result of a run that is over."""
    found, error = run.budget, run.error_percent
    uncertainty = found.expanded_percent
    pulses, seconds = sum(each.pulses for each in run.readings), sum(each.seconds for each in run.readings)
    energy_wh, reference_wh = (
        sum(each.energy_wh for each in run.readings),
        sum(each.reference_wh for each in run.readings),
    )
    reasons = reasons_of_error(error, uncertainty, run.plan.limit_percent)
    return Verification(
        output=run.output.label,
        quantity=run.output.quantity,
        constant_wh=float(run.output.constant_wh),
        constant_exact=str(run.output.constant_wh),
        counter=counter,
        reference=reference,
        pulses=round(pulses),
        seconds=seconds,
        energy_wh=energy_wh,
        reference_wh=reference_wh,
        error_percent=error,
        registration_percent=100 + error,
        uncertainty_percent=uncertainty,
        coverage_factor=COVERAGE,
        degrees_of_freedom=finite(found.freedom),
        budget=budget_lines(found),
        repeats=[RepeatLine(round(pulses), seconds, energy_wh, reference_wh, error)],
        limits=Limits(run.plan.limit_percent),
        passed=not reasons,
        reasons=reasons,
        kyz_order_errors=[],
        edges=[],
        simulated=provenance.simulated,
        fidelity=provenance.fidelity,
        provenance=provenance,
    )
