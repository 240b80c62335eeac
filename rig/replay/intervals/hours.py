"""Hours that are numbers, in a column beside the date: 1 to 24 end with the interval, 0 to 23 begin it.

hours of the file       the column's name            taken as
with 24, without 0      whatever                     ends
with 0, without 24      whatever                     begins
neither                 hour ending, HE              ends
neither                 hour beginning, HB           begins
neither                 Hour                         refused: --stamps cannot be sure
both                    whatever                     refused
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rig.files.strict_toml import shown
from rig.replay.intervals.columns import BEGINNING_HOURS, ENDING_HOURS, WrongColumns, plain_name

_HOUR = re.compile(r"\d{1,2}", re.ASCII)


def as_clock(cells: Sequence[str], name: str, *, ends: bool, sure: bool) -> list[str]:
    """Give hours as a clock shows them, 24:00 among them; other cells as they are.

    `ends`: the ends of intervals are wanted, and `sure` that a person says so. Raises WrongColumns.
    """
    if not all(_HOUR.fullmatch(cell) for cell in cells):
        return list(cells)
    hours = {int(cell) for cell in cells}
    if max(hours) > 24 or {0, 24} <= hours:
        raise WrongColumns(
            f"column {shown(name)} has hours from {min(hours)} to {max(hours)}, it must be 1 to 24 or 0 to 23"
        )
    plain = plain_name(name)
    ending = 24 in hours or (0 not in hours and plain in ENDING_HOURS)
    beginning = 0 in hours or (24 not in hours and plain in BEGINNING_HOURS)
    if not (ending or beginning) and not sure:
        raise WrongColumns(
            f"column {shown(name)} has hours that can begin or end intervals: say --stamps begin if hour "
            f"{min(hours)} is from {min(hours)}:00 on, or --stamps end if up to {min(hours)}:00"
        )
    if (ending and not ends) or (beginning and ends):
        kind = "end" if ending else "begin"
        raise WrongColumns(
            f"column {shown(name)} has hours that {kind} intervals, {min(hours)} to {max(hours)}: give --stamps {kind}"
        )
    return [f"{int(cell):02}:00" for cell in cells]


def are_counted(days: Sequence[str], cells: Sequence[str]) -> bool:
    """Return whether hours count what passed of a day: one ends with 25, or a whole one with 23 among others of 24."""
    if not all(_HOUR.fullmatch(cell) and int(cell) for cell in cells):
        return False
    highest: dict[str, set[int]] = {}
    for day, cell in zip(days, cells, strict=True):
        highest.setdefault(day, set()).add(int(cell))
    last = {max(hours) for hours in highest.values()}
    whole_short = [day for day, hours in highest.items() if hours == set(range(1, 24))]
    return max(last) == 25 or (bool(whole_short) and whole_short[-1] != [*highest][-1] and 24 in last)
