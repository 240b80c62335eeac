"""Names of a meter's registers: its own where it has them, else of ST12's units and quadrants (X-2)."""

from __future__ import annotations

from rig.communication.c1219.layout import Values
from rig.communication.c1219.table import MANUFACTURER
from rig.reader.decoded import Decoded

OWN_NAMES = MANUFACTURER + 2

_UNITS = {
    0: "W", 1: "var", 2: "VA", 3: "VA", 8: "V", 10: "V²", 12: "A", 14: "A²", 16: "% THD V", 17: "% THD I", 24: "PF",
    33: "Hz", 34: "pulses", 40: "sags", 41: "swells", 42: "outages", 50: "outages", 51: "demand resets",
    52: "times programmed", 53: "min on battery",
}  # fmt: skip
_POWERS = {0: "", 1: "h", 2: "k", 3: "M", 4: "G", 5: "c", 6: "m", 7: "µ"}
_ENERGIES = frozenset({0, 1, 2, 3, 10, 14})
_BULK = frozenset({0, 5})
_PHASES = {1: "AB", 2: "BC", 3: "CA", 4: "neutral", 5: "A", 6: "B", 7: "C"}
_FLOWS: dict[tuple[int, ...], str] = {
    (1, 4): "delivered", (2, 3): "received", (1, 2): "delivered", (3, 4): "received",
    (1, 3): "lagging", (2, 4): "leading",
}  # fmt: skip


def source_names(decoded: Decoded) -> list[str]:
    """Give the name of each data source that ST12 describes, in order; none where it is not there."""
    own = decoded.maybe(OWN_NAMES)
    if own is not None:
        return [str(name) for name in own["NAMES"]]
    units = decoded.maybe(12)
    return [] if units is None else [unit_name(entry) for entry in units["UOM_ENTRY"]]


def unit_name(entry: Values) -> str:
    """Name a source of ST12: unit, quadrants, phase."""
    code = entry["ID_CODE"]
    unit = _UNITS.get(code, f"unit {code}")
    if entry["TIME_BASE"] in _BULK and code in _ENERGIES:
        unit += "h"
    quadrants = tuple(n for n in (1, 2, 3, 4) if entry[f"Q{n}_ACCOUNTABILITY"])
    flow = _FLOWS.get(quadrants, "" if len(quadrants) in (0, 4) else "Q" + "+Q".join(map(str, quadrants)))
    words = (_POWERS[entry["MULTIPLIER"]] + unit, "net" if entry["NET_FLOW_ACCOUNTABILITY"] else flow)
    return " ".join(word for word in (*words, _PHASES.get(entry["SEGMENTATION"], "")) if word)


def named(names: list[str], source: int) -> str:
    """Give the name of a source by its number."""
    return names[source] if 0 <= source < len(names) else f"source {source}"
