"""The meter's contacts and lamp on GPIO: form-C (KYZ) relays and the test LED, over gpiozero (P-1, P-2).

The pin factory is always given: open_pins() for a Raspberry Pi, drivers.sim.pins for the simulated rig;
gpiozero's own search for one, with its warnings, is never used. Nothing here sleeps: edges are due at
absolute times on an OutputSchedule, which the service runs.
"""

from __future__ import annotations

from enum import Enum

from gpiozero import OutputDevice
from gpiozero.pins import Factory

from drivers.pins import GpioError, Pin, claimed
from drivers.schedule import EdgeQueue, OutputSchedule


def _claim(what: str, pin: Pin, pins: Factory, *, on: bool) -> OutputDevice:
    return claimed(what, pin, lambda: OutputDevice(pin, initial_value=on, pin_factory=pins))


class Contact(Enum):
    """Which contact of a form-C output is closed."""

    KY = "K-Y"
    KZ = "K-Z"


class FormCRelay:
    """A KYZ output: two contacts with the common K, of which one is closed.

    Each pulse is one transition: the closed contact opens, then the other closes (break before make). The two
    pin writes follow each other at once, and K is never on Y and Z together. Every state stands for at least
    `dwell_ns`. `closed` is the contact to begin with, so that a restart makes no edge.

    While no service runs the pins are inputs: the board must pull them to contacts open.
    Raises GpioError for pins that cannot be had.
    """

    def __init__(
        self,
        name: str,
        y_pin: Pin,
        z_pin: Pin,
        *,
        pins: Factory,
        schedule: OutputSchedule,
        dwell_ns: int,
        closed: Contact = Contact.KZ,
    ) -> None:
        self.closed = closed
        self.transitions = 0
        self.edges = EdgeQueue(schedule)
        self._dwell_ns = dwell_ns
        y = _claim(f"{name}, contact K-Y,", y_pin, pins, on=closed is Contact.KY)
        try:
            z = _claim(f"{name}, contact K-Z,", z_pin, pins, on=closed is Contact.KZ)
        except GpioError:
            y.close()
            raise
        self._contacts = {Contact.KY: y, Contact.KZ: z}

    def transition(self) -> None:
        """Change over now."""
        other = Contact.KZ if self.closed is Contact.KY else Contact.KY
        self._contacts[self.closed].off()
        self._contacts[other].on()
        self.closed = other
        self.transitions += 1

    def pulse(self, due_ns: int) -> None:
        """Change over at `due_ns`, or as soon after it as the dwell allows."""
        self.edges.add(due_ns, lambda now_ns: self.transition(), self._dwell_ns)

    def close(self) -> None:
        """Open both contacts and let the pins go."""
        for contact in self._contacts.values():
            if not contact.closed:
                contact.off()
            contact.close()


class TestLed:
    """The test LED: each pulse is one flash of `width_ns`, with at least `gap_ns` of dark after it (P-1).

    Raises GpioError if the pin cannot be had.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    def __init__(
        self, name: str, pin: Pin, *, pins: Factory, schedule: OutputSchedule, width_ns: int, gap_ns: int
    ) -> None:
        self.flashes = 0
        self.edges = EdgeQueue(schedule)
        self._width_ns = width_ns
        self._gap_ns = gap_ns
        self._lamp = _claim(name, pin, pins, on=False)

    @property
    def lit(self) -> bool:
        """Whether it is on."""
        return bool(self._lamp.value)

    def pulse(self, due_ns: int) -> None:
        """Flash at `due_ns`, or as soon after it as the flash before allows."""
        self.edges.add(due_ns, self._on, self._width_ns)
        self.edges.add(due_ns + self._width_ns, self._off, self._gap_ns)

    def _on(self, now_ns: int) -> None:
        self._lamp.on()
        self.flashes += 1

    def _off(self, now_ns: int) -> None:
        self._lamp.off()

    def close(self) -> None:
        """Put it out and let the pin go."""
        if not self._lamp.closed:
            self._lamp.off()
        self._lamp.close()
