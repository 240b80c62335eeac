"""Relay, test LED, their schedule, and the simulated pins they are proven on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from gpiozero import Button, Device
from hypothesis import given
from hypothesis import strategies as st

from drivers.gpio import FormCRelay, Position, TestLed
from drivers.pins import GpioError, open_pins
from drivers.schedule import EdgeQueue, OutputSchedule
from drivers.sim.pins import Edge, VirtualClock, VirtualClockMockFactory

MS = 1_000_000
Y_PIN, Z_PIN, LED_PIN = 17, 27, 22
DWELL_NS = 20 * MS


@dataclass
class Bench:
    """The simulated pins with a schedule that virtual time runs."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    schedule: OutputSchedule = field(default_factory=OutputSchedule)

    def __post_init__(self) -> None:
        self.pins = VirtualClockMockFactory(self.clock)

    def relay(self, **changes) -> FormCRelay:
        settings = {"pins": self.pins, "schedule": self.schedule, "dwell_ns": DWELL_NS, **changes}
        return FormCRelay("kyz1", Y_PIN, Z_PIN, **settings)

    def led(self) -> TestLed:
        return TestLed("test LED", LED_PIN, pins=self.pins, schedule=self.schedule, width_ns=10 * MS, gap_ns=5 * MS)

    def run_to(self, end_ns: int) -> None:
        """Wake exactly when something is due."""
        while (due_ns := self.schedule.next_due_ns) is not None and due_ns <= end_ns:
            self.clock.advance_to(max(due_ns, self.clock.now_ns))
            self.schedule.run_due(self.clock.now_ns)
        self.clock.advance_to(end_ns)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.pins.close()


# --- relay ----------------------------------------------------------------------------------------------


def test_relay_alternates_at_the_instants_asked_for(bench):
    relay = bench.relay()
    dues = [100 * MS, 150 * MS + 1, 400 * MS]
    for due in dues:
        relay.pulse(due)
    assert bench.schedule.next_due_ns == dues[0]
    bench.run_to(1000 * MS)
    assert bench.pins.edges(Y_PIN) == tuple(Edge(t, high) for t, high in zip(dues, (True, False, True), strict=True))
    assert bench.pins.edges(Z_PIN) == (Edge(dues[1], True), Edge(dues[2], False))
    assert (relay.position, relay.last, relay.transitions) == (Position.KY, Position.KY, 3)
    assert (bench.schedule.late, relay.edges.held, relay.edges.waiting) == (0, 0, 0)


def test_relay_breaks_before_it_makes(bench):
    relay = bench.relay()
    y, z = bench.pins.pin(Y_PIN), bench.pins.pin(Z_PIN)
    both_closed = []
    for pin in (y, z):
        change = pin._change_state

        def watch(value: bool, change=change) -> bool:
            changed = change(value)
            both_closed.append(y.state and z.state)
            return changed

        pin._change_state = watch
    for _ in range(5):
        relay.transition()
        assert y.state != z.state
    assert len(both_closed) == 9 + 1  # a write to a contact that was open already, for the first
    assert not any(both_closed)


@pytest.mark.parametrize("last", [Position.KY, Position.KZ])
def test_relay_rests_open_at_the_start_and_goes_on_with_the_opposite_contact(bench, last):
    relay = bench.relay(last=last)
    assert relay.position is Position.OPEN
    bench.run_to(500 * MS)
    assert bench.pins.edges(Y_PIN) == bench.pins.edges(Z_PIN) == ()
    relay.pulse(600 * MS)
    bench.run_to(700 * MS)
    assert relay.position is relay.last is last.opposite
    with pytest.raises(ValueError, match="kyz1: the contact closed last is K-Y or K-Z"):
        bench.relay(last=Position.OPEN)
    with pytest.raises(ValueError, match="has no opposite"):
        _ = Position.OPEN.opposite


