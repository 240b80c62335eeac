"""Characters as the 14 segments of a place (D-1): gpiozero's table, and what it lacks.

     ─a─
    │╲│╱│      f i j k b
     g h       the two halves of the bar in the middle
    │╱│╲│      e l m n c
     ─d─

Printable ASCII, the degree sign and the dash have their own; names that people gave may have others, which are shown as
the nearest of these.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from gpiozero.fonts import load_font_14seg

from rig.meter.display.lcd import IDENT_PLACES, LIT, POINTS, TEXT_PLACES, UNIT_PLACES, Lcd

SEGMENTS = "abcdefghijklmn"
"""By their usual letters, in the order of gpiozero's table."""

_OURS = {
    "a": "degm", "b": "defgn", "c": "degh", "d": "bcdhl", "e": "degl", "f": "ghkm", "g": "bcdhk", "h": "efgm",
    "i": "m", "j": "bcd", "k": "jkmn", "l": "ef", "m": "ceghm", "n": "egm", "o": "cdegh", "p": "efgi", "q": "bchk",
    "r": "eg", "s": "dhn", "t": "defg", "u": "cde", "v": "el", "w": "celn", "x": "ikln", "y": "bcdhj", "z": "dgl",
    "!": "bc", '"': "fj", "#": "bcdghjm", ",": "l", ".": "d", ":": "ad", ";": "al", "<": "kn", ">": "il",
    "?": "abhm", "@": "abdefhj", "^": "ln", "`": "i", "{": "adgil", "|": "jm", "}": "adhkn", "~": "fik",
    "°": "abfgh", "–": "gh", LIT: SEGMENTS,
    "0": "abcdef",
}  # fmt: skip
"""gpiozero's table has capitals, digits and some signs; its 0 has a stroke, which makes a row of them hard to read. A
point within a place is only for ident and unit."""


@dataclass(frozen=True)
class Place:
    """A place of the glass: its lit segments, and which of POINTS are lit to the right of it."""

    lit: frozenset[str] = frozenset()
    points: str = ""


@cache
def patterns() -> dict[str, frozenset[str]]:
    """The lit segments of every character there is."""
    with files("gpiozero.fonts").joinpath("14seg.txt").open(encoding="utf-8") as file:
        font: dict[str, tuple[int, ...]] = load_font_14seg(file)
    theirs = {c: frozenset(s for s, on in zip(SEGMENTS, lit, strict=True) if on) for c, lit in font.items()}
    return theirs | {c: frozenset(lit) for c, lit in _OURS.items()}


@cache
def nearest(character: str) -> str:
    """The character itself where it has a pattern, else the letter beneath its accents, else a question mark."""
    letter = unicodedata.normalize("NFKD", character)[0]
    return next((c for c in (character, letter) if c in patterns()), "?")


def ident_places(lcd: Lcd) -> tuple[Place, ...]:
    """The places of the ident, filled from the left."""
    return _from_left(lcd.ident, IDENT_PLACES)


def unit_places(lcd: Lcd) -> tuple[Place, ...]:
    """The places of the unit, filled from the left."""
    return _from_left(lcd.unit, UNIT_PLACES)


def text_places(lcd: Lcd) -> tuple[Place, ...]:
    """The places of the text, filled from the right. A point belongs to the place before it, the empty one before the
    whole text included; without one, or after the last place, it is not shown.
    """
    found: list[Place] = []
    points = ""
    for character in reversed(lcd.text):
        if character in POINTS:
            points += character
        else:
            found.append(Place(patterns()[nearest(character)], points if found else ""))
            points = ""
    if len(found) < TEXT_PLACES:
        found.append(Place(points=points if found else ""))
    found += [Place()] * (TEXT_PLACES - len(found))
    return tuple(reversed(found))


def _from_left(text: str, places: int) -> tuple[Place, ...]:
    return tuple(Place(patterns()[nearest(character)]) for character in text.ljust(places))
