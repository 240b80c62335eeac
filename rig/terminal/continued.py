"""A table of figures that goes on below itself where its columns find no room beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

BETWEEN = 2
"""Blanks between columns."""


@dataclass(frozen=True)
class FigureColumn:
    """A heading, of one line or more, and a cell for each row; texts are to the left, figures to the right."""

    heading: str
    cells: Sequence[str]
    text: bool = False

    @property
    def width(self) -> int:
        return max(cell_len(line) for text in (self.heading, *self.cells) for line in text.splitlines() or [""])


@dataclass(frozen=True)
class Continued:
    """Columns beside each other, as many as fit; the others below, each time behind the first one. Nothing is cut but
    what is wider than all there is."""

    first: FigureColumn
    others: Sequence[FigureColumn]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for k, some in enumerate(self._parts(options.max_width)):
            if k:
                yield Text()
            columns = [self.first, *some]
            table = Table(box=None, padding=(0, BETWEEN, 0, 0), pad_edge=False)
            for column in columns:
                table.add_column(
                    Text(column.heading), justify="left" if column.text else "right", no_wrap=True, overflow="fold"
                )
            for row in zip(*(column.cells for column in columns), strict=True):
                table.add_row(*map(Text, row))
            yield table

    def _parts(self, width: int) -> Iterator[list[FigureColumn]]:
        room = width - self.first.width
        some: list[FigureColumn] = []
        for column in self.others:
            if some and sum(BETWEEN + c.width for c in (*some, column)) > room:
                yield some
                some = []
            some.append(column)
        yield some
