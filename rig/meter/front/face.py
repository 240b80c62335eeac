"""The whole face: what the front shows of the meter, with its annunciators and what covers the item."""

from __future__ import annotations

from rig.meter.display.annunciators import lit
from rig.meter.display.lcd import ALL_SEGMENTS, Lcd
from rig.meter.display.readout import Readout
from rig.meter.front.front import Front
from rig.meter.front.modes import Mode
from rig.meter.reading.instantaneous import Instantaneous
from rig.meter.reading.meter_reading import MeterReading


def face(
    front: Front, reading: MeterReading, instant: Instantaneous | None, readout: Readout, since_end_ns: int | None
) -> Lcd:
    """Compose the display from a reading and the last second (`instant`, None before the first); `since_end_ns`: time
    since the last end of a demand interval, None before the first."""
    overlay = front.overlay
    if overlay is not None and overlay.wait_s is None:
        return ALL_SEGMENTS
    shown = lit(
        reading,
        instant,
        readout.plate,
        alternate=front.mode is Mode.ALTERNATE,
        test=front.mode is Mode.TEST,
        since_end_ns=since_end_ns,
    )
    if overlay is not None and overlay.wait_s is not None:
        return readout.wait(overlay.wait_s, shown)
    return readout.show(front.item, reading, instant, shown)
