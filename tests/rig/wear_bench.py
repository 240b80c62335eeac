"""What a meter's store writes to a card in a year: an hour of the meter's time, block by block; run by tests/bench.py.

The meter is the example with everything on, of 20 ms records, and waits for each save, as in real time there are 950 ms
for it. Counted are the blocks of 4096 bytes that the journal's files are written by, in a layer over the real disk, and
what the history sends there, as the kernel counts it for the thread. What the file system adds for its own books is in
docs/decisions/048-write-ahead-log.md.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from rig.store.disk import Disk
from tests.rig.kept_meter import KeptMeter
from tests.rig.meter_bench import BEGIN_NS, everything

HOUR_S = 3600
YEAR_S = 31_557_600
RECORD_MS = 20
BLOCK = 4096


class CountingDisk(Disk):
    """Counts the blocks that each write touches, by itself."""

    def __init__(self) -> None:
        self.counted = 0

    def write(self, file: int, data: bytes, offset: int) -> None:
        touched = {place // BLOCK for place in (*range(offset, offset + len(data), BLOCK), offset + len(data) - 1)}
        self.counted += len(touched)
        super().write(file, data, offset)


def sd_gb_per_year(seconds: int = HOUR_S) -> float:
    """Gigabytes (10^9 bytes) a year, of an hour of the meter's time after its first save."""
    with tempfile.TemporaryDirectory() as folder:
        disk = CountingDisk()
        meter = KeptMeter(Path(folder) / "s", everything(), BEGIN_NS, disk=disk, flushes=True).meters(1, milliseconds=1)
        archive = meter.writer._store._archive
        before = disk.counted * BLOCK + archive.written
        meter.meters(seconds * 1000 // RECORD_MS, milliseconds=RECORD_MS)
        written = disk.counted * BLOCK + archive.written - before
        meter.fails()
    return written / seconds * YEAR_S / 1e9
