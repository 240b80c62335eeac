"""The display's glass in SVG: 14-segment places and annunciators, the unlit ones faintly there as on a real one."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

from rig.face.drawing import element, number
from rig.face.segments import SEGMENTS, ident_places, text_places, unit_places
from rig.meter.display.lcd import ALL_SEGMENTS, POINTS, Annunciator, Lcd

WIDTH = 476.0
HEIGHT = 132.0
"""Of the glass, in its own units."""

INK = "#1c241a"
UNLIT_OPACITY = 0.06
_SLANT = 0.105

_Point = tuple[float, float]
_ARROWS = {Annunciator.DELIVERED: 1, Annunciator.RECEIVED: -1}
_WHERE: dict[Annunciator, tuple[float, float]] = {
    Annunciator.PHASE_A: (16, 18),
    Annunciator.PHASE_B: (42, 18),
    Annunciator.PHASE_C: (68, 18),
    Annunciator.DELIVERED: (135, 18),
    Annunciator.RECEIVED: (107, 18),
    Annunciator.LAGGING: (172, 26),
    Annunciator.LEADING: (208, 32),
    Annunciator.RATE_A: (378, 10),
    Annunciator.RATE_B: (402, 10),
    Annunciator.RATE_C: (426, 10),
    Annunciator.RATE_D: (450, 10),
    Annunciator.ALT: (16, 24),
    Annunciator.TEST: (62, 30),
    Annunciator.EOI: (114, 24),
    Annunciator.ERROR: (160, 24),
}
"""Left edge and width of each."""
_BELOW = {Annunciator.ALT, Annunciator.TEST, Annunciator.EOI, Annunciator.ERROR}
_TOP, _BOTTOM = 20.0, 123.0
"""Baselines of the two rows."""


def glass(lcd: Lcd, x: float, y: float) -> str:
    """The glass with its upper left corner at x, y, in a document with `definitions`."""
    return element(
        "g",
        element("use", href="#unlit"),
        element("g", *_ink(lcd), class_="lit"),
        transform=f"translate({number(x)} {number(y)})",
    )


def definitions() -> str:
    """Draw the definitions that a document with LCDs needs: the LCD with nothing lit."""
    colours = (("0", "#ccd5bd"), ("1", "#bac6a9"))
    stops = [element("stop", offset=offset, stop_color=colour) for offset, colour in colours]
    return element("linearGradient", *stops, id="glass", x1="0", y1="0", x2="0", y2="1") + element(
        "g",
        element("rect", width=WIDTH, height=HEIGHT, rx=5, fill="url(#glass)"),
        element("g", *_ink(ALL_SEGMENTS), opacity=UNLIT_OPACITY),
        id="unlit",
    )


class _Size:
    """A size of place: its outline, the distance to the next, how thick segments are."""

    def __init__(self, width: float, height: float, thick: float, pitch: float) -> None:
        self.width, self.height, self.thick, self.pitch = width, height, thick, pitch
        self.segments = _outlines(width, height, thick)
        dot = thick * 0.62
        x = (width + pitch) / 2 + 0.5
        self.points = {
            ".": [_disc(x, height - dot, dot)],
            ":": [_disc(x, height * 0.32, dot), _disc(x, height * 0.68, dot)],
        }


def _ink(lcd: Lcd) -> list[str]:
    return [element("path", d=_outline(lcd), fill=INK), *(_annunciator(a) for a in Annunciator if a in lcd.lit)]


def _outline(lcd: Lcd) -> str:
    """The path of all lit segments and points."""
    fields = (
        (ident_places(lcd), 19.0, 61.0, _SMALL),
        (text_places(lcd), 82.0, 33.0, _LARGE),
        (unit_places(lcd), 376.0, 66.0, _SMALLER),
    )
    path = ""
    for places, left, top, size in fields:
        for k, place in enumerate(places):
            shapes = [size.segments[segment] for segment in SEGMENTS if segment in place.lit]
            shapes += [dot for mark in POINTS if mark in place.points for dot in size.points[mark]]
            path += "".join(_closed(shape, left + k * size.pitch, top) for shape in shapes)
    return path


def _closed(corners: list[_Point], x: float, y: float) -> str:
    """The corners as a piece of a path, aslant."""
    return "M" + " ".join(f"{number(x + px - py * _SLANT)},{number(y + py)}" for px, py in corners) + "Z"


def _outlines(w: float, h: float, t: float) -> dict[str, list[_Point]]:
    """Each segment's corners in a place of w by h with segments t thick."""
    half, gap = t / 2, t * 0.11
    left, middle, right = half, w / 2, w - half
    top, centre, bottom = half, h / 2, h - half

    def across(x0: float, x1: float, y: float) -> list[_Point]:
        x0, x1 = x0 + gap, x1 - gap
        above, below = y - half, y + half
        return [(x0, y), (x0 + half, above), (x1 - half, above), (x1, y), (x1 - half, below), (x0 + half, below)]

    def down(x: float, y0: float, y1: float) -> list[_Point]:
        return [(px, py) for py, px in across(y0, y1, x)]

    def slope(x0: float, x1: float, y0: float, y1: float) -> list[_Point]:
        """From (x0, y0) to (x1, y1), kept clear of the bars around it."""
        dx = (half + gap) * (1 if x1 > x0 else -1)
        dy = (half + gap) * (1 if y1 > y0 else -1)
        (x0, x1), (y0, y1) = (x0 + dx * 1.1, x1 - dx * 1.1), (y0 + dy * 1.1, y1 - dy * 1.1)
        wide, tall = dx * 0.8, dy * 2.4
        return [(x0, y0), (x0 + wide, y0), (x1, y1 - tall), (x1, y1), (x1 - wide, y1), (x0, y0 + tall)]

    shapes = {
        "a": across(left, right, top),
        "b": down(right, top, centre),
        "c": down(right, centre, bottom),
        "d": across(left, right, bottom),
        "e": down(left, centre, bottom),
        "f": down(left, top, centre),
        "g": across(left, middle, centre),
        "h": across(middle, right, centre),
        "i": slope(left, middle, top, centre),
        "j": down(middle, top + half, centre),
        "k": slope(right, middle, top, centre),
        "l": slope(left, middle, bottom, centre),
        "m": down(middle, centre, bottom - half),
        "n": slope(right, middle, bottom, centre),
    }
    return {segment: shapes[segment] for segment in SEGMENTS}


