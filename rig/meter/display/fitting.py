"""Numbers and words as they fit the text of the display: TEXT_PLACES places, points between them free.

A register is truncated, never rounded, has all its digits, and goes round at the last as a dial does. What does not go
round and does not fit shows OVERFLOW, and what is not known UNKNOWN.
"""

from __future__ import annotations

from math import isfinite

from rig.meter.display.lcd import POINTS, TEXT_PLACES
from rig.meter.reading.figures import kilo_steps

UNKNOWN = "-----"
OVERFLOW = "OVERFLOW"


def dial(nano: int, digits: int, decimals: int) -> str:
    """A register, from nano-units in kilo-units, of so many digits, those after the point among them.

    One that is negative has its sign before them; of nine digits the first gives way to it.
    """
    return _pointed(kilo_steps(nano, decimals), digits, decimals, nano < 0)


def gauge(nano: int, digits: int, decimals: int) -> str:
    """The same of what does not go round: a demand that its digits do not hold shows OVERFLOW."""
    shown = kilo_steps(nano, decimals)
    return OVERFLOW if shown >= 10**digits else _pointed(shown, digits, decimals, nano < 0)


def measured(value: float | None, decimals: int) -> str:
    """A value of the moment, rounded, without leading zeros; with fewer decimals where they do not fit."""
    if value is None or not isfinite(value):
        return UNKNOWN
    for kept in range(decimals, -1, -1):
        text = f"{value:z.{kept}f}"
        if places(text) <= TEXT_PLACES:
            return text
    return OVERFLOW


def count(value: int) -> str:
    """A count, without leading zeros; it goes round after nine digits."""
    return str(value % 10**TEXT_PLACES)


def duration(ns: int) -> str:
    """Time left as minutes and seconds, the last one whole until it is over: 14:59."""
    seconds = -(-max(ns, 0) // 10**9)
    return fitted(f"{seconds // 60:02}:{seconds % 60:02}")


def words(text: str) -> str:
    """As much of the beginning as fits."""
    end = next((k for k in range(len(text)) if places(text[: k + 1]) > TEXT_PLACES), len(text))
    return text[:end].rstrip()


def fitted(text: str) -> str:
    """Return a text that means nothing when cut short, or OVERFLOW where it has no room."""
    return text if places(text) <= TEXT_PLACES else OVERFLOW


def places(text: str) -> int:
    """Return the number of places that a text needs."""
    return sum(c not in POINTS for c in text)


def _pointed(shown: int, digits: int, decimals: int, negative: bool) -> str:
    if negative and digits == TEXT_PLACES and shown:
        digits -= 1
    text = f"{shown % 10**digits:0{digits}}"
    sign = "-" if negative and shown else ""
    whole = digits - decimals
    return sign + text[:whole] + ("." + text[whole:] if decimals else "")
