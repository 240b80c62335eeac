"""Switches on simulated pins: stamps, order, what is found at the start, and the log of raw edges."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gpiozero import LED
from hypothesis import given
from hypothesis import strategies as st

from drivers.debounce import LATE_NS, STEADY_NS
from drivers.pins import GpioError
from drivers.sim.hands import CONTACTS, Hands
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory
from drivers.switches import LOG, QUEUE, Switches, SwitchInput, stamp_ns

MS = 1_000_000
PINS = {"scroll": 5, "magnet": 6, "reset": 13, "test": 19, "cover": 26}
POLL_NS = 20 * MS


class Bench:
    """Simulated pins, hands at the switches, and a service that polls."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = VirtualClock()
        self.pins = VirtualClockMockFactory(self.clock)
        self.hands = Hands(PINS, self.pins, seed)

    def switches(self, **settings) -> Switches:
        return Switches(PINS, self.pins, self.clock.now_ns, **settings)

    def run_to(self, end_ns: int, switches: Switches, poll_ns: int = POLL_NS) -> list[tuple[int, str, bool]]:
        changes = []
        while self.clock.now_ns < end_ns:
            then = min(self.clock.now_ns + poll_ns, end_ns)
            self.hands.run_due(then)
            self.clock.advance_to(then)
            certain_ns = switches.certain_ns
            given = switches.poll(then)
            assert all(certain_ns < at_ns <= switches.certain_ns for at_ns, _, _ in given)
            changes += given
        return changes


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.pins.close()


def test_presses_come_with_the_instant_of_the_finger(bench: Bench) -> None:
    switches = bench.switches()
    bench.hands.press("scroll", 1_000 * MS + 7, 300 * MS)
    bench.hands.press("magnet", 1_100 * MS + 3, 3_000 * MS)
    assert bench.run_to(5_000 * MS, switches) == [
        (1_000 * MS + 7, "scroll", True),
        (1_100 * MS + 3, "magnet", True),
        (1_300 * MS + 7, "scroll", False),
        (4_100 * MS + 3, "magnet", False),
    ]
    assert sum(bench.pins.edge_count(pin) for pin in PINS.values()) > 4 + len(PINS)  # they did bounce
    assert not any(switches.operated().values())


def test_what_is_operated_at_the_start_is_found_so_and_no_change(bench: Bench) -> None:
    bench.hands.operate("cover", 0)
    bench.hands.operate("scroll", 0)
    bench.hands.let_go("scroll", 900 * MS)
    bench.hands.run_due(100 * MS)
    bench.clock.advance_to(100 * MS)
    switches = bench.switches()
    assert [name for name, operated in switches.operated().items() if operated] == ["scroll", "cover"]
    assert bench.run_to(2_000 * MS, switches) == [(900 * MS, "scroll", False)]


def test_a_wire_that_comes_off_is_a_switch_let_go(bench: Bench) -> None:
    bench.hands.level("test", 0, True)
    bench.hands.run_due(0)
    switches = bench.switches()
    bench.pins.pin(PINS["test"]).ground(False)
    assert bench.run_to(100 * MS, switches) == [(0, "test", False)]


def test_changes_are_given_in_order_though_the_earlier_bounces_longer(bench: Bench) -> None:
    switches = bench.switches()
    for at_ms, closed in ((100, True), (115, False), (130, True), (145, False), (160, True)):
        bench.hands.level("test", at_ms * MS, closed)
    bench.hands.level("scroll", 101 * MS, True)
    given_at = {}
    for at_ns, name, _ in (
        change for now in range(100, 300) for change in bench.run_to(now * MS, switches, MS) if not given_at.get(change)
    ):
        given_at[name] = (at_ns, bench.clock.now_ns)
    assert list(given_at) == ["test", "scroll"]
    assert given_at["test"] == (100 * MS, 160 * MS + STEADY_NS + LATE_NS)
    assert given_at["scroll"] == (101 * MS, given_at["test"][1])


def test_a_contact_that_chatters_for_ever_holds_up_no_other(bench: Bench) -> None:
    switches = bench.switches()
    for k in range(400):
        bench.hands.level("cover", k * 5 * MS, k % 2 == 0)
    bench.hands.press("scroll", 500 * MS, 200 * MS)
    assert bench.run_to(1_000 * MS, switches) == [(500 * MS, "scroll", True), (700 * MS, "scroll", False)]


def test_next_due_is_when_a_poll_gives_the_change(bench: Bench) -> None:
    switches = bench.switches()
    assert switches.next_due_ns is None
    bench.hands.level("reset", 50 * MS, True)
    assert bench.run_to(60 * MS, switches) == []
    due = switches.next_due_ns
    assert due == 50 * MS + STEADY_NS + LATE_NS
    assert bench.run_to(due - 1, switches) == []
    assert bench.run_to(due, switches) == [(50 * MS, "reset", True)]
    assert switches.next_due_ns is None


def test_an_edge_that_was_lost_is_found_by_reading(bench: Bench) -> None:
    switches = bench.switches()
    pin = bench.pins.pin(PINS["reset"])
    pin.when_changed, hook = None, pin.when_changed
    bench.hands.level("reset", 50 * MS, True)
    changes = bench.run_to(200 * MS, switches, MS)
    assert changes == [(50 * MS, "reset", True)]
    pin.when_changed = hook
    bench.hands.level("reset", 300 * MS, False)
    assert bench.run_to(400 * MS, switches) == [(300 * MS, "reset", False)]


