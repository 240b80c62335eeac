"""Content of the report of two results compared."""

from __future__ import annotations

from rig.report.compared import Basis, Compared, Comparison, Side
from rig.report.page import Block, Heading, Page, Paragraph, Signatures, Table, Tone
from rig.report.phrases import MINUS, foot, provenance_rows
from rig.report.plots import ErrorRow, error_charts


def comparison_page(found: Comparison) -> Page:
    """Give the report of two results compared."""
    title = "Two results compared"
    rows = [_compared_row(each) for each in found.compared]
    head = ("", "A", "B", "B − A", "uncertainty", "En", "")
    blocks: list[Block] = [
        Heading(title, 1),
        Paragraph(found.sentence, Tone.PASSED if found.agree else Tone.FAILED),
        *(Paragraph(note, Tone.NOTE) for note in found.notes),
        Heading("Differences"),
        Table(rows, head, 1, (2.6, 1.7, 1.7, 1.7, 1.6, 1, 1.2)),
        *error_charts(
            "Differences with what they are known to",
            [
                ErrorRow(each.name, each.difference, each.uncertainty, 0.0, each.agree)
                for each in found.compared
                if each.unit == "%" and each.difference is not None
            ],
        ),
        *(Paragraph(sentence, Tone.NOTE) for basis, sentence in _BASES.items() if _has(found, basis)),
        *_sayings(found),
        Heading("Where they come from"),
        Table(
            [
                (key, a, b)
                for (key, a), (_, b) in zip(
                    provenance_rows(found.provenance_a), provenance_rows(found.provenance_b), strict=True
                )
            ],
            ("", "A", "B"),
            shares=(1, 2, 2),
        ),
        Heading("Signatures"),
        Signatures(("compared by", "checked by")),
    ]
    marks = sorted({found.provenance_a.mark, found.provenance_b.mark} - {""})
    begun = max(found.provenance_a.begun_utc, found.provenance_b.begun_utc)
    return Page(title, "  ".join(marks), foot(title, found), begun, blocks)


_BASES = {
    Basis.UNCERTAINTY: "The uncertainty of a difference (k = 2) is the root of the sum of the squares of both, as they "
    "are independent; what both have in common, such as one counter or one standard, makes it smaller. "
    "En is the difference over its uncertainty: beyond 1 they part.",
    Basis.TOLERANCE: "A witness is never farther off than its tolerance: two can differ by the sum of theirs.",
    Basis.VERDICT: "What states no uncertainty is compared by its verdict.",
}


def _has(found: Comparison, basis: Basis) -> bool:
    return any(each.basis is basis for each in found.compared)


def _sayings(found: Comparison) -> list[Block]:
    """Give what each said, where it is more than a figure."""
    rows = [(each.name, each.a.text, each.b.text) for each in found.compared if each.a.text or each.b.text]
    return [Heading("What was seen"), Table(rows, ("", "A", "B"), shares=(1.2, 2.4, 2.4))] if rows else []


def _compared_row(each: Compared) -> tuple[str, ...]:
    normalized = "" if each.basis is Basis.VERDICT else "∞" if each.normalized is None else f"{each.normalized:.2f}"
    return (
        each.name,
        _side(each.a, each.unit),
        _side(each.b, each.unit),
        _figure(each.difference, each.unit, "+.5f"),
        _figure(each.uncertainty, each.unit, ".5f"),
        normalized,
        "agree" if each.agree else "PART",
    )


def _side(side: Side, unit: str) -> str:
    verdict = {True: "passed", False: "FAILED", None: "not tested"}[side.passed]
    return verdict if side.value is None else _figure(side.value, unit, "+.5f")


def _figure(value: float | None, unit: str, form: str) -> str:
    return "" if value is None else f"{value:{form}} {unit}".strip().replace("-", MINUS)
