"""Line frequency from the instants of zero crossings (Q-6).

A window closes between two samples of the reference voltage: `before`, its last, at tick_end, and
`after`, one sample later. Between them the voltage is taken as a straight line: on a 60 Hz sine at 13 kHz
its crossing is off by less than 1e-7 of a cycle, and by less than 1e-5 with 5 % of the 25th and of the 50th harmonic.
The line of one window ends where that of the next begins, so over a second that is 0.25 mHz at most.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

from gateware.record_words import Record, RecordFlag

RECENT_WINDOWS = 12
"""What `recent_hz` looks back on: 0.2 s at 60 Hz, the basic interval of power quality meters."""


def crossing_beyond_end(record: Record) -> float | None:
    """Samples (0 to 1) from tick_end to the closing zero crossing; None if none closed the window."""
    if RecordFlag.END_CROSSING not in record.flags or record.after <= record.before:
        return None
    return -record.before / (record.after - record.before)


@dataclass
class LineState:
    """State of a LineFrequency: where the last crossing was, sums of all windows, and the recent ones."""

    start: float | None
    cycles: int
    ticks: int
    beyond: float
    recent: list[tuple[int, float]]


class LineFrequency:
    """Cycles over time between successive crossings, window by window and averaged over all so far."""

    def __init__(self, tick_hz: Fraction, ticks_per_sample: int) -> None:
        self._tick_hz = float(tick_hz)
        self._ticks_per_sample = ticks_per_sample
        self._start: float | None = None
        self._cycles = 0
        self._ticks = 0
        self._beyond = 0.0
        self._recent: deque[tuple[int, float]] = deque(maxlen=RECENT_WINDOWS)

    def advance(self, record: Record, follows: bool) -> float | None:
        """The frequency over this window in Hz; None unless it runs from a known crossing to another.

        `follows` says that the window begins where the one before it ended.
        """
        start = self._start if follows else None
        end = self._start = crossing_beyond_end(record)
        if start is None or end is None or not record.whole_cycles or record.cycles < record.windows:
            return None
        beyond = (end - start) * self._ticks_per_sample
        self._cycles += record.cycles
        self._ticks += record.ticks
        self._beyond += beyond
        self._recent.append((record.cycles, record.ticks + beyond))
        return record.cycles * self._tick_hz / (record.ticks + beyond)

    def forget(self) -> None:
        """Begin anew with the next window: where the last crossing was is not known."""
        self._start = None

    @property
    def state(self) -> LineState:
        """State to continue from."""
        return LineState(self._start, self._cycles, self._ticks, self._beyond, list(self._recent))

    def resume(self, state: LineState) -> None:
        """Go on from there."""
        self._start, self._cycles, self._ticks = state.start, state.cycles, state.ticks
        self._beyond = state.beyond
        self._recent.extend(state.recent)

    @property
    def mean_hz(self) -> float | None:
        """All cycles so far over their time; None before the first."""
        if not self._cycles:
            return None
        return self._cycles * self._tick_hz / (self._ticks + self._beyond)

    @property
    def recent_hz(self) -> float | None:
        """The same over the last RECENT_WINDOWS windows that had a frequency; None before the first."""
        if not self._recent:
            return None
        return sum(c for c, _ in self._recent) * self._tick_hz / sum(t for _, t in self._recent)
