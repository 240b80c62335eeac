"""P-1: the test LED follows Wh; in the alternate sequence and in test mode what is displayed."""

from __future__ import annotations

import pytest

KS_WH = 1.8
"""Of the plain meter, form 9S in class 20."""

PROGRAM = """
[demand]
quantities = ["kW delivered", "kvar lagging", "kVA td"]

[display]
normal = ["kvarh lagging"]
alternate = ["kvarh lagging", "kVAh td", "date"]
test = ["kWh delivered", "kvarh lagging", "pulse kWh", "pulse kM3H"]
"""

WATTS, VARS, VOLT_AMPERES = 3 * 120 * 40 * 0.6, 3 * 120 * 40 * 0.8, 3 * 120 * 40

pytestmark = pytest.mark.program(PROGRAM)


@pytest.fixture(autouse=True)
def loaded(source) -> None:
    source.apply(amps=40, pf=0.6)


def flashes(power: float) -> pytest.approx:
    """A second, at so many W, var or VA."""
    return pytest.approx(power / KS_WH / 3600, rel=0.01)


def rate(rig, counter) -> float:
    """Once flashes of what was displayed before are over."""
    rig.run(0.2)
    counter("LED").zero()
    rig.run(3)
    return counter("LED").rate()


def test_wh_in_the_normal_sequence_whatever_is_displayed(rig, counter) -> None:
    assert rate(rig, counter) == flashes(WATTS)


def test_wh_received_too(rig, source, counter) -> None:
    source.apply(amps=40, reverse=True)
    assert rate(rig, counter) == flashes(VOLT_AMPERES)


@pytest.mark.slow
def test_what_is_displayed_in_the_alternate_sequence(rig, magnet, cover, scroll, display, counter) -> None:
    magnet.hold(3.1)
    display.expect("ALT", item="kvarh lagging")
    assert rate(rig, counter) == flashes(VARS)
    cover.off()
    scroll.press()
    display.expect(item="kVAh td", within=0.1)
    assert rate(rig, counter) == flashes(VOLT_AMPERES)
    scroll.press()
    display.expect(item="date", within=0.1)
    assert rate(rig, counter) == flashes(WATTS)


def test_what_is_displayed_in_test_mode(rig, cover, test_switch, scroll, display, counter) -> None:
    """D-2, "the displayed quantity when in Alternate or Test mode"."""
    cover.off()
    test_switch.open()
    for item, power in (
        ("kWh delivered", WATTS),
        ("kvarh lagging", VARS),
        ("pulse kWh", WATTS),
        ("pulse kM3H", VOLT_AMPERES),
    ):
        display.expect("TEST", item=item, within=3.5)
        assert rate(rig, counter) == flashes(power)
        scroll.press()


BILLED_ON_KW = """
[meter]
model = "RXS4"

[demand]
quantities = ["kW delivered"]

[test_mode]
pulse_kwh = "kvarh lagging"
pulse_km3h = "kVAh rms"

[display]
test = ["kvar", "pulse kWh", "pulse kM3H"]
"""


@pytest.mark.slow
@pytest.mark.program(BILLED_ON_KW)
def test_an_rxs4_billed_on_kw_is_tested_for_var_and_va(rig, cover, test_switch, scroll, display, counter) -> None:
    """D-2, "proportional to var·h or VA·h can be programmed … as "Pulse kWh" or "Pulse kM3H"", not from demand."""
    cover.off()
    test_switch.open()
    for item, power in (
        ("kvar", VARS),
        ("pulse kWh", VARS),
        ("pulse kM3H", VOLT_AMPERES),
    ):
        display.expect("TEST", item=item, within=3.5)
        assert rate(rig, counter) == flashes(power)
        scroll.press()


def test_flashes_times_ks_is_the_energy(rig, counter) -> None:
    rig.run(8)
    counter("LED").expect(of="kWh either way")
    assert counter("LED").pulses > 8
