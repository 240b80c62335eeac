"""The last second or so of windows: what DC is, and which channels carry anything (C-3, Q-2).

One cycle tells neither. Under half-cycle control, burst firing and other loads that repeat every few cycles, a
cycle's own mean is no DC. A span of 60 cycles, one second at 60 Hz and 1.2 s at 50 Hz, holds a whole number of periods
of whatever repeats every 2, 3, 4, 5, 6, 10 or 12 cycles. Why: docs/decisions/056-about-a-second.md.

What counts, where both kinds are in the span:

    windows from crossing to crossing are      DC and mean squares are of
    half of its cycles or more                 those windows
    fewer, and the span is full                all its windows
    fewer, and it is not                       all its windows; DC is what it was before, at first the calibration's
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from gateware.registers import Record, RecordFlag
from rig.meter.measuring.products import NO_MOMENTS, Mean, Moments

SPAN_CYCLES = 60

SPAN_SECONDS = Fraction(3, 2)
"""No longer than this, so that records that are seconds long, and windows without a line, do not make it one of
minutes: 60 cycles of 40 Hz."""


def most_samples(sample_hz: Fraction) -> int:
    """Count the samples of SPAN_SECONDS."""
    return ceil(SPAN_SECONDS * sample_hz)


def cycles_of(record: Record) -> int:
    """Count the cycles of a record, at least one for each window."""
    return max(record.cycles, record.windows, 1)


@dataclass(frozen=True, slots=True)
class _Part:
    cycles: int
    whole: bool
    moments: Moments


class Span:
    """The last windows, of SPAN_CYCLES cycles or SPAN_SECONDS together, whichever is less, and more only where one
    record alone has more.

    `mean` is the DC of the six channels, at first that given. A window that was closed by command is no part of it.
    """

    def __init__(self, mean: Mean, sample_hz: Fraction) -> None:
        self.mean = mean
        self._most_samples = most_samples(sample_hz)
        self._parts: deque[_Part] = deque()
        self._cycles = self._whole_cycles = 0
        self._all = self._whole = NO_MOMENTS
        self._used = NO_MOMENTS

    @property
    def learned(self) -> bool:
        """Say whether `mean` is that of windows from crossing to crossing."""
        return self._whole.samples > 0 and 2 * self._whole_cycles >= self._cycles

    @property
    def full(self) -> bool:
        """Say whether the span is as long as it gets."""
        return self._reached(0, 0)

    @property
    def samples(self) -> int:
        """Count the samples that `squares` are of; 0 before the first window."""
        return self._used.samples

    def squares(self) -> tuple[int, ...]:
        """Give Σ(a − ā)² of each channel over those samples, in codes squared, each rounded once."""
        return self._used.squares_about(self.mean)

    def advance(self, record: Record) -> None:
        """Take in a window, and drop those that the span does not need any more."""
        whole = record.whole_cycles
        if not record.samples or not (whole or RecordFlag.END_TIMED in record.flags):
            return
        part = _Part(cycles_of(record), whole, Moments.of(record))
        self._parts.append(part)
        self._count(part, 1)
        while self._reached(self._parts[0].cycles, self._parts[0].moments.samples):
            self._count(self._parts.popleft(), -1)
        self._used = self._whole if self.learned else self._all
        if self.learned or self.full:
            self.mean = Mean(self._used.sums, self._used.samples)

    def _reached(self, cycles: int, samples: int) -> bool:
        """Say whether the span is long enough even without so many cycles and samples."""
        return self._cycles - cycles >= SPAN_CYCLES or self._all.samples - samples >= self._most_samples

    def _count(self, part: _Part, sign: int) -> None:
        self._cycles += sign * part.cycles
        self._all = self._all.plus(part.moments, sign)
        if part.whole:
            self._whole_cycles += sign * part.cycles
            self._whole = self._whole.plus(part.moments, sign)
