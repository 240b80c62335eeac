"""The counters' driver on the bit-exact model behind a link of a few lines."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest

from drivers.counters import CounterError, PulseCounters
from drivers.gpio import FormCRelay, Position
from drivers.schedule import OutputSchedule
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory
from gateware.model.pulse_counters import PulseCountersModel
from gateware.registers import Capability, Counter, CounterState, GateWord

TICK_HZ = Fraction(10_000_000, 3)
FRAME = 150
"""Ticks that an access takes here: a frame of some 17 bytes at 3 MHz."""


@dataclass(frozen=True)
class Identity:
    capabilities: Capability = Capability.PULSE_COUNTERS
    tick_hz: Fraction = TICK_HZ


class Link:
    """The model as a host sees it. Each access takes time, in which the contacts change as planned."""

    def __init__(self, changes: dict[int, int] | None = None, capabilities: Capability = Capability.PULSE_COUNTERS):
        self.identity = Identity(capabilities)
        self.model = PulseCountersModel()
        self.now = 0
        self.overflow = False
        self._coming = sorted((changes or {}).items())

    def run(self, tick: int) -> None:
        while self._coming and self._coming[0][0] <= tick:
            self.model.change(*self._coming.pop(0))
        self.model.run(tick)
        self.now = tick

    def ticks(self) -> int:
        self.run(self.now + FRAME)
        return self.now - FRAME // 2

    def read(self, name: str, count: int = 1) -> list[int]:
        assert (name, count) == ("COUNTER_STATE", 1)
        self.run(self.now + FRAME)
        return [int(self.model.state | self.overflow * CounterState.OVERFLOW)]

    def write(self, name: str, value: int) -> None:
        self.run(self.now + FRAME)
        setattr(self.model, {"COUNTER_FILTER": "filter_ticks", "GATE_COUNTER": "gate_counter"}[name], int(value))

    def command(self, name: str, value: int) -> None:
        assert name == "COUNTER_CLEAR"
        self.run(self.now + FRAME)
        self.model.clear()
        self.overflow = False

    def read_block(self, name: str, index: int, count: int) -> list[int]:
        self.run(self.now + FRAME)
        first = {"COUNTERS": 0, "GATE": 56}[name] + index
        return [self.model.read(first + k) for k in range(count)]

    def write_block(self, name: str, index: int, value: int) -> None:
        assert name == "GATE"
        self.run(self.now + FRAME)
        self.model.write(56 + index, value, self.now)


def led(period: int, count: int, start: int = 10_000) -> dict[int, int]:
    """Flashes, the first at `start`."""
    return {start + n * period + part: 1 - part // (period // 2) for n in range(count) for part in (0, period // 2)}


def kyz2(period: int, count: int, start: int = 10_000) -> dict[int, int]:
    """Y2 alone, then a change of side every `period`."""
    y, z = 1 << 3, 1 << 4
    return {start + n * period: z if n % 2 else y for n in range(count + 1)}


def test_pulses_and_rate_in_an_open_gate():
    link = Link(led(3333, 50))
    counters = PulseCounters(link)
    counters.clear()
    counters.open()
    link.run(200_000)
    counters.close()
    found = {p.counter: p for p in counters.read()}
    flashes = found[Counter.LED]
    assert (flashes.pulses, flashes.first_tick, flashes.last_tick) == (50, 10_000, 10_000 + 49 * 3333)
    assert (flashes.shortest_ticks, flashes.longest_ticks, flashes.illegal) == (3333, 3333, 0)
    assert flashes.shortest_s == flashes.longest_s == 3333 / TICK_HZ
    assert flashes.rate_hz == TICK_HZ / 3333
    silent = found[Counter.SPARE1]
    assert (silent.pulses, silent.first_tick, silent.last_tick, silent.rate_hz) == (0, None, None, None)
    assert (silent.shortest_s, silent.longest_s) == (None, None)
    assert counters.gate().done


def test_stamps_have_forty_eight_bits():
    """Two flashes on either side of 3 · 2**32 ticks, an hour after the FPGA's reset."""
    start = 3 * 2**32 - 2000
    link = Link(led(4000, 2, start))
    link.run(start - 20_000)
    counters = PulseCounters(link)
    counters.clear()
    counters.open()
    link.run(start + 10_000)
    flashes = counters.read()[Counter.LED]
    assert (flashes.first_tick, flashes.last_tick) == (3 * 2**32 - 2000, 3 * 2**32 + 2000)
    assert flashes.rate_hz == TICK_HZ / 4000


def test_a_gate_for_pulses_closes_at_the_last_of_them():
    link = Link(kyz2(5000, 20))
    counters = PulseCounters(link)
    counters.gate_for_pulses(Counter.KYZ2, 7)
    assert not counters.gate().done
    link.run(29_000)
    assert counters.gate().pulses_left == 4
    link.run(200_000)
    gate = counters.gate()
    assert gate.done
    assert gate.close_tick == 10_000 + 7 * 5000
    assert [p.pulses for p in counters.read()] == [0, 0, 7, 0, 0, 0, 0]


