"""Drivers of contacts: the simulation, an actuator across it, or a person (rig/bench/person.py).

All instants are those of the contact's first edge, ns of the rig's clock.
"""

from __future__ import annotations

from typing import Protocol

from gpiozero import DigitalOutputDevice
from gpiozero.pins import Factory

from drivers.pins import Pin, claimed
from rig.bench.rig import Rig
from rig.hardware.hardware import SwitchDriver
from rig.meter.billing.time_units import SECOND_NS


class ContactDriver(Protocol):
    """Moves one contact of the rig."""

    def move(self, closed: bool) -> int:
        """Close it, or open it, now; gives when that was."""
        ...

    def hold(self, seconds: float, least_s: float, most_s: float) -> tuple[int, int]:
        """Keep it closed for so long, while the rig runs; gives when it closed, and when it opened.

        A driver that cannot be exact keeps within the limits. Raises HoldMissed where it did not.
        """
        ...


class SimulatedContact:
    """A contact on simulated pins: exact to the ns, but for its bounce."""

    def __init__(self, rig: Rig, switches: SwitchDriver, contact: str) -> None:
        self._rig, self._switches, self._contact = rig, switches, contact

    def move(self, closed: bool) -> int:
        at_ns = self._rig.now_ns
        self._move(closed, at_ns)
        return at_ns

    def hold(self, seconds: float, least_s: float, most_s: float) -> tuple[int, int]:
        begin_ns = self._rig.now_ns
        end_ns = begin_ns + round(seconds * SECOND_NS)
        self._move(True, begin_ns)
        self._move(False, end_ns)
        self._rig.run_until(end_ns)
        return begin_ns, end_ns

    def _move(self, closed: bool, at_ns: int) -> None:
        (self._switches.operate if closed else self._switches.let_go)(self._contact, at_ns)


class Actuator:
    """A GPIO output that closes the contact while it is high: an opto-coupler or a relay across the switch.

    Exact to the reaction of this program, some 0.1 ms. Raises GpioError for a pin that cannot be had; close it.
    """

    def __init__(self, rig: Rig, pins: Factory, contact: str, pin: Pin) -> None:
        self._rig = rig
        self._output = claimed(
            f"the actuator of {contact}", pin, lambda: DigitalOutputDevice(pin, initial_value=False, pin_factory=pins)
        )

    def move(self, closed: bool) -> int:
        at_ns = self._rig.now_ns
        self._output.value = closed
        return at_ns

    def hold(self, seconds: float, least_s: float, most_s: float) -> tuple[int, int]:
        begin_ns = self.move(True)
        try:
            self._rig.run_until(begin_ns + round(seconds * SECOND_NS))
        finally:
            end_ns = self.move(False)
        return begin_ns, end_ns

    def close(self) -> None:
        """Let the contact, and the pin, go."""
        self._output.off()
        self._output.close()
