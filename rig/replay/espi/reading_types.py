"""Meaning of a ReadingType of NAESB REQ.21 (ESPI, schema 3.3) as a column of a load record.

    uom   72 Wh, 38 W         73 varh, 63 var
    flow  1 8     delivered   1 2 5   lagging     forward reactive energy is that of inductive loads
          19 10   received    19 3 13 leading
          4       net: what is negative counts as received, or as leading
          0 none  delivered   0 none  not known

Energy is a difference over its interval (accumulationBehaviour 4; 0 and none are taken so, and told) or a register's
reading (1, 3 and 9), power a mean one.
What is anything else has a reason why it does not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

UNITS = {72: ("Wh", False), 38: ("W", True), 73: ("varh", False), 63: ("var", True)}
"""By uom, what is read: its unit, and whether it is a power."""

OTHER_UNITS = {
    71: "VAh, which the meter works out itself",
    61: "VA, which the meter works out itself",
    29: "V",
    5: "A",
    33: "Hz",
    65: "a power factor",
    80: "money",
    169: "therms",
    132: "BTU",
    119: "cubic feet",
    42: "cubic metres",
    128: "US gallons",
    134: "litres",
}

ELECTRICITY = (None, 0, 1, 2, 26)
"""Commodities that are read: none given, secondary, primary and transmission metered electricity."""

SERVICES = {1: "gas", 2: "water", 3: "time", 4: "heat", 5: "refuse", 6: "sewerage", 7: "rates"}
"""Kinds of a ServiceCategory; 0 is electricity."""

_ACTIVE: dict[int | None, str] = {1: "delivered", 8: "delivered", 0: "delivered", None: "delivered"}
_ACTIVE |= {19: "received", 10: "received", 4: "net"}
_REACTIVE: dict[int | None, str] = {1: "lagging", 2: "lagging", 5: "lagging"}
_REACTIVE |= {19: "leading", 3: "leading", 13: "leading", 4: "net"}

REGISTERS = {1: "bulkQuantity", 3: "cumulative", 9: "summation"}
"""By accumulationBehaviour, registers whose differences are the energies of intervals."""

_OTHER_REGISTERS = {2: "continuousCumulative", 13: "latchingQuantity", 14: "boundedQuantity"}
_QUALIFIERS = {8: "maxima", 9: "minima", 16: "maxima", 17: "minima", 23: "maxima", 24: "maxima", 25: "maxima"}
_QUALIFIERS |= {4: "amounts above a threshold", 5: "thresholds", 7: "thresholds"}

_PHASES = {128: "A", 129: "A", 64: "B", 65: "B", 32: "C", 33: "C"}
"""PhaseCode of a single phase, to the neutral or not; other codes are of all that the service has, or say nothing."""

MULTIPLIERS = range(-12, 13)

QUALITIES = {
    7: "manually edited",
    8: "estimated by a reference day",
    9: "estimated by linear interpolation",
    10: "questionable",
    11: "derived",
    12: "projected, a forecast",
    13: "of mixed quality",
    14: "raw, not validated",
    15: "normalized for weather",
    16: "of another quality",
}
"""QualityOfReading, those to be told; 0, 17, 18 and 19 are valid, validated, verified and of revenue quality."""

GOOD_QUALITIES = (0, 17, 18, 19)


@dataclass(frozen=True)
class ReadingType:
    """A ReadingType as its feed has it; None where it says nothing."""

    uom: int | None = None
    multiplier: int | None = None
    flow: int | None = None
    accumulation: int | None = None
    commodity: int | None = None
    qualifier: int | None = None
    interval_s: int | None = None
    quality: int | None = None
    phase: int | None = None


@dataclass(frozen=True)
class Meaning:
    """A column of a load's record, and for net readings the one of what is negative. Readings times `factor` are kWh
    (kvarh), or kW (kvar) of a power. `register`: they are a register's. `notes` go on after the readings' name."""

    column: str
    negative: str | None
    factor: Fraction
    power: bool
    register: bool
    notes: tuple[str, ...]


def meaning(type: ReadingType) -> Meaning | str:
    """Give what readings of this type mean, or why they do not count, as words that follow "its readings are"."""
    if type.commodity not in ELECTRICITY:
        return f"of another commodity than electricity (commodity {type.commodity})"
    if type.uom not in UNITS:
        unit = "" if type.uom is None else OTHER_UNITS.get(type.uom, "")
        return f"in {unit} (uom {type.uom})" if unit else f"of an unknown unit (uom {_said(type.uom)})"
    unit, power = UNITS[type.uom]
    if type.accumulation in _OTHER_REGISTERS and not power:
        return (
            f"those of a register (accumulationBehaviour {type.accumulation}, {_OTHER_REGISTERS[type.accumulation]}) "
            "that is not read, where the energy of each interval is wanted (4, deltaData) or that of all time (1, "
            "bulkQuantity)"
        )
    if type.accumulation == 12 or (power and (type.accumulation in _OTHER_REGISTERS or type.accumulation in REGISTERS)):
        return f"no means over intervals (accumulationBehaviour {type.accumulation})"
    if type.qualifier in _QUALIFIERS:
        return f"{_QUALIFIERS[type.qualifier]} (dataQualifier {type.qualifier})"
    if (type.multiplier or 0) not in MULTIPLIERS:
        return f"in powers of ten that are none (powerOfTenMultiplier {type.multiplier}, it must be -12 to 12)"
    active = unit.startswith("W")
    direction = (_ACTIVE if active else _REACTIVE).get(type.flow)
    if direction is None:
        wanted = "1 delivered, 19 received or 4 net" if active else "1 lagging, 19 leading or 4 net"
        return f"of a direction that is not read (flowDirection {_said(type.flow)}, it must be {wanted})"
    notes = []
    if type.flow in (0, None):
        notes.append("have no flowDirection, and are read as delivered")
    register = type.accumulation in REGISTERS
    if type.accumulation not in (4, 6) and not register and not power:
        notes.append(f"have accumulationBehaviour {_said(type.accumulation)}, and are read as energy of each interval")
    if type.phase in _PHASES:
        notes.append(f"are of phase {_PHASES[type.phase]} alone (phase {type.phase}), not of the whole service")
    if power:
        notes.append("are a mean power, read as energy by the length of each interval")
    stem = "kwh" if active else "kvarh"
    first, second = ("delivered", "received") if active else ("lagging", "leading")
    if direction == "net":
        notes.append(
            f"are net: negative ones are read as {second}, and what flowed both ways within an interval is not seen"
        )
    negative = f"{stem}_{second}" if direction == "net" else None
    column = f"{stem}_{first if direction == 'net' else direction}"
    return Meaning(column, negative, Fraction(10) ** (type.multiplier or 0) / 1000, power, register, tuple(notes))


def _said(code: int | None) -> str:
    return "none" if code is None else str(code)
