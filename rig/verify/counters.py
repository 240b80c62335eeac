"""The counters beside the FPGA's that a verification can count with, by how they are asked for (P-6).

A counter on a bus is read again and again: a pulse came between the reading before its first and that one. Edges at
GPIO pins carry the kernel's time stamp, and its number of each edge of a line, so that one that was lost is known.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from drivers.errors import DriverError
from drivers.pulse_inputs import EdgeSource, InputEdge
from drivers.visa_counter import VisaCounter
from drivers.visa_instrument import VisaInstrumentError
from rig.verify.closures import Contact
from rig.verify.errors import CountLost, VerifyError
from rig.verify.frequency import FREQUENCY, FrequencyCounter
from rig.verify.observed import Counted, PulseCounterInstrument

FPGA = "fpga"
VISA = "visa:"
GPIO = "gpio:"


class Totaliser(Protocol):
    """A source that is read while it counts. `read` gives the count, and raises VisaInstrumentError for none."""

    def read(self) -> int: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class _Read:
    """A reading, taken within plus or minus `half_ns` of an instant: it took so long to ask and be answered."""

    pulses: int
    at_ns: int
    half_ns: int


class BusCounter:
    """A totaliser on a bus as a counter of a verification; `now_ns` is the clock that its readings are timed by.

    `counter` is one that is open already; None: the instrument at `resource`. Raises VisaInstrumentError where it
    cannot be had.
    """

    def __init__(
        self,
        resource: str,
        query: str | None = None,
        *,
        counter: Totaliser | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.name = f"{VISA}{resource}"
        self.totaliser: Totaliser = VisaCounter(resource, query) if counter is None else counter
        self._now_ns = now_ns
        self._last: _Read | None = None

    def poll(self) -> list[Counted]:
        """Read it. Raises CountLost where it does not answer, or not with a count."""
        before_ns = self._now_ns()
        try:
            pulses = self.totaliser.read()
        except VisaInstrumentError as error:
            raise CountLost(f"the count broke off, and nothing is known of the rest: {error}") from None
        after_ns = self._now_ns()
        read, last = _Read(pulses, (before_ns + after_ns) // 2, (after_ns - before_ns) // 2), self._last
        self._last = read
        if last is None:
            return [Counted(pulses, read.at_ns, read.at_ns, slack=read.half_ns)]
        if pulses == last.pulses:
            return []
        return [Counted(pulses, last.at_ns, read.at_ns, slack=max(last.half_ns, read.half_ns))]

    def close(self) -> None:
        """Let it go."""
        self.totaliser.close()


class GpioCounter:
    """Contacts at GPIO pins as a counter: K–Y and K–Z of one output, or one contact or lamp alone. `now_ns` is the
    clock of the stamps.

    Each closing counts. Edges are given out at the poll after the one that found them: by then none of the other line
    is under way that came before.
    """

    def __init__(self, name: str, sources: Iterable[EdgeSource], now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.name, self._sources, self._now_ns = name, list(sources), now_ns
        self._contacts = list(Contact) if len(self._sources) > 1 else [None]
        self._numbers = [0] * len(self._sources)
        self._waiting: list[tuple[int, Contact | None]] = []
        self._polled_ns = now_ns()
        self._pulses = 0
        self._begun = False

    def poll(self) -> list[Counted]:
        """Take in what has come. Raises CountLost where the kernel could not keep all edges, or the pins are gone."""
        now_ns = self._now_ns()
        for k, source in enumerate(self._sources):
            for edge in self._drained(source):
                self._follow(k, edge)
                if edge.closed:
                    self._waiting.append((edge.time_ns, self._contacts[k]))
        counted = [] if self._begun else [Counted(0, self._polled_ns, self._polled_ns)]
        self._begun = True
        self._waiting.sort(key=lambda each: each[0])
        while self._waiting and self._waiting[0][0] <= self._polled_ns:
            at_ns, contact = self._waiting.pop(0)
            self._pulses += 1
            counted.append(Counted(self._pulses, at_ns, at_ns, contact))
        self._polled_ns = now_ns
        return counted

    def _drained(self, source: EdgeSource) -> list[InputEdge]:
        try:
            return source.drain()
        except (DriverError, OSError) as error:  # a chip that was unplugged, a simulated board that has ended
            raise CountLost(
                f"the count broke off, and nothing is known of the rest: {self.name} cannot be read any more ({error})"
            ) from None

    def _follow(self, k: int, edge: InputEdge) -> None:
        if edge.line_seqno is None:
            return
        if lost := edge.line_seqno - self._numbers[k] - 1:
            raise CountLost(
                f"the count broke off, and nothing is known of the rest: {lost} edges at {self.name} came faster than "
                "the kernel could keep them; see to the wiring for noise"
            )
        self._numbers[k] = edge.line_seqno

    def close(self) -> None:
        """Let the pins go."""
        for source in self._sources:
            source.close()


Sources = Callable[[Sequence[int]], list[EdgeSource]]
"""Gives the edges of GPIO pins, one source for each."""


MOST_GPIO = 27
"""Of a Raspberry Pi's header."""


def check_counter(name: str) -> None:
    """Raise VerifyError for a name that is no counter's."""
    bus = next((kind for kind in (VISA, FREQUENCY) if name.startswith(kind)), None)
    if name == FPGA or (bus is not None and len(name) > len(bus)):
        return
    if pins := _pins(name):
        if len(set(pins)) < len(pins):
            raise VerifyError(f"--counter is {name!r}: K–Y and K–Z need a pin each")
        if max(pins) > MOST_GPIO:
            raise VerifyError(f"--counter is {name!r}: a GPIO is 0 to {MOST_GPIO}")
        return
    raise VerifyError(
        f"--counter is {name!r}, it must be {FPGA}, {GPIO} with the pins of K–Y and K–Z, such as gpio:14,15, or {VISA} "
        f"or {FREQUENCY} with a resource, such as visa:TCPIP::…"
    )


def counter_named(
    name: str, query: str | None = None, sources: Sources | None = None
) -> PulseCounterInstrument | FrequencyCounter | None:
    """Give the counter that is asked for; None: the FPGA's. `sources` gives the edges of pins. Raises VerifyError for
    another name, and what keeps one from being had."""
    check_counter(name)
    if name.startswith(VISA):
        return BusCounter(name.removeprefix(VISA), query)
    if name.startswith(FREQUENCY):
        return FrequencyCounter(name.removeprefix(FREQUENCY), query)
    if (pins := _pins(name)) and sources is not None:
        return GpioCounter(name, sources(pins))
    return None


def _pins(name: str) -> list[int]:
    found = re.fullmatch(rf"{GPIO}([0-9]{{1,3}})(?:,([0-9]{{1,3}}))?", name)
    return [int(pin) for pin in found.groups() if pin is not None] if found else []
