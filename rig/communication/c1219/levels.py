"""Levels at which tables can be read, and what each procedure asks of the meter: one table of data (S-1).

Levels are those of rig/meter/access/actions.py, proven by the keys of the program's [security]. What the display shows
to everybody who stands before the meter needs none; what it does not show needs level 1. What changes anything is
decided by the meter's own door, for the actions named here; of a procedure nothing is decided but that.
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.communication.c1219.session_tables import STAGED_FORMS
from rig.communication.c1219.table import MANUFACTURER
from rig.meter.access.actions import MeterAction

PUBLIC, READER = 0, 1
NEVER = None

READ_LEVELS: Mapping[range, int | None] = {
    range(0, 7): PUBLIC,
    range(7, 8): NEVER,
    range(8, 9): PUBLIC,
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
"""By the numbers of tables. Passwords and keys are for nobody, and ST7 is written alone."""

MANUFACTURER_READ_LEVELS: Mapping[int, int] = dict.fromkeys(STAGED_FORMS, MeterAction.WRITE_PROGRAM.level)
"""By the numbers of manufacturer tables, where it is not READER: a staged program is for whoever may write it."""

WRITE_LEVELS: Mapping[int, int] = {7: PUBLIC, **MANUFACTURER_READ_LEVELS}
"""By the numbers of tables that can be written: anybody may ask for a procedure, the door decides."""

PROCEDURE_ACTIONS: Mapping[int, tuple[MeterAction, ...]] = {
    0: (MeterAction.COLD_START,),
    3: (MeterAction.CLEAR,),
    6: (MeterAction.ENTER_TEST, MeterAction.LEAVE_TEST),
    9: (MeterAction.DEMAND_RESET, MeterAction.SELF_READ, MeterAction.SEASON_CHANGE),
    10: (MeterAction.SET_CLOCK,),
    **dict.fromkeys(range(12, 16), (MeterAction.WRITE_PROGRAM,)),
}
"""Actions of the door by the numbers of standard procedures. Of all others nothing changes the meter."""

OWN_LEVELS: Mapping[int, int] = {4: READER, 5: READER}
"""Levels of standard procedures that the door is not asked for: marks of what was read are for readers."""

MANUFACTURER_PROCEDURE_ACTIONS: Mapping[int, tuple[MeterAction, ...]] = {
    0: (MeterAction.WRITE_PROGRAM,),
    1: (MeterAction.MASTER_RESET,),
    2: (MeterAction.OPERATE_RELAY,),
}
"""And of manufacturer procedures. A program is also asked for as all that it changes."""


def read_level(table: int) -> int | None:
    """Level at which a table can be read; None: at none."""
    if table >= MANUFACTURER:
        return MANUFACTURER_READ_LEVELS.get(table, READER)
    return next((level for numbers, level in READ_LEVELS.items() if table in numbers), READER)


def write_level(table: int) -> int | None:
    """Level at which a table can be written; None: at none."""
    return WRITE_LEVELS.get(table)


def procedure_level(number: int, manufacturer: bool = False) -> int:
    """Level that a procedure takes at the optical port, of several actions the least."""
    if not manufacturer and number in OWN_LEVELS:
        return OWN_LEVELS[number]
    actions = (MANUFACTURER_PROCEDURE_ACTIONS if manufacturer else PROCEDURE_ACTIONS).get(number, ())
    return min((action.level for action in actions), default=PUBLIC)
