"""A pulse output whose last closed contact nobody remembers goes on by its pulses: odd, K–Y was last (P-2)."""

from __future__ import annotations

import pytest

from drivers.gpio import Position
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory
from rig.hardware.config import HardwareConfig
from rig.meter.contacts.outputs import OutputId
from rig.program.build import default_program
from rig.service.outputs import Outputs


@pytest.mark.parametrize(("pulses", "last"), [(0, Position.KZ), (1, Position.KY), (6, Position.KZ), (7, Position.KY)])
def test_the_contact_closed_last(pulses: int, last: Position) -> None:
    outputs = Outputs(default_program().outputs, HardwareConfig(), VirtualClockMockFactory(VirtualClock()))
    try:
        outputs.resume({OutputId.KYZ1: pulses})
        assert outputs.relays[OutputId.KYZ1].last is last
    finally:
        outputs.close()
