"""D-6 and Q-5: SCROLL and TEST count only with the cover off; demand reset with the cover on too, once a minute."""

from __future__ import annotations

import pytest


@pytest.mark.program('[display]\nnormal = ["kWh delivered", "kWh received"]\nscroll_seconds = 30')
def test_scroll_needs_the_cover_off(rig, scroll, display) -> None:
    rig.run(3.5)
    scroll.press()
    scroll.hold(3.5)
    display.keeps(item="kWh delivered", mode="normal", dark="ALT", seconds=0.5)


def test_test_switch_needs_the_cover_off(rig, test_switch, cover, meter, display) -> None:
    test_switch.open()
    rig.run(3.5)
    assert not meter.test_mode
    cover.off()
    display.expect("TEST", within=0.1)


@pytest.mark.slow
def test_cover_put_on_makes_a_press_void(rig, cover, scroll, display) -> None:
    rig.run(9.5)
    cover.off()
    scroll.push()
    rig.run(0.5)
    cover.on()
    scroll.release()
    display.keeps(item="kWh delivered", seconds=0.5)
    cover.off()
    scroll.push()
    rig.run(3.5)
    display.expect("ALT")
    cover.on()
    display.keeps("ALT", item="date", seconds=1.5)


def test_reset_with_the_cover_on(rig, reset, display, meter) -> None:
    rig.run(3.5)
    reset.press()
    display.expect(text="all segments", within=0.1)
    assert meter.resets == 1


def test_a_second_reset_must_wait(rig, reset, display, meter) -> None:
    rig.run(3.5)
    reset.press()
    rig.run(10)
    reset.press()
    display.expect(text="WAIT ??", unit="s", within=0.1)
    assert meter.resets == 1


@pytest.mark.slow
def test_a_held_button_is_one_reset(rig, reset, display, meter) -> None:
    rig.run(3.5)
    reset.hold(7)
    assert meter.resets == 1
    display.expect(mode="normal")


@pytest.mark.program("[demand]\nreset_lockout_seconds = 3")
def test_power_cut_while_reset_is_pressed(rig, reset, meter) -> None:
    rig.run(1)
    reset.push()
    rig.run(0.5)
    assert meter.resets == 1
    rig.power_off(5)
    rig.run(1)
    reset.release()
    rig.run(0.5)
    assert meter.resets == 1
    reset.press()
    rig.run(0.2)
    assert meter.resets == 2
