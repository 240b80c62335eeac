"""Reference standards: a meter of better class on the same load, by its pulses or by what it says on a bus (P-6).

    --reference                      what is read                        what flowed between two readings
    standard:gpio:16                 each edge, by the kernel's stamp    pulses × the standard's constant
    standard:visa:RESOURCE           a totaliser's count                 the same
    standard:energy:RESOURCE         energy in Wh                        the difference
    standard:power:RESOURCE          power in W                          the mean of both × the time between them

Readings are on the computer's monotonic clock. Between two of them energy flows evenly, as far as is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from drivers.visa_instrument import VisaInstrument, VisaInstrumentError
from rig.meter.billing.time_units import HOUR_NS
from rig.verify.counters import VISA, BusCounter, GpioCounter, Sources, Totaliser, counter_named
from rig.verify.errors import CountLost, VerifyError
from rig.verify.point import STANDARD

ENERGY = "energy:"
POWER = "power:"
KINDS = "gpio:PIN, visa:, energy: or power: and a resource"

QUERIES = {ENERGY: "FETC:ENER?", POWER: "MEAS:POW?"}
"""What an instrument is asked where --standard-query does not say."""


@dataclass(frozen=True)
class Reading:
    """Energy in Wh since some beginning, give or take `half_wh`, at an instant of the computer's clock, give or take
    `half_ns`. `watts` is there where energy was made of power: what was read at that instant."""

    wh: Fraction
    at_ns: int
    half_ns: int
    half_wh: Fraction = Fraction(0)
    watts: float | None = None


class ReferenceStandard(Protocol):
    """A standard; `name` is how it was asked for. `poll` gives its readings since the last call, in order, and raises
    CountLost where it has none to give. `close` lets it go."""

    name: str

    def poll(self) -> list[Reading]: ...

    def close(self) -> None: ...


class EdgeStandard:
    """A standard by the edges of its pulses at a GPIO pin, each stamped by the kernel."""

    def __init__(self, name: str, counter: GpioCounter, constant_wh: Fraction) -> None:
        self.name, self._counter, self._constant_wh = name, counter, constant_wh

    def poll(self) -> list[Reading]:
        """Take in the edges that have come."""
        return [Reading(count.pulses * self._constant_wh, count.latest, 0) for count in self._counter.poll()]

    def close(self) -> None:
        """Let the pin go."""
        self._counter.close()


class Timed:
    """Readings of an instrument on a bus by `read`, each taken within the time that it took."""

    def __init__(
        self, name: str, read: Callable[[], float], close: Callable[[], None], now_ns: Callable[[], int]
    ) -> None:
        self.name, self._read, self.close, self._now_ns = name, read, close, now_ns

    def read(self) -> tuple[float, int, int]:
        """Give a value, the middle of the time in which it was taken, and half of it. Raises CountLost."""
        before_ns = self._now_ns()
        try:
            value = self._read()
        except VisaInstrumentError as error:
            raise CountLost(f"the count broke off, and nothing is known of the rest: {error}") from None
        after_ns = self._now_ns()
        return value, (before_ns + after_ns) // 2, (after_ns - before_ns) // 2


class CountStandard:
    """A standard by its pulses, which a totaliser counts: known to a pulse when it is read."""

    def __init__(
        self, name: str, counter: Totaliser, constant_wh: Fraction, now_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self.name, self._constant_wh = name, constant_wh
        self._timed, self.close = Timed(name, counter.read, counter.close, now_ns), counter.close

    def poll(self) -> list[Reading]:
        """Read it."""
        count, at_ns, half_ns = self._timed.read()
        half_wh = self._constant_wh / 2
        return [Reading(int(count) * self._constant_wh + half_wh, at_ns, half_ns, half_wh)]


class EnergyStandard:
    """A standard that says its energy in Wh."""

    def __init__(
        self,
        name: str,
        read: Callable[[], float],
        close: Callable[[], None],
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.name, self._timed, self.close = name, Timed(name, read, close, now_ns), close

    def poll(self) -> list[Reading]:
        """Ask for it."""
        wh, at_ns, half_ns = self._timed.read()
        return [Reading(Fraction(wh), at_ns, half_ns)]


class PowerStandard:
    """A standard that says its power in W: energy is what that comes to over time."""

    def __init__(
        self,
        name: str,
        read: Callable[[], float],
        close: Callable[[], None],
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.name, self._timed, self.close = name, Timed(name, read, close, now_ns), close
        self._wh = Fraction(0)
        self._last: tuple[float, int] | None = None

    def poll(self) -> list[Reading]:
        """Ask for it."""
        watts, at_ns, half_ns = self._timed.read()
        if self._last is not None:
            before, then_ns = self._last
            self._wh += (Fraction(watts) + Fraction(before)) / 2 * (at_ns - then_ns) / HOUR_NS
        self._last = watts, at_ns
        return [Reading(self._wh, at_ns, half_ns, watts=watts)]


def standard_named(
    name: str,
    *,
    constant_wh: Fraction | None = None,
    query: str | None = None,
    sources: Sources | None = None,
) -> ReferenceStandard:
    """Give the standard that `--reference` asks for; `sources` gives the edges of pins. Raises VerifyError for another
    name, or where the constant of one that pulses is not given; DriverError for one that cannot be had."""
    own = name.removeprefix(STANDARD)
    for kind, made in ((ENERGY, EnergyStandard), (POWER, PowerStandard)):
        if own.startswith(kind) and len(own) > len(kind):
            if constant_wh is not None:
                raise VerifyError(f"--standard-constant is for pulses: leave it out for {name}")
            return _on_bus(name, own.removeprefix(kind), query or QUERIES[kind], made)
    if not own.startswith(("gpio:", VISA)) or own == VISA:
        raise VerifyError(f"--reference is {name!r}: after {STANDARD} comes {KINDS}")
    if constant_wh is None:
        raise VerifyError(f"{name} gives pulses: say with --standard-constant how many Wh each is")
    try:
        counter = counter_named(own, query, sources)
    except VerifyError as error:
        raise VerifyError(f"--reference is {name!r}: {str(error).partition(': ')[2] or KINDS}") from None
    if isinstance(counter, GpioCounter):
        return EdgeStandard(name, counter, constant_wh)
    if not isinstance(counter, BusCounter):
        raise VerifyError(f"{name} has no pins here: after {STANDARD} comes {KINDS}")
    return CountStandard(name, counter.totaliser, constant_wh)


def _on_bus(
    name: str, resource: str, query: str, made: type[EnergyStandard] | type[PowerStandard]
) -> ReferenceStandard:
    instrument = VisaInstrument(resource)
    what = "energy in Wh" if made is EnergyStandard else "power in W"
    remedy = "give what it is asked with --standard-query, and begin again"
    return made(name, lambda: instrument.number(query, what, remedy), instrument.close)
