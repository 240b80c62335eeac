"""The counters beside the FPGA's that a verification can count with, by how they are asked for (P-6).

A counter on a bus is read again and again: a pulse came between the reading before its first and that one.
"""

from __future__ import annotations

import time

from drivers.visa_counter import VisaCounter, VisaCounterError
from rig.verify.errors import CountLost, VerifyError
from rig.verify.observed import Counted, PulseCounterInstrument

FPGA = "fpga"
VISA = "visa:"


class BusCounter:
    """A totaliser on a bus as a counter of a verification. Raises VisaCounterError where it cannot be had."""

    def __init__(self, resource: str, query: str | None = None) -> None:
        self.name = f"{VISA}{resource}"
        self._counter = VisaCounter(resource, query)
        self._last: tuple[int, int] | None = None

    def poll(self) -> list[Counted]:
        """Read it. Raises CountLost where it does not answer, or not with a count."""
        before_ns = time.monotonic_ns()
        try:
            pulses = self._counter.read()
        except VisaCounterError as error:
            raise CountLost(f"the count broke off, and nothing is known of the rest: {error}") from None
        after_ns = time.monotonic_ns()
        last, self._last = self._last, (pulses, before_ns)
        if last is not None and pulses == last[0]:
            return []
        return [Counted(pulses, before_ns if last is None else last[1], after_ns)]

    def close(self) -> None:
        """Let it go."""
        self._counter.close()


def counter_named(name: str, query: str | None = None) -> PulseCounterInstrument | None:
    """Give the counter that is asked for; None: the FPGA's. Raises VerifyError for another name, DriverError for one
    that cannot be had."""
    if name == FPGA:
        return None
    if name.startswith(VISA) and len(name) > len(VISA):
        return BusCounter(name.removeprefix(VISA), query)
    raise VerifyError(f"--counter is {name!r}, it must be {FPGA}, or {VISA} with a resource, such as visa:TCPIP::…")
