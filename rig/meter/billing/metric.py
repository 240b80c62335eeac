"""Metrics that the load-profile recorder can record, channels with their pulse constants, settings (T-4, P-5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from rig.errors import RigError
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.billing.time_units import MINUTES_A_DAY

INTERVALS_MIN = (1, 5, 15, 30, 60)
MEMORIES_BYTES = (32768, 131072)
MOST_CHANNELS = 15

WORD_BYTES = 2

_QUANTITIES = {quantity.value: quantity for quantity in Quantity}
_SQUARES = ("V2h A", "V2h B", "V2h C", "I2h A", "I2h B", "I2h C", "I2h N")
"""In the order of Portion.squares."""
_INPUTS = ("input 1", "input 2")


class RecorderError(RigError):
    """Recorder settings that the meter cannot have: one sentence with what would be right."""


class Metric(Enum):
    """Metric that one channel records. The value is its name in programs and reports, `code` the protocols' number.

    Exactly one of `quantity`, `square` (its place in Portion.squares) and `input` (0 or 1) is not None.
    """

    code: int
    quantity: Quantity | None
    square: int | None
    input: int | None

    KWH_DELIVERED = "kWh delivered", 0
    KWH_RECEIVED = "kWh received", 1
    KVAH_RMS = "kVAh rms", 3
    KVARH_LAGGING = "kvarh lagging", 6
    KVARH_LEADING = "kvarh leading", 7
    V2H_A = "V2h A", 8
    V2H_B = "V2h B", 9
    V2H_C = "V2h C", 10
    I2H_N = "I2h N", 11
    I2H_A = "I2h A", 12
    I2H_B = "I2h B", 13
    I2H_C = "I2h C", 14
    INPUT_1 = "input 1", 15
    INPUT_2 = "input 2", 16
    KVAH_TD_LAGGING = "kVAh td lagging", 17
    KVAH_TD_LEADING = "kVAh td leading", 18

    def __new__(cls, label: str, code: int) -> Metric:
        metric = object.__new__(cls)
        metric._value_ = label
        metric.code = code
        metric.quantity = _QUANTITIES.get(label)
        metric.square = _SQUARES.index(label) if label in _SQUARES else None
        metric.input = _INPUTS.index(label) if label in _INPUTS else None
        return metric

    @property
    def unit(self) -> str:
        """kWh, kvarh, kVAh, V²h, A²h or pulses."""
        if self.quantity is not None:
            return self.quantity.unit
        if self.input is not None:
            return "pulses"
        return "V²h" if self.value.startswith("V") else "A²h"


@dataclass(frozen=True)
class RecorderChannel:
    """A metric and its pulse constant: Wh, varh, VAh, V²h or A²h a count; of an input, pulses a count."""

    metric: Metric
    pulse: Fraction

    def __post_init__(self) -> None:
        if self.pulse <= 0:
            raise RecorderError(f"the channel of {self.metric.value} has pulse constant {self.pulse}: give more than 0")

    @property
    def nano_pulse(self) -> Fraction:
        """The pulse constant in nWh, nvarh, nVAh, nV²h or nA²h; of an input in pulses."""
        return self.pulse if self.metric.input is not None else self.pulse * NANO

    @property
    def unit_value(self) -> Fraction:
        """Value of one count, in the metric's unit (kWh, not Wh)."""
        return self.pulse / 1000 if self.metric.quantity is not None else self.pulse


@dataclass(frozen=True)
class RecorderSettings:
    """A recorder's program: the interval in minutes of the local clock, its channels in order, its memory."""

    interval_min: int
    channels: tuple[RecorderChannel, ...]
    memory_bytes: int

    def __post_init__(self) -> None:
        if self.interval_min not in INTERVALS_MIN:
            raise RecorderError(f"the recorder's interval is {self.interval_min} min: give {_one_of(INTERVALS_MIN)}")
        if not 1 <= len(self.channels) <= MOST_CHANNELS:
            raise RecorderError(f"the recorder has {len(self.channels)} channels: give 1 to {MOST_CHANNELS}")
        if self.memory_bytes not in MEMORIES_BYTES:
            raise RecorderError(f"the recorder's memory is {self.memory_bytes} bytes: give {_one_of(MEMORIES_BYTES)}")
        if self.words < self.words_a_day:
            # Then a full memory might hold no date word, and nothing in it could be dated.
            raise RecorderError(
                f"{len(self.channels)} channels every {self.interval_min} min fill {self.words_a_day * WORD_BYTES} "
                f"bytes a day, the recorder's memory has {self.memory_bytes}: give fewer channels, a longer interval "
                f"or {max(MEMORIES_BYTES)} bytes"
            )

    @property
    def words(self) -> int:
        """Words of 16 bits that the memory holds."""
        return self.memory_bytes // WORD_BYTES

    @property
    def words_a_day(self) -> int:
        """Counts of a day without marks, and its date."""
        return len(self.channels) * (MINUTES_A_DAY // self.interval_min) + 1

    @property
    def days(self) -> Fraction:
        """Days back that a full memory holds."""
        return Fraction(self.words, self.words_a_day)


def _one_of(values: tuple[int, ...]) -> str:
    return f"{', '.join(map(str, values[:-1]))} or {values[-1]}"
