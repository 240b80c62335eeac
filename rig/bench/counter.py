"""The FPGA's pulse counters, to which the lamp and the outputs are looped back (P-1, P-2, P-6).

A counter of a form C counts changes from one contact to the other. So the first closing of all, of an output that never
pulsed, is where it begins, and no pulse.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from drivers.counters import PulseCounters
from gateware.registers import Counter as Place
from rig.bench.errors import NotFitted, WrongArgument
from rig.bench.rig import Rig
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.contacts.outputs import OutputId

COUNTERS = {output.label: output for output in OutputId}
"""Those that something is looped back to, by name: "LED", "KYZ1" to "KYZ4"."""

JITTER_SHARE = Fraction(1, 20)
"""Of the latency: how far an edge may be off its instant, for what is compared with the energy."""


@dataclass(frozen=True, slots=True)
class EnergyDue:
    """The energy measured of a quantity while a counter counted, in nWh (nvarh, nVAh): pulses leave the meter 0.12 s
    after their energy, give or take JITTER_SHARE of it, so from `least_nwh` to `most_nwh`."""

    quantity: Quantity
    least_nwh: int
    most_nwh: int


@dataclass(frozen=True, slots=True)
class CountResult:
    """The reading of one counter since `opened_tick`, when it was zeroed, up to `read_tick`.

    Ticks are the FPGA's, `tick_hz` of them a second, modulo 2**48; intervals those between successive pulses; None
    where there were not pulses enough. `illegal` counts both contacts closed, and a contact that closed twice running.
    `constant_wh` is what a pulse stands for, in Wh (varh, VAh); None for an output that does not pulse. `due` is there
    if it was asked for; the count may lack `uncounted` pulses, the first closing of a new meter. `clipped` are channels
    that were overloaded meanwhile, so that more flowed than was measured.
    """

    counter: str
    at_s: float
    pulses: int
    illegal: int
    first_edge_tick: int | None
    last_edge_tick: int | None
    shortest_s: Fraction | None
    longest_s: Fraction | None
    rate_hz: Fraction | None
    opened_tick: int
    read_tick: int
    tick_hz: Fraction
    constant_wh: Fraction | None
    uncounted: int
    due: EnergyDue | None
    clipped: tuple[str, ...] = ()

    @property
    def counted_wh(self) -> Fraction | None:
        """Energy that the pulses stand for."""
        return None if self.constant_wh is None else self.pulses * self.constant_wh

    @property
    def agrees(self) -> bool | None:
        """True if that is the energy due, to one pulse, and nothing of it was clipped; None if it was not asked for."""
        if self.due is None or self.constant_wh is None:
            return None
        if self.clipped:
            return False
        pulse = self.constant_wh * NANO
        least = self.due.least_nwh - (1 + self.uncounted) * pulse
        return least <= self.pulses * pulse <= self.due.most_nwh + pulse


class CounterInstrument:
    """One counter: "LED", or "KYZ1" to "KYZ4". It counts from the meter's start, or from `zero` on.

    Raises WrongArgument for another name, NotFitted where the FPGA has no counters.
    """

    def __init__(self, rig: Rig, name: str) -> None:
        if name not in COUNTERS:
            raise WrongArgument(f"{name!r} is not a counter: there are {', '.join(COUNTERS)}")
        if not rig.has_counters:
            raise NotFitted("the FPGA's build has no pulse counters: load one with the capability PULSE_COUNTERS")
        self._rig, self.name, self._place = rig, name, Place[name]
        self._output = COUNTERS[name]
        self._counters = PulseCounters(rig.hardware.link)

    def zero(self) -> None:
        """Begin anew with all counters."""
        self._rig.zero_counters()

    @property
    def pulses(self) -> int:
        """Flashes, or transitions, so far."""
        return self._counters.read()[self._place].pulses

    @property
    def illegal(self) -> int:
        """Number of times that both contacts were closed, or one closed twice running."""
        return self._counters.read()[self._place].illegal

    def read(self, of: str | None = None) -> CountResult:
        """Read the counter; and, `of` a quantity such as "kWh delivered", the energy that is due for its pulses.

        Raises WrongArgument for a quantity that there is not, and for energy of an output that does not pulse.
        """
        rig = self._rig
        quantity = None if of is None else _quantity(of)
        constant = self._constant
        if quantity is not None and constant is None:
            raise WrongArgument(f"{self.name} does not pulse in this program")
        found = self._counters.read()[self._place]
        opened, now = self._counters.gate().open_tick, rig.hardware.link.ticks()
        return CountResult(
            counter=self.name,
            at_s=rig.seconds,
            pulses=found.pulses,
            illegal=found.illegal,
            first_edge_tick=found.first_tick,
            last_edge_tick=found.last_tick,
            shortest_s=found.shortest_s,
            longest_s=found.longest_s,
            rate_hz=found.rate_hz,
            opened_tick=opened,
            read_tick=now,
            tick_hz=found.tick_hz,
            constant_wh=constant,
            uncounted=1 if self._output in rig.never_closed else 0,
            due=None if quantity is None else self._due(quantity, now),
            clipped=rig.clipped,
        )

    def _due(self, quantity: Quantity, now_tick: int) -> EnergyDue:
        latency, energy = self._rig.latency_ticks, self._rig.energy
        jitter = round(JITTER_SHARE * latency)
        least, most = (energy.since_mark(quantity, now_tick - latency + off) for off in (-jitter, jitter))
        return EnergyDue(quantity, least, most)

    @property
    def _constant(self) -> Fraction | None:
        outputs = self._rig.service.meter.outputs
        return outputs[self._output].constant_wh if self._output in outputs else None


def _quantity(name: str) -> Quantity:
    try:
        return Quantity(name)
    except ValueError:
        known = ", ".join(quantity.value for quantity in Quantity)
        raise WrongArgument(f"{name!r} is not a quantity of energy: there are {known}") from None
