"""A sequence of the display as one SVG: its items side by side, row by row, each with its name above (D-2 to D-5)."""

from __future__ import annotations

from collections.abc import Sequence

from rig.face.drawing import document, element, number, writing
from rig.face.lcd_drawing import HEIGHT, WIDTH, definitions, glass
from rig.meter.display.lcd import Lcd

_SCALE = 0.62
_ACROSS, _DOWN = WIDTH * _SCALE, HEIGHT * _SCALE
_GAP, _ROW, _EDGE, _HEAD = 22.0, _DOWN + 34, 24.0, 62.0
_INK, _QUIET, _PAPER = "#2b2d31", "#77797c", "#f6f5f2"


def strip(title: str, items: Sequence[tuple[str, Lcd]], *, columns: int = 3, said: str = "") -> str:
    """The picture of a sequence: captions and what then stands on the display. `said` stands beside the title, such as
    "SIMULATED". Raises ValueError without items or columns.
    """
    if not items or columns < 1:
        raise ValueError(f"a strip of {len(items)} items in {columns} columns has nothing to show")
    columns = min(columns, len(items))
    rows = -(-len(items) // columns)
    width = 2 * _EDGE + columns * _ACROSS + (columns - 1) * _GAP
    parts = []
    for k, (caption, lcd) in enumerate(items):
        x = _EDGE + k % columns * (_ACROSS + _GAP)
        y = _HEAD + k // columns * _ROW
        parts.append(writing(f"{k + 1}", x, y + 14, 11, _QUIET))
        parts.append(writing(caption, x + 20, y + 14, 12, _INK, weight="600"))
        at = f"translate({number(x)} {number(y + 21)}) scale({number(_SCALE)})"
        parts.append(element("g", glass(lcd, 0, 0), transform=at))
    return document(
        width,
        _HEAD + rows * _ROW + 6,
        title,
        element("defs", definitions()),
        element("rect", width=width, height=_HEAD + rows * _ROW + 6, rx=14, fill=_PAPER),
        writing(title, _EDGE, 38, 17, _INK, weight="700"),
        writing(said, width - _EDGE, 38, 12, "#a85b00", anchor="end", weight="700", spacing=1.2) if said else "",
        *parts,
    )
