"""Units of a load record's columns in a row of their own, below their names or above them.

    Timestamp,Energy delivered,Status      the names are Timestamp, Energy delivered (kWh), Status
    (local),(kWh),

A row of units has nothing but units, forms of a date and zones. What a name says itself must be the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rig.files.strict_toml import shown
from rig.replay.intervals.columns import UNITS, WrongColumns, words_of
from rig.replay.intervals.zones import without_zone, zone_in

_OTHERS = {
    "v",
    "kv",
    "a",
    "va",
    "kva",
    "mva",
    "vah",
    "kvah",
    "hz",
    "%",
    "pf",
    "s",
    "h",
    "min",
    "°c",
    "°f",
    "c",
    "f",
    "-",
}
_FORM = re.compile(r"(local|(?:[ymdhst]{1,4}|[ap]/?p?m)([\s:/.-]+(?:[ymdhst]{1,4}|[ap]/?p?m|f+))+)", re.IGNORECASE)


def is_unit_row(cells: Sequence[str]) -> bool:
    """Return whether a row has nothing but units, among them one of energy or power."""
    plain = [_plain(cell) for cell in cells if _plain(cell)]
    energies = sum(cell.lower() in UNITS for cell in plain)
    return bool(energies) and all(
        cell.lower() in UNITS or cell.lower() in _OTHERS or _FORM.fullmatch(cell) or not _plain(without_zone(cell))
        for cell in plain
    )


def with_units(names: Sequence[str], units: Sequence[str]) -> list[str]:
    """Give names with the units of a row below or above them. Raises WrongColumns where a name has another one."""
    found = [*names]
    for place, (name, unit) in enumerate(zip(names, units, strict=False)):
        plain = _plain(unit)
        own = [word for word in words_of(name) if word in UNITS]
        if plain.lower() not in UNITS and zone_in(plain) is None:
            continue
        if own and plain.lower() in UNITS and own != words_of(plain):
            raise WrongColumns(
                f"column {shown(name.strip())} has the unit {shown(plain)} in the row of units: which is it?"
            )
        if not own:
            found[place] = f"{name.strip()} ({plain})"
    return found


def _plain(cell: str) -> str:
    return cell.strip().strip("()[]{}").strip()
