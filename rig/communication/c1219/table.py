"""A table of the meter: its number, what it is, who may read and write it, and its fields (X-1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rig.communication.c1219.facts import MeterFacts, Need
from rig.communication.c1219.layout import Layout

MANUFACTURER = 2048
"""Number of the first manufacturer table, on the wire and here."""

PENDING_FORM = 1 << 12
"""Of a table's number: what is written waits to be activated."""

PROCEDURES_ARE_WRITTEN_TO = 7
PROCEDURES_ARE_ANSWERED_IN = 8


@dataclass(frozen=True)
class TableUse:
    """Tables and procedures that a meter has: the numbers of those that it has, manufacturer ones from 0."""

    standard: frozenset[int] = frozenset()
    manufacturer: frozenset[int] = frozenset()
    standard_written: frozenset[int] = frozenset()
    manufacturer_written: frozenset[int] = frozenset()
    procedures: frozenset[int] = frozenset()
    manufacturer_procedures: frozenset[int] = frozenset()


@dataclass(frozen=True)
class TableContents:
    """Contents that a table's fields are gathered of: the meter's facts, and what tables it has."""

    facts: MeterFacts
    use: TableUse = TableUse()
    extra: Any = None


def always(_: MeterFacts) -> bool:
    """Say that every meter has it."""
    return True


@dataclass(frozen=True)
class Table:
    """A table. `readable` False: it can be written and never read. `limits` are the tables that its counts are of,
    `needs` what of the meter it is made of, `there` whether a meter has it; `part` gives its bytes from one place to
    another, for a table too long to be made whole for each part; `meaning` is for documents."""

    number: int
    name: str
    layout: Layout
    meaning: str
    limits: tuple[int, ...] = ()
    needs: frozenset[Need] = frozenset({Need.PROGRAM})
    there: Callable[[MeterFacts], bool] = field(default=always)
    part: Callable[[TableContents, int, int], bytes] | None = None
    readable: bool = True

    @property
    def title(self) -> str:
        """Its name in documents: ST23 or MT1."""
        return f"ST{self.number}" if self.number < MANUFACTURER else f"MT{self.number - MANUFACTURER}"