def test_a_gate_for_ticks_counts_exactly_between_them():
    link = Link(led(1000, 100))
    counters = PulseCounters(link)
    counters.gate_for_ticks(20_000, 40_000)
    link.run(200_000)
    gate = counters.gate()
    assert (gate.open_tick, gate.close_tick, gate.done) == (20_000, 40_000, True)
    (flashes, *_) = counters.read()
    assert (flashes.pulses, flashes.first_tick, flashes.last_tick) == (20, 21_000, 40_000)


def test_a_new_gate_forgets_the_limit_of_the_one_before():
    link = Link(led(1000, 100))
    counters = PulseCounters(link)
    counters.gate_for_pulses(Counter.LED, 500)
    link.run(15_000)
    counters.gate_for_ticks(20_000, 90_000)
    assert counters.gate().pulses_left == 0


def test_a_start_that_has_passed_is_refused():
    counters = PulseCounters(link := Link())
    link.run(50_000)
    with pytest.raises(CounterError, match=r"tick 40000, but that had passed at tick 50\d{3}"):
        counters.gate_for_ticks(40_000, 90_000)
    assert counters.gate().done


@pytest.mark.parametrize("stop", [1000, 999])
def test_a_gate_must_close_after_it_opens(stop):
    with pytest.raises(ValueError, match=f"tick {stop} does not follow tick 1000"):
        PulseCounters(Link()).gate_for_ticks(1000, stop)


@pytest.mark.parametrize("pulses", [0, -1, 1 << 32])
def test_a_gate_takes_a_number_of_pulses(pulses):
    with pytest.raises(ValueError, match=f"pulses, not {pulses}"):
        PulseCounters(Link()).gate_for_pulses(Counter.LED, pulses)


def test_the_filter_hides_bounces_and_what_it_lets_through_is_told():
    bounces = {10_000: 1 << 1, 20_000: 0, 20_010: 1 << 1, 20_020: 0, 20_100: 1 << 2}
    illegal, pulses = [], []
    for ticks in (0, 50):
        counters = PulseCounters(link := Link(bounces))
        counters.set_filter(ticks)
        counters.clear()
        counters.open()
        link.run(50_000)
        found = counters.read()[Counter.KYZ1]
        illegal.append(found.illegal)
        pulses.append(found.pulses)
    assert (illegal, pulses) == ([1, 0], [1, 1])


def test_overflow_is_an_error_until_cleared():
    counters = PulseCounters(link := Link())
    link.overflow = True
    with pytest.raises(CounterError, match="faster than the counters could take"):
        counters.read()
    counters.clear()
    assert len(counters.read()) == len(Counter)


def test_counting_faster_than_reading_is_an_error():
    counters = PulseCounters(link := Link(led(20, 2000)))
    counters.clear()
    counters.open()
    link.run(11_000)
    with pytest.raises(CounterError, match="LED counts faster"):
        counters.read()


def test_reading_while_pulses_go_on_is_consistent():
    counters = PulseCounters(link := Link(led(700, 60)))
    counters.clear()
    counters.open()
    for tick in range(11_000, 50_000, 1711):
        link.run(max(tick, link.now))
        flashes = counters.read()[Counter.LED]
        assert flashes.last_tick == 10_000 + 700 * (flashes.pulses - 1)


def test_a_build_without_counters_is_told():
    with pytest.raises(CounterError, match="no pulse counters"):
        PulseCounters(Link(capabilities=Capability.PRODUCTS))


def test_words_of_the_gate_are_in_the_order_the_driver_reads():
    assert [w.name for w in GateWord] == ["OPEN_LO", "OPEN_HI", "CLOSE_LO", "CLOSE_HI", "PULSES"]


@pytest.mark.parametrize(("forgets", "illegal"), [(False, 0), (True, 2)])
def test_a_relays_stops_and_restarts_are_no_pulses(forgets: bool, illegal: int):
    """Three lives of a relay that rests open between them. The counter, just reset, does not know which contact was
    last: the very first closure tells it that, and is no pulse. A relay that forgets repeats a contact: illegal.
    """
    clock, schedule = VirtualClock(), OutputSchedule()
    pins = VirtualClockMockFactory(clock)
    last = Position.KZ
    made = 0
    for pulses in (3, 5, 4):
        relay = FormCRelay("KYZ 1", 22, 23, pins=pins, schedule=schedule, dwell_ns=8_000_000, last=last)
        for _ in range(pulses):
            relay.pulse(clock.now_ns + 20_000_000)
            clock.advance(20_000_000)
            schedule.run_due(clock.now_ns)
        clock.advance(20_000_000)
        made += relay.transitions
        last = relay.last.opposite if forgets else relay.last
        relay.close()
        clock.advance(50_000_000)
    levels: dict[int, int] = {}
    for pin, bit in ((22, 1), (23, 2)):
        for edge in pins.edges(pin):
            tick = int(edge.time_ns * TICK_HZ / 10**9)
            levels[tick] = levels.get(tick, 0) | edge.high << bit
    link = Link(levels)
    counters = PulseCounters(link)
    counters.open()
    link.run(max(levels) + 1_000_000)
    found = counters.read()[Counter.KYZ1]
    assert (found.counter, made) == (Counter.KYZ1, 12)
    assert (found.pulses, found.illegal) == (made - 1 - illegal, illegal)
    pins.close()
