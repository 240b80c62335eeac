"""Content of the report of two results compared."""

from __future__ import annotations

from rig.report.comparison import Compared, Comparison
from rig.report.page import Block, Heading, Page, Paragraph, Signatures, Table, Tone
from rig.report.phrases import foot, provenance_rows, signed
from rig.report.plots import ErrorRow, error_charts


def comparison_page(found: Comparison) -> Page:
    """Give the report of two results compared."""
    title = "Two results compared"
    rows = [_compared_row(each) for each in found.compared]
    head = ("", "error of A", "error of B", "B − A", "uncertainty", "En", "")
    blocks: list[Block] = [
        Heading(title, 1),
        Paragraph(found.sentence, Tone.PASSED if found.agree else Tone.FAILED),
        *(Paragraph(note, Tone.NOTE) for note in found.notes),
        Heading("Differences"),
        Table(rows, head, 1, (2.6, 1.7, 1.7, 1.7, 1.6, 1, 1.2)),
        *error_charts(
            "Differences with their uncertainty (k = 2)",
            [ErrorRow(e.name, e.difference_percent, e.uncertainty_percent, 0.0, e.agree) for e in found.compared],
        ),
        Paragraph(
            "The uncertainty of a difference is the root of the sum of the squares of both, as they are independent; "
            "what both have in common, such as one counter or one standard, makes it smaller. "
            "En is the difference over its uncertainty: beyond 1 they part.",
            Tone.NOTE,
        ),
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


def _compared_row(each: Compared) -> tuple[str, ...]:
    return (
        each.name,
        signed(each.a.error_percent),
        signed(each.b.error_percent),
        signed(each.difference_percent),
        f"{each.uncertainty_percent:.5f} %",
        "∞" if each.normalized is None else f"{each.normalized:.2f}",
        "agree" if each.agree else "PART",
    )
