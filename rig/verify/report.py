"""A verification as one self-contained HTML file that an engineer signs: made of the result, and of nothing else.

So the result as JSON makes the same file again, byte for byte: no time of day, no machine, no random name is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import msgspec

from rig.files.bounded import TooLongError, read_bounded
from rig.verify.errors import VerifyError
from rig.verify.result import EdgeLine, Verification

MOST_JSON_BYTES = 1 << 24

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111;background:#fff}
table{border-collapse:collapse;margin:.5em 0}td,th{border:1px solid #999;padding:.2em .6em;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}.mark{border:3px solid #b00;color:#b00;padding:.3em .6em;
font-weight:bold}.passed{color:#060}.failed{color:#b00}svg{width:100%;height:auto}.sign td{height:3em;width:20em}
@media print{body{margin:0}}
"""

RED, BLUE = "#b00", "#06c"

WIDTH, HEIGHT, MARGIN = 900, 240, 60


def report_html(found: Verification) -> str:
    """Give the file."""
    unit = found.quantity.split()[0].removeprefix("k")
    verdict = "passed" if found.passed else "failed"
    mark = found.provenance.mark
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            f"<title>Verification of {escape(found.output)}</title><style>{STYLE}</style></head><body>",
            f'<p class="mark">{escape(mark)}</p>' if mark else "",
            f'<h1>Verification of {escape(found.output)}: <span class="{verdict}">{verdict}</span></h1>',
            *(f"<p>{escape(reason)}</p>" for reason in found.reasons),
            "<h2>Result</h2>",
            _table(
                [
                    ("output", f"{found.output}, {found.quantity}"),
                    ("constant", f"{found.constant_exact} {unit} a pulse ({found.constant_wh:g})"),
                    ("counter", found.counter),
                    ("reference", found.reference),
                    ("pulses", f"{found.pulses} in {found.seconds:.6f} s"),
                    ("energy by pulses", f"{found.energy_wh:.9f} {unit}"),
                    ("energy by reference", f"{found.reference_wh:.9f} {unit}"),
                    ("error", f"{found.error_percent:+.6f} %"),
                    ("expanded uncertainty", f"{found.uncertainty_percent:.6f} % (k = {found.coverage_factor:g})"),
                    ("registration", f"{found.registration_percent:.6f} %"),
                    ("limit", f"±{found.limits.error_percent:g} %, with the uncertainty; no closure out of order"),
                ]
            ),
            "<h2>Uncertainty</h2>",
            _table(
                (
                    (
                        part.source,
                        f"{part.half_width_percent:.7f} %",
                        part.distribution,
                        f"{part.standard_percent:.7f} %",
                        "∞" if part.degrees_of_freedom is None else f"{part.degrees_of_freedom:g}",
                    )
                    for part in found.budget
                ),
                ("component", "half-width", "distribution", "standard uncertainty", "degrees of freedom"),
            ),
            "<h2>Repeats</h2>",
            _table(
                (
                    (str(k), str(each.pulses), f"{each.seconds:.6f}", f"{each.error_percent:+.6f}")
                    for k, each in enumerate(found.repeats, 1)
                ),
                ("", "pulses", "seconds", "error in %"),
            ),
            "<h2>Closures</h2>",
            _strip_chart(found.edges, {error.after + 1 for error in found.kyz_order_errors}),
            f"<p>{len(found.kyz_order_errors) or 'No'} closures out of order.</p>",
            "<ul>" if found.kyz_order_errors else "",
            *(f"<li>{escape(error.text)}</li>" for error in found.kyz_order_errors),
            "</ul>" if found.kyz_order_errors else "",
            "<h2>Where it comes from</h2>",
            _table((key, str(value)) for key, value in msgspec.structs.asdict(found.provenance).items()),
            "<h2>Signatures</h2>",
            '<table class="sign"><tr><th>measured by</th><th>checked by</th></tr><tr><td></td><td></td></tr>'
            "<tr><th>date</th><th>date</th></tr><tr><td></td><td></td></tr></table>",
            "</body></html>",
            "",
        ]
    )


def read_result(path: Path) -> Verification:
    """Read what `rig verify --json` printed. Raises VerifyError."""
    try:
        return msgspec.json.decode(read_bounded(path, MOST_JSON_BYTES), type=Verification)
    except (OSError, TooLongError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise VerifyError(f"{path} cannot be read ({why}): give a file of what rig verify --json printed") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise VerifyError(f"{path} is no result of rig verify --json: {error}") from None


def _table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    lines = ["<table>"]
    if head:
        lines.append("<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>")
    for first, *rest in rows:
        cells = "".join(f'<td class="n">{escape(cell)}</td>' for cell in rest)
        lines.append(f"<tr><th>{escape(first)}</th>{cells}</tr>")
    return "".join([*lines, "</table>"])


def _strip_chart(edges: Sequence[EdgeLine], wrong: set[int]) -> str:
    """Each closure over time: how many pulses late; those after which something is wrong are red."""
    if not edges:
        return ""
    lates = [edge.late_pulses for edge in edges]
    low, high = min(-0.01, *lates), max(0.01, *lates)
    begin, end = edges[0].at_s, max(edges[-1].at_s, edges[0].at_s + 1e-9)

    def x(at_s: float) -> str:
        return f"{MARGIN + (at_s - begin) / (end - begin) * (WIDTH - 2 * MARGIN):.2f}"

    def y(late: float) -> str:
        return f"{HEIGHT - MARGIN + (late - low) / (high - low) * (2 * MARGIN - HEIGHT):.2f}"

    dots = []
    for edge in edges:
        contact = f", {escape(edge.contact)}" if edge.contact else ""
        colour = RED if edge.number in wrong else BLUE
        dots.append(
            f'<circle cx="{x(edge.at_s)}" cy="{y(edge.late_pulses)}" r="3" fill="{colour}">'
            f"<title>number {edge.number}, {edge.at_s:.6f} s, {edge.late_pulses:+.6f} pulses{contact}</title></circle>"
        )
    words = [
        (MARGIN, HEIGHT - 20, f"{begin:.3f} s", "start"),
        (WIDTH - MARGIN, HEIGHT - 20, f"{end:.3f} s", "end"),
        (MARGIN, 20, f"pulses late, {low:.4f} to {high:.4f}", "start"),
    ]
    texts = "".join(f'<text x="{a}" y="{b}" font-size="14" text-anchor="{c}">{t}</text>' for a, b, t, c in words)
    zero = y(0.0)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>Each closure, and how many pulses late it was</title>'
        f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{zero}" y2="{zero}" stroke="#999"/>{"".join(dots)}{texts}</svg>'
    )
