"""P-1: the optical port has the test LED's light; no pulses while it communicates, and none is made up for."""

from __future__ import annotations

import pytest

from rig.meter.contacts.outputs import OutputId

KS_WH = 1.8
"""Of the plain meter, form 9S in class 20."""

WATTS = 3 * 120 * 40


@pytest.fixture(autouse=True)
def loaded(source) -> None:
    source.apply(amps=40)


def test_no_pulses_while_it_communicates(rig, counter) -> None:
    """The FPGA counts at the pin; a second has 2.2 flashes."""
    led, meter = counter("LED"), rig.service.outputs
    rig.run(1.2)
    rate = WATTS / KS_WH / 3600
    rig.service.share_light(20_000_000_000)
    rig.run(0.1)
    led.zero()
    shown, asked = meter.led.shown, meter.asked[OutputId.TEST_LED]
    rig.run(2)
    assert led.pulses == 0
    assert meter.led.shown - shown == pytest.approx(2 * rate, abs=1.1), "the counts go on"
    assert meter.asked[OutputId.TEST_LED] - asked == pytest.approx(2 * rate, abs=1.1)
    rig.service.share_light(0)
    led.zero()
    rig.run(2)
    assert led.pulses == pytest.approx(2 * rate, abs=1.1), "no burst, and the rate as before"
    assert meter.led.edges.waiting <= 2
