"""An item and a reading of the meter become what stands on the display (D-1 to D-5, D-7, P-1).

    item                    text                                             unit
    energy                  its register, truncated, all digits, as a dial   kWh, kvarh, kVAh
    demand, peak            the same; OVERFLOW for what its digits lack      kW, kvar, kVA
    when a maximum was      26.07.06, 14:30, local; ----- if there is none   that of the demand
    pulse                   PULSE                                            of what the test LED follows
    of the moment           rounded, without leading zeros                   V, A, deg, % THD, kW, …
    anything else           rig/meter/display/statuses.py

----- is what is not known: before the first second, of a phase without voltage, of a season past where none is.
"""

from __future__ import annotations

from rig.meter.display.fitting import fitted
from rig.meter.display.instants import UNITS, instantaneous
from rig.meter.display.items import (
    DemandItem,
    DisplayItem,
    DisplayStatus,
    EnergyItem,
    InstantItem,
    PeakItem,
    PulseItem,
    StatusItem,
)
from rig.meter.display.lcd import ALL_SEGMENTS, Annunciator, Lcd
from rig.meter.display.registers import demand, energy, peak
from rig.meter.display.statuses import DisplayedNameplate, status
from rig.meter.reading.instantaneous import Instantaneous
from rig.meter.reading.meter_reading import MeterReading

__all__ = ["DisplayedNameplate", "Readout"]


class Readout:
    """The display of a meter with this plate."""

    def __init__(self, plate: DisplayedNameplate) -> None:
        self.plate = plate

    def show(
        self,
        item: DisplayItem,
        reading: MeterReading,
        instant: Instantaneous | None,
        lit: frozenset[Annunciator] = frozenset(),
    ) -> Lcd:
        """An item as it stands in a reading and, of values of the moment, in the last second; None before the first."""
        if item.what == StatusItem(DisplayStatus.ALL_SEGMENTS):
            return ALL_SEGMENTS
        text, unit = self._text_and_unit(item, reading, instant)
        return Lcd(item.ident, text, unit, lit)

    def wait(self, seconds: int, lit: frozenset[Annunciator] = frozenset()) -> Lcd:
        """A demand reset was refused: how long to wait for one."""
        return Lcd("", fitted(f"WAIT {seconds}"), "s", lit)

    def _text_and_unit(
        self, item: DisplayItem, reading: MeterReading, instant: Instantaneous | None
    ) -> tuple[str, str]:
        plate = self.plate
        match item.what:
            case EnergyItem() as what:
                return energy(what, item, reading), what.quantity.unit
            case DemandItem() as what:
                return demand(what, item, reading, plate.calendar), what.quantity.demand_unit
            case PeakItem() as what:
                return peak(what, item, reading, plate.calendar), what.quantity.demand_unit
            case PulseItem(quantity):
                return "PULSE", quantity.unit if quantity else ""
            case InstantItem() as what:
                return instantaneous(what, instant, apparent_rms=plate.apparent_rms), UNITS[what.of]
            case StatusItem(of):
                return status(of, plate, reading)
