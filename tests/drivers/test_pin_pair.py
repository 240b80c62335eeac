"""Two lines in one write: gpiozero's factory and reservation, and lgpio's own functions, as far as they go without a
gpiochip. What lines do electrically is for hardware: docs/what-only-hardware-can-prove.md.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gpiozero import InputDevice

from drivers.gpio import FormCRelay, Position
from drivers.pin_pair import LineGroup, TwoPins, open_pair
from drivers.pins import GpioError
from drivers.schedule import OutputSchedule
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory
from tests.drivers.no_chip import NoChip, lgpio, record

NAMES = "KYZ 1, contact K-Y,", "KYZ 1, contact K-Z,"


@pytest.fixture
def pins() -> Iterator[NoChip]:
    factory = NoChip()
    yield factory
    factory.forget()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    return record(monkeypatch)


def test_both_lines_are_claimed_low_and_written_in_one_call_each(pins: NoChip, calls: list[tuple]) -> None:
    schedule = OutputSchedule()
    relay = FormCRelay("KYZ 1", 22, 23, pins=pins, schedule=schedule, dwell_ns=10)
    assert calls == [("gpio_free", 22), ("gpio_free", 23), ("group_claim_output", [22, 23], [0, 0])]
    calls.clear()
    relay.pulse(100)
    relay.pulse(200)
    schedule.run_due(100)
    schedule.run_due(200)
    assert calls == [("group_write", 22, bits, 0b11) for bits in (0b01, 0b10)]
    calls.clear()
    relay.close()
    relay.close()
    pull_none = lgpio.SET_PULL_NONE
    assert calls == [
        ("group_write", 22, 0b00, 0b11),
        ("group_free", 22),
        ("gpio_claim_input", 22, pull_none),
        ("gpio_claim_input", 23, pull_none),
    ]


def test_the_pins_of_a_group_are_reserved_as_any_others_until_it_is_closed(pins: NoChip, calls: list[tuple]) -> None:
    pair = open_pair(NAMES, (22, 23), pins)
    assert isinstance(pair, LineGroup)
    for taken in (22, "GPIO23"):
        with pytest.raises(GpioError, match=rf"contact K-Y, cannot have pin {taken}, another function has it"):
            open_pair(NAMES, (taken, 24), pins)
    with pytest.raises(GpioError, match=r"contact K-Z, cannot have pin 22, another function has it"):
        open_pair(NAMES, (24, 22), pins)
    open_pair(NAMES, (24, 25), pins).close()  # the refused ones kept nothing
    pair.close()
    assert pair.closed
    InputDevice(22, pull_up=None, active_state=True, pin_factory=pins).close()


def test_the_group_cannot_have_what_another_device_has(pins: NoChip, calls: list[tuple]) -> None:
    other = InputDevice(23, pull_up=None, active_state=True, pin_factory=pins)
    with pytest.raises(GpioError, match=r"contact K-Z, cannot have pin 23, another function has it"):
        open_pair(NAMES, (22, 23), pins)
    other.close()
    open_pair(NAMES, (22, 23), pins).close()


@pytest.mark.parametrize(("pin", "reason"), [(99, "it names no GPIO"), ("BOARD1", "it names no GPIO")])
def test_a_pin_that_is_no_gpio_is_refused(pins: NoChip, pin: int | str, reason: str) -> None:
    with pytest.raises(GpioError, match=rf"K-Y, cannot use pin {pin} \({reason}\): give the number of a free GPIO"):
        open_pair(NAMES, (pin, 23), pins)


def test_what_lgpio_itself_refuses_is_said_and_nothing_stays_reserved(pins: NoChip) -> None:
    """The real library, asked for lines of a handle that it never gave."""
    with pytest.raises(GpioError, match=r"KYZ 1, contact K-Z, cannot use pin 22 and 23 \('unknown handle'\): give"):
        open_pair(NAMES, (22, 23), pins)
    assert not any(ref() for refs in pins._reservations.values() for ref in refs)


def test_a_factory_closed_first_leaves_nothing_to_do(pins: NoChip, calls: list[tuple]) -> None:
    pair = open_pair(NAMES, (22, 23), pins)
    pins.close()
    calls.clear()
    pair.close()
    assert calls == []


def test_simulated_pins_change_in_one_instant() -> None:
    clock = VirtualClock(5)
    pins = VirtualClockMockFactory(clock)
    pair = open_pair(NAMES, (22, 23), pins)
    assert isinstance(pair, TwoPins)
    pair.write(True, False)
    clock.advance(7)
    pair.write(False, True)
    assert [e.time_ns for e in pins.edges(22)] == [5, 12]
    assert [e.time_ns for e in pins.edges(23)] == [12]
    relay = FormCRelay("KYZ 2", 24, 25, pins=pins, schedule=OutputSchedule(), dwell_ns=1, last=Position.KY)
    assert pins.levels((24, 25)) == 0
    relay.close()
    pins.close()
