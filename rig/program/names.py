"""Names of quantities as programs write them: their own, and plain ones that a program gives a meaning (Q-2, Q-3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rig.meter.billing.quantity import Quantity


@dataclass(frozen=True)
class PulseQuantities:
    """Quantities that "Pulse kWh" and "Pulse kM3H" of the notice give in test mode (P-1); `km3h` None where not set."""

    kwh: Quantity = Quantity.KWH_EITHER
    km3h: Quantity | None = None


USUAL_PULSES = PulseQuantities()
"""Without a word of the program, and less than three demand quantities."""


@dataclass(frozen=True)
class Names:
    """Quantities by name. `apparent` says what "kVAh" is, td or rms; `net_by_direction` what "kvarh net" is.

    `energies` has names such as "kWh delivered", `demands` the same with the hour dropped: "kW delivered".
    """

    apparent: Quantity = Quantity.KVAH_TD
    net_by_direction: bool = False

    @cached_property
    def energies(self) -> dict[str, Quantity]:
        named = {quantity.value: quantity for quantity in Quantity} | {"kVAh": self.apparent}
        if self.net_by_direction:
            named[Quantity.KVARH_NET.value] = Quantity.KVARH_NET_DIRECTION
        return named

    @cached_property
    def demands(self) -> dict[str, Quantity]:
        return {name.replace(q.unit, q.demand_unit, 1): q for name, q in self.energies.items()}
