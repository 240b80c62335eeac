"""Rows of words: a table where there is room for it, one cell below the other where there is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from rig.plain_text import printable


@dataclass(frozen=True)
class Listing:
    """Rows of texts under headings, with all of each text at any width. `right` are the columns that hold numbers."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    right: frozenset[int] = frozenset()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = self._beside()
        if Measurement.get(console, options, table).minimum <= options.max_width:
            yield table
        else:
            yield from self._below()

    def _beside(self) -> Table:
        table = Table(title=Text(self.title) if self.title else None, title_justify="left", box=None)
        table.show_header = any(self.headings)
        for k, heading in enumerate(self.headings):
            table.add_column(Text(heading), overflow="fold", justify="right" if k in self.right else "left")
        for row in self.rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        return table

    def _below(self) -> RenderResult:
        if self.title:
            yield Text(self.title, style="italic")
        for row in self.rows:
            block = Table.grid(padding=(0, 1))
            block.add_column(no_wrap=True)
            block.add_column(overflow="fold")
            for heading, cell in zip(self.headings, row, strict=True):
                if cell:
                    block.add_row(Text(heading), Text(printable(cell)))
            yield block
            yield Text()
