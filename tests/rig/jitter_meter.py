"""A metering process that also says when its edges came on the computer's clock: `python -m tests.rig.jitter_meter FD`.

All of it is rig.daemon.metering, on a load near MAX; what is added is a note of each edge, and of each pulse's instant.
They are written to the file that JITTER_NOTES names.
"""

from __future__ import annotations

import json
import os
import time
from array import array
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drivers.sim.pins import VirtualPin
from rig.daemon import metering
from rig.meter.meter import WindowResult
from rig.service.board_time import BoardTime
from rig.service.service import Service

edges: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
"""By pin the instants in ns, negative where it goes low: eight bytes each, for the daemon's memory is measured."""

pulses: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))


def noted(change: Any) -> Any:
    """Each edge of an output with the computer's clock."""

    def change_state(pin: VirtualPin, value: bool) -> bool:
        changed = change(pin, value)
        if changed and pin.function == "output":
            edges[pin.info.name].append(time.monotonic_ns() if value else -time.monotonic_ns())
        return changed

    return change_state


def run(service: Service, until_ns: int) -> Iterator[WindowResult]:
    """As ever; the instants of pulses are kept, as they are due on the service's clock."""
    for result in metered(service, until_ns):
        for pulse in result.pulses:
            pulses[pulse.output.value].append(service._due_ns(pulse.tick))
        yield result


metered = Service.run


def main() -> None:
    clocks: list[Any] = []
    begin = BoardTime.begin

    def begun(self: BoardTime) -> int:
        clocks.append(self._clock)
        return begin(self)

    VirtualPin._change_state = noted(VirtualPin._change_state)  # type: ignore[method-assign]
    Service.run = run  # type: ignore[method-assign]
    BoardTime.begin = begun  # type: ignore[method-assign]
    try:
        metering.main()
    finally:
        Path(os.environ["JITTER_NOTES"]).write_text(
            json.dumps(
                {
                    "begin_ns": clocks[0]._pins.begun_ns,
                    "edges": {name: times.tolist() for name, times in edges.items()},
                    "pulses": {name: times.tolist() for name, times in pulses.items()},
                }
            )
        )


if __name__ == "__main__":
    main()
