"""The metering process from within: what becomes of the contacts when it goes wrong."""

from __future__ import annotations

import pytest

from drivers.gpio import Position
from rig.daemon import metering
from rig.daemon.address import runtime_folder
from rig.daemon.interrupts import Interrupts
from rig.daemon.metering import Daemon
from rig.daemon.startup import Start
from rig.daemon.systemd import Notifier
from rig.hardware.config import Config
from rig.meter.contacts.outputs import OutputId
from rig.meter.meter import WindowResult
from rig.service.run_accumulator import RunAccumulator


def test_what_should_not_happen_leaves_no_contact_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the program's own in the middle of a run: the kernel may leave a closed contact as it is."""

    class Failing(RunAccumulator):
        def add(self, result: WindowResult) -> None:
            relay = self._service.outputs.relays[OutputId.KYZ1]
            if relay.transitions > 2:
                assert relay.position is not Position.OPEN
                raise ZeroDivisionError

    monkeypatch.setattr(metering, "RunAccumulator", Failing)
    socket = runtime_folder() / "meter.sock"
    daemon = Daemon(Start(Config(), str(socket), 60, paced=False), Interrupts(), Notifier({}))
    ended = daemon.run()
    assert (ended.summary, ended.status) == (None, 1)
    assert ended.failure is not None
    assert ended.failure.startswith("this should not happen (ZeroDivisionError")
    assert daemon.service.outputs.relays[OutputId.KYZ1].position is Position.OPEN
    assert not socket.exists()
