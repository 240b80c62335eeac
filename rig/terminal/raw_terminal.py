"""A terminal that gives each key at once."""

from __future__ import annotations

import os
import re
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_FUNCTION_KEY = re.compile(r"\x1b(\[[0-9;?]*.|O.|.)?")
"""What an arrow and its like send has letters in it that nobody has pressed."""


@contextmanager
def raw(terminal: TextIO | None) -> Iterator[None]:
    """Each key at once, and not echoed; signals as ever."""
    if terminal is None:
        yield
        return
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def keys_pressed(terminal: TextIO) -> str | None:
    """Characters of the keys pressed, without function keys; None at the end of the input."""
    try:
        read = os.read(terminal.fileno(), 64)
    except OSError:  # the terminal is gone
        return None
    return _FUNCTION_KEY.sub("", read.decode("ascii", "replace")) if read else None
