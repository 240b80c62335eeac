"""Items that the display can show, and the sequences in which it does (D-2 to D-5, D-7, P-1, Q-6).

By name they are in rig/program/display_items.py; what a meter lacks is refused when it is programmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.meter.billing.quantity import Quantity
from rig.meter.billing.tariff import Rate


class When(Enum):
    """Part of a register to show: its value, or the date or time that belongs to it."""

    VALUE = ""
    DATE = "date"
    TIME = "time"


class DemandOf(Enum):
    """Demand register to show."""

    PRESENT = "present"
    PREVIOUS = "previous"
    MAXIMUM = "max"
    CUMULATIVE = "cumulative"
    CONTINUOUS_CUMULATIVE = "continuous cumulative"
    COINCIDENT = "coincident"


class InstantaneousQuantity(Enum):
    """Quantity that is measured now, by the name without the phase."""

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


class DisplayStatus(Enum):
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
    SOFTWARE = "software"
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
    """While it is displayed in test mode the test LED follows a quantity; None: the program has none for it (P-1)."""

    quantity: Quantity | None


@dataclass(frozen=True)
class InstantItem:
    """A value of the moment; `phase` "a" to "c", "n" for the neutral, "" for the whole meter."""

    of: InstantaneousQuantity
    phase: str = ""


@dataclass(frozen=True)
class StatusItem:
    """Anything else."""

    of: DisplayStatus


What = EnergyItem | DemandItem | PeakItem | PulseItem | InstantItem | StatusItem


@dataclass(frozen=True)
class DisplayItem:
    """One place in a sequence. `digits` counts those after the point too; both are 0 for what is no register.

    `ident` of 1 to 3 characters stands beside it.
    """

    name: str
    what: What
    digits: int = 0
    decimals: int = 0
    ident: str = ""


GYRBOX = (
    "service", "rotation", "V A", "V B", "V C", "V angle A", "V angle B", "V angle C", "I A", "I B", "I C",
    "I angle A", "I angle B", "I angle C", "I N", "Hz", "kW", "kvar", "PF",
)  # fmt: skip
"""The troubleshooting sequence: 19 items, in this order (D-4)."""


LEAST_SCROLL_S = 6
"""Of an item that scrolls by itself, "min 6 seconds" in the notice (D-2)."""


@dataclass(frozen=True)
class DisplaySettings:
    """Four sequences; an item of any but the test one stands for `scroll_s`, LEAST_SCROLL_S or more; 0: until SCROLL,
    as autoscroll is not programmed (D-2). `gyrbox` is GYRBOX's."""

    scroll_s: int
    normal: tuple[DisplayItem, ...]
    alternate: tuple[DisplayItem, ...]
    gyrbox: tuple[DisplayItem, ...]
    test: tuple[DisplayItem, ...]
