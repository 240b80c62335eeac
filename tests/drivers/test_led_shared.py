"""The test LED while its light is lent to an optical port: the second table in TestLed's docstring (P-1)."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drivers.gpio import TestLed
from drivers.schedule import OutputSchedule
from drivers.sim.pins import Edge, VirtualClock, VirtualClockMockFactory

MS = 1_000_000
PIN, WIDTH, GAP = 17, 10 * MS, 5 * MS


class Lamp:
    """A lamp on a simulated pin, in virtual time."""

    def __init__(self) -> None:
        self.clock, self.schedule = VirtualClock(), OutputSchedule()
        self.pins = VirtualClockMockFactory(self.clock)
        self.remembered: list[tuple[bool, int]] = []
        self.led = TestLed(
            "test LED",
            PIN,
            pins=self.pins,
            schedule=self.schedule,
            width_ns=WIDTH,
            gap_ns=GAP,
            remember=lambda lit, shown: self.remembered.append((lit, shown)),
        )
        self.pins.pin(PIN).clear_states()

    def run_to(self, end_ns: int) -> None:
        while (due_ns := self.schedule.next_due_ns) is not None and due_ns <= end_ns:
            self.clock.advance_to(max(due_ns, self.clock.now_ns))
            self.schedule.run_due(self.clock.now_ns)
        self.clock.advance_to(end_ns)

    @property
    def edges(self) -> tuple[Edge, ...]:
        return tuple(self.pins.edges(PIN))


def test_a_flash_that_is_lit_is_whole() -> None:
    lamp = Lamp()
    lamp.led.pulse(10 * MS)
    lamp.run_to(14 * MS)
    lamp.led.withhold(1000 * MS)
    lamp.run_to(100 * MS)
    assert lamp.edges == (Edge(10 * MS, True), Edge(20 * MS, False))
    assert (lamp.led.flashes, lamp.led.withheld, lamp.led.shown) == (1, 0, 1)


def test_what_is_due_meanwhile_is_left_out_and_counts_as_shown() -> None:
    lamp = Lamp()
    lamp.led.withhold(100 * MS)
    for due in (20, 50, 95, 100, 150):
        lamp.led.pulse(due * MS)
    lamp.run_to(300 * MS)
    assert lamp.edges == tuple(
        Edge(at * MS, lit) for at, lit in ((110, True), (120, False), (150, True), (160, False))
    ), "that of 100 waits until that of 95, unseen, has had its time"
    assert (lamp.led.flashes, lamp.led.withheld, lamp.led.shown) == (2, 3, 5)
    assert lamp.led.edges.waiting == 0
    assert lamp.remembered[:2] == [(False, 1), (False, 2)], "nothing is owed of it after a crash"


def test_the_light_comes_back_by_itself_or_when_given_back() -> None:
    lamp = Lamp()
    lamp.led.withhold(1000 * MS)
    lamp.run_to(10 * MS)
    lamp.led.withhold(10 * MS)
    lamp.led.pulse(20 * MS)
    lamp.run_to(40 * MS)
    assert lamp.edges == (Edge(20 * MS, True), Edge(30 * MS, False))


@given(
    st.lists(st.integers(0, 2000), max_size=40),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(-100, 900)), max_size=8),
)
def test_whenever_it_is_lent(dues: list[int], loans: list[tuple[int, int]]) -> None:
    """Edges are whole flashes with their dark, none is late, and each pulse is a flash or withheld."""
    lamp = Lamp()
    for due in sorted(dues):
        lamp.led.pulse(due * MS)
    for at, length in sorted(loans):
        lamp.run_to(at * MS)
        lamp.led.withhold((at + length) * MS)
    lamp.run_to(5000 * MS)
    led, edges = lamp.led, lamp.edges
    assert led.flashes + led.withheld == led.shown == len(dues)
    assert [edge.high for edge in edges] == [True, False] * led.flashes
    for before, after in pairwise(edges):
        assert after.time_ns - before.time_ns >= (WIDTH if before.high else GAP)
    assert all(end.time_ns - begin.time_ns == WIDTH for begin, end in zip(edges[::2], edges[1::2], strict=True))
