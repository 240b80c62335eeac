"""D-1: the annunciators of the display, each with what lights it."""

from __future__ import annotations

import pytest

ONE_ITEM = """
[display]
normal = ["kWh delivered"]
"""

TWO_RATES = f"""{ONE_ITEM}
[[tou.seasons]]
name = "all year"
begins = "01-01"
weekday = ["00:00 A", "15:00 B"]
"""


pytestmark = pytest.mark.program(ONE_ITEM)


def test_phases_direction_and_power_factor(source, display) -> None:
    source.apply(amps=5, pf=0.8)
    display.expect("VA", "VB", "VC", "→", "LAG", within=4)
    source.apply(amps=5, pf=0.8, lead=True)
    display.expect("→", "LEAD", within=2.5, dark="LAG")
    source.apply(amps=5, reverse=True)
    display.expect("←", within=2.5, dark="→")


def test_a_phase_without_voltage(source, display) -> None:
    source.apply(volts=(120, 120, 0))
    display.expect("VA", "VB", dark="VC", within=4)


def test_without_current_there_is_no_direction(rig, display) -> None:
    rig.run(4)
    display.expect("VA", dark="→")
    display.expect("VA", dark="←")
    display.expect("VA", dark="LAG")


@pytest.mark.program(TWO_RATES, at="2026-07-01 14:59:54")
def test_the_rate_in_force(display) -> None:
    display.expect("A", within=4)
    came = display.expect("B", within=6.5, dark="A")
    assert came >= 5.5


def test_all_segments_when_power_comes_back(rig, display) -> None:
    display.expect(text="all segments", within=0.1)
    rig.run(3.1)
    display.expect(text="00000", unit="kWh")
    rig.power_off(2)
    display.expect(text="all segments", within=0.1)
    assert display.expect(text="00000", within=3.1) > 2.9
