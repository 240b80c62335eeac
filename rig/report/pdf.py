"""A page as PDF, by ReportLab: the same bytes from the same page, on any machine and at any time.

What would differ is left out or given: no compression (libraries of zlib differ), the instant of the result as that of
the file, a digest of the page as its number. The font is Bitstream Vera, which ReportLab brings; a character that it
does not have is written as Python writes it in a literal.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from rig.report.chart import WIDTH, Bar, Chart, Line, Mark, Shape, Words
from rig.report.errors import ReportError
from rig.report.page import Block, Heading, Page, Paragraph, Signatures, Table, Tone, shown

MARGIN = 54.0
"""Of an A4 sheet, points."""

FONT, BOLD = "Vera", "VeraBd"

_COLOURS = {Tone.PLAIN: "#1c1f24", Tone.PASSED: "#145f3a", Tone.FAILED: "#8c1d18", Tone.NOTE: "#555c66"}
_VERDICT = {"fontName": BOLD, "borderPadding": 4, "leftIndent": 4, "rightIndent": 4}
_GROUNDS = {Tone.PASSED: "#e7f1ea", Tone.FAILED: "#fbeae9"}


def pdf_of(page: Page) -> bytes:
    """Give the file. Raises ReportError where ReportLab is not installed."""
    try:
        import reportlab
        from reportlab.lib.pagesizes import A4
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont
        from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate
    except ImportError:
        raise ReportError(
            'a PDF needs reportlab: run `.venv/bin/pip install -e ".[report]"` in the project folder, or give a file '
            "that ends in .html"
        ) from None
    fonts = Path(reportlab.__file__).parent / "fonts"
    faces = {name: TTFont(name, str(fonts / f"{name}.ttf")) for name in (FONT, BOLD)}
    for face in faces.values():
        pdfmetrics.registerFont(face)
    drawing = _Drawing(faces[FONT].face.charToGlyph, A4[0] - 2 * MARGIN)
    sheets = _sheets(drawing, page)
    target = io.BytesIO()
    frame = Frame(MARGIN, MARGIN, A4[0] - 2 * MARGIN, A4[1] - 2 * MARGIN - 16, 0, 0, 0, 0)
    document = BaseDocTemplate(
        target,
        pagesize=A4,
        title=drawing.text(page.title),
        author="",
        creator="AE-0764 rig",
        invariant=1,
        pageCompression=0,
        initialFontName=FONT,
        pageTemplates=[PageTemplate("sheet", [frame])],
    )
    document.build([flowable for block in page.blocks for flowable in drawing.flowables(block)], canvasmaker=sheets)
    return target.getvalue()


def _sheets(drawing: _Drawing, page: Page) -> Callable[..., Any]:
    """Give the canvas that has mark, foot and number on each sheet, and the page's own instant and digest."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    class Sheets(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            self._doc._timeStamp = _Instant(page.made_utc)
            self._doc.signature = hashlib.md5(repr(page).encode("utf-8", "backslashreplace"), usedforsecurity=False)
            self._sheets_drawn: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._sheets_drawn.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self._sheets_drawn, 1):
                self.__dict__.update(state)
                self._decorate(number, len(self._sheets_drawn))
                super().showPage()
            super().save()

        def _decorate(self, number: int, count: int) -> None:
            self.setFont(FONT, 7.5)
            self.setFillColor("#555c66")
            self.drawString(MARGIN, MARGIN - 20, drawing.text(page.foot)[:110])
            self.drawRightString(A4[0] - MARGIN, MARGIN - 20, drawing.text(page.sheet.format(number, count)))
            if page.mark:
                self.setFont(BOLD, 9)
                self.setFillColor("#b3261e")
                self.drawString(MARGIN, A4[1] - MARGIN, drawing.text(page.mark)[:80])

    return Sheets


class _Instant:
    """Instant as ReportLab has it in a file's description; one that cannot be read is 2000-01-01."""

    def __init__(self, iso: str) -> None:
        try:
            at = datetime.fromisoformat(iso)
            at = at.astimezone(UTC) if at.tzinfo else at
        except (ValueError, OverflowError):
            at = datetime(2000, 1, 1)
        self.YMDhms = (at.year, at.month, at.day, at.hour, at.minute, at.second)
        self.t, self.dhh, self.dmm = 0, 0, 0


