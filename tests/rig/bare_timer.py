"""A timer and nothing else: `python -m tests.rig.bare_timer FILE`, until SIGTERM; FILE then has how late it woke, ns.

It has what the metering process asks for (rig/hardware/realtime.py), and in its loop no work at all: what it is late by
is the machine's, its kernel's and its neighbours'. So it is what edges can be measured against, in the same run.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
import time
from array import array
from pathlib import Path

from rig.hardware.realtime import favour_this_process

PERIOD_NS = 12_100_000
"""About as often as edges come in tests/rig/jitter_bench.py, and in no ratio with the meter's polls."""


def main() -> None:
    ends: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: ends.append(number))
    favour_this_process()
    gc.disable()
    instants, late = array("q"), array("q")
    due_ns = time.monotonic_ns() + PERIOD_NS
    while not ends:
        if (left_ns := due_ns - time.monotonic_ns()) > 0:
            time.sleep(left_ns / 1e9)
        late.append(time.monotonic_ns() - due_ns)
        instants.append(due_ns)
        due_ns += PERIOD_NS
    Path(sys.argv[1]).write_text(json.dumps({"instants": instants.tolist(), "late": late.tolist()}))


if __name__ == "__main__":
    main()
