"""Progress of a task, on a terminal that can show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from rig.plain_text import printable
from rig.terminal.console import CommandConsole


@contextmanager
def progress_bar(console: CommandConsole, name: str) -> Iterator[Callable[[float], None]]:
    """Show a bar that goes away in the end; yields what to call with the share that is done, 0 to 1."""
    text = TextColumn("{task.description}", markup=False)
    parts = (text, BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeRemainingColumn())
    with Progress(*parts, console=console, disable=not console.redraws, transient=True) as progress:
        task = progress.add_task(printable(name), total=1.0)
        yield lambda done: progress.update(task, completed=done)
