"""Report of a replay of a load record as data: what a person sees and `--json` prints (docs/json.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import msgspec

from rig.meter.billing.calendar import Calendar
from rig.meter.billing.demand import DemandKind, DemandSettings
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.quantity import Amounts, Quantity
from rig.meter.billing.time_units import SECOND_NS
from rig.meter.reading.figures import kilo
from rig.replay.intervals.record import local_text
from rig.results.provenance import Provenance

RegisterFigures = dict[str, Any]
"""kwh_delivered, kwh_received, …; of each demand quantity max_kw and max_kw_time, null where there is none; in a month
or a season, `rates`: by rate the registers of its energy."""


class Period(msgspec.Struct, frozen=True):
    """A season as it came, with its registers."""

    season: str
    begin: str
    end: str
    registers: RegisterFigures


class LoadReading(msgspec.Struct, frozen=True):
    """A demand reset or a self-read: when, why, and the registers as they stood."""

    time: str
    cause: str
    registers: RegisterFigures


class LogLine(msgspec.Struct, frozen=True):
    """A line of the meter's log."""

    time: str
    event: str
    details: dict[str, int | str]


class Report(msgspec.Struct, frozen=True):
    """Everything a replay came to. `max_demand` has kw (kvar, kva), time, begin and end."""

    provenance: Provenance
    simulated: bool
    fidelity: str
    model: str
    program: str
    demand: str | None
    multiplier: float
    stamps: str
    interval_minutes: float
    intervals: int
    begin: str
    end: str
    totals: RegisterFigures
    rates: dict[str, RegisterFigures]
    seasons: dict[str, RegisterFigures]
    season_periods: list[Period]
    months: dict[str, RegisterFigures]
    max_demand: RegisterFigures | None
    resets: list[LoadReading]
    self_reads: list[LoadReading]
    events: list[LogLine]
    rate_changes: int
    profile_words: int
    notes: list[str]


class LoadFigures:
    """Figures of registers: by name, in kilo-units on the primary side; demand as the file stamps its intervals.

    They are rounded to nine decimals of a kWh at the meter, so that what the meter cuts off its nWh does not show.
    """

    def __init__(
        self,
        quantities: tuple[Quantity, ...],
        demand: DemandSettings | None,
        calendar: Calendar,
        multiplier: Fraction,
        stamps_end: bool,
    ) -> None:
        self._quantities = quantities
        self._demand = demand
        self._calendar = calendar
        self._multiplier = multiplier
        self._digits = 3 + max(math.ceil(math.log10(multiplier)), 0)
        self._stamps_end = stamps_end

    def energies(self, amounts: Amounts) -> RegisterFigures:
        """Energy by name."""
        return {_key(q.value): self._kilo(q.of(amounts)) for q in self._quantities}

    def registers(self, amounts: Amounts, maxima: Mapping[int, Maximum]) -> RegisterFigures:
        """Energy by name, and the maxima, which are by the place of their quantity."""
        found = self.energies(amounts)
        for place, quantity in enumerate(self._demand.quantities if self._demand else ()):
            key, top = demand_key(quantity), maxima.get(place)
            found[key] = None if top is None else self._kilo(top.value)
            found[f"{key}_time"] = None if top is None or top.at_ns is None else self._stamp(top.at_ns)
        return found

    def max_demand(self, top: Maximum | None) -> RegisterFigures | None:
        """The maximum of the first quantity; begin and end of its interval, which thermal demand has not."""
        if self._demand is None or top is None or top.at_ns is None:
            return None
        interval = self._demand.kind is not DemandKind.THERMAL
        return {
            self._demand.quantities[0].demand_unit.lower(): self._kilo(top.value),
            "time": self._stamp(top.at_ns),
            "begin": self.time(self._begin_ns(top.at_ns)) if interval else None,
            "end": self.time(top.at_ns) if interval else None,
        }

    def time(self, utc_ns: int) -> str:
        """Local time."""
        return local_text(self._calendar, utc_ns)

    def _stamp(self, at_ns: int) -> str:
        return self.time(at_ns if self._stamps_end else self._begin_ns(at_ns))

    def _begin_ns(self, at_ns: int) -> int:
        """Of the demand interval that ended then; thermal demand is of an instant."""
        if self._demand is None or self._demand.kind is DemandKind.THERMAL:
            return at_ns
        return at_ns - self._demand.interval_s * SECOND_NS

    def _kilo(self, nano: int) -> float:
        return kilo(round(round(nano * self._multiplier), -self._digits))


def demand_key(quantity: Quantity) -> str:
    """Its key in reports: max_kw for kW delivered, else max_kw_received, max_kva_td, …"""
    return _key(f"max {quantity.demand_name.removesuffix(' delivered')}")


def _key(words: str) -> str:
    return words.lower().replace(" ", "_")
