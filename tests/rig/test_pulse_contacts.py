"""Pulses come out of contacts and lamp as they are registered, from the starting current to 120 % of MAX (P-1, P-2).

The whole hour: tests/proof/test_pulse_hour.py.
"""

from __future__ import annotations

from fractions import Fraction
from typing import get_args, get_type_hints

import pytest
from gpiozero import OutputDevice
from pulse_bench import PULSE_QUANTITIES, QUANTITIES, Load, PulseBench, Watch, loads

from drivers.sim.pins import VirtualClock, VirtualClockMockFactory
from rig.meter.billing.quantity import Quantity
from rig.meter.contacts.outputs import OutputId
from rig.program.build import default_program
from rig.program.schema import PulsesTable


def assert_perfect(bench: PulseBench) -> None:
    for id, watch in bench.watches.items():
        assert +watch.wrong == {}, id
        assert watch.transitions == bench.meter.outputs[id].count
        assert 0 <= bench.off_by(id, watch.transitions) < 1
        assert (bench.relays[id].edges.held, bench.relays[id].edges.waiting, len(watch.due)) == (0, 0, 0)
    assert bench.led.flashes == bench.meter.outputs[OutputId.TEST_LED].count
    assert 0 <= bench.off_by(OutputId.TEST_LED, bench.led.flashes) < 1
    assert (bench.led.edges.held, bench.led.edges.waiting, bench.schedule.late) == (0, 0, 0)


def test_the_watch_sees_what_is_wrong() -> None:
    """A transition, then one each: too soon, to the same contact again, with both closed, at another instant."""
    clock = VirtualClock()
    pins = VirtualClockMockFactory(clock)
    y, z = (OutputDevice(pin, pin_factory=pins) for pin in (3, 4))
    watch = Watch(pins, 3, 4)
    steps = [(100, y.on), (104, y.off), (104, z.on), (200, z.off), (300, z.on), (400, y.on), (500, z.off)]
    watch.due.extend(ms * 10**6 for ms in (100, 104, 200, 300, 400, 501))
    for ms, step in steps:
        clock.advance_to(ms * 10**6)
        step()
    watch.look()
    assert watch.transitions == 6
    assert +watch.wrong == {"dwell": 1, "not exactly one closed": 2, "not the other one": 1, "not at its instant": 1}


@pytest.mark.parametrize("quantities", QUANTITIES)
@pytest.mark.parametrize(("form", "current_class"), [("45S", 20), ("9S", 200)])
def test_every_quantity_from_starting_current_to_overload(
    form: str, current_class: int, quantities: tuple[Quantity, ...]
) -> None:
    bench = PulseBench(default_program(form, current_class), quantities)
    bench.run(loads(bench.program, Fraction(2)))
    assert_perfect(bench)
    assert [output.quantity for output in bench.meter.outputs.values()][1:] == list(quantities)
    assert all(bench.register(quantity) > 0 for quantity in quantities)


def test_a_program_can_name_these_quantities_and_no_others() -> None:
    quantity = get_type_hints(PulsesTable)["quantity"]
    assert get_args(quantity) == tuple(quantity.value for quantity in PULSE_QUANTITIES)


def test_at_the_highest_rate_of_the_nameplates() -> None:
    """Form 45S of class 20: 480 V · 20 A · 2 over 0.1 Wh, 53 a second; and 64 at 120 %."""
    for share, a_second in ((1.0, Fraction(19_200, 360)), (1.2, Fraction(64))):
        bench = PulseBench(default_program("45S", 20))
        bench.run([Load(480.0, share * 20, 0, Fraction(20))])
        assert_perfect(bench)
        assert bench.watches[OutputId.KYZ1].transitions == pytest.approx(20 * a_second, abs=1)
        assert bench.meter.outputs[OutputId.KYZ1].quantity is Quantity.KWH_DELIVERED


def test_at_the_starting_current() -> None:
    """5 mA on two elements of 480 V: 4.8 W, a pulse of 0.1 Wh every 75 s, a flash of 1.2 Wh every 15 min."""
    bench = PulseBench(default_program("45S", 20))
    bench.run([Load(480.0, 0.005, 0, Fraction(1000))])
    assert_perfect(bench)
    assert (bench.watches[OutputId.KYZ1].transitions, bench.led.flashes) == (13, 1)
