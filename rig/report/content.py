"""Content of a report, block by block: of a verification, of a series, or of two results compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

import msgspec

from rig.report.comparison import Compared, Comparison
from rig.report.edges import ORDERLY, JudgedEdge, judged_edges
from rig.report.page import Block, Heading, Page, Paragraph, Signatures, Table, Tone
from rig.report.plots import ErrorRow, budget_chart, error_charts, strip_charts
from rig.results.provenance import Provenance
from rig.verify.result import Verification
from rig.verify.series import AverageResult, SeriesResult

EDGE_COLUMNS = 3
"""Edges side by side in their table."""

MOST_REPEATS = 48
"""Of more the plot would say nothing; their table has all."""

MAGNIFIED = 10
"""An error that fills less of its band than one part in so many is drawn once more, on a scale of its own."""

MOST_ERRORS = 200
"""Of closures out of order: the result has all."""

MINUS = "\N{MINUS SIGN}"

DIGEST_DIGITS = 16


def verification_page(found: Verification) -> Page:
    """Give the report of one verification."""
    title = f"Verification of {found.output}"
    known = f"{_signed(found.error_percent)} ± {found.uncertainty_percent:.5f} % (k = {found.coverage_factor:g})"
    blocks = [
        Heading(title, 1),
        _verdict(found.passed, f"error {known}, limit ±{found.limits.error_percent:g} %"),
        *(Paragraph(reason, Tone.FAILED) for reason in found.reasons),
        *_verification(found),
        *_origin(found),
        Heading("Signatures"),
        Signatures(),
        *_edge_list(found),
    ]
    return Page(title, found.provenance.mark, _foot(title, found), found.provenance.begun_utc, blocks)


def series_page(found: SeriesResult) -> Page:
    """Give the report of a series: all points at a glance, then each by itself, and where all of it comes from."""
    results = [point.verification for point in found.points]
    marks = sorted({each.provenance.mark for each in results} - {""})
    failed = sum(not each.passed for each in results) + sum(not mean.passed for mean in found.averages)
    several = f"{failed} of {len(found.points) + len(found.averages)} points and averages have not"
    said = "all points and averages have passed" if found.passed else several
    blocks: list[Block] = [Heading(found.title, 1), _verdict(found.passed, said), Heading("Points")]
    rows = [
        (
            point.name,
            f"{each.output}, {each.quantity}",
            _signed(each.error_percent),
            f"{each.uncertainty_percent:.5f} %",
            f"±{each.limits.error_percent:g} %",
            "passed" if each.passed else "FAILED",
        )
        for point, each in zip(found.points, results, strict=True)
    ]
    head = ("point", "output", "error", "uncertainty", "limit", "")
    blocks.append(Table(rows, head, 2, (3, 3, 2, 2, 2, 1.6)))
    if found.averages:
        blocks.append(Heading("Averages"))
        averages = [
            (
                each.name,
                _signed(each.error_percent),
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
        blocks.append(_verdict(each.passed, f"error {_signed(each.error_percent)}"))
        blocks += [Paragraph(reason, Tone.FAILED) for reason in each.reasons]
        blocks += _verification(each)
        blocks += _origin(each)
        blocks += _edge_list(each)
    begun = min((each.provenance.begun_utc for each in results), default="")
    return Page(found.title, "  ".join(marks), _foot(found.title, found), begun, blocks)


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
                    _provenance(found.provenance_a), _provenance(found.provenance_b), strict=True
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
    return Page(title, "  ".join(marks), _foot(title, found), begun, blocks)


def _compared_row(each: Compared) -> tuple[str, ...]:
    return (
        each.name,
        _signed(each.a.error_percent),
        _signed(each.b.error_percent),
        _signed(each.difference_percent),
        f"{each.uncertainty_percent:.5f} %",
        "∞" if each.normalized is None else f"{each.normalized:.2f}",
        "agree" if each.agree else "PART",
    )


def _verification(found: Verification) -> Iterator[Block]:
    unit = found.quantity.split()[0].removeprefix("k") if found.quantity.split() else ""
    yield Heading("Result")
    yield Table(
        [
            ("output", f"{found.output}, {found.quantity}"),
            ("constant", f"{found.constant_exact} {unit} a pulse ({found.constant_wh:g})"),
            ("counter", found.counter),
            ("reference", found.reference),
            ("counted", f"{found.pulses} pulses in {found.seconds:.6f} s"),
            ("energy by pulses", f"{found.energy_wh:.9f} {unit}"),
            ("energy by reference", f"{found.reference_wh:.9f} {unit}"),
            ("error", _signed(found.error_percent, 6)),
            ("expanded uncertainty", f"{found.uncertainty_percent:.6f} % (k = {found.coverage_factor:g})"),
            ("registration", f"{found.registration_percent:.6f} %"),
            ("limit", f"±{found.limits.error_percent:g} %, with the uncertainty; no closure out of order"),
            ("closures out of order", str(len(found.kyz_order_errors) or "none")),
        ],
        shares=(1, 2.6),
    )
    limit = found.limits.error_percent
    repeats = [
        ErrorRow(f"repeat {k}", each.error_percent, None, limit, abs(each.error_percent) <= limit)
        for k, each in enumerate(found.repeats, 1)
    ]
    mean = ErrorRow("mean, k = 2", found.error_percent, found.uncertainty_percent, limit, found.passed)
    several = repeats if 1 < len(repeats) <= MOST_REPEATS else []
    yield from error_charts("Error, in the band of the limit", [*several, mean])
    if abs(mean.error) + found.uncertainty_percent < limit / MAGNIFIED:
        near = [replace(row, limit=0.0) for row in [*several, mean]]
        yield from error_charts("The same, magnified", near)
    yield Heading("Uncertainty")
    yield Table(
        [
            (
                part.source,
                f"{part.half_width_percent:.7f} %",
                part.distribution,
                f"{part.standard_percent:.7f} %",
                "∞" if part.degrees_of_freedom is None else f"{part.degrees_of_freedom:g}",
            )
            for part in found.budget
        ]
        + [
            (
                f"expanded, k = {found.coverage_factor:g}",
                f"{found.uncertainty_percent:.7f} %",
                "normal",
                f"{found.uncertainty_percent / found.coverage_factor:.7f} %" if found.coverage_factor else "",
                "∞" if found.degrees_of_freedom is None else f"{found.degrees_of_freedom:.4g}",
            )
        ],
        ("component", "half-width", "distribution", "standard", "freedom"),
        1,
        (3.2, 1.6, 1.5, 1.6, 1),
    )
    if len(found.budget) > 1:
        yield from budget_chart(found.budget)
    if len(found.repeats) > 1:
        yield Heading("Repeats")
        yield Table(
            [
                (str(k), str(each.pulses), f"{each.seconds:.6f}", f"{each.reference_wh:.9f}",
                 _signed(each.error_percent, 6))
                for k, each in enumerate(found.repeats, 1)
            ],
            ("repeat", "pulses", "seconds", f"reference, {unit}", "error"),
            1,
        )  # fmt: skip
    yield from _edges(judged_edges(found), found)


def _edges(edges: Sequence[JudgedEdge], found: Verification) -> Iterator[Block]:
    yield Heading("Edges")
    wrong = [edge for edge in edges if edge.verdict != ORDERLY]
    if found.kyz_order_errors:
        errors = found.kyz_order_errors
        yield Table(
            [(error.fault, str(error.count), error.text) for error in errors[:MOST_ERRORS]],
            ("verdict", "closures", "what was seen"),
            shares=(1, 0.8, 5),
        )
        if len(errors) > MOST_ERRORS:
            yield Paragraph(f"and {len(errors) - MOST_ERRORS} more, which the result has", Tone.NOTE)
    else:
        yield Paragraph("Every closure came in its order.")
    if not edges:
        yield Paragraph("The result has no edges: its counter gave none.", Tone.NOTE)
        return
    yield from strip_charts(edges)
    yield Paragraph(
        f"{len(edges)} edges, {len(wrong)} of them out of order. Late is against the first edge, by reference and "
        "constant: a wrong constant is a slope, a missed closure a step of 1 up, a doubled one a step of 1 down.",
        Tone.NOTE,
    )


def _edge_list(found: Verification) -> Iterator[Block]:
    edges = judged_edges(found)
    if not edges:
        return
    yield Heading("List of edges")
    cells = [
        (
            str(edge.number),
            f"{edge.at_s:.6f}",
            f"{edge.late_pulses:+.6f}".replace("-", MINUS),
            f"{edge.contact or ''} {edge.verdict}".strip(),
        )
        for edge in edges
    ]
    height = -(-len(cells) // EDGE_COLUMNS)
    columns = [cells[k : k + height] for k in range(0, len(cells), height)]
    rows = [[cell for group in row for cell in group] for row in zip_longest(*columns, fillvalue=("", "", "", ""))]
    head = ("no.", "s", "late", "verdict") * len(columns)
    yield Table(rows, head, shares=(0.8, 1.7, 1.5, 2.0) * len(columns), dense=True)


def _origin(found: Verification) -> Iterator[Block]:
    setup = found.setup
    for name, said in (
        ("Meter", setup.meter),
        ("Configuration", setup.configuration),
        ("Environment", setup.environment),
    ):
        yield Heading(name)
        if said:
            yield Table(list(said.items()), shares=(1, 2.6))
        else:
            yield Paragraph("not stated", Tone.NOTE)
    yield Heading("Provenance")
    yield Table(_provenance(found.provenance), shares=(1, 2.6))


def _provenance(found: Provenance) -> list[tuple[str, str]]:
    return [(key.replace("_", " "), _plain(value)) for key, value in msgspec.structs.asdict(found).items()]


def _plain(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case "":
            return "not known"
    return str(value)


def _verdict(passed: bool, said: str) -> Paragraph:
    return Paragraph(f"{'PASSED' if passed else 'FAILED'}: {said}", Tone.PASSED if passed else Tone.FAILED)


def _signed(percent: float, digits: int = 5) -> str:
    return f"{percent:+.{digits}f} %".replace("-", MINUS)


def _foot(title: str, found: msgspec.Struct) -> str:
    """Give what a signature is for: the result's own digest, so that another's report does not pass for it, that of
    the result as read again from its JSON, where an int is a float that belongs to one."""
    again = msgspec.json.decode(msgspec.json.encode(found), type=type(found))
    digest = hashlib.sha256(msgspec.json.encode(again)).hexdigest()[:DIGEST_DIGITS]
    return f"{title}. Result {digest}"
