"""Content of the report of a series: all of it at a glance, then each point by itself."""

from __future__ import annotations

from rig.report.content import edge_list, origin_blocks, verification_blocks
from rig.report.page import Block, Heading, Page, Paragraph, Signatures, Table, Tone
from rig.report.phrases import MINUS, foot, provenance_rows, signed, verdict
from rig.report.plots import ErrorRow, error_charts
from rig.verify.result import Verification
from rig.verify.series import AverageResult, SeriesResult
from rig.verify.series_test import SeriesTestResult


def series_page(found: SeriesResult) -> Page:
    """Give the report of a series: all points at a glance, then each by itself, and where all of it comes from."""
    results = [point.verification for point in found.points]
    provenances = [each.provenance for each in results] + [test.provenance for test in found.tests]
    marks = sorted({each.mark for each in provenances} - {""})
    verdicts = [each.passed for each in results] + [test.passed for test in found.tests]
    verdicts += [mean.passed for mean in found.averages]
    several = f"{verdicts.count(False)} of {len(verdicts)} points, tests and averages have not passed"
    why = f"all {len(verdicts)} points, tests and averages have passed" if found.passed else several
    blocks: list[Block] = [Heading(found.title, 1), verdict(found.passed, why)]
    rows = [
        (
            point.name,
            f"{each.output}, {each.quantity}",
            signed(each.error_percent),
            f"{each.uncertainty_percent:.5f} %",
            f"±{each.limits.error_percent:g} %",
            "passed" if each.passed else "FAILED",
        )
        for point, each in zip(found.points, results, strict=True)
    ]
    if rows:
        head = ("point", "output", "error", "uncertainty", "limit", "")
        blocks += [Heading("Points"), Table(rows, head, 2, (3, 3, 2, 2, 2, 1.6))]
    blocks += _tests(found.tests)
    if found.averages:
        blocks.append(Heading("Averages"))
        averages = [
            (
                each.name,
                signed(each.error_percent),
                f"{each.uncertainty_percent:.5f} %",
                f"±{each.limits.error_percent:g} %",
                "passed" if each.passed else "FAILED",
            )
            for each in found.averages
        ]
        blocks.append(Table(averages, ("average", "error", "uncertainty", "limit", ""), 1, (4, 2, 2, 2, 1.6)))
    named: list[tuple[str, Verification | AverageResult]] = [(each.name, each.verification) for each in found.points]
    named += [(mean.name, mean) for mean in found.averages]
    plotted = [
        ErrorRow(name, one.error_percent, one.uncertainty_percent, one.limits.error_percent, one.passed)
        for name, one in named
    ]
    blocks += error_charts("Errors with their uncertainty (k = 2), in the band of each limit", plotted)
    blocks += [Heading("Signatures"), Signatures()]
    for point in found.points:
        blocks.append(Heading(point.name, 1))
        each = point.verification
        blocks.append(verdict(each.passed, f"error {signed(each.error_percent)}"))
        blocks += [Paragraph(reason, Tone.FAILED) for reason in each.reasons]
        blocks += verification_blocks(each)
        blocks += origin_blocks(each.setup, each.provenance)
        blocks += edge_list(each)
    for test in found.tests:
        blocks += [Heading(test.name, 1), verdict(test.passed, test.text)]
        blocks += [Heading("Provenance"), Table(provenance_rows(test.provenance), shares=(1, 2.6))]
    begun = min((each.begun_utc for each in provenances), default="")
    return Page(found.title, "  ".join(marks), foot(found.title, found), begun, blocks)


def _tests(tests: list[SeriesTestResult]) -> list[Block]:
    if not tests:
        return []
    rows = [
        (
            each.name,
            each.kind,
            f"{each.value:+.6f} {each.unit}".replace("-", MINUS),
            f"{each.limit:g} {each.unit}, {each.source}",
            each.text,
            "passed" if each.passed else "FAILED",
        )
        for each in tests
    ]
    head = ("test", "kind", "found", "limit", "what was seen", "")
    return [Heading("Tests"), Table(rows, head, shares=(1.8, 1.5, 2.1, 2.4, 3.8, 1.3))]
