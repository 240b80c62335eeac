"""Content of the report of a verification, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from rig.files.numbers import exact
from rig.report.edges import ORDERLY, JudgedEdge, judged_edges
from rig.report.page import Block, Heading, Page, Paragraph, Signatures, Table, Tone
from rig.report.phrases import MINUS, foot, provenance_rows, signed, unit_of, verdict
from rig.report.plots import ErrorRow, budget_chart, error_charts, strip_charts
from rig.results.provenance import Provenance
from rig.verify.result import Setup, Verification

EDGE_COLUMNS = 3
"""Edges side by side in their table."""

MOST_REPEATS = 48
"""Of more a plot shows nothing; their table has all."""

MAGNIFIED = 10
"""An error that fills less of its band than one part in so many is drawn once more, on a scale of its own."""

MOST_ERRORS = 200
"""Of closures out of order: the result has all."""


def verification_page(found: Verification) -> Page:
    """Give the report of one verification."""
    title = f"Verification of {found.output}"
    known = f"{signed(found.error_percent, 6)} ± {found.uncertainty_percent:.6f} % (k = {found.coverage_factor:g})"
    blocks = [
        Heading(title, 1),
        verdict(found.passed, f"error {known}, limit ±{found.limits.error_percent:g} %"),
        *(Paragraph(reason, Tone.FAILED) for reason in found.reasons),
        *verification_blocks(found),
        *origin_blocks(found.setup, found.provenance),
        Heading("Signatures"),
        Signatures(),
        *edge_list(found),
    ]
    return Page(title, found.provenance.mark, foot(title, found), found.provenance.begun_utc, blocks)


def _at_primary(found: Verification, unit: str) -> list[tuple[str, str]]:
    """Give what a pulse is on the line's side of instrument transformers, where the meter's nameplate has any."""
    ratio = exact(found.setup.meter.get("Mult. all rdgs by", "1"))
    if ratio is None or ratio == 1:
        return []
    return [
        (
            "behind transformers",
            f"at the meter, as all below; at the primary side {found.constant_wh * ratio:.10g} {unit} a pulse",
        )
    ]


def verification_blocks(found: Verification) -> Iterator[Block]:
    """Give result, uncertainty, repeats and edges."""
    unit = unit_of(found.quantity)
    yield Heading("Result")
    yield Table(
        [
            ("output", f"{found.output}, {found.quantity}"),
            ("constant", f"{found.constant_exact} {unit} a pulse ({found.constant_wh:g})"),
            *_at_primary(found, unit),
            ("counter", found.counter),
            ("reference", found.reference),
            ("counted", f"{found.pulses} pulses in {found.seconds:.6f} s"),
            ("energy by pulses", f"{found.energy_wh:.9f} {unit}"),
            ("energy by reference", f"{found.reference_wh:.9f} {unit}"),
            ("error", signed(found.error_percent, 6)),
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
                "∞" if part.degrees_of_freedom is None else f"{part.degrees_of_freedom:.4g}",
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
                 signed(each.error_percent, 6))
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


def edge_list(found: Verification) -> Iterator[Block]:
    """Give every edge of the result with its verdict."""
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


def origin_blocks(setup: Setup, provenance: Provenance) -> Iterator[Block]:
    """Give the setup, and the provenance."""
    for name, entries in (
        ("Meter", setup.meter),
        ("Configuration", setup.configuration),
        ("Environment", setup.environment),
    ):
        yield Heading(name)
        if entries:
            yield Table(list(entries.items()), shares=(1, 2.6))
        else:
            yield Paragraph("not stated", Tone.NOTE)
    yield Heading("Provenance")
    yield Table(provenance_rows(provenance), shares=(1, 2.6))
