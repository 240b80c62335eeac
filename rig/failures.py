"""Failures that end a command without its result: errors that a person can correct, each one sentence, and Ctrl-C."""

from __future__ import annotations

import signal

from calibration.errors import CalibrationError
from drivers.errors import DriverError
from gateware.errors import GatewareError
from rig.errors import RigError
from rig.plain_text import print_error

MENDABLE = (RigError, DriverError, GatewareError, CalibrationError)
"""The errors whose sentence says all: one base class a package (exit status 2)."""


def unexpected(error: Exception) -> str:
    """The sentence for what should not happen."""
    kind = type(error).__name__
    return f"this should not happen ({kind}: {error}); set RIG_TRACEBACK=1 to see where, and report it"


def refuse(sentence: str) -> int:
    """Print what kept a command from running; its exit status."""
    print_error(f"rig: {sentence}")
    return 2


def interrupted(sentence: str) -> int:
    """Print what became of a command that Ctrl-C ended, `sentence` going on after "interrupted"; its exit status."""
    refuse(f"interrupted {sentence}")
    return 128 + signal.SIGINT
