"""The metering process from within: what becomes of the contacts when it goes wrong."""

from __future__ import annotations

import pytest

from drivers.gpio import Position
from rig.daemon import metering
from rig.daemon.channel import MessageChannel, pair
from rig.daemon.interrupts import Interrupts
from rig.daemon.messages import Order, Start
from rig.daemon.metering import meter
from rig.hardware.config import Config
from rig.meter.meter import WindowResult
from rig.service.run_accumulator import RunAccumulator
from rig.service.service import Service


def test_what_should_not_happen_leaves_no_contact_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the program's own in the middle of a run: the kernel may leave a closed contact as it is."""
    met: list[Service] = []

    class Failing(RunAccumulator):
        def __init__(self, service: Service) -> None:
            super().__init__(service)
            met.append(service)

        def add(self, result: WindowResult) -> None:
            relay = self._service.outputs.relays["kyz1"]
            if relay.transitions > 2:
                assert relay.position is not Position.OPEN
                raise ZeroDivisionError

    monkeypatch.setattr(metering, "Tally", Failing)
    here, there = pair()
    channel: MessageChannel[Order] = MessageChannel(there, Order)
    try:
        with pytest.raises(ZeroDivisionError):
            meter(Start(Config(), 60, paced=True), channel, Interrupts())
    finally:
        here.close()
        channel.close()
    assert met[0].outputs.relays["kyz1"].position is Position.OPEN
