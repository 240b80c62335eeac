"""The switches of the front on GPIO: raw stamped edges over gpiozero, debounced by ourselves (D-3 to D-6, Q-5).

Every switch is a contact to ground, operated when closed, with the pin pulled up: a wire that has come off is a switch
not operated. gpiozero's own debouncing stays off: it drops edges that a press needs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gpiozero import DigitalInputDevice
from gpiozero.pins import Factory

from drivers.debounce import LATE_NS, STEADY_NS, Debouncer
from drivers.pins import Pin, claimed

QUEUE = 4096
"""Edges of one contact that may wait for the service; of more the oldest are lost, and the level read tells."""

GOING_ON_NS = 1_000_000_000
"""A burst that a process left undecided when it died began less than so long before its last look."""

LOG = 4096
"""Edges of all switches that are remembered."""

SwitchChange = tuple[int, str, bool]
"""When, which switch, and whether it was operated or let go."""


def stamp_ns(ticks: float) -> int:
    """A pin factory's time stamp as ns of the service's clock.

    lgpio's are seconds of the kernel's CLOCK_MONOTONIC, as a float that keeps single ns for the first 50 days after
    boot and tens of ns for years; those of the simulated pins are ns already.
    """
    return ticks if isinstance(ticks, int) else round(ticks * 1e9)


class SwitchInput(DigitalInputDevice):
    """One contact to ground: its raw edges with the stamps of the kernel, or of virtual time.

    Edges come in the pin library's thread and wait for drain(). `initial` is whether it was found closed, after the
    edge that its source has numbered `first_number`; 0 where nobody numbers them.
    Raises GpioError if the pin cannot be had.
    """

    def __init__(self, what: str, pin: Pin, *, pins: Factory) -> None:
        self._edges: deque[tuple[int, bool]] = deque(maxlen=QUEUE)
        claimed(what, pin, lambda: super(SwitchInput, self).__init__(pin, pull_up=True, pin_factory=pins))
        self.initial = self.is_active
        self.first_number: int = getattr(self.pin, "edge_number", None) or 0

    def _pin_changed(self, ticks: float, state: int) -> None:
        """gpiozero's hook for every edge, the only one that has the stamp."""
        self._edges.append((stamp_ns(ticks), bool(self._state_to_value(state))))

    def drain(self) -> list[tuple[int, bool]]:
        """The edges since the last call, oldest first: instant, closed from then on."""
        edges = []
        while self._edges:
            edges.append(self._edges.popleft())
        return edges


@dataclass(frozen=True, slots=True)
class RawEdge:
    """An edge as the pin had it, and whether it was what counted of its burst, or bounce."""

    at_ns: int
    switch: str
    operated: bool
    accepted: bool


