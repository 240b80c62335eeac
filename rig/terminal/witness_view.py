"""Witnesses of one load for people: what each said beside what flowed, and where they part."""

from __future__ import annotations

from rig.verify.agreement import Agreement, WitnessLine


def agreement_lines(found: Agreement) -> list[str]:
    """Describe the result, line by line."""
    lines = [found.provenance.mark] if found.provenance.mark else []
    lines.append(
        f"{'witness':<13}{'of':<18}{'states, Wh':>16}{'flowed, Wh':>16}{'parts by, Wh':>15}{'tolerance, Wh':>15}"
    )
    lines += [_line(each) for each in found.witnesses]
    lines += [f"{'absent':<13}{why}" for why in found.absent]
    lines.append(f"{'AGREE' if found.passed else 'PART':<13}{len(found.witnesses)} witnesses in {found.seconds:.3f} s")
    return [*lines, *(f"{'':<13}{reason}" for reason in found.reasons)]


def _line(each: WitnessLine) -> str:
    verdict = "" if each.agrees else "  PARTS"
    return (
        f"{each.witness:<13}{each.quantity:<18}{each.stated_wh:>16.6f}{each.reference_wh:>16.6f}"
        f"{each.difference_wh:>+15.6f}{each.tolerance_wh:>15.6f}{verdict}"
    )
