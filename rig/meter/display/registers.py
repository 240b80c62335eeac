"""Registers on the display: energy, demand, peaks, with when they were reached (D-2, D-5, Q-4, T-1).

In test mode what has no rate and is of no season past is test mode's own. Registers are at the meter: the multiplier
makes them primary.
"""

from __future__ import annotations

import datetime as dt

from rig.meter.billing.billing import Billing
from rig.meter.billing.demand import DemandRegisters
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.registers import Registers
from rig.meter.billing.tariff import Rate
from rig.meter.display.fitting import UNKNOWN, dial, gauge
from rig.meter.display.items import DemandItem, DemandOf, DisplayItem, EnergyItem, PeakItem, When


def energy(what: EnergyItem, item: DisplayItem, billing: Billing) -> str:
    """An energy register."""
    if what.previous_season:
        closed = billing.closed_season
        if closed is None:
            return UNKNOWN
        amounts = closed.energy if what.rate is None else closed.rates[what.rate]
        return dial(what.quantity.of(amounts), item.digits, item.decimals)
    return dial(_registers(billing, what.rate).energy(what.quantity, what.rate), item.digits, item.decimals)


def demand(what: DemandItem, item: DisplayItem, billing: Billing) -> str:
    """A demand register, or the date or time of a maximum. What cumulates goes round as energy does."""
    if what.previous_season:
        return _of_maximum(_closed_maximum(what, billing), what.when, item, billing)
    registers = _registers(billing, what.rate).demand
    if registers is None or what.quantity not in registers.settings.quantities:
        return UNKNOWN
    q, bin = registers.settings.quantities.index(what.quantity), _bin(what.rate)
    match what.of:
        case DemandOf.MAXIMUM:
            return _of_maximum(registers.maximum(q, bin), what.when, item, billing)
        case DemandOf.CUMULATIVE:
            return dial(registers.cumulative(q, bin), item.digits, item.decimals)
        case DemandOf.CONTINUOUS_CUMULATIVE:
            return dial(registers.continuous_cumulative(q, bin), item.digits, item.decimals)
        case DemandOf.COINCIDENT:
            return _coincident(registers, q, bin, item)
        case DemandOf.PRESENT:
            return gauge(registers.present(q, bin), item.digits, item.decimals)
        case DemandOf.PREVIOUS:
            return gauge(registers.previous(q, bin), item.digits, item.decimals)


def peak(what: PeakItem, item: DisplayItem, billing: Billing) -> str:
    """One of the highest peaks; 0 where there are not so many."""
    registers = _registers(billing, None).demand
    if registers is None or registers.settings.quantities[0] is not what.quantity:
        return UNKNOWN
    peaks = registers.peaks()
    reached = peaks[what.place - 1] if what.place <= len(peaks) else Maximum(0, None, ())
    return _of_maximum(reached, what.when, item, billing)


def date_of(utc_ns: int | None, billing: Billing) -> str:
    """A local date as year, month and day, 26.07.06; UNKNOWN for None."""
    local = _local(utc_ns, billing)
    return UNKNOWN if local is None else f"{local.year % 100:02}.{local.month:02}.{local.day:02}"


def time_of(utc_ns: int | None, billing: Billing) -> str:
    """A local time, 14:30; UNKNOWN for None."""
    local = _local(utc_ns, billing)
    return UNKNOWN if local is None else f"{local.hour:02}:{local.minute:02}"


def _local(utc_ns: int | None, billing: Billing) -> dt.datetime | None:
    return None if utc_ns is None else billing.settings.calendar.local(utc_ns)


def _registers(billing: Billing, rate: Rate | None) -> Registers:
    return billing.registers if rate is not None or billing.test is None else billing.test


def _bin(rate: Rate | None) -> int:
    """Where demand has it: the total first."""
    return 0 if rate is None else 1 + rate


def _closed_maximum(what: DemandItem, billing: Billing) -> Maximum | None:
    closed, settings = billing.closed_season, billing.settings.demand
    if closed is None or settings is None or what.quantity not in settings.quantities:
        return None
    return closed.demand[settings.quantities.index(what.quantity)][_bin(what.rate)].maximum


def _of_maximum(reached: Maximum | None, when: When, item: DisplayItem, billing: Billing) -> str:
    if reached is None:
        return UNKNOWN
    match when:
        case When.VALUE:
            return gauge(reached.value, item.digits, item.decimals)
        case When.DATE:
            return date_of(reached.at_ns, billing)
        case When.TIME:
            return time_of(reached.at_ns, billing)


def _coincident(registers: DemandRegisters, q: int, bin: int, item: DisplayItem) -> str:
    """At the maximum of the first quantity, whose coincident demands are those of the others in their order."""
    if q == 0:
        return UNKNOWN
    return gauge(registers.maximum(0, bin).coincident[q - 1], item.digits, item.decimals)