def closures(bench: Bench) -> list[Position]:
    """What a counter of three wires has seen close, in order."""
    seen = [
        (e.time_ns, p)
        for pin, p in ((Y_PIN, Position.KY), (Z_PIN, Position.KZ))
        for e in bench.pins.edges(pin)
        if e.high
    ]
    return [position for _, position in sorted(seen, key=lambda s: s[0])]


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0, 1, 1000 * MS])), max_size=6))
def test_no_false_pulse_and_none_lost_at_any_stop_crash_or_restart(lives):
    """Each life makes some pulses and ends. Its lines are pulled open at once, as at a stop, or stay as they were until
    the next life has them, as after a crash on some kernels. What a life is given is what the one before remembered.
    """
    bench = Bench()
    remembered = [Position.KZ]
    for pulses, lines_stay_ns in lives:
        relay = bench.relay(last=remembered[-1], remember=lambda position, shown: remembered.append(position))
        for k in range(pulses):
            relay.pulse(bench.clock.now_ns + 50 * MS * (k + 1))
        bench.run_to(bench.clock.now_ns + 300 * MS)
        bench.clock.advance(lines_stay_ns)
        relay.close()
        bench.clock.advance(100 * MS)
    seen = closures(bench)
    assert len(seen) == sum(pulses for pulses, _ in lives)
    assert all(a is not b for a, b in pairwise([Position.KZ, *seen]))
    bench.pins.close()


def test_a_function_that_says_something_or_nothing(bench):
    relay = bench.relay()
    relay.set(False, 0)
    relay.set(True, 100 * MS)
    relay.set(True, 150 * MS)  # said already
    relay.set(False, 110 * MS)
    bench.run_to(1000 * MS)
    assert bench.pins.edges(Z_PIN) == (Edge(0, True), Edge(100 * MS, False), Edge(120 * MS, True))
    assert bench.pins.edges(Y_PIN) == (Edge(100 * MS, True), Edge(120 * MS, False))
    assert (relay.position, relay.transitions) == (Position.KZ, 0)
    relay.close()
    assert relay.position is Position.OPEN


@pytest.mark.parametrize("closed_ky", [True, False])
def test_what_was_set_before_a_pulse_is_set_again_after_it(bench, closed_ky):
    """As when a program makes a level of an output that pulsed: what was asked for last is the pulse (review I-4)."""
    relay = bench.relay()
    relay.set(closed_ky, 0)
    relay.pulse(100 * MS)
    relay.set(closed_ky, 200 * MS)
    bench.run_to(150 * MS)
    assert relay.position is (Position.KZ if closed_ky else Position.KY)
    bench.run_to(300 * MS)
    assert relay.position is (Position.KY if closed_ky else Position.KZ)
    assert relay.transitions == 1


def test_what_each_contact_is_about_to_do_is_remembered_before_it_is_seen(bench):
    """Else a process that dies in between has shown a pulse that nobody knows of."""
    seen = []

    def remember(at: Position, shown: int) -> None:
        seen.append((at, shown, relay.position, bench.pins.pin(Y_PIN).state, bench.pins.pin(Z_PIN).state))

    relay = bench.relay(remember=remember)
    relay.pulse(100 * MS)
    relay.pulse(200 * MS)
    bench.run_to(300 * MS)
    assert seen == [(Position.KY, 1, Position.OPEN, 0, 0), (Position.KZ, 2, Position.KY, 1, 0)]


def test_what_waits_when_it_is_closed_is_never_made(bench):
    relay = bench.relay()
    relay.pulse(100 * MS)
    relay.pulse(100 * MS)
    bench.run_to(100 * MS)
    relay.close()
    bench.run_to(1000 * MS)
    assert closures(bench) == [Position.KY]
    assert relay.position is Position.OPEN


def test_closing_opens_both_contacts_and_frees_the_pins(bench):
    relay = bench.relay()
    relay.close()
    relay.close()
    assert not bench.pins.pin(Y_PIN).state
    assert not bench.pins.pin(Z_PIN).state
    bench.relay().close()


@given(
    st.lists(st.integers(0, 100 * MS), min_size=1, max_size=30),
    st.lists(st.integers(1 * MS, 40 * MS), min_size=1, max_size=10),
)
def test_no_transition_is_lost_or_too_short_however_late_the_service_wakes(gaps, sleeps):
    bench = Bench()
    relay = bench.relay()
    due = 0
    dues = []
    for gap in gaps:
        due += gap
        dues.append(due)
        relay.pulse(due)
    wakes = 0
    while bench.schedule.next_due_ns is not None:
        bench.clock.advance(sleeps[wakes % len(sleeps)])
        bench.schedule.run_due(bench.clock.now_ns)
        wakes += 1
    edges = bench.pins.edges(Y_PIN)
    assert len(edges) == len(gaps) == relay.transitions
    assert bench.pins.edges(Z_PIN) == tuple(Edge(e.time_ns, not e.high) for e in edges[1:])
    assert all(b.time_ns - a.time_ns >= DWELL_NS for a, b in pairwise(edges))
    assert all(a.high != b.high for a, b in pairwise(edges))
    assert all(e.time_ns >= d for e, d in zip(edges, dues, strict=True))
    assert relay.edges.waiting == 0
    bench.pins.close()


