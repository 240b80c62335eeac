"""Demand of one interval by the meter's own registers, beside the true one between the very same ticks.

The interval begins in the middle of a window, as one that the clock begins does: what of the window's energy is before
it, and what after its end, the meter says by taking it to flow evenly.
"""

from __future__ import annotations

from fractions import Fraction

import msgspec

from rig.meter.billing.demand import DemandRegisters, DemandSettings
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.quantity import PLACES
from rig.meter.billing.time_units import SECOND_NS
from rig.meter.measuring.registration import Energies


class Demand(msgspec.Struct, frozen=True):
    """Demand of an interval: registered, in nW, and true, in W; `seconds` are its true length."""

    registered_nw: int
    reference_w: float
    seconds: float


class DemandInterval:
    """Registers of demand that are given the meter's energy from `begin_tick` on, for one interval of their settings.

    `begin` and `end` are its ticks, on the meter's timeline.
    """

    def __init__(self, text: str, tick_hz: Fraction, begin_tick: int) -> None:
        self._registers = DemandRegisters(DemandSettings.parse(text), 0)
        settings = self._registers.settings
        self._tick_hz = tick_hz
        self._begin_ns = -(-begin_tick * SECOND_NS // tick_hz)
        self._ends_ns = [
            self._begin_ns + k * settings.subinterval_s * SECOND_NS for k in range(1, settings.subintervals + 1)
        ]
        self.registered_nw: int | None = None
        """What was registered, once the interval has ended."""

    @property
    def begin(self) -> float:
        """Tick at which the interval begins."""
        return float(self._begin_ns * self._tick_hz / SECOND_NS)

    @property
    def end(self) -> float:
        """Tick at which it ends."""
        return float(self._last_ns * self._tick_hz / SECOND_NS)

    @property
    def _last_ns(self) -> int:
        settings = self._registers.settings
        return self._begin_ns + settings.interval_s * SECOND_NS

    def take(self, begin_tick: int, end_tick: int, energies: Energies) -> None:
        """Take in what flowed between two ticks."""
        start_ns, end_ns = (round(tick * SECOND_NS / self._tick_hz) for tick in (begin_tick, end_tick))
        whole = EnergyInterval(start_ns, end_ns, energies.quadrant, energies.wh, energies.varh)
        from_ns = max(start_ns, self._begin_ns)
        while self._ends_ns and self._ends_ns[0] <= end_ns:
            boundary_ns = self._ends_ns.pop(0)
            self._flow(whole, from_ns, boundary_ns)
            ended = self._registers.end_subinterval(boundary_ns, 0)
            if not self._ends_ns:
                self.registered_nw = ended.demands[0]
            from_ns = boundary_ns
        if self._ends_ns:
            self._flow(whole, from_ns, end_ns)

    def _flow(self, whole: EnergyInterval, from_ns: int, to_ns: int) -> None:
        if to_ns <= from_ns:
            return
        part = whole.between(from_ns, to_ns)
        amounts = [0] * PLACES
        Energies(part.quadrant, part.wh, part.varh, 0, 0, ()).add_to(amounts)
        self._registers.take(amounts, from_ns, to_ns, 0)
