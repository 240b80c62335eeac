"""A record's cycles are its windows that ended at a crossing, and no other's (docs/registers.md, word 3)."""

from __future__ import annotations

import numpy as np

from gateware.chain import Chain
from gateware.model.windows import Windows

CONFIG = np.array([0, 100, 10, 40, 0, 0, 0], np.int64)
"""Reference V1, hysteresis 100, windows of 10 to 40 samples."""


STILL, WAVE = [500] * 300, ([-500] * 10 + [500] * 10) * 5
"""Seven windows that end by time, the last sample of which is the 280th; five rises, which end a window each."""


def fed(windows: Windows, voltages: list[int]) -> None:
    """Feed samples of V1; their time does not matter here."""
    samples = np.zeros((len(voltages), 6), np.int64)
    samples[:, 0] = voltages
    nothing = np.zeros(len(voltages), np.int64)
    windows.feed(samples, nothing, nothing, nothing, CONFIG)


def counts(windows: Windows) -> list[tuple[int, int]]:
    """Windows and cycles of each record."""
    return [(int(record[0]) >> 8 & 0xFF_FFFF, int(record[3]) & 0xFF_FFFF) for record in windows.waiting]


def test_windows_that_end_by_time_are_no_cycles() -> None:
    windows = Windows(Chain())
    fed(windows, STILL + WAVE)
    assert counts(windows) == [(1, 0)] * 7 + [(1, 1)] * 5


def test_a_merged_record_has_the_cycles_of_its_windows_alone() -> None:
    """Room for one record: the eleven that end while it waits are merged into the next to end."""
    windows = Windows(Chain(record_slots=2))
    fed(windows, STILL + WAVE)
    assert counts(windows) == [(1, 0)]
    windows.waiting.popleft()
    fed(windows, WAVE[:20])
    assert counts(windows) == [(12, 6)]
