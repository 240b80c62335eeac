"""A source whose power is known: a steady load of the simulated rig, by the closed form of its phasors (C-5)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rig.load.connected import MeteringPoint, connected
from rig.load.description import LoadDescription
from rig.load.metered import active_power_w, reactive_power_var
from rig.meter.billing.quantity import NANO, Kind, Quadrant, Quantity
from rig.meter.billing.time_units import HOUR_S
from rig.verify.errors import VerifyError


@dataclass(frozen=True)
class KnownSource:
    """So many watts, and vars of the fundamental, all the time; signs as a meter has them (Quadrant)."""

    watts: float
    vars: float

    def nwh(self, quantity: Quantity, ticks: int, tick_hz: Fraction) -> int:
        """Give what flows of a quantity in so many ticks, in nWh (nvarh). Raises VerifyError for volt-amperes: they
        are how a meter computes them, and no source knows that."""
        quadrant = Quadrant.of(round(self.watts * NANO), round(self.vars * NANO))
        amounts = [Fraction(0)] * (len(Quadrant) * len(Kind))
        hours = Fraction(ticks) / tick_hz / HOUR_S
        place = len(Kind) * quadrant
        amounts[place + Kind.WH] = Fraction(abs(self.watts)) * hours * NANO
        amounts[place + Kind.VARH] = Fraction(abs(self.vars)) * hours * NANO
        if any(Kind(place % len(Kind)) in (Kind.VAH_RMS, Kind.VAH_TD) for place in quantity.adds):
            raise VerifyError(f"--reference source has no {quantity.value}: verify them against the meter")
        return round(sum(amounts[place] for place in quantity.adds))


def known_source(load: LoadDescription, point: MeteringPoint) -> KnownSource:
    """Give a load of the simulated rig as a source. Raises VerifyError for one that is not steady."""
    there = connected(load, point)
    if len(there.course.steps) > 1:
        raise VerifyError('--reference source needs a steady load: give one with --load, such as "5 A, pf 0.8 lag"')
    state = there.state
    return KnownSource(active_power_w(state, there.equation), reactive_power_var(state, there.equation))