# --- test LED -------------------------------------------------------------------------------------------


def test_led_flashes_for_its_width_and_returns_at_once(bench):
    led = bench.led()
    led.pulse(50 * MS)
    led.pulse(100 * MS)
    assert not led.lit
    bench.run_to(55 * MS)
    assert led.lit
    bench.run_to(1000 * MS)
    assert [(e.time_ns // MS, e.high) for e in bench.pins.edges(LED_PIN)] == [
        (50, True),
        (60, False),
        (100, True),
        (110, False),
    ]
    assert led.flashes == 2


def test_led_faster_than_it_can_flash_is_held_back_not_merged(bench):
    led = bench.led()
    for _ in range(3):
        led.pulse(50 * MS)
    bench.run_to(1000 * MS)
    assert [e.time_ns // MS for e in bench.pins.edges(LED_PIN)] == [50, 60, 65, 75, 80, 90]
    assert led.flashes == 3
    assert led.edges.held == 4  # the second and third flash, on and off


def test_led_is_out_after_closing(bench):
    led = bench.led()
    led.pulse(0)
    bench.run_to(1)
    assert led.lit
    led.close()
    led.close()
    assert not bench.pins.pin(LED_PIN).state


# --- schedule -------------------------------------------------------------------------------------------


def test_schedule_runs_in_order_of_time_then_of_planning():
    schedule = OutputSchedule()
    ran = []
    for name, due in (("c", 30), ("a", 10), ("b", 20), ("b2", 20)):
        schedule.at(due, lambda now, name=name: ran.append((name, now)))
    assert schedule.next_due_ns == 10
    assert schedule.run_due(9) == 0
    assert schedule.run_due(20) == 3
    assert ran == [("a", 20), ("b", 20), ("b2", 20)]
    assert schedule.next_due_ns == 30
    schedule.run_due(31)
    assert schedule.next_due_ns is None


def test_schedule_counts_what_came_late():
    schedule = OutputSchedule(late_after_ns=5)
    for due in (0, 10, 20):
        schedule.at(due, lambda now: None)
    schedule.run_due(5)
    schedule.run_due(26)
    assert (schedule.late, schedule.worst_late_ns) == (2, 16)


def test_action_may_plan_for_now():
    schedule = OutputSchedule()
    ran = []
    schedule.at(1, lambda now: schedule.at(now, ran.append))
    assert schedule.run_due(7) == 2
    assert ran == [7]


def test_queue_shows_its_backlog():
    schedule = OutputSchedule()
    queue = EdgeQueue(schedule)
    made = []
    for _ in range(5):
        queue.add(0, made.append, 10)
    assert queue.waiting == 5
    schedule.run_due(0)
    schedule.run_due(9)
    assert (made, queue.waiting) == ([0], 4)
    schedule.run_due(25)
    schedule.run_due(35)
    assert made == [0, 25, 35]
    assert queue.held == 3


# --- pins -----------------------------------------------------------------------------------------------


def test_pins_that_cannot_be_had(bench):
    with pytest.raises(GpioError, match=r"kyz1, contact K-Y, cannot use pin 99 .*: give the number of a free"):
        FormCRelay("kyz1", 99, 27, pins=bench.pins, schedule=bench.schedule, dwell_ns=1)
    with pytest.raises(GpioError, match=r"kyz1, contact K-Z, cannot have pin 17, another function has it"):
        FormCRelay("kyz1", 17, 17, pins=bench.pins, schedule=bench.schedule, dwell_ns=1)
    bench.relay().close()  # the refused relay kept neither pin


def test_pins_are_chosen_by_name_and_never_fall_back():
    with pytest.raises(GpioError, match=r'pins through "mock" are not known: set "lgpio"'):
        open_pins("mock")


def test_another_factory_asked_for_by_the_environment_is_refused(monkeypatch):
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    with pytest.raises(GpioError, match=r"GPIOZERO_PIN_FACTORY is 'mock' in the environment, .*: unset it, or set"):
        open_pins("lgpio")


def test_a_chip_that_is_none_is_refused():
    with pytest.raises(GpioError, match=r"no GPIO chip is called /dev/ttyS0: set hardware.gpio_chip to"):
        open_pins("lgpio", "/dev/ttyS0")


@pytest.fixture
def lgpio(monkeypatch, tmp_path):
    """The library itself."""
    monkeypatch.setenv("LG_WD", str(tmp_path))
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "lgpio")
    return pytest.importorskip("lgpio", reason="needs the wheel lgpio")


def test_a_missing_gpiochip_has_a_remedy(lgpio):
    said = r"no GPIO can be opened \(can not open gpiochip\): run on a Raspberry Pi with /dev/gpiochip77, as a user in"
    with pytest.raises(GpioError, match=said):
        open_pins("lgpio", "/dev/gpiochip77")


@pytest.mark.parametrize(("label", "refused"), [("pinctrl-rp1", False), ("gpio-brcmstb@107d508500", True)])
def test_a_chip_that_is_not_the_headers_is_refused(lgpio, monkeypatch, label, refused):
    """What the kernel would answer is given here; a Pi 5 with an old kernel has the header at gpiochip4."""
    closed = []
    monkeypatch.setattr(lgpio, "gpiochip_open", lambda gpiochip: 3)
    monkeypatch.setattr(lgpio, "gpio_get_chip_info", lambda handle: [0, 32, "gpiochip0", label])
    monkeypatch.setattr(lgpio, "gpiochip_close", closed.append)
    if refused:
        with pytest.raises(GpioError, match=rf"/dev/gpiochip0 is {label}, not the header's GPIO: set hardware"):
            open_pins("lgpio")
    else:
        open_pins("lgpio").close()
    assert closed == [3]


def test_missing_lgpio_has_a_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "lgpio", None)
    monkeypatch.setenv("LG_WD", "unused")
    with pytest.raises(GpioError, match=r"lgpio is not installed: .* apt install python3-lgpio. .*site-packages"):
        open_pins("lgpio")


