"""What the test LED follows (P-1, D-5).

    mode                what is displayed                     the LED follows
    normal, Gyrbox      anything                              Wh, either way
    alternate           energy, demand or a peak              its quantity
    alternate           anything else                         Wh, either way
    test                energy, demand or a peak, of Wh       its quantity
    test                energy, demand or a peak, of varh     Wh, either way
    test                energy, demand or a peak, of VAh      Wh, either way
    test                pulse kWh                             Wh, either way
    test                pulse kM3H                            the third demand quantity
    test                anything else                         Wh, either way

A net quantity is followed whichever way its register moves.
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.meter.billing.quantity import Quantity
from rig.meter.display.items import THIRD_METRIC, DemandItem, EnergyItem, PeakItem, PulseItem, What

_WH_EITHER = {Quantity.KWH_EITHER, Quantity.KWH_NET}


def followed(
    what: What, demands: Sequence[Quantity], *, alternate: bool = False, test: bool = False
) -> Quantity | None:
    """The quantity for an item on the display; None for Wh either way. `demands` are the program's demand quantities.

    `test` counts before `alternate`; neither is normal and Gyrbox.
    """
    match what:
        case EnergyItem(quantity) | DemandItem(quantity) | PeakItem(quantity) if test or alternate:
            if quantity in _WH_EITHER or (test and quantity.unit != Quantity.KWH_EITHER.unit):
                return None
            return quantity
        case PulseItem(third_metric=True) if test and len(demands) > THIRD_METRIC:
            return None if demands[THIRD_METRIC] in _WH_EITHER else demands[THIRD_METRIC]
    return None
