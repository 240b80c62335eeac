"""The steps of something long: on a terminal the one at work with its time, and a line for each that is done."""

from __future__ import annotations

import sys
import time

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from rig.terminal.console import message_console


class Steps:
    """Steps shown on standard error, each from its `begin` to the next one's or the end."""

    def __init__(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        console = message_console()
        self._progress = Progress(*columns, console=console, disable=not console.redraws, transient=True)
        self._task = self._progress.add_task("")
        self._step = ""
        self._began = time.monotonic()

    def __enter__(self) -> Steps:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        if sys.exc_info()[0] is None:
            self._done()

    def begin(self, step: str) -> None:
        """Show that a step is at work, and that the one before is done."""
        self._done()
        self._step, self._began = step, time.monotonic()
        self._progress.reset(self._task, description=step)

    def _done(self) -> None:
        if self._step:
            self._progress.console.print(f"{self._step} {time.monotonic() - self._began:.1f} s", style="dim")
        self._step = ""