class Switches:
    """Named switches, free of bounce, in order of time.

    `log` has the last raw edges with their verdicts, and `on_edge`, if set, is told of every one; both once its burst
    is over, in order of time for each switch. `log` is bounded, and so must be what `on_edge` keeps. Up to `certain_ns`
    all changes have been given. `too_late` counts the edges told later than LATE_NS after their instant. `going_on` has
    the levels as counted by a process that has died, on pins that go on where it was: by `dealt`. Edges may then be
    GOING_ON_NS older than `now_ns`. Raises GpioError for pins that cannot be had.
    """

    def __init__(
        self,
        pins_by_name: Mapping[str, Pin],
        pins: Factory,
        now_ns: int,
        *,
        steady_ns: int = STEADY_NS,
        late_ns: int = LATE_NS,
        on_edge: Callable[[RawEdge], None] | None = None,
        going_on: Mapping[str, bool] | None = None,
    ) -> None:
        now_ns -= GOING_ON_NS if going_on else 0
        self.log: deque[RawEdge] = deque(maxlen=LOG)
        self.on_edge = on_edge
        self._late_ns = late_ns
        self._inputs: dict[str, SwitchInput] = {}
        self._contacts: dict[str, Debouncer] = {}
        self._differs_ns: dict[str, int] = {}
        self._settled: list[SwitchChange] = []
        self._judged = dict.fromkeys(pins_by_name, 0)
        self._accepted: dict[str, deque[int]] = {name: deque() for name in pins_by_name}
        self._given_ns = now_ns - late_ns
        self.certain_ns = now_ns - late_ns - 1
        try:
            for name, pin in pins_by_name.items():
                self._inputs[name] = contact = SwitchInput(f"the switch {name.upper()}", pin, pins=pins)
                counted = contact.initial if going_on is None else going_on.get(name, contact.initial)
                self._contacts[name] = Debouncer(
                    counted, now_ns, steady_ns, late_ns=late_ns, verdict=self._recorder(name)
                )
        except BaseException:
            self.close()
            raise
        self.dealt = {name: (c.first_number, self._contacts[name].operated) for name, c in self._inputs.items()}
        """By switch the number of the last edge that is dealt with, all that came of it given, and its level then."""

    def operated(self) -> dict[str, bool]:
        """Return whether each switch is pressed, as counted; at the start, as it was found."""
        return {name: contact.operated for name, contact in self._contacts.items()}

    @property
    def too_late(self) -> int:
        return sum(contact.too_late for contact in self._contacts.values())

    @property
    def next_due_ns(self) -> int | None:
        """Instant at which poll() is next needed, if no edge comes; None while all is quiet."""
        return min((d for c in self._contacts.values() if (d := c.next_due_ns) is not None), default=None)

    def poll(self, now_ns: int) -> list[SwitchChange]:
        """Return what has changed, as far as it is certain by now, in order of time from call to call.

        A change waits while one of another switch, still bouncing, may turn out to be the earlier; not for one that
        only chatters.
        """
        for name, contact in self._contacts.items():
            self._hear(name, contact, now_ns)
            self._settled += [(s.at_ns, name, s.operated) for s in contact.advance(now_ns)]
        self._settled.sort(key=lambda change: change[0])
        begun = [first for c in self._contacts.values() if (first := c.earliest_ns) is not None]
        self.certain_ns = min([now_ns - self._late_ns, *begun]) - 1  # at that instant itself one may yet begin
        given = [c for c in self._settled if c[0] <= self.certain_ns]
        del self._settled[: len(given)]
        # An edge told too late may belong before what was given already.
        given = [(max(at_ns, self._given_ns), name, operated) for at_ns, name, operated in given]
        if given:
            self._given_ns = given[-1][0]
        for _, name, operated in given:
            self._accepted[name].popleft()
            self._deal(name, operated)
        for name, accepted in self._accepted.items():
            if not accepted:
                self._deal(name, self.dealt[name][1])
        return given

    def _deal(self, name: str, operated: bool) -> None:
        """Deal with what was given, and with glitches up to the next change that waits to be."""
        accepted = self._accepted[name]
        judged = accepted[0] - 1 if accepted else self._judged[name]
        self.dealt[name] = self._inputs[name].first_number + judged, operated

    def close(self) -> None:
        """Let the pins go. What has not settled has not counted."""
        for debouncer in self._contacts.values():
            debouncer.end()
        for contact in self._inputs.values():
            contact.close()

    def _hear(self, name: str, contact: Debouncer, now_ns: int) -> None:
        """The edges, and the level, which tells if an edge was lost: if it differs for longer than an edge takes."""
        edges = self._inputs[name].drain()
        for at_ns, operated in edges:
            contact.edge(at_ns, operated)
        read = self._inputs[name].is_active
        if edges or contact.next_due_ns is not None or read == contact.level:
            self._differs_ns.pop(name, None)
        elif now_ns - self._differs_ns.setdefault(name, now_ns) >= self._late_ns:
            contact.read(self._differs_ns.pop(name), read)

    def _recorder(self, name: str) -> Callable[[int, bool, bool], None]:
        def record(at_ns: int, operated: bool, accepted: bool) -> None:
            self._judged[name] += 1
            if accepted:
                self._accepted[name].append(self._judged[name])
            edge = RawEdge(at_ns, name, operated, accepted)
            self.log.append(edge)
            if self.on_edge:
                self.on_edge(edge)

        return record
