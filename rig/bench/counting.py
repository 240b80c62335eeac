"""The FPGA's pulse counters, to which the lamp and the outputs are looped back (P-1, P-2, P-6).

A counter of a form C counts changes from one contact to the other. So the first closing of all, of an output that never
pulsed, is where it begins, and no pulse.
"""

from __future__ import annotations

from fractions import Fraction

from drivers.counters import PulseCounters, Pulses
from gateware.registers import Counter as Place
from rig.bench.failures import BenchFailure, NotFitted
from rig.bench.rig import Rig
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.contacts.pulses import TEST_LED

JITTER_SHARE = Fraction(1, 20)
"""Of the latency: how far an edge may be off its instant, for what is compared with the energy."""


class CounterInstrument:
    """One counter: "LED", or "KYZ1" to "KYZ4". It counts from the meter's start, or from `zero` on."""

    def __init__(self, rig: Rig, name: str) -> None:
        if name not in ("LED", "KYZ1", "KYZ2", "KYZ3", "KYZ4"):
            raise ValueError(f"{name!r} is no counter: there are LED, KYZ1, KYZ2, KYZ3, KYZ4")
        if not rig.has_counters:
            raise NotFitted("the FPGA's build has no pulse counters: load one with the capability PULSE_COUNTERS")
        self._rig, self.name, self._place = rig, name, Place[name]
        self._counters = PulseCounters(rig.hardware.link)

    def zero(self) -> None:
        """All counters begin anew."""
        self._rig.zero_counters()

    @property
    def pulses(self) -> int:
        """Flashes, or transitions, so far."""
        return self._read().pulses

    @property
    def illegal(self) -> int:
        """Both contacts closed, and a contact that closed twice running."""
        return self._read().illegal

    def rate(self) -> float:
        """Pulses a second, from the first to the last. BenchFailure where there are not two."""
        found = self._read().rate_hz
        if found is None:
            raise BenchFailure(f"{self.name} has no rate: {self.pulses} pulses so far, two are needed")
        return float(found)

    def expect(self, pulses: int | None = None, *, of: str | None = None) -> None:
        """Expect so many pulses; or, times the constant, what was measured `of` a quantity, such as "kWh delivered", to
        one pulse. And in either case not one of them out of order."""
        __tracebackhide__ = True
        found = self._read()
        if found.illegal:
            raise self._failure("contacts in order", f"{found.illegal} times they were not", found)
        if pulses is not None and found.pulses != pulses:
            raise self._failure(f"{pulses} pulses", f"{found.pulses} came", found)
        if of is not None:
            self._expect_energy(Quantity(of), found)

    def _expect_energy(self, quantity: Quantity, found: Pulses) -> None:
        __tracebackhide__ = True
        opened, now = self._counters.gate().open_tick, self._rig.hardware.link.ticks()
        latency = self._rig.latency_ticks
        least, most = (
            self._rig.flowed(quantity, opened - latency, now - latency + round(sign * JITTER_SHARE * latency))
            for sign in (-1, 1)
        )
        constant = self._constant
        counted = found.pulses * constant * NANO
        uncounted = 1 if self._rig.first_closing and self.name != "LED" else 0
        if not least - (1 + uncounted) * constant * NANO <= counted <= most + constant * NANO:
            raise self._failure(
                f"the pulses of {float(least / NANO):.3f} {quantity.unit.removeprefix('k')}, {quantity.value}, to one",
                f"{found.pulses} pulses of {float(constant):g} stand for {float(counted / NANO):.3f}",
                found,
            )

    @property
    def _constant(self) -> Fraction:
        outputs = self._rig.service.meter.outputs
        name = TEST_LED if self.name == "LED" else self.name.lower()
        if name not in outputs:
            raise ValueError(f"{self.name} does not pulse in this program")
        return outputs[name].constant_wh

    def _read(self) -> Pulses:
        return self._counters.read()[self._place]

    def _failure(self, wanted: str, found: str, pulses: Pulses) -> BenchFailure:
        rate = "" if pulses.rate_hz is None else f", {float(pulses.rate_hz):.3f} a second"
        at = self._rig.actions.time(self._rig.now_ns)
        return self._rig.failure(
            f"{self.name}, at {at}: expected {wanted}", f"  {found}; counted {pulses.pulses}{rate}"
        )
