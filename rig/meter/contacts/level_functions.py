"""The functions that close a contact by events, or by what billing is in (P-3, P-4, D-5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rig.meter.billing.events import EndOfInterval
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.functions import ContactRatings, LevelEvent, StateOutput, TimedOutput


@dataclass(frozen=True)
class EndOfIntervalOutput(TimedOutput):
    """Closed for so long from every end of a demand interval on."""

    closed_s: int

    def closes_for_s(self, event: LevelEvent) -> int:
        return self.closed_s if isinstance(event, EndOfInterval) else 0

    def text(self, meter: ContactRatings) -> str:
        return f"end of interval, closed for {self.closed_s} s"

    @property
    def marking(self) -> str:
        return "EOI"


@dataclass(frozen=True)
class LoadControlOutput(StateOutput):
    """Closed while one of the rates is in force, outside test mode."""

    rates: tuple[Rate, ...]

    def closed(self, rate: Rate, test_mode: bool) -> bool:
        return rate in self.rates and not test_mode

    def text(self, meter: ContactRatings) -> str:
        return f"load control, closed in rate {' and '.join(rate.name for rate in self.rates)}"

    @property
    def marking(self) -> str:
        return f"LOAD CONTROL {' '.join(rate.name for rate in self.rates)}"

    def notes(self, meter: ContactRatings) -> Iterable[str]:
        if meter.rates <= set(self.rates):
            yield "closes in every rate of the program: it opens in test mode only"
