"""Ctrl-C and SIGTERM as something to look at, so that what runs can end in good order."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Whether Ctrl-C, or SIGTERM, has come. `told` is called at once, in the signal's handler."""

    def __init__(self) -> None:
        self.seen = False
        self.told: Callable[[], None] | None = None

    def note(self, signum: int, frame: FrameType | None) -> None:
        if self.seen:
            raise KeyboardInterrupt
        self.seen = True
        if self.told is not None:
            self.told()


@contextmanager
def interrupts_noted() -> Iterator[Interrupts]:
    """A second Ctrl-C interrupts whatever is being done."""
    interrupts = Interrupts()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, interrupts.note) for number in signals]
    try:
        yield interrupts
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
