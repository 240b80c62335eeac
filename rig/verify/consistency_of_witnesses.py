"""Consistency of an agreement of witnesses, when it is read again."""

from __future__ import annotations

from collections.abc import Iterator

from rig.results.consistency import all_passed, clearly_more, figure, origin_twice, same, same_difference, verdict
from rig.verify.agreement import LEAST_WITNESSES, Agreement, TimelineLine, WitnessLine

ROUNDED = 1e-14
"""Of an energy in Wh a difference has been rounded by less than this share."""


def agreement_contradictions(found: Agreement, place: str = "$") -> Iterator[str]:
    """Find what an agreement says twice and not alike."""
    if len(found.witnesses) < LEAST_WITNESSES:
        yield f"{place}.witnesses has {len(found.witnesses)}, and one witness agrees with itself"
    for k, line in enumerate(found.witnesses):
        yield from _of_witness(line, f"{place}.witnesses[{k}]", found.energy_wh)
    agreeing = {(line.witness, line.quantity): line.agrees for line in found.witnesses}
    for k, statement in enumerate(found.timeline):
        yield from _of_statement(statement, f"{place}.timeline[{k}]", agreeing)
    yield from all_passed(f"{place}.passed", found.passed, agreeing.values(), "witnesses")
    if found.passed is bool(found.reasons):
        yield verdict(f"{place}.passed", found.passed, f"it has {len(found.reasons)} reasons why not")
    yield from origin_twice(place, found.simulated, found.fidelity, found.provenance)


def _of_witness(line: WitnessLine, place: str, energy_wh: dict[str, float]) -> Iterator[str]:
    if not same_difference(line.difference_wh, line.stated_wh, line.reference_wh):
        due = line.stated_wh - line.reference_wh
        yield figure(f"{place}.difference_wh", line.difference_wh, "stated_wh and reference_wh", due)
    if line.agrees is not (line.parting is None):
        yield figure(f"{place}.agrees", line.agrees, "parting", line.parting is None)
    if line.agrees and _apart(line.difference_wh, line.tolerance_wh, line.reference_wh):
        yield verdict(f"{place}.agrees", True, f"{line.difference_wh:+.10g} Wh is beyond {line.tolerance_wh:.10g} Wh")
    if line.parting is not None and not clearly_more(abs(line.parting.difference_wh), line.parting.tolerance_wh):
        yield verdict(f"{place}.agrees", False, "what it parts by is within its tolerance")
    share = 100 * line.tolerance_wh / line.reference_wh if line.reference_wh else None
    if (share is None) is not (line.tolerance_percent is None) or not same(line.tolerance_percent or 0.0, share or 0.0):
        yield figure(f"{place}.tolerance_percent", line.tolerance_percent, "tolerance_wh and reference_wh", share)
    if line.quantity in energy_wh and clearly_more(line.reference_wh, energy_wh[line.quantity]):
        yield (
            f"{place}.reference_wh is {line.reference_wh:.10g}, and of {line.quantity} energy_wh has "
            f"{energy_wh[line.quantity]:.10g}"
        )


def _of_statement(line: TimelineLine, place: str, agreeing: dict[tuple[str, str], bool]) -> Iterator[str]:
    if not same_difference(line.difference_wh, line.stated_wh, line.reference_wh):
        due = line.stated_wh - line.reference_wh
        yield figure(f"{place}.difference_wh", line.difference_wh, "stated_wh and reference_wh", due)
    agrees = agreeing.get((line.witness, line.quantity))
    if agrees is None:
        yield f"{place} is of {line.witness} for {line.quantity}, which is not among the witnesses"
    if agrees and _apart(line.difference_wh, line.tolerance_wh, line.reference_wh):
        yield (
            f"{place} parts by {line.difference_wh:+.10g} Wh, beyond {line.tolerance_wh:.10g} Wh, and its witness "
            f"{line.witness} agrees"
        )


def _apart(difference: float, tolerance: float, of: float) -> bool:
    """Return whether a difference is beyond its tolerance, rounding of what it is of aside."""
    return clearly_more(abs(difference) - abs(of) * ROUNDED, tolerance)
