"""What can keep a command from running: errors that a person can mend, each one sentence (exit status 2)."""

from __future__ import annotations

import sys

from calibration.errors import CalibrationError
from drivers.errors import DriverError
from gateware.errors import GatewareError
from rig.errors import RigError

MENDABLE = (RigError, DriverError, GatewareError, CalibrationError)
"""The errors whose sentence says all: one base class a package."""


def unexpected(error: Exception) -> str:
    """The sentence for what should not happen."""
    kind = type(error).__name__
    return f"this should not happen ({kind}: {error}); set RIG_TRACEBACK=1 to see where, and report it"


def refuse(sentence: str) -> int:
    """Say what kept a command from running; its exit status."""
    print(f"rig: {sentence}", file=sys.stderr)
    return 2
