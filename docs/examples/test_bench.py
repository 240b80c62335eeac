"""Tests of a meter in the bench's words: docs/choreography.md explains them.

pytest docs/examples/test_bench.py              on the simulated rig
pytest docs/examples/test_bench.py --rig pi     on hardware, with a person's hands
"""

import pytest

PROGRAM = """
[display]
scroll_seconds = 6
normal = ["kWh delivered"]
alternate = ["serial", "firmware"]
test = ["kWh delivered", "pulse kWh"]
"""


@pytest.mark.program(PROGRAM)
def test_alternate_by_the_magnet(rig, magnet, display):
    rig.run(3.5)
    display.expect(text="00000", unit="kWh", mode="normal")
    magnet.hold(3.1)
    display.expect("ALT", item="serial", within=0.1)
    display.expect("ALT", item="firmware", within=6.1)
    display.expect(dark="ALT", mode="normal", within=12.1)


@pytest.mark.program(PROGRAM)
def test_energy_in_test_mode_is_not_billed(rig, source, cover, test_switch, display, meter):
    source.apply(volts=120, amps=20, pf=0.8)
    rig.run(3.5)
    cover.off()
    test_switch.open()
    display.expect("TEST", mode="test", within=0.2)
    rig.run(0.5)
    billed = meter.registers["kWh delivered"]
    rig.run(3)
    assert meter.registers["kWh delivered"] == billed
    assert meter.test_registers["kWh delivered"] > 0.004
    test_switch.close()
    display.expect(dark="TEST", mode="normal", within=0.2)


def test_pulses_are_the_energy(rig, source, counter):
    source.apply(volts=120, amps=20, pf=0.8)
    rig.run(1)
    counter("KYZ1").zero()
    rig.run(4)
    counter("KYZ1").expect(of="kWh delivered")
    assert counter("KYZ1").rate() == pytest.approx(source.watts() / 0.15 / 3600, rel=0.01)


def test_a_demand_reset_and_the_lockout(rig, reset, display, meter):
    rig.run(3.5)
    reset.press()
    display.expect(text="all segments", within=0.2)
    assert meter.resets == 1
    rig.run(5)
    reset.press()
    display.expect(text="WAIT *", unit="s", within=0.2)
    assert meter.resets == 1
