"""Energy by quadrant, and every quantity that registers, demand, pulses and the recorder can be of (Q-2, Q-3, P-2).

A portion of energy belongs to one quadrant, by the signs of its active and reactive energy:

    Q1  +P +Q  delivered, lagging        Q2  −P +Q  received, leading
    Q4  +P −Q  delivered, leading        Q3  −P −Q  received, lagging

so four magnitudes in each of four quadrants hold everything, and each quantity is a sum of some of them, a net one a
difference of two such sums.
"Lagging" and "leading" are the power factor's sense, as the notice has it; var delivered is Q1 + Q2.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, IntEnum

NANO = 10**9
"""Energy is kept in integers of nWh, nvarh and nVAh, demand in nW, nvar and nVA."""

NANO_PER_KILO = 1000 * NANO


class Quadrant(IntEnum):
    """Quadrant of energy: its direction, and whether the current lags or leads the voltage."""

    Q1 = 0
    Q2 = 1
    Q3 = 2
    Q4 = 3

    @classmethod
    def of(cls, p: int, q: int) -> Quadrant:
        """By the signs of active and reactive energy; zero counts as positive."""
        if p >= 0:
            return cls.Q1 if q >= 0 else cls.Q4
        return cls.Q2 if q >= 0 else cls.Q3


class Kind(IntEnum):
    """Kind of energy registered in each quadrant: magnitudes, never negative."""

    WH = 0
    VARH = 1
    VAH_RMS = 2
    VAH_TD = 3


KINDS = len(Kind)
PLACES = len(Quadrant) * KINDS

Amounts = Sequence[int]
"""PLACES integers; the place of a kind in a quadrant is 4 · quadrant + kind."""


def _places(kind: Kind, *quadrants: Quadrant) -> tuple[int, ...]:
    return tuple(KINDS * q + kind for q in quadrants)


_DELIVERED = (Quadrant.Q1, Quadrant.Q4)
_RECEIVED = (Quadrant.Q2, Quadrant.Q3)
_LAGGING = (Quadrant.Q1, Quadrant.Q3)
_LEADING = (Quadrant.Q2, Quadrant.Q4)
_POSITIVE = (Quadrant.Q1, Quadrant.Q2)
_NEGATIVE = (Quadrant.Q3, Quadrant.Q4)


class Quantity(Enum):
    """A quantity of the notice, by the name that programs and reports use."""

    KWH_DELIVERED = "kWh delivered"
    KWH_RECEIVED = "kWh received"
    KWH_NET = "kWh net"
    KWH_EITHER = "kWh either way"
    KVARH_LAGGING = "kvarh lagging"
    KVARH_LEADING = "kvarh leading"
    KVARH_NET = "kvarh net"
    KVARH_NET_DIRECTION = "kvarh net by direction"
    KVAH_RMS = "kVAh rms"
    KVAH_TD = "kVAh td"
    KVAH_TD_LAGGING = "kVAh td lagging"
    KVAH_TD_LEADING = "kVAh td leading"
    KWH_Q1 = "kWh Q1"
    KWH_Q2 = "kWh Q2"
    KWH_Q3 = "kWh Q3"
    KWH_Q4 = "kWh Q4"
    KVARH_Q1 = "kvarh Q1"
    KVARH_Q2 = "kvarh Q2"
    KVARH_Q3 = "kvarh Q3"
    KVARH_Q4 = "kvarh Q4"

    @property
    def adds(self) -> tuple[int, ...]:
        """Places that count for it."""
        return _TERMS[self][0]

    @property
    def subtracts(self) -> tuple[int, ...]:
        """Places that count against it: net quantities only."""
        return _TERMS[self][1]

    @property
    def net(self) -> bool:
        """True if it can fall."""
        return bool(self.subtracts)

    @property
    def reactive(self) -> bool:
        """True if it needs a meter of reactive energy (M-1): everything but kWh delivered, received and net."""
        return self not in _ACTIVE

    @property
    def unit(self) -> str:
        """kWh, kvarh or kVAh."""
        return self.value.split()[0]

    @property
    def demand_unit(self) -> str:
        """kW, kvar or kVA."""
        return self.unit.removesuffix("h")

    @property
    def demand_name(self) -> str:
        """Its name as a demand, such as "kW delivered"."""
        return self.value.replace(self.unit, self.demand_unit, 1)

    def of(self, amounts: Amounts) -> int:
        """Return its value for these amounts, in nWh, nvarh or nVAh."""
        adds, subtracts = _TERMS[self]
        total = 0
        for place in adds:
            total += amounts[place]
        for place in subtracts:
            total -= amounts[place]
        return total


_ACTIVE = {Quantity.KWH_DELIVERED, Quantity.KWH_RECEIVED, Quantity.KWH_NET, Quantity.KWH_EITHER}

_TERMS: dict[Quantity, tuple[tuple[int, ...], tuple[int, ...]]] = {
    Quantity.KWH_DELIVERED: (_places(Kind.WH, *_DELIVERED), ()),
    Quantity.KWH_RECEIVED: (_places(Kind.WH, *_RECEIVED), ()),
    Quantity.KWH_NET: (_places(Kind.WH, *_DELIVERED), _places(Kind.WH, *_RECEIVED)),
    Quantity.KWH_EITHER: (_places(Kind.WH, *Quadrant), ()),
    Quantity.KVARH_LAGGING: (_places(Kind.VARH, *_LAGGING), ()),
    Quantity.KVARH_LEADING: (_places(Kind.VARH, *_LEADING), ()),
    Quantity.KVARH_NET: (_places(Kind.VARH, *_LAGGING), _places(Kind.VARH, *_LEADING)),
    Quantity.KVARH_NET_DIRECTION: (_places(Kind.VARH, *_POSITIVE), _places(Kind.VARH, *_NEGATIVE)),
    Quantity.KVAH_RMS: (_places(Kind.VAH_RMS, *Quadrant), ()),
    Quantity.KVAH_TD: (_places(Kind.VAH_TD, *Quadrant), ()),
    Quantity.KVAH_TD_LAGGING: (_places(Kind.VAH_TD, *_LAGGING), ()),
    Quantity.KVAH_TD_LEADING: (_places(Kind.VAH_TD, *_LEADING), ()),
    **{Quantity(f"kWh {q.name}"): (_places(Kind.WH, q), ()) for q in Quadrant},
    **{Quantity(f"kvarh {q.name}"): (_places(Kind.VARH, q), ()) for q in Quadrant},
}
