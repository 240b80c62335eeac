"""Content of the report of a lot: yield, spreads as found and as left, worst points, units that were refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rig.accuracy.lot_result import LotPoint, LotResult
from rig.report.page import Block, Heading, Page, Paragraph, Signatures, Table, Tone
from rig.report.phrases import foot, provenance_rows, signed, verdict
from rig.report.spreads import Spread, spread_charts

EDGES_PERCENT = (25, 50, 75, 100)
"""Of a point's limit: how many meters have their worst point within each."""


def lot_page(found: LotResult) -> Page:
    """Give the report of a lot."""
    count = len(found.meters)
    title = f"Lot of seed {found.seed} by {found.title.split(',')[0]}, class {found.accuracy_class}"
    passed, before = (sum(flags) for flags in zip(*((m.passed, m.as_found) for m in found.meters), strict=True))
    why = f"{passed} of {count} meters have passed, calibrated; {before} as found; {found.refused} refused"
    blocks: list[Block] = [Heading(title, 1), verdict(found.passed, why)]
    if untested := sum(not point.tested for point in found.points):
        blocks.append(Paragraph(f"{untested} points were not tested; they say why.", Tone.NOTE))
    if unseen := sum(not point.verified_source for point in found.points):
        sentence = f"The limits of {unseen} points are recalled and not verified: check the standard."
        blocks.append(Paragraph(sentence, Tone.NOTE))
    blocks.append(Heading("Distribution"))
    blocks += spread_charts("As found: least, quartiles and largest of all meters", _spreads(found, left=False))
    blocks += spread_charts(
        "As left: least, quartiles and largest of the calibrated meters", _spreads(found, left=True)
    )
    blocks += [_distribution(found), Heading("Points"), _points(found.points)]
    for point in found.points:
        if point.failed or not point.tested:
            blocks.append(Paragraph(f"{point.name}: {point.text}", Tone.FAILED if point.failed else Tone.NOTE))
    blocks += _refused(found)
    blocks += [Heading("Meters"), Table(list(found.meter.items()), shares=(1, 2.6))]
    blocks += [Heading("Provenance"), Table(provenance_rows(found.provenance), shares=(1, 2.6))]
    blocks += [Heading("Signatures"), Signatures(), Heading("Each meter", 1), _meters(found)]
    blocks += [
        Heading("Sources of the limits", 1),
        Table(list(_sources(found.points)), ("status", "source"), 9, (1, 5)),
    ]
    return Page(title, found.provenance.mark, foot(title, found), found.provenance.begun_utc, blocks)


def _spreads(found: LotResult, *, left: bool) -> list[Spread]:
    spreads = []
    for point in found.points:
        values = point.as_left_percent if left else point.as_found_percent
        errors = tuple(value for value in values if value is not None)
        if errors and point.limit_percent:
            spreads.append(Spread(point.name, point.limit_percent, errors))
    return spreads


def _distribution(found: LotResult) -> Table:
    """Give how many meters have their worst point within which share of its limit."""
    limits = {point.name: point.limit_percent for point in found.points}
    before = [_share(m.worst_as_found_percent, limits.get(m.worst_as_found)) for m in found.meters]
    after = [_share(m.worst_percent, limits.get(m.worst)) for m in found.meters if not m.refused]
    rows, last = [], 0.0
    for edge in EDGES_PERCENT:
        inside = [sum(last <= share < edge / 100 for share in shares) for shares in (before, after)]
        rows.append((f"{100 * last:.0f} to {edge} %", *map(str, inside)))
        last = edge / 100
    rows.append(("more", *(str(sum(share >= last for share in shares)) for shares in (before, after))))
    return Table(rows, ("worst error, of its limit", "meters as found", "as left"), 1, (2, 1, 1))


def _share(error: float | None, limit: float | None) -> float:
    return abs(error) / limit if error is not None and limit else 0.0


def _points(points: Sequence[LotPoint]) -> Table:
    rows = []
    for point in points:
        limit = "none" if point.limit_percent is None else f"±{point.limit_percent:g} %"
        failed = "not tested" if not point.tested else str(point.failed) if point.failed else ""
        uncertainty = "" if point.uncertainty_percent is None else f"{point.uncertainty_percent:.5f} %"
        ends = (_end(values) for values in (point.as_found_percent, point.as_left_percent))
        rows.append((point.name, *ends, uncertainty, limit, failed))
    head = ("point", "worst as found", "worst as left", "U 95 % at most", "limit", "failed")
    return Table(rows, head, 1, (3.2, 1.6, 1.6, 1.6, 1.1, 1))


def _end(values: Sequence[float | None]) -> str:
    there = [value for value in values if value is not None]
    return signed(max(there, key=abs)) if there else ""


def _refused(found: LotResult) -> Iterator[Block]:
    if refused := [meter for meter in found.meters if meter.refused]:
        yield Heading("Units refused")
        yield Table([(str(meter.number), meter.refused) for meter in refused], ("meter", "reason"), 9, (1, 8))


def _meters(found: LotResult) -> Table:
    rows = []
    for meter in found.meters:
        before, after = (
            "" if value is None else signed(value, 4) for value in (meter.worst_as_found_percent, meter.worst_percent)
        )
        said = "refused" if meter.refused else "passed" if meter.passed else "FAILED"
        rows.append((str(meter.number), meter.worst_as_found, before, meter.worst, after, said))
    head = ("meter", "worst as found", "error", "worst as left", "error", "")
    return Table(rows, head, 9, (0.7, 3, 1.3, 3, 1.3, 1), dense=True)


def _sources(points: Sequence[LotPoint]) -> Iterator[tuple[str, str]]:
    yield from dict.fromkeys((point.source_status, point.source) for point in points)
