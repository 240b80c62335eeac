"""P-5 and T-2: pulse inputs are counted exactly, and one can force a rate."""

from __future__ import annotations

import pytest

PROGRAM = """
[[tou.seasons]]
name = "all year"
begins = "01-01"
weekday = ["00:00 A"]

[display]
normal = ["input 1"]

[[inputs]]
name = "IN1"
function = "record"

[[inputs]]
name = "IN2"
function = "force rate"
rate = "D"
"""

pytestmark = pytest.mark.program(PROGRAM)


def test_pulses_are_counted(rig, pulse_input, meter, display) -> None:
    rig.run(3)
    pulse_input(1).pulse(25, closed_s=0.05)
    rig.run(0.3)
    assert meter.inputs == (25, 0)
    display.expect(text="25", unit="pulses")


def test_a_closed_input_forces_its_rate(rig, source, pulse_input, meter, display) -> None:
    source.apply(amps=20)
    rig.run(3.5)
    assert meter.rate == "A"
    display.expect("A", dark="D")
    pulse_input(2).close()
    display.expect("D", dark="A", within=0.5)
    in_a = meter.registers["kWh delivered A"]
    rig.run(2)
    assert meter.registers["kWh delivered A"] == in_a
    assert meter.registers["kWh delivered D"] == pytest.approx(7.2 * 2.05 / 3600, rel=0.1)
    pulse_input(2).open()
    display.expect("A", dark="D", within=0.5)


def test_a_cut_of_power_while_it_is_closed(rig, pulse_input, meter) -> None:
    pulse_input(2).close()
    rig.run(1)
    assert meter.rate == "D"
    rig.power_off(1)
    rig.run(0.5)
    assert meter.rate == "D"
    pulse_input(2).open()
    rig.run(0.5)
    assert meter.rate == "A"
