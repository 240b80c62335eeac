"""Page of a report before it is HTML or PDF: its content in order, each block the same in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from rig.plain_text import printable
from rig.report.chart import Chart

MOST_CHARACTERS = 1000
"""Of one text: names and sentences are far shorter, and a file can hold anything."""


class Tone(Enum):
    """Tone of a paragraph."""

    PLAIN = "plain"
    PASSED = "passed"
    FAILED = "failed"
    NOTE = "note"


@dataclass(frozen=True)
class Heading:
    """A heading; `level` 1 begins a part, 2 a section of it."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Table:
    """Rows of cells under a `head`, which may be empty; columns from `numbers` on are figures, aligned right. The first
    column names the row. `shares` are the columns' parts of the width, where they are not all alike; `dense`: small."""

    rows: Sequence[Sequence[str]]
    head: Sequence[str] = ()
    numbers: int = 99
    shares: Sequence[float] = ()
    dense: bool = False

    @property
    def names(self) -> bool:
        """True if the first column names the rows."""
        return not self.head or self.numbers < len(self.head)


@dataclass(frozen=True)
class Signatures:
    """Places to sign: who, and when."""

    roles: Sequence[str] = ("measured by", "checked by")


Block = Heading | Paragraph | Table | Chart | Signatures


@dataclass(frozen=True)
class Page:
    """A report. `mark` is on every sheet, such as "SIMULATED (exact)", "" for none; `foot` too. `made_utc` is when its
    result began, ISO 8601. `language` is a tag of BCP 47, and `sheet` how sheets are numbered in it."""

    title: str
    mark: str
    foot: str
    made_utc: str
    blocks: Sequence[Block]
    language: str = field(default="en", repr=False)
    sheet: str = field(default="sheet {} of {}", repr=False)


def shown(text: str) -> str:
    """Give a text as it may stand in a report: on one line, of bounded length, with nothing in it that controls."""
    bounded = text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} …"
    return printable(bounded)
