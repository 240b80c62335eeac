"""D-4: the Gyrbox sequence, by fast scroll and the Test switch, or by a magnet that is kept."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt

import pytest

ITEMS = [
    "service", "rotation", "V A", "V B", "V C", "V angle A", "V angle B", "V angle C", "I A", "I B", "I C",
    "I angle A", "I angle B", "I angle C", "I N", "Hz", "kW", "kvar", "PF",
]  # fmt: skip


@pytest.fixture
def by_switch(rig, cover, scroll, test_switch, display) -> None:
    """In Gyrbox, by the way of the notice."""
    cover.off()
    scroll.push()
    rig.run(6.2)
    display.expect("ALT", mode="alternate")
    test_switch.open()
    display.expect(mode="gyrbox", item="service", dark="ALT", within=0.1)
    scroll.release()


def test_fast_scroll_goes_by_every_half_second(rig, cover, scroll, display) -> None:
    cover.off()
    scroll.push()
    rig.run(8.6)
    came = [second for name, second in display.items(since=6.05) if second > 6]
    assert len(came) >= 5
    assert all(0.45 < b - a < 0.55 for a, b in pairwise(came))
    scroll.release()
    display.expect(mode="normal", within=0.1)


def test_the_test_switch_in_fast_scroll(by_switch, meter, display) -> None:
    display.keeps(mode="gyrbox", seconds=1)
    assert not meter.test_mode


def test_closing_the_test_switch_exits(by_switch, test_switch, display) -> None:
    test_switch.close()
    display.expect(mode="normal", within=0.1)


def test_putting_the_cover_on_exits(rig, by_switch, cover, meter, display) -> None:
    cover.on()
    display.expect(mode="normal", within=0.1)
    cover.off()
    rig.run(0.5)
    assert meter.test_mode  # newly open, as the notice has it: cover off, and Test switch open


@pytest.mark.slow
def test_scroll_steps_through_the_nineteen(rig, by_switch, scroll, display) -> None:
    for item in (*ITEMS, ITEMS[0]):
        display.expect(mode="gyrbox", item=item, within=0.1)
        scroll.press()


def test_magnet_kept(rig, magnet, display) -> None:
    magnet.place()
    display.expect("ALT", within=3.1)
    assert 6.0 <= display.expect(mode="gyrbox", item="service", dark="ALT", within=6.1) < 6.1
    display.expect(mode="gyrbox", item="rotation", within=12.1)
    magnet.remove()
    display.expect(mode="normal", within=0.1)


@pytest.mark.slow
def test_magnet_kept_from_alternate(rig, magnet, display) -> None:
    magnet.hold(3.1)
    display.expect("ALT", within=0.1)
    magnet.hold(6.5)
    display.expect(mode="gyrbox", within=0)


@pytest.mark.slow
def test_scroll_held_from_alternate(rig, cover, magnet, scroll, test_switch, display) -> None:
    magnet.hold(3.1)
    cover.off()
    scroll.push()
    rig.run(6.2)
    test_switch.open()
    display.expect(mode="gyrbox", within=0.1)


SHOWN = {
    "service": "4WY 120", "rotation": "ABC",
    "V A": 119, "V B": 120, "V C": 121, "V angle A": 0, "V angle B": 120, "V angle C": 240,
    "I A": 2, "I B": 3, "I C": 4, "I angle A": 36.87, "I angle B": 156.87, "I angle C": 276.87,
    "I N": sqrt(2**2 + 3**2 + 4**2 - 2 * 3 - 3 * 4 - 4 * 2), "Hz": 60,
    "kW": (119 * 2 + 120 * 3 + 121 * 4) * 0.8 / 1000, "kvar": (119 * 2 + 120 * 3 + 121 * 4) * 0.6 / 1000, "PF": 0.8,
}  # fmt: skip
"""Of 119, 120, 121 V and 2, 3, 4 A, each lagging its voltage by acos 0.8. Angles lag behind Va; three currents
120° apart leave √(a² + b² + c² − ab − bc − ca) in the neutral."""


def test_what_it_shows(rig, source, by_switch, scroll, display) -> None:
    source.apply(volts=(119, 120, 121), amps=(2, 3, 4), pf=0.8)
    rig.run(3)
    display.expect(item=ITEMS[0], mode="gyrbox")
    for item in ITEMS:
        shown = SHOWN[item]
        if isinstance(shown, str):
            assert display.text == shown, item
        else:
            near = {"abs": 0.1} if "angle" in item else {"rel": 1e-3}
            assert float(display.text) == pytest.approx(shown, **near), item
        scroll.press()
        display.expect(item=ITEMS[(ITEMS.index(item) + 1) % len(ITEMS)], mode="gyrbox", within=0.3)
