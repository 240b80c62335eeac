"""Tables as a person names them: ST23, 23, MT1, 2049, 60-64 (X-2)."""

from __future__ import annotations

import re

from rig.communication.c1219.table import MANUFACTURER
from rig.errors import RigError

MOST_NUMBER = 4095
"""Of a table that is not pending."""

_NAME = re.compile(r"(st|mt)?([0-9]{1,4})(?:-(?:(st|mt)?([0-9]{1,4})))?", re.ASCII)


class TableNumberError(RigError):
    """Text that names no tables."""


def numbers_of(what: str, text: str) -> frozenset[int]:
    """Read tables' numbers on the wire. Raises TableNumberError; `what` is where the text came from."""
    found: set[int] = set()
    for word in text.split(","):
        match = _NAME.fullmatch(word.strip().lower())
        if match is None:
            raise TableNumberError(f"{what}: {word.strip()!r} is no table: give such as ST1,23,60-64,MT2")
        first = _number(match[1], match[2])
        last = first if match[4] is None else _number(match[3] or match[1], match[4])
        if not first <= last <= MOST_NUMBER:
            raise TableNumberError(f"{what}: {word.strip()!r} is no table: they are 0 to {MOST_NUMBER}, in order")
        found |= set(range(first, last + 1))
    return frozenset(found)


def _number(kind: str | None, digits: str) -> int:
    return int(digits) + (MANUFACTURER if kind == "mt" else 0)
