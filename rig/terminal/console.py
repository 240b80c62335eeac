"""Console that commands print on: width and colour are decided here, once for all of them.

A pipe, a file and a terminal that calls itself dumb (TERM=dumb, unknown or nothing) get text without any control
sequence; what is drawn again and again, a progress bar or a panel, is for terminals that can (`redraws`). NO_COLOR
leaves bold and dim.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from rig.plain_text import printable, printable_lines
from rig.terminal.width import columns


class CommandConsole(Console):
    """A console of rich's, as wide as `columns` says each time it is asked, whose texts are no markup.

    What is printed controls no terminal, wherever it came from: texts are written as rig/plain_text.py writes them, and
    of control sequences only those of rich's own styles and cursor.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        super().__init__(stderr=stderr, force_terminal=stream.isatty(), highlight=False, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or segment.text == "\n" or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable_lines(segment.text), segment.style)

    @property
    def size(self) -> ConsoleDimensions:
        return ConsoleDimensions(columns(), super().size.height)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        raise AttributeError("the width is the terminal's")

    @property
    def is_dumb_terminal(self) -> bool:
        """True if nothing but text should go there, also because TERM does not say what it is."""
        return self.is_terminal and os.environ.get("TERM", "").lower() in ("", "dumb", "unknown")

    @property
    def redraws(self) -> bool:
        """True if what was printed can be drawn again in its place."""
        return self.is_terminal and not self.is_dumb_terminal


def output_console() -> CommandConsole:
    """For results, on standard output."""
    return CommandConsole()


def message_console() -> CommandConsole:
    """For notes and progress, on standard error."""
    return CommandConsole(stderr=True)


def note(console: CommandConsole, sentence: str) -> None:
    """Print something to think of, on a line of its own."""
    console.print(Text(f"note: {printable(sentence)}"), style="dim", soft_wrap=True)
