"""D-7: the firmware's version on the display."""

from __future__ import annotations

from importlib.metadata import version

import pytest


@pytest.mark.program('[display]\nnormal = ["kWh delivered"]\nalternate = ["firmware"]')
def test_in_the_alternate_sequence(magnet, display) -> None:
    magnet.hold(3.1)
    display.expect("ALT", item="firmware", text=f"*{version('ae0764-rig')}", within=0.1)
