"""Units in the cells of a load record, as in "1.25 kWh" or "5 kW".

A unit's case does not matter, except that a small m is no mega: "5 mWh" may be either, and is no number.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_CELL = re.compile(r"(.*[\d.,])\s*([A-Za-z]{1,5})", re.ASCII)
_POWERS = {"w": 0, "kw": 3, "mw": 6, "var": 0, "kvar": 3, "mvar": 6}
_UNITS = {f"{unit}{h}": (power - 3, not h) for unit, power in _POWERS.items() for h in ("", "h")}


class CellUnit(NamedTuple):
    """A cell's number as it is written, and its unit: the word, 10 to which power of k it is, power or energy."""

    number: str
    word: str
    exponent: int
    power: bool

    @property
    def reactive(self) -> bool:
        """Return whether it is of vars."""
        return "var" in self.word.lower()


def cell_unit(text: str) -> CellUnit | None:
    """Part a cell into number and unit; None where there is none that is known."""
    match = _CELL.fullmatch(text)
    if match is None or match[2].startswith("m") or match[2].lower() not in _UNITS:
        return None
    return CellUnit(match[1], match[2], *_UNITS[match[2].lower()])
