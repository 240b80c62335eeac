"""Source of a request to a meter (C-3, S-1)."""

from __future__ import annotations

from enum import Enum


class Source(Enum):
    """Source of a request, by its name in logs and sentences."""

    FRONT = "front"
    OPTICAL = "optical port"
    RS232 = "RS-232"
    RS485 = "RS-485"
    MODEM = "modem"
    MODULE = "module"
    PANEL = "panel"
    VERIFICATION = "verification"
    COMMAND_LINE = "command line"
    SERVICE_CLOCK = "service clock"
    INPUT = "input"
    CALENDAR = "calendar"
