"""Simulated GPIO: gpiozero's mock pins on a virtual clock, with a bounded history of edges.

gpiozero's own mock takes its times from the real clock and keeps every state for ever; here times are integer
nanoseconds of a clock that the caller advances, and each pin keeps its last edges and the number of all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from gpiozero.pins import PinInfo
from gpiozero.pins.mock import MockFactory, MockPin


class VirtualClock:
    """Integer nanoseconds that pass only when told to, never backwards."""

    def __init__(self, now_ns: int = 0) -> None:
        self.now_ns = now_ns

    def advance(self, by_ns: int) -> None:
        """Let time pass."""
        self.advance_to(self.now_ns + by_ns)

    def advance_to(self, now_ns: int) -> None:
        """Let time pass until `now_ns`. Raises ValueError if that is in the past."""
        if now_ns < self.now_ns:
            raise ValueError(f"virtual time cannot go back from {self.now_ns} ns to {now_ns} ns")
        self.now_ns = now_ns


@dataclass(frozen=True)
class Edge:
    """A pin went high or low at an instant of the virtual clock."""

    time_ns: int
    high: bool


class VirtualPin(MockPin):
    """A mock pin that stamps its edges with virtual time, and may have a contact to ground outside.

    Made by VirtualClockMockFactory.pin().
    """

    def __init__(self, factory: VirtualClockMockFactory, info: PinInfo) -> None:
        self.history: deque[Edge] = deque(maxlen=factory.history)
        self.grounded = False
        super().__init__(factory, info)

    _state: bool  # set by MockPin

    def clear_states(self) -> None:
        """Forget all edges."""
        self.history.clear()
        self.edge_count = 0
        self._last_change = self.factory.clock.now_ns

    def ground(self, closed: bool) -> None:
        """Close or open the contact to ground. Open, the pin goes where its pull takes it."""
        if self.function != "input":
            raise ValueError(f"{self.info.name} is an output, a contact to ground there shorts it")
        self.grounded = closed
        if closed:
            self.drive_low()
        elif self.pull == "up":
            self.drive_high()

    def _change_state(self, value: bool) -> bool:
        if value and self.grounded:
            return False  # no pull is stronger than a contact
        if self._state == value:
            return False
        self._state = value
        self._last_change = self.factory.clock.now_ns
        self.history.append(Edge(self._last_change, bool(value)))
        self.edge_count += 1
        return True


class VirtualClockMockFactory(MockFactory):
    """The header of a Raspberry Pi 4 with nothing but virtual time behind it.

    `history` is how many edges each pin remembers. Nothing of it is global; close() releases everything.
    """

    def __init__(self, clock: VirtualClock, history: int = 4096) -> None:
        self.clock = clock
        self.history = history
        super().__init__(revision="c03111", pin_class=VirtualPin)

    def edges(self, pin: int | str) -> tuple[Edge, ...]:
        """The last edges of a pin, oldest first."""
        return tuple(self.pin(pin).history)

    def edge_count(self, pin: int | str) -> int:
        """Return the number of edges that a pin has made, forgotten ones included."""
        count: int = self.pin(pin).edge_count
        return count

    def levels(self, pins: Sequence[int | str]) -> int:
        """The levels of these pins now, the first in bit 0."""
        return sum(bool(self.pin(pin).state) << bit for bit, pin in enumerate(pins))

    def ticks(self) -> int:
        """gpiozero's time stamps, here nanoseconds."""
        return self.clock.now_ns

    def ticks_diff(self, later: int, earlier: int) -> float:
        """Seconds between two of them."""
        return (later - earlier) / 1e9

    def close(self) -> None:
        """Release every pin and forget all reservations."""
        super().close()
        self.reset()
