"""Simulated hands: planned edges at their instants, bounce within what contacts do, also during a frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim.board import SimulatedBoard
from drivers.sim.clock import BoardClock
from drivers.sim.frontend import FrontEnd
from drivers.sim.hands import CLEAN, CONTACTS, REED, TACTILE, TOGGLE, Bounce, Hands
from drivers.sim.pins import Edge, VirtualClock, VirtualClockMockFactory
from drivers.sim.playing import lively_load
from drivers.sim.sensors import ideal_sensors
from drivers.spi_link import SpiLink
from drivers.switches import SwitchInput
from gateware.chain import Chain

MS = 1_000_000


def pulled_up(*pins: int) -> VirtualClockMockFactory:
    factory = VirtualClockMockFactory(VirtualClock(), history=100_000)
    for number in pins:
        factory.pin(number).pull = "up"
        factory.pin(number).clear_states()
    return factory


@given(st.sampled_from([TACTILE, REED, TOGGLE]), st.integers(0, 1000))
def test_a_press_bounces_within_its_kind_and_ends_as_meant(kind: Bounce, seed: int) -> None:
    pins = pulled_up(5)
    hands = Hands({"x": 5}, pins, seed, {"x": kind})
    hands.press("x", 100 * MS, 50 * MS)
    hands.run_due(149 * MS)
    closing = pins.edges(5)
    hands.run_due(500 * MS)
    opening = pins.edges(5)[len(closing) :]
    for edges, begin, high in ((closing, 100 * MS, False), (opening, 150 * MS, True)):
        assert edges[0] == Edge(begin, high)
        assert edges[-1].high == high
        assert len(edges) <= 1 + 2 * kind.returns
        assert edges[-1].time_ns - begin < kind.longest_ns
        assert len(edges) % 2 == 1
    assert hands.next_due_ns is None
    pins.close()


@given(st.lists(st.tuples(st.integers(0, 30 * MS), st.booleans()), min_size=1, max_size=30), st.integers(0, 1000))
def test_changes_on_the_heels_of_each_other_end_as_the_last_was_meant(changes: list[tuple[int, bool]], seed) -> None:
    """Planned in any order; the hand moves on before the contact has come to rest."""
    pins = pulled_up(5)
    hands = Hands({"test": 5}, pins, seed)
    for at_ns, closes in changes:
        (hands.operate if closes else hands.let_go)("test", at_ns)
    hands.run_due(1000 * MS)
    last_ns = max(at_ns for at_ns, _ in changes)
    meant = [closes for at_ns, closes in changes if at_ns == last_ns][-1]
    assert pins.pin(5).grounded == meant
    assert all(e.time_ns < last_ns + TOGGLE.longest_ns for e in pins.edges(5))
    pins.close()


def test_contacts_do_bounce_and_each_burst_is_another() -> None:
    pins = pulled_up(5)
    hands = Hands({"test": 5}, pins)
    bursts = set()
    for k in range(50):
        hands.operate("test", 2 * k * 100 * MS)
        hands.let_go("test", (2 * k + 1) * 100 * MS)
        before = pins.edge_count(5)
        hands.run_due((2 * k + 2) * 100 * MS - 1)
        bursts.add(tuple(e.time_ns % (100 * MS) for e in pins.edges(5)[before:]))
    assert len(bursts) == 50


def test_the_seed_makes_the_bursts_and_other_switches_do_not_change_them() -> None:
    def edges(seed: int, *, others: bool) -> tuple[Edge, ...]:
        pins = pulled_up(5, 6)
        hands = Hands({"scroll": 5, "magnet": 6}, pins, seed)
        for k in range(10):
            if others:
                hands.press("magnet", k * 100 * MS, 70 * MS)
            hands.press("scroll", k * 100 * MS, 50 * MS)
        hands.run_due(10_000 * MS)
        return pins.edges(5)

    assert edges(1, others=True) == edges(1, others=False) != edges(2, others=False)


def test_pulses_of_another_meter_are_clean() -> None:
    pins = pulled_up(20)
    hands = Hands({"input1": 20}, pins)
    hands.pulse_input("input1", 7, 1000, 20 * MS, 10 * MS)
    hands.run_due(30_000 * MS)
    assert pins.edges(20) == tuple(Edge(7 + k * 10 * MS, k % 2 == 1) for k in range(2000))
    assert CONTACTS["input1"] is CLEAN
    with pytest.raises(ValueError, match="cannot be closed for 20 ns of every 20 ns"):
        hands.pulse_input("input1", 0, 1, 20, 20)


def test_what_is_late_happens_now_and_what_is_not_wired_is_refused() -> None:
    pins = pulled_up(5)
    hands = Hands({"scroll": 5}, pins)
    pins.clock.advance_to(1000)
    hands.level("scroll", 10, True)
    hands.run_due(1000)
    assert pins.edges(5) == (Edge(1000, False),)
    with pytest.raises(KeyError):
        hands.press("scrol", 0)


def test_a_contact_is_stronger_than_a_pull_and_shorts_an_output() -> None:
    pins = pulled_up()
    pins.pin(5).ground(True)
    contact = SwitchInput("SCROLL", 5, pins=pins)
    assert contact.initial
    assert contact.drain() == []
    pins.pin(5).ground(False)
    assert not contact.is_active
    assert contact.drain() == [(0, False)]
    pins.pin(6).function = "output"
    with pytest.raises(ValueError, match="GPIO6 is an output, a contact to ground there shorts it"):
        pins.pin(6).ground(True)
    pins.close()


def test_the_boards_time_runs_the_hands_to_the_ns_also_during_a_frame() -> None:
    chain = Chain()
    board = SimulatedBoard(chain, FrontEnd(lively_load(chain.tick_hz), ideal_sensors(20), chain.tick_hz, 1), "exact")
    pins = pulled_up(5, 6)
    clock = BoardClock(board, pins.clock)
    link = SpiLink(board)
    contact, other = SwitchInput("SCROLL", 5, pins=pins), SwitchInput("MAGNET", 6, pins=pins)
    clock.hands = hands = Hands({"scroll": 5, "magnet": 6}, pins)
    begun = clock.now_ns()
    planned = [(begun + 1_000_003 * k, k % 2 == 1) for k in range(1, 40)]
    for at_ns, closed in planned:
        hands.level("scroll", at_ns, closed)
    clock.wait_until(begun + 10 * MS + 1)
    reads = 0
    while clock.now_ns() < begun + 30 * MS:  # no waiting at all: time passes by frames alone
        link.ticks()
        reads += 1
    assert 10 < reads < 1000
    hands.level("magnet", 0, True)  # planned for the past
    seen = clock.now_ns()
    clock.wait_until(begun + 60 * MS)
    assert contact.drain() == planned
    assert len(late := other.drain()) == 1
    assert seen <= late[0][0] < begun + 60 * MS
    assert hands.next_due_ns is None
    assert pins.clock.now_ns == clock.now_ns() >= begun + 60 * MS
    pins.close()
