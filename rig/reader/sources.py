"""Names of a meter's registers: its own where it has them, else of ST12's units and quadrants (X-2)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

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
_FACTORS = {n: Fraction(10) ** power for n, power in enumerate((0, 2, 3, 6, 9, -2, -3, -6))}
_VECTOR = 3
_KILO = frozenset({0, 1, 2, 3})
_ENERGIES = frozenset({0, 1, 2, 3, 10, 14})
_BULK = frozenset({0, 5})
_PHASES = {1: "AB", 2: "BC", 3: "CA", 4: "neutral", 5: "A", 6: "B", 7: "C"}
_FLOWS: dict[tuple[int, ...], str] = {
    (1, 4): "delivered", (2, 3): "received", (1, 2): "delivered", (3, 4): "received",
    (1, 3): "lagging", (2, 4): "leading",
}  # fmt: skip


class SourceEntries:
    """Entries of ST12 and ST15 by source: where ST16 says that not every source has one, they are of those that do."""

    def __init__(self, decoded: Decoded) -> None:
        links = decoded.maybe(16)
        self._links: list[Values] | None = None if links is None else links["SOURCES_LINK"]
        self._units = (decoded.maybe(12) or {}).get("UOM_ENTRY", [])
        self._constants = (decoded.maybe(15) or {}).get("CONSTANTS", [])

    @property
    def count(self) -> int:
        """Number of sources."""
        return len(self._units) if self._links is None else len(self._links)

    def unit(self, source: int) -> Values | None:
        """Give a source's entry of ST12."""
        return self._entry(self._units, "UOM_ENTRY_FLAG", source)

    def applied_constant(self, source: int) -> Values | None:
        """Give a source's entry of ST15, if it is to be applied to what comes of the source."""
        if self._links is None or not 0 <= source < len(self._links):
            return None
        if not self._links[source]["CONSTANT_TO_BE_APPLIED"]:
            return None
        return self._entry(self._constants, "CONSTANTS_FLAG", source)

    def _entry(self, entries: list[Values], flag: str, source: int) -> Values | None:
        place = source
        if self._links is not None:
            if not 0 <= source < len(self._links) or not self._links[source][flag]:
                return None
            place = sum(link[flag] for link in self._links[:source])
        return entries[place] if 0 <= place < len(entries) else None


def source_names(decoded: Decoded) -> list[str]:
    """Give the name of each data source that ST12 describes, in order; none where it is not there.

    ST12 does not tell all apart: those of one name have numbers, such as "kvarh net #2".
    """
    own = decoded.maybe(OWN_NAMES)
    if own is not None:
        return [str(name) for name in own["NAMES"]]
    entries = SourceEntries(decoded)
    units = [entries.unit(source) for source in range(entries.count)]
    names = [f"source {source}" if unit is None else unit_name(unit) for source, unit in enumerate(units)]
    again = [names[:source].count(name) for source, name in enumerate(names)]
    return [f"{name} #{count + 1}" if count else name for name, count in zip(names, again, strict=True)]


def unit_name(entry: Values) -> str:
    """Name a source of ST12: unit, quadrants, phase."""
    return _name(entry, _POWERS[entry["MULTIPLIER"]])


def kilo_name(entry: Values) -> tuple[str, Fraction]:
    """Name a source, an energy with the power k, and give what its values are multiplied by for that name."""
    if _is_energy(entry):
        return _name(entry, "k"), _FACTORS[entry["MULTIPLIER"]] / 1000
    return unit_name(entry), Fraction(1)


def _is_energy(entry: Values) -> bool:
    return entry["TIME_BASE"] in _BULK and entry["ID_CODE"] in _KILO


def _name(entry: Values, power: str) -> str:
    code = entry["ID_CODE"]
    unit = _UNITS.get(code, f"unit {code}")
    if entry["TIME_BASE"] in _BULK and code in _ENERGIES:
        unit += "h"
    quadrants = tuple(n for n in (1, 2, 3, 4) if entry[f"Q{n}_ACCOUNTABILITY"])
    flow = _FLOWS.get(quadrants, "" if len(quadrants) in (0, 4) else "Q" + "+Q".join(map(str, quadrants)))
    method = "vector" if code == _VECTOR else ""
    words = (power + unit, method, "net" if entry["NET_FLOW_ACCOUNTABILITY"] else flow)
    return " ".join(word for word in (*words, _PHASES.get(entry["SEGMENTATION"], "")) if word)


def named(names: Sequence[str], source: int) -> str:
    """Give the name of a source by its number."""
    return names[source] if 0 <= source < len(names) else f"source {source}"
