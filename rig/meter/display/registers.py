"""Registers on the display: energy, demand, peaks, with when they were reached (D-2, D-5, Q-4, T-1).

In test mode what has no rate and is of no season past is test mode's own. Registers are at the meter: the multiplier
makes them primary.
"""

from __future__ import annotations

from rig.meter.billing.calendar import Calendar
from rig.meter.billing.maxima import Maximum
from rig.meter.display.fitting import UNKNOWN, dial, gauge
from rig.meter.display.items import DemandItem, DemandOf, DisplayItem, EnergyItem, PeakItem, When
from rig.meter.reading.meter_reading import MeterReading, TestModeReading, demand_bin


def energy(what: EnergyItem, item: DisplayItem, reading: MeterReading) -> str:
    """An energy register."""
    if what.previous_season:
        closed = reading.closed_season
        if closed is None:
            return UNKNOWN
        return dial(closed.energy_nwh(what.quantity, what.rate), item.digits, item.decimals)
    mode = reading.active if what.rate is None else reading
    return dial(mode.registers.energy_nwh(what.quantity, what.rate), item.digits, item.decimals)


def demand(what: DemandItem, item: DisplayItem, reading: MeterReading, calendar: Calendar) -> str:
    """A demand register, or the date or time of a maximum. What cumulates goes round as energy does."""
    if what.previous_season:
        closed = reading.closed_season
        then = None if closed is None else demand_bin(closed, reading.demand, what.quantity, what.rate)
        return UNKNOWN if then is None else _of_maximum(then.maximum, what.when, item, calendar)
    mode = reading.active if what.rate is None else reading
    found = demand_bin(mode.registers, mode.demand, what.quantity, what.rate)
    if found is None:
        return UNKNOWN
    match what.of:
        case DemandOf.MAXIMUM:
            return _of_maximum(found.maximum, what.when, item, calendar)
        case DemandOf.CUMULATIVE:
            return dial(found.cumulative, item.digits, item.decimals)
        case DemandOf.CONTINUOUS_CUMULATIVE:
            return dial(found.continuous_cumulative, item.digits, item.decimals)
        case DemandOf.COINCIDENT:
            return _coincident(what, item, mode)
        case DemandOf.PRESENT:
            return gauge(found.present, item.digits, item.decimals)
        case DemandOf.PREVIOUS:
            return gauge(found.previous, item.digits, item.decimals)


def peak(what: PeakItem, item: DisplayItem, reading: MeterReading, calendar: Calendar) -> str:
    """One of the highest peaks; 0 where there are not so many."""
    mode = reading.active
    if mode.demand is None or mode.demand.quantities[0] is not what.quantity:
        return UNKNOWN
    peaks = mode.registers.peaks
    reached = peaks[what.place - 1] if what.place <= len(peaks) else Maximum(0, None, ())
    return _of_maximum(reached, what.when, item, calendar)


def date_of(utc_ns: int | None, calendar: Calendar) -> str:
    """A local date as year, month and day, 26.07.06; UNKNOWN for None."""
    if utc_ns is None:
        return UNKNOWN
    local = calendar.local(utc_ns)
    return f"{local.year % 100:02}.{local.month:02}.{local.day:02}"


def time_of(utc_ns: int | None, calendar: Calendar) -> str:
    """A local time, 14:30; UNKNOWN for None."""
    if utc_ns is None:
        return UNKNOWN
    local = calendar.local(utc_ns)
    return f"{local.hour:02}:{local.minute:02}"


def _coincident(what: DemandItem, item: DisplayItem, mode: MeterReading | TestModeReading) -> str:
    """At the maximum of the first quantity, whose coincident demands are those of the others in their order."""
    if mode.demand is None or mode.demand.quantities[0] is what.quantity:
        return UNKNOWN
    first, *others = mode.demand.quantities
    highest = demand_bin(mode.registers, mode.demand, first, what.rate)
    if highest is None:
        return UNKNOWN
    return gauge(highest.maximum.coincident[others.index(what.quantity)], item.digits, item.decimals)


def _of_maximum(reached: Maximum, when: When, item: DisplayItem, calendar: Calendar) -> str:
    match when:
        case When.VALUE:
            return gauge(reached.value, item.digits, item.decimals)
        case When.DATE:
            return date_of(reached.at_ns, calendar)
        case When.TIME:
            return time_of(reached.at_ns, calendar)