def _disc(x: float, y: float, r: float) -> list[_Point]:
    turns = (math.tau * (k + 0.5) / 8 for k in range(8))
    return [(x + r * math.cos(turn), y + r * math.sin(turn)) for turn in turns]


_LARGE = _Size(25.5, 64, 3.9, 31.8)
_SMALL = _Size(13.6, 36, 2.3, 18)
_SMALLER = _Size(12, 31, 2, 15.4)


def _annunciator(annunciator: Annunciator) -> str:
    x, width = _WHERE[annunciator]
    baseline = _BOTTOM if annunciator in _BELOW else _TOP
    if annunciator in _ARROWS:
        return element("path", d=_arrow(x, width, baseline - 4.2, _ARROWS[annunciator]), fill=INK)
    return element(
        "text", escape(annunciator.value), x=x, y=baseline, font_size=12, font_weight="700", fill=INK,
        textLength=width, lengthAdjust="spacingAndGlyphs",
    )  # fmt: skip


def _arrow(x: float, width: float, y: float, towards: int) -> str:
    back, tip = (x, x + width) if towards > 0 else (x + width, x)
    neck = tip - towards * 7.5
    upper = [(back, y - 1.5), (neck, y - 1.5), (neck, y - 5), (tip, y)]
    lower = [(px, 2 * y - py) for px, py in reversed(upper[:-1])]
    return "M" + " ".join(f"{number(px)},{number(py)}" for px, py in upper + lower) + "Z"
