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
from drivers.pins import Pin, claimed, keep_levels
from drivers.schedule import EdgeQueue, OutputSchedule


def _claim(what: str, pin: Pin, pins: Factory, *, on: bool | None) -> OutputDevice:
    return claimed(what, pin, lambda: OutputDevice(pin, initial_value=on, pin_factory=pins))


class Position(Enum):
    """Position of a form-C output: which contact is closed; at rest, neither."""

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
        going on           the one closed last, from the start      as given
        close()            OPEN, at once                            as it was

    `last` is the contact closed last. Given again at the next construction, and with nothing but OPEN between, neither
    a counter of two wires nor one of three sees a false pulse at start, stop, crash or restart. `remember` is told of
    it before each change, with the pulses shown by then. `transitions` counts pulses alone; `shown` those of processes
    before too. `going_on`: the process before has died and left the contact `last` closed, or should have.

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
        remember: Callable[[Position, int], None] | None = None,
        shown: int = 0,
        going_on: bool = False,
    ) -> None:
        if last is Position.OPEN:
            raise ValueError(f"{name}: the contact closed last is K-Y or K-Z")
        self.position: Position = last if going_on else Position.OPEN
        self.last: Position = last
        self.transitions = 0
        self.shown = shown
        self.edges = EdgeQueue(schedule)
        self._dwell_ns = dwell_ns
        self._remember = remember
        self._asked: Position | None = None
        names = f"{name}, contact K-Y,", f"{name}, contact K-Z,"
        levels = self.position is Position.KY, self.position is Position.KZ
        self._pair = open_pair(names, (y_pin, z_pin), pins, levels)

    def transition(self) -> None:
        """Close the contact opposite to the last, now."""
        self._move(self.last.opposite, 1)

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

    def _move(self, position: Position, pulses: int = 0) -> None:
        self.transitions += pulses
        if self._pair.closed:
            return
        self.shown += pulses
        if self._remember:
            self._remember(position, self.shown)  # before it is seen
        self._pair.write(position is Position.KY, position is Position.KZ)
        self.position = self.last = position


class TestLed:
    """The test LED: each pulse is one flash of `width_ns`, with at least `gap_ns` of dark after it (P-1).

    `flashes` counts those of this process, `shown` those of processes before too; `remember` is told before each change
    whether it is lit, and `shown`. `going_on_lit`: the process before has died, and this is what it had remembered.
    What came of its last flash, by what the pin is found to be:

        remembered  found  then
        lit         lit    that flash is shown; it ends when its time is over
        lit         dark   pins that keep their levels: the flash never began, and is not counted as shown
        lit         dark   other pins: nobody knows; it counts as shown, so at most one is missing
        dark        lit    its end was still to come: put out
        dark        dark   nothing

    The light can be lent, to an optical port: `withhold`. A pulse that is due meanwhile counts as shown, its flash is
    left out, and none comes later:

        lent    the flash                       is
        before  lit already                     whole
        until   due, or ends, before that       left out, `withheld` counts it
        until   due at that instant or later    shown

    Raises GpioError if the pin cannot be had.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    def __init__(
        self,
        name: str,
        pin: Pin,
        *,
        pins: Factory,
        schedule: OutputSchedule,
        width_ns: int,
        gap_ns: int,
        remember: Callable[[bool, int], None] | None = None,
        shown: int = 0,
        going_on_lit: bool | None = None,
        now_ns: int = 0,
    ) -> None:
        self.flashes = 0
        self.withheld = 0
        self.shown = shown
        self._remember = remember
        self.edges = EdgeQueue(schedule)
        self._width_ns = width_ns
        self._gap_ns = gap_ns
        self._withhold_ns: int | None = None
        self._lamp = _claim(name, pin, pins, on=False if going_on_lit is None else None)
        if going_on_lit is not None:
            self._go_on(going_on_lit, keep_levels(pins), now_ns)

    def _go_on(self, remembered: bool, kept: bool, now_ns: int) -> None:
        if remembered and self.lit:
            self.edges.add(now_ns, lambda now_ns: None, self._width_ns)  # since when it is lit nobody knows
            self.edges.add(now_ns, self._off, self._gap_ns)
        elif remembered and kept:
            self.shown -= 1
        elif self.lit:
            self._off(now_ns)

    @property
    def lit(self) -> bool:
        """True while it is on."""
        return bool(self._lamp.value)

    def pulse(self, due_ns: int) -> None:
        """Flash at `due_ns`, or as soon after it as the flash before allows."""
        self.edges.add(due_ns, self._on, self._width_ns)
        self.edges.add(due_ns + self._width_ns, self._off, self._gap_ns)

    def withhold(self, until_ns: int) -> None:
        """Begin no flash before an instant, from now on; one in the past, or now: as ever again."""
        self._withhold_ns = until_ns

    def _on(self, now_ns: int) -> None:
        self.shown += 1
        if self._withhold_ns is not None and now_ns < self._withhold_ns:
            self.withheld += 1
            return
        self.flashes += 1
        if self._remember:
            self._remember(True, self.shown)  # before it is seen
        self._lamp.on()

    def _off(self, now_ns: int) -> None:
        if self._remember:  # also of a flash that was withheld: it is owed no more
            self._remember(False, self.shown)
        self._lamp.off()

    def close(self) -> None:
        """Put it out and let the pin go."""
        if not self._lamp.closed and self.lit:
            self._off(0)
        self._lamp.close()
