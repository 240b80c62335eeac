"""Offer of a meter as programmed: an item that it lacks is refused with the reason (M-1, M-3, T-1, D-5)."""

from __future__ import annotations

from dataclasses import dataclass

from rig.files.strict_toml import ConfigError, shown
from rig.meter.billing.inputs import InputId
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.tariff import Rate
from rig.meter.display.items import (
    DemandItem,
    DemandOf,
    DisplayStatus,
    EnergyItem,
    InstantaneousQuantity,
    InstantItem,
    PeakItem,
    PulseItem,
    StatusItem,
    What,
)
from rig.meter.measuring.elements import PHASES
from rig.meter.models import ModelCapability
from rig.program.metering import Metering
from rig.program.names import PulseQuantities

_RESETS = (DisplayStatus.RESET_COUNT, DisplayStatus.RESET_DATE, DisplayStatus.RESET_TIME, DisplayStatus.INTERVAL_LEFT)
_INPUTS = {DisplayStatus.INPUT_1: InputId.IN1, DisplayStatus.INPUT_2: InputId.IN2}
_REACTIVE = (InstantaneousQuantity.VARS, InstantaneousQuantity.VOLT_AMPERES)
_OF_VOLTS = (InstantaneousQuantity.VOLTS, InstantaneousQuantity.VOLTS_ANGLE, InstantaneousQuantity.VOLTS_DISTORTION)


@dataclass(frozen=True)
class Offer:
    """The meter, its demand quantities, rates in use, seasons (0 without [tou]), which inputs count, and what the
    pulse items are of."""

    meter: Metering
    demands: tuple[Quantity, ...]
    rates: tuple[Rate, ...]
    seasons: int
    inputs: tuple[InputId, ...]
    pulses: PulseQuantities

    def check(self, place: str, what: What, *, test: bool) -> None:
        """Raises ConfigError where there is no such thing; `test`: in test mode."""
        match what:
            case EnergyItem(quantity, rate, past):
                if quantity.reactive:
                    self.meter.require(ModelCapability.REACTIVE, place)
                self._check_bin(place, rate, past, test)
            case DemandItem(quantity, of, rate, past):
                self._check_demand(place, quantity)
                if of is DemandOf.COINCIDENT and quantity is self.demands[0]:
                    raise ConfigError(f"{place} is the billing metric itself: show its max, or another's coincident")
                self._check_bin(place, rate, past, test)
            case PeakItem(quantity):
                self._check_demand(place, quantity)
                if quantity is not self.demands[0]:
                    first = self.demands[0].demand_name
                    raise ConfigError(f"{place}: peaks are kept of the billing metric only, {first}")
            case PulseItem(quantity):
                if not test:
                    raise ConfigError(f"{place}: the test LED follows it in test mode only, so it goes to display.test")
                if quantity is None:
                    raise ConfigError(
                        f"{place} is the third of demand.quantities, and there are {len(self.demands)}: give "
                        f"test_mode.pulse_km3h"
                    )
            case InstantItem(of, phase):
                self._check_instant(place, of, phase)
            case StatusItem(of):
                self._check_status(place, of, test)

    def demand(self, key: str, name: str) -> Quantity:
        """One of the demand quantities, by name. Raises ConfigError."""
        quantity = self.meter.demand(key, name)
        self._check_demand(f"{key} = {shown(name)}", quantity)
        return quantity

    def _check_demand(self, place: str, quantity: Quantity) -> None:
        self.meter.require(ModelCapability.DEMAND, place)
        if quantity.reactive:
            self.meter.require(ModelCapability.REACTIVE, place)
        if quantity not in self.demands:
            names = " or ".join(q.demand_name for q in self.demands)
            raise ConfigError(f"{place} is not in demand.quantities: add it there, or take {names}")

    def _check_bin(self, place: str, rate: Rate | None, past: bool, test: bool) -> None:
        if rate is None and not past:
            return
        self.meter.require(ModelCapability.TIME_OF_USE, place)
        if test:
            raise ConfigError(f"{place}: test mode has registers of its own, without rates and seasons")
        if rate is not None:
            self.check_rate(place, rate)
        if past and self.seasons < 2:
            raise ConfigError(f"{place}: the program has no change of season: give [tou] two seasons or more")

    def check_rate(self, place: str, rate: Rate) -> None:
        """Raises ConfigError for a rate that never comes into force."""
        if not self.rates:
            raise ConfigError(f"{place}: the program has no rates, there is no [tou]: give its seasons")
        if rate not in self.rates:
            names = " and ".join(r.name for r in self.rates)
            raise ConfigError(f"{place}: rate {rate.name} is never in force, the program uses {names}")

    def _check_instant(self, place: str, of: InstantaneousQuantity, phase: str) -> None:
        if of in _REACTIVE:
            self.meter.require(ModelCapability.REACTIVE, place)
        if phase in PHASES and phase not in self._phases(of in _OF_VOLTS):
            raise ConfigError(f"{place}: form {self.meter.form.name} does not sense it on its service")

    def _phases(self, volts: bool) -> str:
        """Those whose voltage or current comes to an element, on the service or, where it is detected, on any."""
        equations = (self.meter.equation,) if self.meter.service else self.meter.form.equations
        if not volts:
            return "".join(equation.phases for equation in equations)
        elements = [element for equation in equations for element in equation.sensed]
        return "".join(p for k, p in enumerate(PHASES) if any(e.volt_weights[k] for e in elements))

    def _check_status(self, place: str, of: DisplayStatus, test: bool) -> None:
        if of in _RESETS:
            self.meter.require(ModelCapability.DEMAND, place)
        if of is DisplayStatus.TEST_LEFT and not test:
            raise ConfigError(f"{place} is there in test mode only: it goes to display.test")
        if of in (DisplayStatus.RATE, DisplayStatus.SEASON):
            self.meter.require(ModelCapability.TIME_OF_USE, place)
            if not self.rates:
                raise ConfigError(f"{place}: the program has no rates, there is no [tou]: give its seasons")
        if (counted := _INPUTS.get(of)) is not None and counted not in self.inputs:
            raise ConfigError(
                f"{place}: nothing is counted there, "
                f'give [[inputs]] with name = "{counted.label}" and function = "record"'
            )