def test_nothing_touches_the_global_factory(bench):
    assert Device.pin_factory is None
    bench.relay()
    bench.led()
    assert Device.pin_factory is None


# --- simulated pins -------------------------------------------------------------------------------------


def test_history_is_bounded_and_the_count_is_not():
    clock = VirtualClock()
    pins = VirtualClockMockFactory(clock, history=4)
    relay = FormCRelay("kyz1", Y_PIN, Z_PIN, pins=pins, schedule=OutputSchedule(), dwell_ns=1)
    for _ in range(1000):
        clock.advance(7)
        relay.transition()
    assert [e.time_ns for e in pins.edges(Y_PIN)] == [997 * 7, 998 * 7, 999 * 7, 1000 * 7]
    assert pins.edge_count(Y_PIN) == 1000
    pins.close()


def test_inputs_are_stamped_with_virtual_time(bench):
    button = Button(5, pin_factory=bench.pins)
    bench.clock.advance(3_000 * MS)
    bench.pins.pin(5).drive_low()
    bench.clock.advance(1_500 * MS)
    assert button.is_pressed
    assert button.active_time == 1.5
    assert bench.pins.edges(5)[-1] == Edge(3_000 * MS, False)
    button.close()


def test_closed_factory_starts_afresh(bench):
    relay = bench.relay()
    relay.transition()
    bench.pins.close()
    assert bench.pins.edges(Y_PIN) == ()
    assert bench.pins.edge_count(Y_PIN) == 0
    bench.relay()  # pins are free again


def test_virtual_time_does_not_go_back():
    clock = VirtualClock(5)
    clock.advance(0)
    with pytest.raises(ValueError, match="virtual time cannot go back from 5 ns to 4 ns"):
        clock.advance_to(4)


def test_an_edge_that_waits_for_one_made_late_is_not_too_fast() -> None:
    """The end of a flash that began late is late itself: nothing came too fast."""
    schedule = OutputSchedule()
    queue = EdgeQueue(schedule)
    made: list[int] = []
    queue.add(100, made.append, 50)
    queue.add(150, made.append, 10)
    queue.add(155, made.append, 10)  # this one is
    for now_ns in (103, 152, 153, 163):
        schedule.run_due(now_ns)
    assert made == [103, 153, 163]
    assert queue.held == 1
