"""The test LED and the contacts of a program on their pins, driven by absolute deadline (C-3, P-1 to P-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gpiozero.pins import Factory

from drivers.contact_memory import ContactMemory
from drivers.gpio import FormCRelay, Position, TestLed
from drivers.schedule import OutputSchedule
from rig.hardware.config import OUTPUTS, HardwareConfig
from rig.meter.contacts.functions import Output
from rig.meter.contacts.levels import ContactChange
from rig.meter.contacts.pulses import TEST_LED
from rig.meter.meter import Pulse

LED_WIDTH_NS = 10_000_000
LED_GAP_NS = 5_000_000
RELAY_DWELL_NS = 8_000_000
"""An opto-FET form C at the highest rate of the nameplates, 53 transitions a second, has 18 ms."""

MEMORY = "contacts"
"""In the store's folder: which contact each output closed last."""


class Outputs:
    """The lamp, and a relay for each output of the program, by its name in lower case; at rest at first.

    In `folder` it is remembered which contact each closed last; None: nowhere. Raises GpioError for pins that cannot be
    had, or a memory that cannot; then it holds nothing.
    """

    def __init__(
        self, programmed: Sequence[Output], wired: HardwareConfig, pins: Factory, folder: Path | None = None
    ) -> None:
        self.schedule = OutputSchedule()
        self.relays: dict[str, FormCRelay] = {}
        names = [output.name.lower() for output in programmed]
        self._wired, self._pins = wired, pins
        self._memory = None if folder is None else ContactMemory(folder / MEMORY, OUTPUTS)
        self._unknown: set[str] = set()
        self._leaving: list[FormCRelay] = []
        self._tests: dict[str, int] = {}
        self._levels: dict[str, bool] = {}
        self._led: TestLed | None = None
        try:
            self._led = TestLed(
                "test LED",
                wired.led_pin,
                pins=pins,
                schedule=self.schedule,
                width_ns=LED_WIDTH_NS,
                gap_ns=LED_GAP_NS,
            )
            for name in names:
                self.relays[name] = self._relay(name)
        except BaseException:
            self.close()
            raise

    def _relay(self, name: str) -> FormCRelay:
        memory = self._memory
        known = None if memory is None else memory.last(name)
        if known is None:
            self._unknown.add(name)
        return FormCRelay(
            name.upper(),
            *self._wired.contacts(name),
            pins=self._pins,
            schedule=self.schedule,
            dwell_ns=RELAY_DWELL_NS,
            last=known or Position.KZ,
            remember=None if memory is None else lambda position: memory.remember(name, position),
        )

    @property
    def led(self) -> TestLed:
        assert self._led is not None
        return self._led

    def resume(self, counts: Mapping[str, int]) -> None:
        """Where nobody remembers the contact that a pulse output closed last, it is told by its pulses so far: the
        first closes K–Y, the next K–Z."""
        for name in self._unknown & counts.keys():
            self.relays[name].last = Position.KY if counts[name] % 2 else Position.KZ

    def reprogram(self, programmed: Sequence[Output]) -> None:
        """Be the outputs of another program. What those that go still owe is let out before they open.

        Raises GpioError for pins that cannot be had, and then changes nothing.
        """
        names = [output.name.lower() for output in programmed]
        opened: dict[str, FormCRelay] = {}
        try:
            for name in names:
                if name not in self.relays:
                    opened[name] = self._relay(name)
        except BaseException:
            for relay in opened.values():
                relay.close()
            raise
        self._leaving += [relay for name, relay in self.relays.items() if name not in names]
        self.relays = {name: opened.get(name) or self.relays[name] for name in names}
        self._tests.clear()
        self._levels.clear()

    def test(self, name: str, closed: bool, now_ns: int, until_ns: int) -> None:
        """Close an output that does not pulse to K–Y, or K–Z, for a test of its wiring, from an instant to another.

        What its function asks for meanwhile is done then.
        """
        self._tests[name] = until_ns
        self.relays[name].set(closed, now_ns)

    def attend(self, now_ns: int) -> None:
        """End what is over: tests of wiring, and relays that no program has any more and that owe nothing."""
        for name in [name for name, until_ns in self._tests.items() if until_ns <= now_ns]:
            del self._tests[name]
            self.relays[name].set(self._levels.get(name, False), now_ns)
        for relay in [relay for relay in self._leaving if not relay.edges.waiting]:
            self._leaving.remove(relay)
            relay.close()

    def pulse(self, pulse: Pulse, due_ns: int) -> None:
        """A flash, or a transition."""
        (self.led if pulse.output == TEST_LED else self.relays[pulse.output]).pulse(due_ns)

    def change(self, change: ContactChange, due_ns: int) -> None:
        """A contact that does not pulse has something to say, or no more."""
        name = change.output.lower()
        self._levels[name] = change.closed
        if name not in self._tests:
            self.relays[name].set(change.closed, due_ns)

    @property
    def held(self) -> int:
        """Edges that had to wait for the one before to have stood long enough: pulses come too fast."""
        return self.led.edges.held + sum(relay.edges.held for relay in self.relays.values())

    @property
    def waiting(self) -> int:
        """Edges asked for and not made yet; after close(), never made."""
        return self.led.edges.waiting + sum(relay.edges.waiting for relay in self.relays.values())

    @property
    def whole_ns(self) -> int:
        """From then on the last edge of each has stood long enough: a contact opened sooner is no closure to some."""
        queues = [self.led.edges, *(relay.edges for relay in self.relays.values())]
        return max(queue.free_ns or 0 for queue in queues)

    def close(self) -> None:
        """Put out the lamp, open all contacts, let the pins go."""
        if self._led is not None:
            self._led.close()
        for relay in (*self.relays.values(), *self._leaving):
            relay.close()
        if self._memory is not None:
            self._memory.close()
