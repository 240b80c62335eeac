"""From a window's sums to what it registers: watt-hours, var-hours and volt-ampere-hours of one quadrant (Q-2, Q-3).

Whole numbers of nWh go to the registers; what is less than one is carried to the next window of the quadrant. So a
register is the exact sum of its windows, cut off after the nWh. VA is worked out here, on the Pi, as the notice has
it: "td" from the window's watts and vars; "rms" from each element's Vrms·Irms over about a second (apparent.py).
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import NamedTuple

from rig.meter.billing.energy_interval import SQUARES
from rig.meter.billing.quantity import KINDS, NANO, PLACES, Kind, Quadrant, Quantity
from rig.meter.measuring.apparent import RMS_PARTS, ApparentEnergy, ApparentState
from rig.meter.measuring.products import Products
from rig.meter.measuring.quantities import Scaling, Sums
from rig.meter.measuring.starting import Starting


class Energies(NamedTuple):
    """Energy that flowed in one quadrant: magnitudes in nWh, nvarh, nVAh; V²h and A²h in 10⁻⁹."""

    quadrant: int
    wh: int
    varh: int
    vah_rms: int
    vah_td: int
    squares: tuple[int, ...]

    def of(self, quantity: Quantity) -> int:
        """Return a quantity's share of it: never negative, so of a net quantity what was added."""
        first = KINDS * self.quadrant
        magnitudes = (self.wh, self.varh, self.vah_rms, self.vah_td)
        return sum(magnitudes[place - first] for place in quantity.adds if first <= place < first + KINDS)

    def moves(self, quantity: Quantity) -> int:
        """Return the movement of a quantity's register: of a net quantity either way, of others up."""
        if not quantity.net:
            return self.of(quantity)
        amounts = [0] * PLACES
        self.add_to(amounts)
        return abs(quantity.of(amounts))

    def add_to(self, amounts: list[int]) -> None:
        """Add it to amounts by place."""
        first = KINDS * self.quadrant
        for place, magnitude in enumerate((self.wh, self.varh, self.vah_rms, self.vah_td), first):
            amounts[place] += magnitude


class Registration:
    """Turns products into Energies, and carries what is less than a nWh."""

    def __init__(self, scaling: Scaling) -> None:
        self._scaling = scaling
        self._apparent = ApparentEnergy(scaling)
        self._carried = [0] * PLACES
        self._carried_squares = [0] * SQUARES
        hours = 1 / (scaling.sample_hz * 3600)
        self._volt_hours = _per_hour(scaling.channel_squares.denominator, hours)
        self._neutral_hours = _per_hour(scaling.neutral_square.denominator, hours)

    @property
    def carried(self) -> tuple[list[int], list[int]]:
        """Remainders below one nWh, by place and by square, to continue from with the same scaling."""
        return list(self._carried), list(self._carried_squares)

    @property
    def apparent(self) -> ApparentState:
        """State of the volt-ampere-hours rms, to continue from."""
        return self._apparent.state

    def resume(self, carried: list[int], squares: list[int], apparent: ApparentState) -> None:
        """Go on from there."""
        self._carried, self._carried_squares = list(carried), list(squares)
        self._apparent.resume(apparent)

    def advance(self, sums: Sums, starting: Starting) -> Energies:
        """Take in what a window adds up to, or several; what has an idle channel in it does not count."""
        products, reactive = starting.live_part(sums.products), starting.live_part(sums.reactive)
        apparent = self._apparent.advance(sums, starting)
        scaling = self._scaling
        watts, vars_ = sum(scaling.energy(products)), sum(scaling.energy(reactive))
        quadrant = Quadrant.of(watts, vars_)
        units = scaling.units_per_wh
        return Energies(
            quadrant,
            self._carry(quadrant, Kind.WH, abs(watts) * NANO, units),
            self._carry(quadrant, Kind.VARH, abs(vars_) * NANO, units),
            self._carry(quadrant, Kind.VAH_RMS, apparent, RMS_PARTS),
            self._carry(quadrant, Kind.VAH_TD, isqrt((watts * watts + vars_ * vars_) * NANO * NANO), units),
            self._squares(products),
        )

    def _carry(self, quadrant: Quadrant, kind: Kind, amount: int, units: int) -> int:
        place = KINDS * quadrant + kind
        whole, self._carried[place] = divmod(self._carried[place] + amount, units)
        return whole

    def _squares(self, products: Products) -> tuple[int, ...]:
        scaling, carried = self._scaling, self._carried_squares
        found = []
        for k, (square, per) in enumerate(
            [
                *((s, self._volt_hours) for s in scaling.channel_squares.numerators(products)),
                *((s, self._neutral_hours) for s in scaling.neutral_square.numerators(products)),
            ]
        ):
            whole, carried[k] = divmod(carried[k] + max(square, 0) * per.numerator, per.denominator)
            found.append(whole)
        return tuple(found)


def _per_hour(denominator: int, hours: Fraction) -> Fraction:
    return NANO * hours / denominator
