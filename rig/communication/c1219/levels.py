"""Levels at which tables can be read, and what each procedure asks of the meter: one table of data (S-1).

Levels are those of rig/meter/access/actions.py, proven by the keys of the program's [security]. What the display shows
to everybody who stands before the meter needs none; what it does not show needs level 1. What changes anything is
decided by the meter's own door, for the actions named here; of a procedure nothing is decided but that.
"""

from __future__ import annotations

from collections.abc import Mapping

PUBLIC, READER = 0, 1
NEVER = None

READ_LEVELS: Mapping[range, int | None] = {
    range(0, 9): PUBLIC,
    range(10, 17): PUBLIC,
    range(20, 29): PUBLIC,
    range(30, 35): PUBLIC,
    range(40, 42): PUBLIC,
    range(42, 43): NEVER,
    range(43, 45): PUBLIC,
    range(45, 46): NEVER,
    range(50, 57): PUBLIC,
    range(60, 68): READER,
    range(70, 77): READER,
    range(90, 99): READER,
}
"""By the numbers of tables. Passwords and keys are for nobody."""

MANUFACTURER_READ_LEVEL = READER


def read_level(table: int) -> int | None:
    """Level at which a table can be read; None: at none."""
    for numbers, level in READ_LEVELS.items():
        if table in numbers:
            return level
    return MANUFACTURER_READ_LEVEL
