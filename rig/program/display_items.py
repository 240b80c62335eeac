"""What can stand on the display, by name (D-2 to D-4, D-7, P-1, Q-6).

    kWh delivered [A…D] [previous season]                                  energy of any quantity, in total or of a rate
    kW delivered max [date|time] [A…D] [previous season]                   maximum demand, and when
    kW delivered present|previous|cumulative|continuous cumulative [A…D]   the other demand registers
    kVA td coincident [A…D]                                                at the maximum of the first demand quantity
    kW delivered peak 1…5 [date|time]                                      the five highest peaks of the first
    pulse kWh, pulse kM3H                                                  what the test LED then follows
    V A, I A, I N, V angle A, I angle A, THD V A, THD I A, kW, kvar, kVA, PF, Hz    instantaneous values
    all segments, date, time, rate, season, service, rotation, …           and the rest

The table is whole: every name there is, whether a meter has it or not; what it lacks, rig/program/offer.py says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from itertools import product

from rig.meter.billing.maxima import PEAKS
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.tariff import Rate
from rig.program.names import Names


class When(Enum):
    """Which of a register: its value, or the date or time that belongs to it."""

    VALUE = ""
    DATE = "date"
    TIME = "time"


class DemandOf(Enum):
    """Which demand register."""

    PRESENT = "present"
    PREVIOUS = "previous"
    MAXIMUM = "max"
    CUMULATIVE = "cumulative"
    CONTINUOUS_CUMULATIVE = "continuous cumulative"
    COINCIDENT = "coincident"


class Instant(Enum):
    """What is measured now, by the name without the phase."""

    VOLTS = "V"
    AMPERES = "I"
    VOLTS_ANGLE = "V angle"
    AMPERES_ANGLE = "I angle"
    VOLTS_DISTORTION = "THD V"
    AMPERES_DISTORTION = "THD I"
    WATTS = "kW"
    VARS = "kvar"
    VOLT_AMPERES = "kVA"
    POWER_FACTOR = "PF"
    FREQUENCY = "Hz"


class Status(Enum):
    """Everything else, by its whole name."""

    ALL_SEGMENTS = "all segments"
    DATE = "date"
    TIME = "time"
    WEEKDAY = "day of week"
    RATE = "rate"
    SEASON = "season"
    SERVICE = "service"
    ROTATION = "rotation"
    FIRMWARE = "firmware"
    PROGRAM = "program"
    SERIAL = "serial"
    KS = "Ks"
    MULTIPLIER = "multiplier"
    RESET_COUNT = "reset count"
    RESET_DATE = "reset date"
    RESET_TIME = "reset time"
    INTERVAL_LEFT = "interval left"
    TEST_LEFT = "test left"
    INPUT_1 = "input 1"
    INPUT_2 = "input 2"
    ERRORS = "errors"


@dataclass(frozen=True)
class EnergyItem:
    """An energy register, in total (`rate` None) or of a rate; now or as the last season closed it."""

    quantity: Quantity
    rate: Rate | None = None
    previous_season: bool = False


@dataclass(frozen=True)
class DemandItem:
    """A demand register; `when` other than VALUE only of a maximum."""

    quantity: Quantity
    of: DemandOf
    rate: Rate | None = None
    previous_season: bool = False
    when: When = When.VALUE


@dataclass(frozen=True)
class PeakItem:
    """One of the five highest peaks, `place` from 1."""

    quantity: Quantity
    place: int
    when: When = When.VALUE


@dataclass(frozen=True)
class PulseItem:
    """While it is displayed in test mode the test LED follows kWh, or the third metric (P-1)."""

    third_metric: bool


@dataclass(frozen=True)
class InstantItem:
    """A value of the moment; `phase` "a" to "c", "n" for the neutral, "" for the whole meter."""

    of: Instant
    phase: str = ""


@dataclass(frozen=True)
class StatusItem:
    """Anything else."""

    of: Status


What = EnergyItem | DemandItem | PeakItem | PulseItem | InstantItem | StatusItem


@dataclass(frozen=True)
class DisplayItem:
    """One place in a sequence. `digits` counts those after the point too; both are 0 for what is no register."""

    name: str
    what: What
    digits: int = 0
    decimals: int = 0


GYRBOX = (
    "service", "rotation", "V A", "V B", "V C", "V angle A", "V angle B", "V angle C", "I A", "I B", "I C",
    "I angle A", "I angle B", "I angle C", "I N", "Hz", "kW", "kvar", "PF",
)  # fmt: skip
"""The troubleshooting sequence: 19 items, in this order (D-4)."""


@cache
def items(names: Names) -> Mapping[str, What]:
    """Every item there is, by name."""
    found: dict[str, What] = {}
    rates: list[tuple[str, Rate | None]] = [("", None), *((f" {rate.name}", rate) for rate in Rate)]
    seasons = (("", False), (" previous season", True))
    for (name, quantity), (of_rate, rate), (of_season, past) in product(names.energies.items(), rates, seasons):
        found[f"{name}{of_rate}{of_season}"] = EnergyItem(quantity, rate, past)
    for name, quantity in names.demands.items():
        for of, (of_rate, rate) in product(DemandOf, rates):
            found[f"{name} {of.value}{of_rate}"] = DemandItem(quantity, of, rate)
        for when, (of_rate, rate), (of_season, past) in product(When, rates, seasons):
            of_when = f" {when.value}" if when.value else ""
            found[f"{name} max{of_when}{of_rate}{of_season}"] = DemandItem(
                quantity, DemandOf.MAXIMUM, rate, past, when
            )  # fmt: skip
        for place, when in product(range(1, PEAKS + 1), When):
            found[f"{name} peak {place} {when.value}".rstrip()] = PeakItem(quantity, place, when)
    found |= {"pulse kWh": PulseItem(third_metric=False), "pulse kM3H": PulseItem(third_metric=True)}
    for instant in Instant:
        match instant:
            case Instant.WATTS | Instant.VARS | Instant.VOLT_AMPERES | Instant.POWER_FACTOR | Instant.FREQUENCY:
                found[instant.value] = InstantItem(instant)
            case _:
                phases = "abcn" if instant is Instant.AMPERES else "abc"
                found |= {f"{instant.value} {phase.upper()}": InstantItem(instant, phase) for phase in phases}
    return found | {status.value: StatusItem(status) for status in Status}
