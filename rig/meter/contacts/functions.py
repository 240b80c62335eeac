"""Functions of a meter's contacts, as programmed (P-2, P-3, P-5, T-2).

Outputs are form C: a pulse output changes over at each pulse, every other closes K–Y while its function holds, K–Z
otherwise. A function is one class, here, in level_functions.py or in alerts.py: it says what closes the contact, and
what people read of it. What a program writes for it is a table of rig/program/schema.py, and what makes the one of the
other a function in rig/program/contacts.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from rig.meter.billing.events import EndOfInterval
from rig.meter.billing.inputs import InputId
from rig.meter.billing.log import LogEvent
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.alert_inputs import AlertInputs
from rig.meter.contacts.outputs import OutputId

LevelEvent = LogEvent | EndOfInterval
"""What of all that happens contacts go by."""


@dataclass(frozen=True)
class ContactRatings:
    """Ratings of the meter that the notes on a function depend on.

    `max_w` is MAX in W (var, VA); `rates` are those that the calendar has or an input forces; `nominal_v` are the
    nominal voltages of its service, or of all where it is detected; `rated_v` is the highest that the meter is for.
    """

    max_w: Fraction
    rates: frozenset[Rate]
    nominal_v: frozenset[float]
    rated_v: int


@dataclass(frozen=True)
class Output(ABC):
    """An output with its function."""

    id: OutputId

    @abstractmethod
    def text(self, meter: ContactRatings) -> str:
        """Describe what it does, in words for people."""

    @property
    @abstractmethod
    def marking(self) -> str:
        """Its function as marked on the meter."""

    def notes(self, meter: ContactRatings) -> Iterable[str]:
        """Give what its owner should know, although it is right: a sentence each, with the output as its subject."""
        return ()


@dataclass(frozen=True)
class PulsesOutput(Output):
    """A transition for every Kp of a quantity; Kp in Wh (varh, VAh), 0 disables it."""

    quantity: Quantity
    kp_wh: Fraction

    def text(self, meter: ContactRatings) -> str:
        if not self.kp_wh:
            return "disabled"
        at_max = float(meter.max_w / self.kp_wh / 3600)
        unit = self.quantity.unit.removeprefix("k")
        return f"{self.quantity.value}, Kp {number_text(self.kp_wh)} {unit}; {at_max:.1f} transitions a second at MAX"

    @property
    def marking(self) -> str:
        return self.quantity.value


class LevelOutput(Output):
    """An output that does not pulse: it is a TimedOutput, a StateOutput or an Alert."""


class TimedOutput(LevelOutput):
    """Closed for a time from certain events on."""

    @abstractmethod
    def closes_for_s(self, event: LevelEvent) -> int:
        """Whole seconds that an event closes it for; 0: it does not."""


class StateOutput(LevelOutput):
    """Closed by what the meter's billing is in: which rate, and whether test mode."""

    @abstractmethod
    def closed(self, rate: Rate, test_mode: bool) -> bool:
        """Return whether it is closed at a rate, in test mode or out of it."""


class Alert(LevelOutput):
    """Closed by what is measured, judged once a second."""

    @abstractmethod
    def exceeded(self, second: AlertInputs) -> bool | None:
        """Return whether a second exceeds its threshold; None where there is nothing to judge."""


INPUT_VOLTS = Fraction(33, 10)
"""Of a contact's circuit on the rig, whose input pins are pulled up (docs/hardware.md)."""


@dataclass(frozen=True)
class RecordedInput:
    """The input is counted; each pulse stands for `weight` in the other meter's unit. `volts` are its circuit's."""

    id: InputId
    weight: Fraction
    volts: Fraction = INPUT_VOLTS

    marking = "RECORD"

    @property
    def text(self) -> str:
        """Description of what it does, in words for people."""
        return f"counts pulses of {number_text(self.weight)}"


@dataclass(frozen=True)
class RateInput:
    """While the input is closed, everything registers in `rate`. `volts` are its circuit's."""

    id: InputId
    rate: Rate
    volts: Fraction = INPUT_VOLTS

    @property
    def marking(self) -> str:
        """Its function as marked on the meter."""
        return f"RATE {self.rate.name}"

    @property
    def text(self) -> str:
        """Description of what it does, in words for people."""
        return f"forces rate {self.rate.name}"


Input = RecordedInput | RateInput


def number_text(value: Fraction | float) -> str:
    """For a sentence: 0.15, 28.8, 19200."""
    return f"{float(value):.10g}"
