"""D-5: test mode: billing untouched, demand of its own, outputs as they are; how it begins and ends."""

from __future__ import annotations

import pytest

ONE_MINUTE = """
[test_mode]
minutes = 1
interval_minutes = 1

[display]
test = ["test left", "kWh delivered", "kW delivered present"]

[[outputs]]
name = "KYZ1"
function = "pulses"
"""

LOADS = """
[[tou.seasons]]
name = "all year"
begins = "01-01"
weekday = ["00:00 A"]

[[outputs]]
name = "KYZ2"
function = "load control"
rates = ["A"]
"""


@pytest.fixture
def testing(rig, cover, test_switch, display) -> None:
    """In test mode."""
    cover.off()
    test_switch.open()
    display.expect("TEST", mode="test", within=3.1)


def test_cover_off_and_test_switch_open(rig, cover, test_switch, display, meter) -> None:
    rig.run(3)
    cover.off()
    test_switch.open()
    display.expect("TEST", mode="test", within=0.1)
    assert meter.test_mode
    test_switch.close()
    display.expect(mode="normal", within=0.1)
    assert not meter.test_mode


def test_nothing_billed_changes(rig, source, testing, test_switch, meter) -> None:
    test_switch.close()
    source.apply(amps=20)
    rig.run(2)
    test_switch.open()
    rig.run(0.2)
    before = dict(meter.registers)
    rig.run(3)
    after = dict(meter.registers)
    changed = {name for name in before if before[name] != after[name]}
    assert not changed
    assert 3 * 7200 / 3600 * 0.9 < meter.test_registers["kWh delivered"] * 1000 < 3.4 * 7200 / 3600
    test_switch.close()
    rig.run(1)
    assert meter.registers["kWh delivered"] > before["kWh delivered"]


@pytest.mark.slow
@pytest.mark.program(ONE_MINUTE)
def test_leaves_by_itself(rig, source, testing, meter, display, counter) -> None:
    """Its demand has run for a minute then; the switch, still open, does nothing more until it was closed."""
    source.apply(amps=20)
    counter("KYZ1").zero()
    rig.run(50)
    assert meter.test_registers["kW delivered present"] == pytest.approx(7.2 * 50 / 60, rel=0.02)
    counter("KYZ1").expect(of="kWh delivered")
    assert counter("KYZ1").pulses > 600
    display.expect(mode="normal", within=62)
    display.keeps(mode="normal", seconds=1)
    assert not meter.test_mode
    assert meter.registers["kW delivered max"] < 1e-6


@pytest.mark.program(ONE_MINUTE)
def test_items_stand_until_scroll(rig, testing, scroll, display) -> None:
    display.keeps(item="test left", seconds=7)
    scroll.press()
    display.expect(item="kWh delivered", within=0.1)


@pytest.mark.program(LOADS)
def test_load_control_does_not_operate(rig, cover, test_switch, relay) -> None:
    relay("KYZ2").expect("K-Y", within=1)
    cover.off()
    test_switch.open()
    relay("KYZ2").expect("K-Z", within=0.4)
    relay("KYZ2").keeps("K-Z", seconds=1)
    test_switch.close()
    relay("KYZ2").expect("K-Y", within=0.4)


def test_a_new_interval_begins_on_return(rig, source, cover, test_switch, meter) -> None:
    source.apply(amps=20)
    rig.run(2)
    assert meter.registers["kW delivered present"] > 0
    cover.off()
    test_switch.open()
    rig.run(1)
    assert meter.registers["kW delivered present"] == 0
    assert meter.registers["kW delivered previous"] > 0
    test_switch.close()
    rig.run(1)
    assert 0 < meter.registers["kW delivered present"] < meter.registers["kW delivered previous"]


def test_putting_the_cover_on_ends_it(testing, cover, display, meter) -> None:
    cover.on()
    display.expect(mode="normal", within=0.1)
    assert not meter.test_mode


@pytest.mark.slow
def test_the_magnet_does_nothing_in_it(rig, testing, magnet, test_switch, display) -> None:
    magnet.place()
    display.keeps("TEST", mode="test", dark="ALT", seconds=6.5)
    test_switch.close()
    display.expect(mode="normal", within=0.1)
    display.keeps(mode="normal", seconds=3.5)


@pytest.mark.slow
def test_does_not_outlive_a_cut_of_power(rig, testing, test_switch, display, meter) -> None:
    rig.power_off(3)
    display.keeps(mode="normal", seconds=3.5)
    assert not meter.test_mode
    test_switch.close()
    test_switch.open()
    display.expect("TEST", mode="test", within=0.1)
