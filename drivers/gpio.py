"""The meter's contacts and lamp on GPIO: form-C (KYZ) relays and the test LED, over gpiozero (P-1, P-2).

The pin factory is always given: drivers.pins.open_pins() for a Raspberry Pi, drivers.sim.pins for the simulated rig;
gpiozero's own search for one, with its warnings, is never used. Nothing here sleeps: edges are due at
absolute times on an OutputSchedule, which the service runs.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from gpiozero import OutputDevice
from gpiozero.pins import Factory

from drivers.pin_pair import open_pair
from drivers.pins import Pin, claimed
from drivers.schedule import EdgeQueue, OutputSchedule


def _claim(what: str, pin: Pin, pins: Factory, *, on: bool) -> OutputDevice:
    return claimed(what, pin, lambda: OutputDevice(pin, initial_value=on, pin_factory=pins))


class Position(Enum):
    """Which contact of a form-C output is closed; at rest, neither."""

    OPEN = "open"
    KY = "K-Y"
    KZ = "K-Z"

    @property
    def shown(self) -> str:
        """In words."""
        return self.value if self is Position.OPEN else f"{self.value} closed"

    @property
    def opposite(self) -> Position:
        """The other contact. ValueError for OPEN, which has none."""
        if self is Position.OPEN:
            raise ValueError("an open output has no opposite contact")
        return Position.KZ if self is Position.KY else Position.KY


class FormCRelay:
    """A form-C output: two contacts with the common K, of which one is closed, or neither.

        what               the position then                        last
        construction       OPEN                                     as given
        pulse(due)         the contact opposite to the last, at due that one
        set(True, due)     KY, at due                               KY
        set(False, due)    KZ, at due                               KZ
        close()            OPEN, at once                            as it was

    `last` is the contact closed last. Given again at the next construction, and with nothing but OPEN between, neither
    a counter of two wires nor one of three sees a false pulse at start, stop, crash or restart. `remember` is told of
    it after each change. `transitions` counts pulses alone.

    Both contacts change in one write: the one that opens never waits for the other. Every position stands for at
    least `dwell_ns`, but for OPEN. While no service runs the pins are inputs: the board must pull them to contacts
    open. Raises GpioError for pins that cannot be had.
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
        last: Position = Position.KZ,
        remember: Callable[[Position], None] | None = None,
    ) -> None:
        if last is Position.OPEN:
            raise ValueError(f"{name}: the contact closed last is K-Y or K-Z")
        self.position: Position = Position.OPEN
        self.last: Position = last
        self.transitions = 0
        self.edges = EdgeQueue(schedule)
        self._dwell_ns = dwell_ns
        self._remember = remember
        self._asked: Position | None = None
        names = f"{name}, contact K-Y,", f"{name}, contact K-Z,"
        self._pair = open_pair(names, (y_pin, z_pin), pins)

    def transition(self) -> None:
        """Close the contact opposite to the last, now."""
        self._move(self.last.opposite)
        self.transitions += 1

    def pulse(self, due_ns: int) -> None:
        """A pulse at `due_ns`, or as soon after it as the dwell allows."""
        self._asked = None
        self.edges.add(due_ns, lambda now_ns: self.transition(), self._dwell_ns)

    def set(self, closed_ky: bool, due_ns: int) -> None:
        """For functions that say something or nothing: K-Y closed, or K-Z, at `due_ns` or as soon as the dwell allows.

        What was asked for last is not asked for again.
        """
        target = Position.KY if closed_ky else Position.KZ
        if target is not self._asked:
            self._asked = target
            self.edges.add(due_ns, lambda now_ns: self._move(target), self._dwell_ns)

    def close(self) -> None:
        """Open both contacts and let the pins go. What was to come stays counted as waiting, and is never made.

        The last closure is a whole one only from `edges.free_ns` on.
        """
        self.position = Position.OPEN
        self._pair.close()

    def _move(self, position: Position) -> None:
        if self._pair.closed:
            return
        self._pair.write(position is Position.KY, position is Position.KZ)
        self.position = self.last = position
        if self._remember:
            self._remember(position)


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
