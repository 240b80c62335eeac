"""P-4: the end-of-interval contact closes at every end of interval, on entering and leaving test mode, on a reset."""

from __future__ import annotations

import pytest

PROGRAM = """
[demand]
interval_minutes = 1
allow_short_interval = true

[display]
normal = ["kWh delivered"]
test = ["kWh delivered"]

[[outputs]]
name = "KYZ1"
function = "eoi"
closed_seconds = 2
"""

pytestmark = pytest.mark.program(PROGRAM)


@pytest.mark.program(PROGRAM, at="2026-07-01 14:59:54")
def test_end_of_the_interval(rig, meter, relay, display) -> None:
    rig.run(meter.interval_left - 1.5)
    relay("KYZ1").keeps("K-Z", seconds=1)
    display.expect(mode="normal", dark="EOI")
    rig.run(0.8)
    relay("KYZ1").expect("K-Y")
    display.expect("EOI")
    rig.run(2)
    relay("KYZ1").expect("K-Z")
    display.expect("EOI")  # 5 s, whatever the contact does
    rig.run(3)
    display.expect(text="00000", dark="EOI")


def test_entering_and_leaving_test_mode(rig, cover, test_switch, relay) -> None:
    relay("KYZ1").expect("K-Z", within=1)
    cover.off()
    test_switch.open()
    assert relay("KYZ1").expect("K-Y", within=0.3) > 0
    rig.run(2.5)
    relay("KYZ1").expect("K-Z")
    test_switch.close()
    assert relay("KYZ1").expect("K-Y", within=0.3) > 0
    rig.run(1.5)
    relay("KYZ1").expect("K-Y")
    rig.run(0.6)
    relay("KYZ1").expect("K-Z")


def test_demand_reset(rig, reset, relay) -> None:
    rig.run(1)
    reset.hold(0.5)
    relay("KYZ1").expect("K-Y", within=0.1)
    rig.run(2)
    relay("KYZ1").expect("K-Z")
    reset.press()  # within the lockout: refused, so nothing ends
    relay("KYZ1").keeps("K-Z", seconds=1)


def test_demand_reset_in_test_mode(rig, cover, test_switch, reset, relay) -> None:
    cover.off()
    test_switch.open()
    rig.run(3)
    relay("KYZ1").expect("K-Z")
    reset.press()
    relay("KYZ1").expect("K-Y", within=0.3)
