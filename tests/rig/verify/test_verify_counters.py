"""Counters beside the FPGA's: edges at pins with the kernel's stamps and numbers, and a bus, in order and out of it."""

from __future__ import annotations

from fractions import Fraction

import pytest

from drivers.pins import GpioError
from drivers.pulse_inputs import InputEdge
from rig.hardware.edge_sources import kernel_edges
from rig.verify.closures import Closure, Contact, Fault, judge
from rig.verify.counters import BusCounter, GpioCounter, counter_named
from rig.verify.errors import CountLost, VerifyError
from rig.verify.observed import Counted
from tests.drivers.scpi_instrument import ScpiInstrument

MS = 1_000_000


class Line:
    """A line of the kernel's, whose edges are those that are put there."""

    initial = False

    def __init__(self) -> None:
        self.edges: list[InputEdge] = []
        self.number = 0
        self.closed = False

    def put(self, at_ns: int, closed: bool, lost: int = 0) -> None:
        self.number += 1 + lost
        self.edges.append(InputEdge(at_ns, closed, self.number))

    def drain(self) -> list[InputEdge]:
        edges, self.edges = self.edges, []
        return edges

    def read(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


class Pins:
    """K–Y and K–Z on two lines, and a clock."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.y, self.z = Line(), Line()
        self.counter = GpioCounter("gpio:14,15", [self.y, self.z], lambda: self.now_ns)

    def poll(self, at_ms: int) -> list[Counted]:
        self.now_ns = at_ms * MS
        return self.counter.poll()


def test_closings_of_both_contacts_count_in_order_of_their_stamps() -> None:
    pins = Pins()
    assert pins.poll(1) == [Counted(0, 0, 0)]
    pins.z.put(30 * MS, False)
    pins.z.put(50 * MS, True)
    pins.y.put(30 * MS, True)
    pins.y.put(50 * MS, False)
    assert pins.poll(60) == []
    pins.y.put(70 * MS, True)
    assert pins.poll(80) == [Counted(1, 30 * MS, 30 * MS, Contact.KY), Counted(2, 50 * MS, 50 * MS, Contact.KZ)]
    assert pins.poll(90) == [Counted(3, 70 * MS, 70 * MS, Contact.KY)]
    pins.counter.close()
    assert pins.y.closed
    assert pins.z.closed


def test_an_edge_that_comes_late_from_the_other_line_is_put_in_its_place() -> None:
    pins = Pins()
    pins.poll(1)
    pins.z.put(9 * MS, True)
    assert pins.poll(10) == []
    pins.y.put(5 * MS, True)
    assert [each.contact for each in pins.poll(20)] == [Contact.KY, Contact.KZ]


def test_edges_that_the_kernel_could_not_keep_end_the_count() -> None:
    pins = Pins()
    pins.y.put(5 * MS, True)
    pins.y.put(9 * MS, True, lost=3)
    with pytest.raises(CountLost, match="3 edges at gpio:14,15 came faster than the kernel could keep them"):
        pins.poll(10)


def test_contacts_whose_turn_it_was_not_are_found_by_their_stamps() -> None:
    """A pulse each 100 ms, 0.15 Wh; number 5 closes K–Y again although it is K–Z's turn."""
    pins = Pins()
    pins.poll(1)
    for k in range(1, 11):
        (pins.y if k % 2 or k == 6 else pins.z).put(100 * k * MS, True)
    pins.poll(1100)
    wh = Fraction(150_000_000)
    seen = [
        Closure(each.pulses, Fraction(each.latest, 10**9), wh * each.latest / (100 * MS), each.contact)
        for each in pins.poll(1200)
    ]
    (fault,) = judge(seen, wh)
    assert (fault.fault, fault.after, fault.to_s) == (Fault.SWAPPED, 5, Fraction(6, 10))


def test_a_pulse_on_a_bus_came_between_two_readings() -> None:
    counts = iter([7, 7, 8, 8, 11])
    with ScpiInstrument(count=lambda: next(counts)) as instrument:
        counter = BusCounter(instrument.resource)
        assert counter.name == f"visa:{instrument.resource}"
        (first,) = counter.poll()
        assert first.pulses == 7
        assert counter.poll() == []
        (one,) = counter.poll()
        assert (one.pulses, one.contact) == (8, None)
        assert first.latest <= one.earliest < one.latest
        assert counter.poll() == []
        (three,) = counter.poll()
        assert three.pulses == 11
        assert one.latest <= three.earliest < three.latest
        counter.close()


@pytest.mark.slow
def test_an_instrument_that_is_unplugged_ends_the_count_in_a_sentence() -> None:
    instrument = ScpiInstrument(count=lambda: 7)
    counter = BusCounter(instrument.resource)
    counter.poll()
    instrument.close()
    with pytest.raises(CountLost, match="the count broke off, and nothing is known of the rest: TCPIP"):
        counter.poll()
    counter.close()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gpio:", "it must be"),
        ("gpio:1,2,3", "it must be"),
        ("gpio:14,14", "a pin each"),
        ("gpio:14,28", "a GPIO is 0 to 27"),
        ("visa:", "it must be"),
        ("frequency:", "it must be"),
        ("fpga ", "it must be"),
        ("", "it must be"),
    ],
)
def test_names_that_are_none_are_refused(name: str, why: str) -> None:
    with pytest.raises(VerifyError, match=why):
        counter_named(name, sources=lambda pins: [Line() for _ in pins])


def test_pins_that_are_not_there_are_refused() -> None:
    with pytest.raises(GpioError, match="the counter at pin 14 cannot be had"):
        counter_named("gpio:14,15", sources=lambda pins: kernel_edges("/dev/gpiochip77", pins))
    assert counter_named("fpga") is None