class _Drawing:
    """Blocks as ReportLab's flowables, for a font that has the characters in `glyphs`, on so many points of width."""

    def __init__(self, glyphs: dict[int, int], width: float) -> None:
        from reportlab.lib.styles import ParagraphStyle

        self._glyphs, self._width, self._begun = glyphs, width, False

        def style(size: float, **named: Any) -> Any:
            named = {"fontName": FONT, "leading": size * 1.35, "textColor": "#1c1f24", "splitLongWords": 1} | named
            return ParagraphStyle("", fontSize=size, **named)

        self._headings = {
            1: style(17, fontName=BOLD, spaceBefore=18, spaceAfter=6, keepWithNext=1),
            2: style(11, fontName=BOLD, spaceBefore=12, spaceAfter=4, textColor="#0057a8", keepWithNext=1),
        }
        self._paragraphs = {
            tone: style(
                7.8 if tone is Tone.NOTE else 9.5,
                textColor=_COLOURS[tone],
                spaceBefore=3,
                spaceAfter=5,
                **(_VERDICT | {"backColor": _GROUNDS[tone]} if tone in _GROUNDS else {}),
            )
            for tone in Tone
        }
        self._caption = style(8, textColor="#555c66", spaceBefore=8, spaceAfter=3, keepWithNext=1)
        self._cells = {
            (dense, strong, figure): style(
                6.2 if dense else 8.0, fontName=BOLD if strong else FONT, alignment=2 if figure else 0
            )
            for dense in (False, True)
            for strong in (False, True)
            for figure in (False, True)
        }

    def text(self, text: str) -> str:
        """Give a text in characters that the font has."""
        return "".join(c if ord(c) in self._glyphs else ascii(c)[1:-1] for c in shown(text))

    def flowables(self, block: Block) -> Iterator[Any]:
        """Give a block's flowables."""
        from reportlab.platypus import PageBreak, Spacer
        from reportlab.platypus import Paragraph as Flowing

        match block:
            case Heading(text, level):
                if level == 1 and self._begun:
                    yield PageBreak()
                self._begun = True
                yield Flowing(self._marked(text), self._headings[level])
            case Paragraph(text, tone):
                yield Flowing(self._marked(text), self._paragraphs[tone])
                if tone in _GROUNDS:
                    yield Spacer(1, 5)
            case Table():
                if block.rows:
                    yield self._table(block)
            case Chart():
                yield Flowing(self._marked(block.title), self._caption)
                yield self._chart(block)
            case Signatures(roles):
                yield self._signatures(roles)

    def _marked(self, text: str) -> str:
        return escape(self.text(text))

    def _table(self, table: Table) -> Any:
        from reportlab.platypus import Paragraph as Flowing
        from reportlab.platypus import Table as Grid

        def cells(row: Any, strong: Callable[[int], bool]) -> list[Any]:
            return [
                Flowing(self._marked(cell), self._cells[table.dense, strong(k), k >= table.numbers])
                for k, cell in enumerate(row)
            ]

        rows = [cells(table.head, lambda _: True)] if table.head else []
        rows += [cells(row, lambda k: table.names and not k) for row in table.rows]
        columns = len(rows[0])
        shares = table.shares or [1.0] * columns
        widths = [self._width * share / sum(shares) for share in shares]
        style: list[Any] = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, "#dfe2e7"),
            ("TOPPADDING", (0, 0), (-1, -1), 0.4 if table.dense else 1.6),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0.6 if table.dense else 2.2),
            ("LEFTPADDING", (0, 0), (-1, -1), 2 if table.dense else 3),
            ("RIGHTPADDING", (0, 0), (-1, -1), 2 if table.dense else 3),
        ]
        if table.head:
            style += [("BACKGROUND", (0, 0), (-1, 0), "#f3f5f8"), ("LINEBELOW", (0, 0), (-1, 0), 0.9, "#1c1f24")]
        return Grid(rows, widths, repeatRows=1 if table.head else 0, style=style, spaceAfter=4, splitInRow=1)

    def _signatures(self, roles: Any) -> Any:
        from reportlab.platypus import Table as Grid

        names = [self.text(role) for role in roles]
        rows = [names, [""] * len(names), ["date"] * len(names), [""] * len(names)]
        style = [
            ("FONT", (0, 0), (-1, -1), FONT, 8),
            ("BOX", (0, 1), (0, 1), 0.6, "#8a8f98"),
            *(("BOX", (k, row), (k, row), 0.6, "#8a8f98") for k in range(len(names)) for row in (1, 3)),
        ]
        return Grid(rows, [self._width / len(names)] * len(names), [14, 38, 14, 26], style=style, spaceBefore=4)

    def _chart(self, chart: Chart) -> Any:
        from reportlab.platypus.flowables import Flowable

        drawing, scale = self, self._width / WIDTH

        class Drawn(Flowable):  # type: ignore[misc]
            def wrap(self, *_: Any) -> tuple[float, float]:
                return WIDTH * scale, chart.height * scale

            def draw(self) -> None:
                self.canv.scale(scale, scale)
                self.canv.translate(0, chart.height)
                for part in chart.parts:
                    drawing._draw(self.canv, part)

        return Drawn()

    def _draw(self, canvas: Any, part: Line | Bar | Mark | Words) -> None:
        """Draw a part; y grows upwards here."""
        match part:
            case Line(x1, y1, x2, y2, colour, width, dashed):
                canvas.setStrokeColor(colour)
                canvas.setLineWidth(width)
                canvas.setDash([4, 3] if dashed else [])
                canvas.line(x1, -y1, x2, -y2)
            case Bar(x, y, width, height, colour):
                canvas.setFillColor(colour)
                canvas.rect(x, -y - height, width, height, stroke=0, fill=1)
            case Words(x, y, text, anchor, colour, size):
                canvas.setFillColor(colour)
                canvas.setFont(FONT, size * 0.92)
                write = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
                write[anchor](x, -y, self.text(text))
            case Mark(x, y, shape, colour, size):
                canvas.setFillColor(colour)
                if shape is Shape.DOT:
                    canvas.circle(x, -y, size, stroke=0, fill=1)
                    return
                path = canvas.beginPath()
                for k, (a, b) in enumerate(part.corners):
                    (path.lineTo if k else path.moveTo)(x + a * size, -(y + b * size))
                path.close()
                canvas.drawPath(path, stroke=0, fill=1)
