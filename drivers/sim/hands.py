"""Simulated hands on simulated contacts: who operates what, when, and how the contacts bounce.

What is planned happens at its instant of virtual time, to the ns, in order; BoardClock runs it. Each contact closes
its pin to ground, and is a mechanical one: each change is a burst of edges, drawn from a seeded generator, so that the
same seed gives the same bursts whatever else is planned in between. A change that comes before the burst of the one
before has ended ends it.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping
from dataclasses import dataclass

from drivers.sim.pins import VirtualClockMockFactory


@dataclass(frozen=True)
class Bounce:
    """Bounce of a kind of contact: returns at most so often, within so many ns of the first touch."""

    returns: int
    longest_ns: int


CLEAN = Bounce(0, 0)
"""A semiconductor: an opto-coupler, an opto-FET relay."""

TACTILE = Bounce(6, 5_000_000)
"""A push-button. Makers promise less than 5 ms; 18 switches measured by J. Ganssle (A Guide to Debouncing) bounced
1.6 ms on average and 6.2 ms at most."""

REED = Bounce(4, 3_000_000)
"""A reed contact. Data sheets say 0.5 to 1 ms when a relay's coil drives it; a magnet that comes near slowly makes
it last longer."""

TOGGLE = Bounce(8, 15_000_000)
"""A toggle or snap-action switch of some size: data sheets promise 10 to 20 ms at most."""

CONTACTS: Mapping[str, Bounce] = {
    "scroll": TACTILE,
    "magnet": REED,
    "reset": TACTILE,
    "test": TOGGLE,
    "cover": TOGGLE,
    "input1": CLEAN,
    "input2": CLEAN,
}
"""What is built in, by name."""

SHORTEST_NS = 1_000
"""No bounce is shorter: the kernel could not stamp it."""


class Hands:
    """Hands at the switches named in `pins_by_switch`, for the pins of `pins`.

    `contacts` says how each bounces; those it does not name are TACTILE. Names that are not wired raise KeyError.
    What is planned for the past happens at the next run.
    """

    def __init__(
        self,
        pins_by_switch: Mapping[str, int | str],
        pins: VirtualClockMockFactory,
        seed: int = 1,
        contacts: Mapping[str, Bounce] = CONTACTS,
    ) -> None:
        self._pins = pins
        self._wired = dict(pins_by_switch)
        self._contacts = contacts
        self._seed = seed
        self._bursts = dict.fromkeys(self._wired, 0)
        self._going_on: dict[str, tuple[int, int]] = {}
        self._plan: list[tuple[int, int, str, bool, tuple[int, int] | None]] = []
        self._planned = 0

    @property
    def next_due_ns(self) -> int | None:
        """Instant of the next edge; None if nothing is planned."""
        return self._plan[0][0] if self._plan else None

    def press(self, switch: str, at_ns: int, for_ns: int | None = None) -> None:
        """Operate a switch at `at_ns`, and let go `for_ns` later; None: hold it until let_go()."""
        self.operate(switch, at_ns)
        if for_ns is not None:
            self.let_go(switch, at_ns + for_ns)

    def operate(self, switch: str, at_ns: int) -> None:
        """Close the contact, bouncing from `at_ns` on."""
        self._burst(switch, at_ns, True)

    def let_go(self, switch: str, at_ns: int) -> None:
        """Open the contact, bouncing from `at_ns` on."""
        self._burst(switch, at_ns, False)

    def level(self, switch: str, at_ns: int, closed: bool) -> None:
        """One edge, without bounce: for contacts scripted edge by edge, and for recordings of raw edges."""
        self._add(switch, at_ns, closed, None)

    def pulse_input(self, switch: str, first_ns: int, pulses: int, period_ns: int, closed_ns: int) -> None:
        """Closures of another meter's output: `pulses` of them, a period apart, each `closed_ns` long."""
        if not 0 < closed_ns < period_ns:
            raise ValueError(f"a contact cannot be closed for {closed_ns} ns of every {period_ns} ns")
        for k in range(pulses):
            self.press(switch, first_ns + k * period_ns, closed_ns)

    def run_due(self, now_ns: int) -> None:
        """Make all edges due by `now_ns`, each at its own instant of virtual time, or now if that has passed."""
        clock = self._pins.clock
        while self._plan and self._plan[0][0] <= now_ns:
            due_ns, _, switch, closed, burst = heapq.heappop(self._plan)
            if burst is not None:
                self._going_on[switch] = max(burst, self._going_on.get(switch, burst))
                if burst != self._going_on[switch]:
                    continue
            clock.advance_to(max(due_ns, clock.now_ns))
            self._pins.pin(self._wired[switch]).ground(closed)

    def _burst(self, switch: str, at_ns: int, closed: bool) -> None:
        kind = self._contacts.get(switch, TACTILE)
        burst = (at_ns, self._planned)
        self._add(switch, at_ns, closed, burst)
        # Drawn from a generator of its own, so that other switches' bursts do not change it.
        draw = random.Random(f"{self._seed} {switch} {self._bursts[switch]}")
        self._bursts[switch] += 1
        edges = 2 * draw.randint(0, kind.returns)
        instants = sorted(draw.sample(range(SHORTEST_NS, kind.longest_ns, SHORTEST_NS), edges)) if edges else []
        for k, after_ns in enumerate(instants):
            self._add(switch, at_ns + after_ns, closed if k % 2 else not closed, burst)

    def _add(self, switch: str, at_ns: int, closed: bool, burst: tuple[int, int] | None) -> None:
        self._planned += 1
        self._wired[switch]  # refuse what is not wired now, not when it is due
        heapq.heappush(self._plan, (at_ns, self._planned, switch, closed, burst))
