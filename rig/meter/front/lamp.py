"""Quantity that the test LED follows: in the alternate sequence and in test mode, whatever is displayed (P-1, D-5).

    mode              what is displayed           the LED follows
    normal, Gyrbox    anything                    Wh, either way
    alternate, test   energy, demand or a peak    its quantity
    alternate, test   kW                          Wh, either way
    alternate, test   kvar                        varh, either way
    alternate, test   kVA                         VAh, as displayed
    test              pulse kWh or pulse kM3H     its quantity
    alternate, test   anything else               Wh, either way

A net quantity is followed whichever way its register moves, so that varh either way are those of kvarh net.
"""

from __future__ import annotations

from rig.meter.billing.quantity import Quantity
from rig.meter.display.items import (
    DemandItem,
    EnergyItem,
    InstantaneousQuantity,
    InstantItem,
    PeakItem,
    PulseItem,
    What,
)

_WH_EITHER = {Quantity.KWH_EITHER, Quantity.KWH_NET}


def followed(what: What, *, alternate: bool = False, test: bool = False, apparent_rms: bool = False) -> Quantity | None:
    """The quantity for an item on the display; None for Wh either way.

    `test` counts before `alternate`; neither is normal and Gyrbox. `apparent_rms`: kVA is displayed as Vrms·Irms.
    """
    quantity = _displayed(what, apparent_rms) if test or alternate else None
    return None if quantity in _WH_EITHER else quantity


def _displayed(what: What, apparent_rms: bool) -> Quantity | None:
    match what:
        case EnergyItem(quantity) | DemandItem(quantity) | PeakItem(quantity) | PulseItem(quantity):
            return quantity
        case InstantItem(InstantaneousQuantity.VARS):
            return Quantity.KVARH_NET
        case InstantItem(InstantaneousQuantity.VOLT_AMPERES):
            return Quantity.KVAH_RMS if apparent_rms else Quantity.KVAH_TD
    return None
