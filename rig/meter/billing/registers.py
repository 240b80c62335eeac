"""The registers of one mode: energy in total and by rate, and demand (Q-2, Q-4, T-1, D-5).

Billing has one set, test mode another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import add

from rig.meter.billing.demand import DemandRegisters, DemandSettings, DemandState
from rig.meter.billing.quantity import PLACES, Quantity
from rig.meter.billing.snapshot import RegisterReading, demand_readings


@dataclass
class RegistersState:
    """16 places in nWh, in total and, where there are any, by rate; demand's own."""

    energy: list[int] = field(default_factory=lambda: [0] * PLACES)
    rates: list[list[int]] = field(default_factory=list)
    demand: DemandState | None = None


class Registers:
    """Energy and demand, in total and in `rates` rates; `demand` None for a meter without it. `state` is live."""

    def __init__(self, demand: DemandSettings | None, rates: int, state: RegistersState | None = None) -> None:
        self.state = state or RegistersState(rates=[[0] * PLACES for _ in range(rates)])
        self.demand = None if demand is None else DemandRegisters(demand, rates=rates, state=self.state.demand)
        self.state.demand = self.demand.state if self.demand else None

    def take(self, amounts: Sequence[int], start_ns: int, end_ns: int, rate: int) -> None:
        """Register what flowed from start to end, all of it in one rate."""
        state = self.state
        state.energy = list(map(add, state.energy, amounts))
        if state.rates:
            state.rates[rate] = list(map(add, state.rates[rate], amounts))
        if self.demand is not None:
            self.demand.take(amounts, start_ns, end_ns, rate if state.rates else 0)

    def energy(self, quantity: Quantity, rate: int | None = None) -> int:
        """A register in nWh (nvarh, nVAh), in total or of one rate."""
        return quantity.of(self.state.energy if rate is None else self.state.rates[rate])

    def amounts(self) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
        """All places, in total and by rate."""
        return tuple(self.state.energy), tuple(tuple(r) for r in self.state.rates)

    def reading(self) -> RegisterReading:
        """All of them as they stand."""
        demand = self.demand
        if demand is None:
            return RegisterReading(*self.amounts())
        return RegisterReading(*self.amounts(), demand_readings(demand), demand.peaks())
