"""A process that dies at any poll, and the next one on the same edges: together they give what one would have given."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from drivers.pulse_inputs import InputEdge, PulseInput
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory
from drivers.switches import Switches

MS = 1_000_000
PIN = {"scroll": 5, "magnet": 6}
POLL_NS = 20 * MS
END_NS = 4000 * MS

EDGES = st.lists(st.integers(1, 400), max_size=40)
"""Milliseconds from each edge to the next: bounce, glitches, presses."""
DEATHS = st.lists(st.integers(1, END_NS // POLL_NS - 1), max_size=4, unique=True)


def instants(gaps: list[int]) -> list[int]:
    """The instants of edges, ns, as far as they settle before the end."""
    at, found = 100 * MS, []
    for gap in gaps:
        at += gap * MS
        if at < END_NS - 500 * MS:
            found.append(at)
    return found


class Kept:
    """The edges of a line, numbered from 1, that some other process keeps: a source from after number `after` on."""

    def __init__(self, edges: list[int], after: int) -> None:
        self._edges, self.first_number, self._next = edges, after, after
        self.initial = bool(after % 2)
        self.now_ns = 0

    def drain(self) -> list[InputEdge]:
        came = []
        while self._next < len(self._edges) and self._edges[self._next] <= self.now_ns:
            self._next += 1
            came.append(InputEdge(self._edges[self._next - 1], bool(self._next % 2)))
        return came

    def read(self) -> bool:
        return bool(self._next % 2)

    def close(self) -> None:
        """Nothing is held."""


def pulses(edges: list[int], deaths: set[int]) -> list[tuple[int, bool]]:
    """What inputs give that die at these polls, one after the other."""
    source = Kept(edges, 0)
    contact, given = PulseInput(source, 0), []
    for poll in range(1, END_NS // POLL_NS + 1):
        now_ns = source.now_ns = poll * POLL_NS
        given += [(change.at_ns, change.operated) for change in contact.poll(now_ns)]
        if poll in deaths:
            number, level = contact.dealt
            source = Kept(edges, number)
            contact = PulseInput(source, now_ns, going_on=level)
    return given


@given(EDGES, DEATHS)
def test_input_pulses_count_once(gaps: list[int], deaths: list[int]) -> None:
    edges = instants(gaps)
    assert pulses(edges, set(deaths)) == pulses(edges, set())


class Header:
    """Switches on simulated pins whose edges some other process keeps; each life sees those it has not dealt with."""

    def __init__(self, edges: dict[str, list[int]]) -> None:
        self._edges = edges
        self.given: list[tuple[int, str, bool]] = []
        self._numbers = dict.fromkeys(edges, 0)
        self._begin(0, None)

    def _begin(self, now_ns: int, going_on: dict[str, bool] | None) -> None:
        self._clock = VirtualClock()
        self._pins = VirtualClockMockFactory(self._clock)
        self._base = dict(self._numbers)
        for name, number in self._base.items():
            pin = self._pins.pin(PIN[name])
            pin.function, pin.pull = "input", "up"
            pin.ground(bool(number % 2))
        self._switches = Switches(PIN, self._pins, now_ns, going_on=going_on)

    def poll(self, now_ns: int) -> None:
        due = [(at, name) for name, edges in self._edges.items() for at in edges[self._numbers[name] :] if at <= now_ns]
        for at, name in sorted(due):
            self._clock.now_ns = at
            self._numbers[name] += 1
            self._pins.pin(PIN[name]).ground(bool(self._numbers[name] % 2))
        self._clock.now_ns = now_ns
        self.given += self._switches.poll(now_ns)

    def die(self, now_ns: int) -> None:
        dealt = self._switches.dealt
        self._numbers = {name: self._base[name] + number for name, (number, _) in dealt.items()}
        self._begin(now_ns, {name: level for name, (_, level) in dealt.items()})


@given(EDGES, EDGES, DEATHS)
def test_switches_change_once(one: list[int], other: list[int], deaths: list[int]) -> None:
    """Two switches, as one that bounces holds the other's change back."""
    edges = {"scroll": instants(one), "magnet": [at + 3 * MS for at in instants(other)]}
    undisturbed, disturbed = Header(edges), Header(edges)
    for poll in range(1, END_NS // POLL_NS + 1):
        for header in (undisturbed, disturbed):
            header.poll(poll * POLL_NS)
        if poll in deaths:
            disturbed.die(poll * POLL_NS)
    assert disturbed.given == undisturbed.given
    assert disturbed._switches.operated() == undisturbed._switches.operated()


def test_the_edges_of_a_long_dead_time_are_all_taken_in() -> None:
    """Ten closures a second for 20 s, of which 15 nobody was there."""
    rng = random.Random(1)
    edges: list[int] = []
    at = 0
    for _ in range(200):
        at += 60 * MS + rng.randrange(MS)
        edges.append(at)
        at += 40 * MS
        edges.append(at)
    source = Kept(edges, 0)
    contact = PulseInput(source, 0)
    source.now_ns = 5000 * MS
    before = [change.operated for change in contact.poll(source.now_ns)].count(True)
    number, level = contact.dealt
    later = Kept(edges, number)
    later.now_ns = at + 100 * MS
    again = PulseInput(later, 5000 * MS, going_on=level)
    after = [change.operated for change in again.poll(later.now_ns)].count(True)
    assert before + after == 200
