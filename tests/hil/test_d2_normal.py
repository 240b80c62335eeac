"""D-2: the normal sequence: any registers in any order, up to 64; by itself every 6 s or more; SCROLL steps."""

from __future__ import annotations

from itertools import pairwise

import pytest

THREE = """
[display]
scroll_seconds = 7
normal = ["reset count", "kWh received", "kWh delivered"]
"""

MANY = f"""
[display]
normal = [{", ".join(f'{{ item = "kWh Q{k % 4 + 1}", id = "{k:02}" }}' for k in range(64))}]
"""


@pytest.mark.program(THREE)
def test_goes_by_itself_in_the_order_programmed(rig, display) -> None:
    rig.run(3 + 3.5 * 7)
    shown = [(name, came) for name, came in display.items() if name != "all segments"]
    assert [name for name, _ in shown] == ["reset count", "kWh received", "kWh delivered", "reset count"]
    assert all(6.9 < b - a < 7.1 for (_, a), (_, b) in pairwise(shown))


@pytest.mark.slow
@pytest.mark.program(MANY)
def test_scroll_steps_through_64_registers(rig, cover, scroll, display) -> None:
    rig.run(3.1)
    cover.off()
    for k in range(65):
        display.expect(item=f"kWh Q{k % 4 + 1}", text="00000", within=0.1)
        assert rig.frames.last.state.lcd.ident == f"{k % 64:02}"
        scroll.press()


def test_the_usual_sequence(rig, cover, scroll, display) -> None:
    rig.run(3)
    cover.off()
    for item in ("kWh delivered", "kW delivered max", "reset count", "service", "all segments"):
        scroll.press()
        display.expect(item=item, within=0.1)


def test_d4_service_and_voltage_in_the_usual_sequence(rig, cover, scroll, display) -> None:
    """D-4, "detect the service type and voltage. The information is displayed on the LCD"."""
    rig.run(3)
    cover.off()
    for _ in range(4):
        scroll.press()
    display.expect(item="service", text="4WY 120", mode="normal", within=0.1)


@pytest.mark.slow
@pytest.mark.program('[display]\nnormal = ["kWh received", "kWh delivered"]')
def test_d3_without_autoscroll_it_stands_until_scroll(rig, cover, scroll, display) -> None:
    rig.run(3)
    display.keeps(item="kWh received", seconds=7)
    cover.off()
    scroll.press()
    display.expect(item="kWh delivered", within=0.1)


@pytest.mark.slow
def test_a_press_begins_the_items_time_anew(rig, cover, scroll, display) -> None:
    rig.run(7)
    cover.off()
    scroll.press()
    display.expect(item="kWh delivered", within=0.1)
    display.keeps(item="kWh delivered", seconds=5.5)
    display.expect(item="kW delivered max", within=6.2)
