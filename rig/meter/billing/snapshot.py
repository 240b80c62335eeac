"""All registers at one instant: what a demand reset, a self-read and the close of a season keep (T-3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rig.meter.billing.demand import DemandRegisters, Maximum
from rig.meter.billing.events import Cause
from rig.meter.billing.maxima import ResetValues


@dataclass(frozen=True, slots=True)
class DemandReading:
    """One demand quantity in total or in one rate, in nW (nvar, nVA)."""

    present: int
    previous: int
    maximum: Maximum
    cumulative: int
    continuous_cumulative: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Registers as they stood at `utc_ns`, before what caused it changed any. Where that was a demand reset, what the
    running interval has until then has counted for the maxima.

    `energy` and each of `rates` are 16 places in nWh (rig/meter/billing/quantity.py). `demand` is by quantity of the
    program, then total and rates A to D; empty for a meter without demand. `peaks` are the five highest of the first
    quantity. `season` counts from 0; `resets` are the demand resets before it.
    """

    utc_ns: int
    cause: Cause
    season: int
    resets: int
    energy: tuple[int, ...]
    rates: tuple[tuple[int, ...], ...]
    inputs: tuple[int, ...]
    demand: tuple[tuple[DemandReading, ...], ...] = ()
    peaks: tuple[Maximum, ...] = ()


def demand_readings(demand: DemandRegisters, bins: int) -> tuple[tuple[DemandReading, ...], ...]:
    """All that demand registers show, by quantity and bin."""
    return tuple(
        tuple(
            DemandReading(
                demand.present(q, b),
                demand.previous(q, b),
                demand.maximum(q, b),
                demand.cumulative(q, b),
                demand.continuous_cumulative(q, b),
            )
            for b in range(bins)
        )
        for q in range(len(demand.settings.quantities))
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
