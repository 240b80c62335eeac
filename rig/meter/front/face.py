"""The whole face: what the front shows of the meter, with its annunciators and what covers the item."""

from __future__ import annotations

from rig.meter.display.annunciators import lit
from rig.meter.display.lcd import ALL_SEGMENTS, Lcd
from rig.meter.display.readout import Readout
from rig.meter.front.front import Front
from rig.meter.front.modes import Mode
from rig.meter.meter import Meter


def face(front: Front, meter: Meter, readout: Readout, since_end_ns: int | None) -> Lcd:
    """What is to be seen now; `since_end_ns`: time since the last end of a demand interval, None before the first."""
    overlay = front.overlay
    if overlay is not None and overlay.wait_s is None:
        return ALL_SEGMENTS
    shown = lit(
        meter,
        alternate=front.mode is Mode.ALTERNATE,
        test=front.mode is Mode.TEST,
        reactive=readout.plate.reactive,
        since_end_ns=since_end_ns,
    )
    if overlay is not None and overlay.wait_s is not None:
        return readout.wait(overlay.wait_s, shown)
    return readout.show(front.item, meter, shown)
