"""A pulse output whose last closed contact nobody remembers goes on by its pulses: odd, K–Y was last (P-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.gpio import Position
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory
from rig.hardware.config import HardwareConfig
from rig.meter.contacts.outputs import OutputId
from rig.meter.meter import Pulse
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


@pytest.fixture
def outputs(tmp_path: Path) -> Iterator[Callable[..., Outputs]]:
    """Outputs of a process that begins, or with `dead` goes on after one that has died; those before let go of all."""
    made: list[Outputs] = []

    def begun(dead: bool = False) -> Outputs:
        for each in made:
            each.close()
        pins = VirtualClockMockFactory(VirtualClock())
        going_on_ns = 0 if dead else None
        made.append(Outputs(default_program().outputs, HardwareConfig(), pins, tmp_path, going_on_ns))
        return made[-1]

    yield begun
    made[-1].close()


KYZ1, LED = OutputId.KYZ1, OutputId.TEST_LED


def test_one_that_died_before_the_first_closure_owes_all_of_it_from_the_first_contact_on(outputs) -> None:
    outputs().resume({KYZ1: 0, LED: 0})
    after = outputs(dead=True)
    assert after.resume({KYZ1: 5, LED: 3}, {KYZ1: 5, LED: 3}) is None
    assert after.show_owed({KYZ1: 5, LED: 3}, {}, 0) == {KYZ1: 5, LED: 3}
    relay = after.relays[KYZ1]
    assert (relay.position, relay.last) == (Position.OPEN, Position.KZ)


def test_one_that_begins_again_after_the_store_had_pulses_goes_on_by_what_it_has_shown(outputs) -> None:
    """Of seven pulses four were on their way as it died: the third had closed K–Y, whether or not anybody knows."""
    outputs().resume({KYZ1: 3})
    after = outputs(dead=True)
    after.resume({KYZ1: 7}, {KYZ1: 4})
    assert after.show_owed({KYZ1: 4}, {}, 0) == {KYZ1: 4}
    assert after.relays[KYZ1].last is Position.KY


def test_what_is_not_remembered_any_more_counts_as_shown(outputs, tmp_path: Path) -> None:
    before = outputs()
    before.resume({KYZ1: 0, LED: 0})
    before.pulse(Pulse(1, KYZ1), 0)
    before.schedule.run_due(10**9)
    before.close()
    (tmp_path / "contacts").unlink()
    after = outputs(dead=True)
    said = after.resume({KYZ1: 1001, LED: 1001}, {KYZ1: 1001, LED: 1001})
    assert said == "contacts does not say any more what KYZ1, LED did last: pulses that were on their way are not shown"
    assert after.show_owed({KYZ1: 1001, LED: 1001}, {}, 0) == {KYZ1: 0, LED: 0}
    assert after.relays[KYZ1].last is Position.KY
    after.ask([Pulse(2, KYZ1)])
    assert after.asked[KYZ1] == 1002
