"""D-3: the alternate sequence: magnet at twelve o'clock for 3 s, or SCROLL held 3 to 6 s; one pass of it."""

from __future__ import annotations

import pytest

STANDS = """
[display]
normal = ["kWh delivered", "kWh received"]
alternate = ["serial", "firmware"]
"""
SHORT = f"{STANDS}scroll_seconds = 6"

pytestmark = pytest.mark.program(SHORT)


def test_magnet_for_three_seconds(magnet, display) -> None:
    magnet.hold(3.1)
    display.expect("ALT", item="serial", within=0.1)


def test_magnet_for_less_is_nothing(rig, magnet, display) -> None:
    rig.run(1)
    magnet.hold(2.9)
    display.keeps(dark="ALT", mode="normal", seconds=1)


@pytest.mark.parametrize("seconds", [3.1, 5.9])
def test_scroll_for_three_to_six_seconds(cover, scroll, display, seconds) -> None:
    cover.off()
    scroll.hold(seconds)
    display.expect("ALT", item="serial", within=0.1)


def test_alt_comes_while_it_is_held(rig, magnet, display) -> None:
    rig.run(0.5)
    magnet.place()
    assert 3.0 <= display.expect("ALT", within=3.1) < 3.1


def test_returns_to_normal_after_one_pass(rig, magnet, display) -> None:
    magnet.hold(3.1)
    display.expect("ALT", item="firmware", within=6)
    display.expect(mode="normal", dark="ALT", item="kWh delivered", within=12.1)
    (_, serial), (_, firmware), (_, normal) = display.items()[-3:]
    assert firmware - serial == pytest.approx(6, abs=0.1)
    assert normal - firmware == pytest.approx(6, abs=0.1)


def test_scroll_steps_and_past_the_last_item_to_normal(cover, magnet, scroll, display) -> None:
    magnet.hold(3.1)
    cover.off()
    scroll.press()
    display.expect("ALT", item="firmware", within=0.1)
    scroll.press()
    display.expect(mode="normal", dark="ALT", item="kWh delivered", within=0.1)


@pytest.mark.program(STANDS + "scroll_seconds = 15")
def test_magnet_again_changes_nothing(cover, scroll, magnet, display) -> None:
    magnet.hold(3.1)
    cover.off()
    scroll.press()
    magnet.hold(4)
    display.keeps("ALT", item="firmware", seconds=0.5)


@pytest.mark.slow
@pytest.mark.program(STANDS)
def test_d3_without_autoscroll_a_magnet_brought_again_steps(magnet, display) -> None:
    magnet.hold(3.1)
    display.keeps("ALT", item="serial", seconds=6.5)
    magnet.hold(3.1)
    display.keeps("ALT", item="firmware", seconds=0.5)
    magnet.hold(3.1)
    display.expect(mode="normal", dark="ALT", item="kWh delivered", within=0.1)


def test_what_began_first_counts_if_both_are_held(rig, cover, scroll, magnet, display) -> None:
    cover.off()
    magnet.place()
    rig.run(1)
    scroll.push()
    rig.run(2.1)
    display.expect("ALT", item="serial")
    scroll.release()
    display.keeps("ALT", item="serial", seconds=1)
    magnet.remove()
    scroll.press()
    display.expect("ALT", item="firmware", within=0.1)


@pytest.mark.slow
def test_power_cut_while_the_magnet_is_there(rig, magnet, display) -> None:
    rig.run(1)
    magnet.place()
    rig.run(2)
    rig.power_off(5)
    rig.run(4)
    display.keeps(mode="normal", seconds=3)
    magnet.remove()
    magnet.hold(3.1)
    display.expect("ALT", within=0.1)


@pytest.mark.slow
def test_power_cut_while_scroll_is_held(rig, cover, scroll, display) -> None:
    cover.off()
    scroll.push()
    rig.run(2)
    rig.power_off(2)
    rig.run(5)
    display.expect(mode="normal", item="kWh delivered")
    scroll.release()
    display.keeps(mode="normal", item="kWh delivered", seconds=0.5)
    scroll.press()
    display.expect(item="kWh received", within=0.1)
