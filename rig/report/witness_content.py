"""Content of the report of witnesses of one load."""

from __future__ import annotations

from rig.report.content import origin_blocks
from rig.report.page import Block, Heading, Page, Paragraph, Signatures, Table, Tone
from rig.report.phrases import MINUS, foot, unit_of, verdict
from rig.report.timelines import timeline_charts
from rig.verify.agreement import Agreement, TimelineLine, WitnessLine


def witness_page(found: Agreement) -> Page:
    """Give the report: verdict, each witness beside what flowed, where one parts, the timeline, where it comes from."""
    title = "Witnesses of one load"
    lines = found.witnesses
    parting = [line for line in lines if not line.agrees]
    several = f"{len(parting)} of {len(lines)} witnesses part from the rest"
    why = several if parting else f"{len(lines)} witnesses agree"
    blocks: list[Block] = [
        Heading(title, 1),
        verdict(found.passed, f"{why}, in {found.seconds:.3f} s"),
        *(Paragraph(reason, Tone.FAILED) for reason in found.reasons),
        *(Paragraph(f"absent: {why}", Tone.NOTE) for why in found.absent),
        Heading("Witnesses"),
        Table(
            [_row(line) for line in lines],
            ("witness", "of", "states", "flowed", "parts by", "tolerance", "of it", ""),
            2,
            (1.5, 1.9, 2.1, 2.1, 1.9, 1.8, 1.3, 1.1),
        ),
        Paragraph(
            "What a witness says of the energy since its first statement, beside what flowed meanwhile by the windows "
            "of the meter. The tolerance is half of what both statements are known to, in amount and in time; as a "
            "part of what flowed it says how large a steady fault would have been found.",
            Tone.NOTE,
        ),
        Heading("Energy"),
        Table([(name, _energy(wh, unit_of(name))) for name, wh in found.energy_wh.items()], shares=(1, 2.6)),
        Heading("Timeline"),
        *timeline_charts(_strips(found)),
        *origin_blocks(found.setup, found.provenance),
        Heading("Signatures"),
        Signatures(),
    ]
    if found.timeline:
        rows = [_statement(line) for line in found.timeline]
        head = ("s", "witness", "states", "flowed", "parts by", "tolerance")
        blocks += [Heading("List of statements"), Table(rows, head, 2, (1.1, 2.6, 1.8, 1.8, 1.7, 1.7), dense=True)]
    return Page(title, found.provenance.mark, foot(title, found), found.provenance.begun_utc, blocks)


def _row(line: WitnessLine) -> tuple[str, ...]:
    unit = unit_of(line.quantity)
    return (
        line.witness,
        line.quantity,
        _energy(line.stated_wh, unit),
        _energy(line.reference_wh, unit),
        _energy(line.difference_wh, unit, "+.6f"),
        _energy(line.tolerance_wh, unit),
        "" if line.tolerance_percent is None else f"{line.tolerance_percent:.4f} %",
        "agrees" if line.agrees else "PARTS",
    )


def _strips(found: Agreement) -> list[tuple[str, str, list[TimelineLine]]]:
    """Give the statements of each witness of a quantity."""
    heard: dict[tuple[str, str], list[TimelineLine]] = {}
    for line in found.timeline:
        heard.setdefault((line.witness, line.quantity), []).append(line)
    return [(f"{name}: {quantity}", unit_of(quantity), lines) for (name, quantity), lines in heard.items()]


def _statement(line: TimelineLine) -> tuple[str, ...]:
    figures = (line.stated_wh, line.reference_wh, line.difference_wh, line.tolerance_wh)
    name = f"{line.witness}, {line.quantity}"
    return (f"{line.at_s:.6f}", name, *(f"{value:.9f}".replace("-", MINUS) for value in figures))


def _energy(wh: float, unit: str, form: str = ".6f") -> str:
    return f"{wh:{form}} {unit}".strip().replace("-", MINUS)
