"""Content of the certificate of an accuracy test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rig.accuracy.result import AccuracyPointResult, AccuracyResult
from rig.report.curves import error_curves
from rig.report.page import Block, Heading, Page, Paragraph, Signatures, Table, Tone
from rig.report.phrases import foot, provenance_rows, signed, verdict
from rig.report.plots import ErrorRow, error_charts

INFLUENCES = ("variation", "difference", "per kelvin", "repeatability", "constant")


def accuracy_page(found: AccuracyResult) -> Page:
    """Give the certificate: verdict, curves, points, influences, budget of each figure, sources, provenance."""
    title = f"Accuracy by {found.title.split(',')[0]}, class {found.accuracy_class}"
    verdicts = [point.passed for point in found.points]
    passed, untested = verdicts.count(True), verdicts.count(None)
    why = f"{passed} of {len(verdicts) - untested} points have passed"
    blocks: list[Block] = [Heading(title, 1), verdict(found.passed, why)]
    if untested:
        blocks.append(Paragraph(f"{untested} points were not tested; they say why.", Tone.NOTE))
    if unseen := sum(not point.verified_source for point in found.points):
        sentence = f"The limits of {unseen} points are recalled and not verified: check the standard."
        blocks.append(Paragraph(sentence, Tone.NOTE))
    blocks += _section("Errors", [p for p in found.points if p.judged not in INFLUENCES], found.points)
    blocks += _section("Influence quantities, repeatability, meter constant", [
        p for p in found.points if p.judged in INFLUENCES
    ], ())  # fmt: skip
    blocks += [Heading("Meter"), Table(list(found.meter.items()), shares=(1, 2.6))]
    blocks += [Heading("Provenance"), Table(provenance_rows(found.provenance), shares=(1, 2.6))]
    blocks += [Heading("Signatures"), Signatures()]
    blocks += [Heading("Uncertainty budgets", 1), Paragraph(
        "Components in percent of the true energy, combined by the sum of their squares (GUM 5.1.2). The coverage "
        "factor is that of Student's distribution for the effective degrees of freedom, for 95.45 %.", Tone.NOTE,
    ), Table(list(_budgets(found.points)), ("point", "component", "shape", "standard %", "freedom"), 3,
             (3, 3, 1.3, 1.5, 1), dense=True)]  # fmt: skip
    blocks += [
        Heading("Sources of the limits", 1),
        Table(list(_sources(found.points)), ("status", "source"), 9, (1, 5)),
    ]
    return Page(title, found.provenance.mark, foot(title, found), found.provenance.begun_utc, blocks)


def _section(
    name: str, points: Sequence[AccuracyPointResult], curves: Sequence[AccuracyPointResult]
) -> Iterator[Block]:
    if not points:
        return
    yield Heading(name)
    yield from error_curves(curves)
    head = ("point", "applied", "error", "U 95 %", "limit", "")
    yield Table([_row(point) for point in points], head, 2, (3.4, 2, 1.5, 1.4, 1.1, 1.2))
    yield from error_charts(
        f"{name}, with their uncertainty, in the band of each limit",
        [
            ErrorRow(p.name, p.error_percent, p.uncertainty_percent, p.limit_percent or 0.0, bool(p.passed))
            for p in points
            if p.error_percent is not None
        ],
    )
    for point in points:
        if point.text != "within the limit":
            yield Paragraph(f"{point.name}: {point.text}", Tone.FAILED if point.passed is False else Tone.NOTE)


def _row(point: AccuracyPointResult) -> tuple[str, ...]:
    current = f"{point.amperes:g} A, PF {point.power_factor}" if point.power_factor else ""
    applied = ", ".join(text for text in (current, point.applied) if text)
    return (
        point.name,
        applied,
        "" if point.error_percent is None else signed(point.error_percent),
        "" if point.uncertainty_percent is None else f"{point.uncertainty_percent:.5f} %",
        "none" if point.limit_percent is None else f"±{point.limit_percent:g} %",
        {True: "passed", False: "FAILED", None: "not tested"}[point.passed],
    )


def _budgets(points: Sequence[AccuracyPointResult]) -> Iterator[tuple[str, ...]]:
    for point in points:
        for line in point.budget:
            freedom = "given" if line.degrees_of_freedom is None else f"{line.degrees_of_freedom:.0f}"
            yield point.name, line.source, line.distribution, f"{line.standard_percent:.3g}", freedom
        if point.budget and point.coverage_factor is not None:
            freedom = "given" if point.degrees_of_freedom is None else f"{point.degrees_of_freedom:.0f}"
            expanded = f"{point.uncertainty_percent:.3g}"
            yield point.name, f"expanded, k = {point.coverage_factor:.3f}", "", expanded, freedom


def _sources(points: Sequence[AccuracyPointResult]) -> Iterator[tuple[str, str]]:
    yield from dict.fromkeys((point.source_status, point.source) for point in points)
