"""Liquid-crystal display of the meter as data, for any output to draw (D-1).

┌────────────────────────────────────────────┐
│ VA VB VC   → ← LAG LEAD     A B C D        │   annunciators
│ 03    0 0 1 2 3.4 5                  kWh   │   ident, text, unit
│ ALT TEST EOI ERR                           │   annunciators
└────────────────────────────────────────────┘
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

IDENT_PLACES = 3
TEXT_PLACES = 9
UNIT_PLACES = 6

LIT = "█"
"""A place with every segment lit."""

POINTS = ".:"
"""Marks between two places of the text: they take no place of their own."""


class Annunciator(Enum):
    """A word or sign that is lit or not. The value is what is printed on the glass."""

    PHASE_A = "VA"
    PHASE_B = "VB"
    PHASE_C = "VC"
    DELIVERED = "→"
    RECEIVED = "←"
    LAGGING = "LAG"
    LEADING = "LEAD"
    RATE_A = "A"
    RATE_B = "B"
    RATE_C = "C"
    RATE_D = "D"
    ALT = "ALT"
    TEST = "TEST"
    EOI = "EOI"
    ERROR = "ERR"


@dataclass(frozen=True)
class Lcd:
    """Lit segments: `ident` of up to IDENT_PLACES characters, `text` of up to TEXT_PLACES with POINTS between (drawn
    to the right of its field), `unit` of up to UNIT_PLACES, and annunciators. Raises ValueError for what does not fit.
    """

    ident: str = ""
    text: str = ""
    unit: str = ""
    lit: frozenset[Annunciator] = frozenset()

    def __post_init__(self) -> None:
        places = sum(c not in POINTS for c in self.text)
        for name, taken, most in (
            ("ident", len(self.ident), IDENT_PLACES),
            ("text", places, TEXT_PLACES),
            ("unit", len(self.unit), UNIT_PLACES),
        ):
            if taken > most:
                raise ValueError(f"the display's {name} has {most} places, {getattr(self, name)!r} needs {taken}")


ALL_SEGMENTS = Lcd(
    LIT * IDENT_PLACES, f"{LIT}{POINTS}" * (TEXT_PLACES - 1) + LIT, LIT * UNIT_PLACES, frozenset(Annunciator)
)
"""The check of all segments."""
