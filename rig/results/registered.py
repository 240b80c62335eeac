"""A meter's reading in the figures of results: floats for JSON, digits for people."""

from __future__ import annotations

from fractions import Fraction

from rig.meter.billing.calendar import Calendar
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.snapshot import DemandReading, RegisterReading
from rig.meter.reading.figures import AT_THE_METER, kilo, kilo_text
from rig.meter.reading.meter_reading import MeterReading
from rig.results.summary import REGISTERS, DemandSummary, EnergyRegisters

ENERGY_DECIMALS = 6
DEMAND_DECIMALS = 4
"""Of kWh and kW in reports."""


def energy_registers(registers: RegisterReading, ratio: Fraction = AT_THE_METER) -> EnergyRegisters:
    """The energy registers in total, primary by the ratio of transformers."""
    return EnergyRegisters(*(kilo(registers.energy_nwh(quantity), ratio) for quantity in REGISTERS))


def total_demands(reading: MeterReading) -> list[tuple[Quantity, DemandReading]]:
    """Each demand quantity with its registers in total."""
    if reading.demand is None:
        return []
    return [(q, bins[0]) for q, bins in zip(reading.demand.quantities, reading.registers.demand, strict=True)]


def demand_summaries(reading: MeterReading, calendar: Calendar, ratio: Fraction = AT_THE_METER) -> list[DemandSummary]:
    """Each demand quantity in total, times local."""
    found = []
    for quantity, demand in total_demands(reading):
        at_ns = demand.maximum.at_ns
        found.append(
            DemandSummary(
                quantity=quantity.demand_name,
                present=kilo(demand.present, ratio),
                previous=kilo(demand.previous, ratio),
                maximum=kilo(demand.maximum.value, ratio),
                maximum_time=None if at_ns is None else calendar.local(at_ns).isoformat(timespec="seconds"),
                cumulative=kilo(demand.cumulative, ratio),
            )
        )
    return found


def energy_text(registers: RegisterReading, quantity: Quantity, ratio: Fraction = AT_THE_METER) -> str:
    """An energy register in total, such as "1.234567"."""
    return kilo_text(registers.energy_nwh(quantity), ENERGY_DECIMALS, ratio)


def demand_text(demand: DemandReading, when: str | None, ratio: Fraction = AT_THE_METER) -> str:
    """Present, previous and maximum demand, the last with its time where there is one."""
    present, previous, maximum = (
        kilo_text(nano, DEMAND_DECIMALS, ratio) for nano in (demand.present, demand.previous, demand.maximum.value)
    )
    at = f" at {when}" if when else ""
    return f"present {present}, previous {previous}, maximum {maximum}{at}"