def test_more_edges_than_can_wait_lose_the_oldest_and_the_level_stays_right(bench: Bench) -> None:
    switches = bench.switches()
    for k in range(QUEUE + 100):
        bench.hands.level("scroll", 100 * MS + k * 1000, k % 2 == 0)
    bench.hands.level("scroll", 200 * MS, True)
    changes = bench.run_to(400 * MS, switches, 400 * MS)
    assert [change[1:] for change in changes] == [("scroll", True)]
    assert switches.operated()["scroll"]


def test_the_log_has_every_edge_with_its_verdict_and_is_bounded(bench: Bench) -> None:
    told = []
    switches = bench.switches(on_edge=told.append)
    for k in range(100):
        bench.hands.press("test", k * 200 * MS + 50 * MS, 100 * MS)
    bench.run_to(30_000 * MS, switches)
    assert list(switches.log) == told[-LOG:]
    assert sum(edge.accepted for edge in told) == 200
    raw = bench.pins.edges(PINS["test"])[1:]  # the first is the pull-up
    assert sorted((e.at_ns, e.operated) for e in told) == [(e.time_ns, not e.high) for e in raw]
    assert {e.switch for e in told} == {"test"}
    for k in range(10 * LOG):
        bench.hands.level("scroll", 40_000 * MS + k * 1000, k % 2 == 0)
    bench.run_to(41_000 * MS, switches, MS)
    assert len(switches.log) == LOG


@given(
    st.integers(0, 1000),
    st.lists(st.tuples(st.sampled_from(sorted(PINS)), st.integers(0, 100 * MS), st.integers(1, 300 * MS)), max_size=25),
    st.integers(1 * MS, 200 * MS),
)
def test_any_presses_at_any_polling_are_given_once_and_in_order(seed: int, acts, poll_ns: int) -> None:
    """Presses of one switch keep apart what its bounce and the debounce take; nothing else is asked of them."""
    bench = Bench(seed)
    switches = bench.switches()
    expected = []
    free = dict.fromkeys(PINS, 1)
    at_ns = 1
    for name, after_ns, for_ns in acts:
        apart = STEADY_NS + CONTACTS[name].longest_ns
        at_ns += after_ns
        begin = max(at_ns, free[name])
        end = begin + apart + for_ns
        free[name] = end + apart
        bench.hands.press(name, begin, end - begin)
        expected += [(begin, name, True), (end, name, False)]
    changes = bench.run_to(max(free.values()) + 200 * MS, switches, poll_ns)
    assert sorted(changes) == sorted(expected)
    assert [at for at, _, _ in changes] == sorted(at for at, _, _ in changes)
    bench.pins.close()


def test_stamps_of_the_kernel_are_ns_again_to_the_ns() -> None:
    for ns in (1, 123_456_789, 86_400 * 10**9 * 40 + 987_654_321):
        assert stamp_ns(ns / 1e9) == ns
        assert stamp_ns(ns) == ns


def test_pins_that_cannot_be_had_leave_none_taken(bench: Bench) -> None:
    with pytest.raises(GpioError, match=r"the switch TEST cannot have pin 5, another function has it: give each"):
        Switches({"scroll": 5, "test": 5}, bench.pins, 0)
    with pytest.raises(GpioError, match=r"the switch SCROLL cannot use pin 99 .*: give the number of a free GPIO"):
        Switches({"scroll": 99}, bench.pins, 0)
    switches = bench.switches()
    with pytest.raises(GpioError, match=r"input 1 cannot have pin 5, another function has it"):
        SwitchInput("input 1", 5, pins=bench.pins)
    switches.close()
    switches.close()
    LED(5, pin_factory=bench.pins).close()


def test_polling_after_a_long_stall_is_as_good(bench: Bench) -> None:
    switches = bench.switches()
    bench.hands.press("scroll", 100 * MS, 3_500 * MS)
    bench.hands.press("reset", 200 * MS, 100 * MS)
    assert [c[:2] for c in bench.run_to(5_000 * MS, switches, 5_000 * MS)] == [
        (100 * MS, "scroll"),
        (200 * MS, "reset"),
        (300 * MS, "reset"),
        (3_600 * MS, "scroll"),
    ]
    assert switches.too_late == 0


def test_the_kernels_stamps_and_levels_come_through_gpiozeros_own_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    """lgpio's event as its thread would tell it; what gpiozero asks of lgpio for the switch. There is no chip here."""
    no_chip = pytest.importorskip("tests.drivers.no_chip", reason="needs the wheel lgpio")
    calls = no_chip.record(monkeypatch)
    pins = no_chip.NoChip()
    contact = SwitchInput("SCROLL", 5, pins=pins)
    assert not contact.initial
    assert ("gpio_claim_input", 5, no_chip.lgpio.SET_PULL_UP) in calls
    assert ("gpio_set_debounce_micros", 5, 0) in calls
    assert ("gpio_claim_alert", 5, no_chip.lgpio.BOTH_EDGES) in [call[:3] for call in calls]
    booted_ns = 40 * 86_400 * 10**9
    for level, after_ns in ((0, 123_456_789), (1, 123_456_790), (0, 125_000_001)):
        pins.pin(5)._callback.func(0, 5, level, booted_ns + after_ns)
    assert [(at_ns - booted_ns, closed) for at_ns, closed in contact.drain()] == [
        (123_456_789, True),
        (123_456_790, False),
        (125_000_001, True),
    ]
    contact.close()
    pins.forget()
