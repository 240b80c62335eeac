"""What a reading costs: `python -m tests.rig.reading.reading_bench`.

The meter is the example that has everything on (three demand quantities, four rates, fifteen recorder channels) after a
day, with a closed season, in its three kinds of demand.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random

import msgspec

from rig.meter.billing.demand import DemandSettings
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.events import Cause
from rig.meter.display.items import DisplayItem, DisplayStatus, StatusItem
from rig.meter.display.readout import Readout
from rig.program.displayed_nameplate import displayed_nameplate
from rig.results.exact import ExactReading
from rig.results.exact_decoding import reading_of
from rig.results.exact_encoding import exact_reading
from tests.rig.kept_meter import MINUTE, KeptMeter
from tests.rig.reading.read_meters import T0, program

TIMES = 5000


def aged(demand: str) -> KeptMeter:
    programmed = program("industrial")
    billing = programmed.billing
    assert billing.demand is not None
    settings = DemandSettings.parse(demand, billing.demand.quantities)
    kept, rng = KeptMeter(None, replace(programmed, billing=replace(billing, demand=settings)), T0), Random(1)
    for _ in range(24 * 60):
        now_ns = kept.now_ns
        energies = [rng.randrange(10**12) for _ in range(4)]
        kept.meter.billing.advance(EnergyInterval(now_ns, now_ns + MINUTE, 0, *energies))
    kept.meter.billing.state.closed_season = kept.meter.billing.snapshot(Cause.SEASON)
    return kept


def microseconds(work: Callable[[], object]) -> str:
    """Median and 99th percentile of this thread's time: neither other processes nor the garbage collector count."""
    gc.disable()
    taken = []
    for _ in range(TIMES):
        begin = time.thread_time_ns()
        work()
        taken.append(time.thread_time_ns() - begin)
    gc.enable()
    taken.sort()
    return f"{taken[TIMES // 2] / 1000:7.1f} {taken[TIMES * 99 // 100] / 1000:7.1f}"


def main() -> None:
    decoder = msgspec.msgpack.Decoder(ExactReading)
    print("µs, median and p99      reading          display          exact            msgpack          back")
    for demand in ("block:15", "sliding:5x6", "sliding:1x60", "thermal:15"):
        kept = aged(demand)
        meter = kept.meter
        readout = Readout(displayed_nameplate(program("industrial")))
        item = DisplayItem("errors", StatusItem(DisplayStatus.ERRORS))
        reading = meter.reading()
        exact = exact_reading(reading)
        packed = msgspec.msgpack.encode(exact)
        cells = [
            microseconds(meter.reading),
            microseconds(lambda: readout.show(item, reading, None)),  # noqa: B023
            microseconds(lambda: exact_reading(reading)),  # noqa: B023
            microseconds(lambda: msgspec.msgpack.encode(exact)),  # noqa: B023
            microseconds(lambda: reading_of(decoder.decode(packed))),  # noqa: B023
        ]
        size = f"{len(packed)} bytes, JSON {len(msgspec.json.encode(exact))}"
        print(f"{demand:16}", *cells, size, sep="  ")


if __name__ == "__main__":
    main()
