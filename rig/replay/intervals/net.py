"""Columns of net energy, delivered less received: by the sign of each number it is one or the other.

in the file                        taken as
Net kWh alone                      above 0 delivered, below 0 received; told where any is below
Net kWh beside both of its parts   it does not count
Net kWh beside one of them         refused: with the other one energy could count twice
a column of received, all below 0  the same without the sign, told
Net kvarh                          above 0 lagging, below 0 leading
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rig.files.strict_toml import shown

NET = {"kwh_net": ("kwh_delivered", "kwh_received"), "kvarh_net": ("kvarh_lagging", "kvarh_leading")}
"""By a net column the columns of what is above 0 and of what is below."""


def beside_half(names: Mapping[str, str]) -> str | None:
    """Give what is wrong where a net column stands beside one of its parts; `names` are the file's, by column."""
    for net, parts in NET.items():
        beside = [part for part in parts if part in names]
        if net in names and len(beside) == 1:
            return (
                f"column {shown(names[net])} is net, and {shown(names[beside[0]])} is {beside[0]}, a part of it: say "
                f"with --columns {net}=NAME that the net one counts alone, or {parts[0]}=NAME and {parts[1]}=NAME"
            )
    return None


def redundant(columns: Collection[str]) -> set[str]:
    """Give the net columns of which both parts are there."""
    return {net for net, parts in NET.items() if net in columns and all(part in columns for part in parts)}
