"""P-6: the rig's own counters, to which lamp and outputs are looped back."""

from __future__ import annotations

import pytest

from rig.meter.contacts.outputs import OutputId


def test_contacts_in_order_and_none_lost(rig, source, counter) -> None:
    source.apply(amps=40)
    rig.run(1)
    relay = rig.service.outputs.relays[OutputId.KYZ1]
    counter("KYZ1").zero()
    before = relay.transitions
    rig.run(4)
    counter("KYZ1").expect(of="kWh delivered")
    assert counter("KYZ1").illegal == 0
    assert counter("KYZ1").pulses == relay.transitions - before > 100


def test_rate_of_a_steady_load(rig, source, counter) -> None:
    """14.4 kW at 0.15 Wh."""
    source.apply(amps=40)
    rig.run(1)
    counter("KYZ1").zero()
    rig.run(4)
    assert counter("KYZ1").rate() == pytest.approx(14400 / 0.15 / 3600, rel=1e-3)


def test_what_is_switched_off_stops(rig, source, counter) -> None:
    source.apply(amps=20)
    rig.run(2)
    source.off()
    rig.run(0.3)
    counted = counter("KYZ1").pulses
    rig.run(1)
    counter("KYZ1").expect(counted)
