"""Registers at one instant, as plain data: those of a mode, and what a demand reset, a self-read and the close of a
season keep (Q-2, Q-4, T-3, D-5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rig.meter.billing.demand import DemandRegisters
from rig.meter.billing.events import Cause
from rig.meter.billing.maxima import Maximum, ResetValues
from rig.meter.billing.quantity import Quantity


@dataclass(frozen=True, slots=True)
class DemandReading:
    """One demand quantity in total or in one rate, in nW (nvar, nVA)."""

    present: int
    previous: int
    maximum: Maximum
    cumulative: int
    continuous_cumulative: int


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """The registers of one mode (rig/meter/billing/registers.py) at one instant.

    `energy` and each of `rates` are 16 places in nWh (rig/meter/billing/quantity.py). `demand` is by quantity of the
    program, then total and rates A to D; empty for a meter without demand. `peaks` are the five highest of the first
    quantity. Test mode has no rates.
    """

    energy: tuple[int, ...]
    rates: tuple[tuple[int, ...], ...]
    demand: tuple[tuple[DemandReading, ...], ...] = ()
    peaks: tuple[Maximum, ...] = ()

    def energy_nwh(self, quantity: Quantity, rate: int | None = None) -> int:
        """An energy register in nWh (nvarh, nVAh), in total or of one rate."""
        return quantity.of(self.energy if rate is None else self.rates[rate])


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(RegisterReading):
    """Billing's registers as they stood at `utc_ns`, before what caused it changed any. Where that was a demand reset,
    what the running interval has until then has counted for the maxima.

    `season` counts from 0; `resets` are the demand resets before it; `inputs` are pulses.
    """

    utc_ns: int
    cause: Cause
    season: int
    resets: int
    inputs: tuple[int, ...]


def demand_readings(demand: DemandRegisters) -> tuple[tuple[DemandReading, ...], ...]:
    """All that demand registers show, by quantity and bin."""
    state, quantities = demand.state, range(len(demand.settings.quantities))
    rows = [
        (demand.present_row(bin), previous, held, cumulative)
        for bin, (previous, held, cumulative) in enumerate(
            zip(state.previous, state.maxima.held, state.maxima.cumulative, strict=True)
        )
    ]
    return tuple(
        tuple(
            [
                DemandReading(
                    present[q], previous[q], held[q].maximum(q), cumulative[q], cumulative[q] + held[q].demands[q]
                )
                for present, previous, held, cumulative in rows
            ]
        )
        for q in quantities
    )


def with_maxima(snapshot: Snapshot, ended: ResetValues) -> Snapshot:
    """A snapshot from just before a demand reset, with the maxima that it ended."""
    demand = tuple(
        tuple(
            replace(reading, maximum=maximum, continuous_cumulative=cumulative)
            for reading, maximum, cumulative in zip(bins, maxima, cumulatives, strict=True)
        )
        for bins, maxima, cumulatives in zip(snapshot.demand, ended.maxima, ended.cumulative, strict=True)
    )
    return replace(snapshot, demand=demand, peaks=ended.peaks)
