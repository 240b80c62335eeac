"""A page as one HTML file that needs no other: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from rig.report.chart import WIDTH, Bar, Chart, Line, Mark, Part, Shape, Words
from rig.report.page import Block, Heading, Page, Paragraph, Signatures, Table, Tone, shown

STYLE = """
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;max-width:58em;margin:2.5em auto;padding:0 1.5em;
color:#1c1f24;background:#fff}h1{font-size:1.7em;margin:1.4em 0 .4em;padding-top:.6em;border-top:3px solid #0057a8}
h1:first-of-type{border:0;padding:0;margin-top:.6em}h2{font-size:1.15em;margin:1.6em 0 .4em;color:#0057a8}
table{border-collapse:collapse;margin:.5em 0;width:100%;font-size:.93em}td,th{padding:.28em .7em;text-align:left;
vertical-align:top;border-bottom:1px solid #dfe2e7;overflow-wrap:anywhere}th{font-weight:600}thead th{
border-bottom:2px solid #1c1f24;background:#f3f5f8}.n{text-align:right;font-variant-numeric:tabular-nums}
.mark{border:3px solid #b3261e;color:#b3261e;padding:.35em .8em;font-weight:700;letter-spacing:.04em}
.passed,.failed{font-weight:600;padding:.5em .8em;border-left:6px solid}.passed{color:#145f3a;background:#e7f1ea;
border-color:#1b7f4d}.failed{color:#8c1d18;background:#fbeae9;border-color:#b3261e}.note{color:#555c66;font-size:.93em}
figure{margin:1em 0}figcaption{font-size:.93em;color:#555c66;margin-bottom:.3em}
svg{width:100%;height:auto;display:block}
.dense{font-size:.72em;font-variant-numeric:tabular-nums}.dense td,.dense th{padding:.1em .4em}
.sign td{height:3.2em;border:1px solid #8a8f98;width:50%}.sign th{border:0}
footer{margin-top:3em;color:#555c66;font-size:.85em;border-top:1px solid #dfe2e7}
@media print{body{margin:0;max-width:none;font-size:11px}h1,h2,figure,tr{break-inside:avoid}h2{break-after:avoid}}
"""

_CLASSES = {Tone.PASSED: "passed", Tone.FAILED: "failed", Tone.NOTE: "note", Tone.PLAIN: ""}


def html_of(page: Page) -> bytes:
    """Give the file."""
    mark = f'<p class="mark">{_text(page.mark)}</p>' if page.mark else ""
    lines = [
        f'<!DOCTYPE html><html lang="{_text(page.language)}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{_text(page.title)}</title><style>{STYLE}</style></head><body>",
        mark,
        *(line for block in page.blocks for line in _block(block)),
        f"<footer><p>{_text(page.foot)}</p></footer></body></html>",
        "",
    ]
    return "\n".join(lines).encode("utf-8", "backslashreplace")


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(text, level):
            yield f"<h{level}>{_text(text)}</h{level}>"
        case Paragraph(text, tone):
            yield f'<p class="{_CLASSES[tone]}">{_text(text)}</p>' if _CLASSES[tone] else f"<p>{_text(text)}</p>"
        case Table():
            yield from _table(block)
        case Chart():
            yield _chart(block)
        case Signatures(roles):
            yield '<table class="sign">'
            for row in (roles, ["date"] * len(roles)):
                yield "<tr>" + "".join(f"<th>{_text(cell)}</th>" for cell in row) + "</tr>"
                yield "<tr>" + "<td></td>" * len(roles) + "</tr>"
            yield "</table>"


def _table(table: Table) -> Iterator[str]:
    yield '<table class="dense">' if table.dense else "<table>"
    if table.shares:
        columns = "".join(f'<col style="width:{100 * share / sum(table.shares):.2f}%">' for share in table.shares)
        yield f"<colgroup>{columns}</colgroup>"
    if table.head:
        yield f"<thead>{_row(table.head, table.numbers, 'th')}</thead>"
    yield "<tbody>"
    for row in table.rows:
        yield _row(row, table.numbers, "td", named=table.names)
    yield "</tbody></table>"


def _row(cells: Sequence[str], numbers: int, tag: str, named: bool = False) -> str:
    written = []
    for k, cell in enumerate(cells):
        name = "th" if named and not k else tag
        written.append(f"<{name}{' class=n' if k >= numbers else ''}>{_text(cell)}</{name}>")
    return f"<tr>{''.join(written)}</tr>"


def _chart(chart: Chart) -> str:
    parts = "".join(_part(part) for part in chart.parts)
    return (
        f"<figure><figcaption>{_text(chart.title)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH:g} {_at(chart.height)}" role="img" font-family="system-ui,sans-serif">'
        f"<title>{_text(chart.title)}</title>{parts}</svg></figure>"
    )


def _part(part: Part) -> str:
    match part:
        case Line(x1, y1, x2, y2, colour, width, dashed):
            dash = ' stroke-dasharray="4 3"' if dashed else ""
            place = f'x1="{_at(x1)}" y1="{_at(y1)}" x2="{_at(x2)}" y2="{_at(y2)}"'
            return f'<line {place} stroke="{colour}" stroke-width="{width:g}"{dash}/>'
        case Bar(x, y, width, height, colour):
            place = f'x="{_at(x)}" y="{_at(y)}" width="{_at(width)}" height="{_at(height)}"'
            return f'<rect {place} fill="{colour}"/>'
        case Words(x, y, text, anchor, colour, size):
            place = f'x="{_at(x)}" y="{_at(y)}" text-anchor="{anchor}" fill="{colour}" font-size="{size:g}"'
            return f"<text {place}>{_text(text)}</text>"
        case Mark():
            return _mark(part)


def _mark(mark: Mark) -> str:
    tip = f"<title>{_text(mark.tip)}</title>" if mark.tip else ""
    x, y, size = mark.x, mark.y, mark.size
    if mark.shape is Shape.DOT:
        return f'<circle cx="{_at(x)}" cy="{_at(y)}" r="{size:g}" fill="{mark.colour}">{tip}</circle>'
    points = " ".join(f"{_at(x + a * size)},{_at(y + b * size)}" for a, b in mark.corners)
    return f'<polygon points="{points}" fill="{mark.colour}">{tip}</polygon>'


def _at(value: float) -> str:
    return f"{value:.2f}"


def _text(text: str) -> str:
    return escape(shown(text))
