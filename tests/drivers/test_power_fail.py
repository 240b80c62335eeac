"""The power-fail input: low means that power fails; a broken wire, that it is well."""

from __future__ import annotations

import pytest

from drivers.pins import GpioError
from drivers.power_fail import PowerFailInput
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory


def test_low_is_failing_and_a_broken_wire_is_well() -> None:
    pins = VirtualClockMockFactory(VirtualClock())
    wire = PowerFailInput(18, pins=pins)
    assert not wire.failing
    for _ in range(2):
        pins.pin(18).drive_low()
        assert wire.failing
        pins.pin(18).drive_high()
        assert not wire.failing
    with pytest.raises(GpioError, match="the power-fail input cannot have pin 18, another function has it"):
        PowerFailInput(18, pins=pins)
    wire.close()
    wire.close()
    PowerFailInput(18, pins=pins).close()
