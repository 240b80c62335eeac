"""Ctrl-C and SIGTERM as something to look at, so that what runs can end in good order."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

HASTE_S = 2.0
"""Ctrl-C again so soon is the same request: what has begun to end may save, and let its contacts go."""


class Interrupts:
    """Interrupt by Ctrl-C or SIGTERM, seen once it has come. `told` is called at once, in the signal's handler."""

    def __init__(self) -> None:
        self.seen = False
        self._since_s = 0.0
        self.told: Callable[[], None] | None = None

    def note(self, signum: int, frame: FrameType | None) -> None:
        now_s = time.monotonic()
        if self.seen:
            if signum == signal.SIGINT and now_s - self._since_s < HASTE_S:
                return
            raise KeyboardInterrupt
        self.seen, self._since_s = True, now_s
        if self.told is not None:
            self.told()


@contextmanager
def interrupts_noted() -> Iterator[Interrupts]:
    """A second SIGTERM, or Ctrl-C HASTE_S after the first, interrupts whatever is being done."""
    interrupts = Interrupts()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, interrupts.note) for number in signals]
    try:
        yield interrupts
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
