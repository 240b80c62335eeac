"""The last second or so of windows: what DC is, and which channels carry anything (C-3, Q-2).

One cycle tells neither. Under half-cycle control, burst firing and other loads that repeat every few cycles, a
cycle's own mean is no DC. A span of 60 cycles and a little is one second at 60 Hz and 1.2 s at 50 Hz. Why:
docs/decisions/056-about-a-second.md.

What counts, where both kinds are in the span:

    windows from crossing to crossing are      DC and mean squares are of
    half of its cycles or more                 those windows
    fewer, and the span is full                all its windows
    fewer, and it is not                       all its windows; DC is what it was before, at first the calibration's
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from gateware.record_words import Record, RecordFlag
from gateware.registers import Channel
from rig.meter.measuring.products import Mean, divide_half_even

SPAN_CYCLES = 60

PART_CYCLES = 12
"""So many cycles are kept as one: a span of 60 to 71 cycles, and a state of six parts that is saved with every poll."""

SPAN_SECONDS = Fraction(3, 2)
"""No longer than this, so that records that are seconds long, and windows without a line, do not make it one of
minutes: 60 cycles of 40 Hz."""


def most_samples(sample_hz: Fraction) -> int:
    """Count the samples of SPAN_SECONDS."""
    return ceil(SPAN_SECONDS * sample_hz)


def cycles_of(record: Record) -> int:
    """Count the cycles of a record, at least one for each window."""
    return max(record.cycles, record.windows, 1)


@dataclass
class SpanPart:
    """Windows of one kind in a row, of PART_CYCLES together or more: their sums and squares by channel, in codes."""

    cycles: int
    whole: bool
    samples: int
    sums: tuple[int, ...]
    squares: tuple[int, ...]


@dataclass
class SpanState:
    """State of a Span: its parts, oldest first, and the mean."""

    parts: list[SpanPart]
    mean: tuple[int, ...]
    mean_samples: int


class Span:
    """The last windows, of SPAN_CYCLES cycles or SPAN_SECONDS together, whichever is less, and up to a part more.

    `mean` is the DC of the six channels, at first that given. A window that was closed by command is no part of it.
    """

    def __init__(self, mean: Mean, sample_hz: Fraction) -> None:
        self.mean = mean
        self._most_samples = most_samples(sample_hz)
        self._parts: deque[SpanPart] = deque()

    @property
    def state(self) -> SpanState:
        """State to continue from."""
        return SpanState([replace(part) for part in self._parts], self.mean.sums, self.mean.samples)

    def resume(self, state: SpanState) -> None:
        """Go on from there."""
        self._parts = deque(replace(part) for part in state.parts)
        self.mean = Mean(tuple(state.mean), state.mean_samples)

    @property
    def learned(self) -> bool:
        """Say whether `mean` is that of windows from crossing to crossing."""
        cycles, whole = self._cycles(), sum(part.cycles for part in self._parts if part.whole)
        return whole > 0 and 2 * whole >= cycles

    @property
    def full(self) -> bool:
        """Say whether the span is as long as it gets."""
        return self._reached(0, 0)

    @property
    def samples(self) -> int:
        """Count the samples that `squares` are of; 0 before the first window."""
        return sum(part.samples for part in self._used())

    def squares(self) -> tuple[int, ...]:
        """Give Σ(a − ā)² of each channel over those samples, in codes squared, each rounded once."""
        used, m = self._used(), self.mean.samples
        n = sum(part.samples for part in used)
        sums, squares = _added([part.sums for part in used]), _added([part.squares for part in used])
        return tuple(
            [
                divide_half_even(m * m * square - 2 * m * dc * s + n * dc * dc, m * m)
                for square, dc, s in zip(squares, self.mean.sums, sums, strict=True)
            ]
        )

    def advance(self, record: Record) -> None:
        """Take in a window, and drop those that the span does not need any more."""
        whole = record.whole_cycles
        if not record.samples or not (whole or RecordFlag.END_TIMED in record.flags):
            return
        parts = self._parts
        if not parts or parts[-1].whole != whole or parts[-1].cycles >= PART_CYCLES:
            parts.append(SpanPart(0, whole, 0, _NONE, _NONE))
        part = parts[-1]
        part.cycles += cycles_of(record)
        part.samples += record.samples
        part.sums = _added([part.sums, [record.mean_sum(c) for c in Channel]])
        part.squares = _added([part.squares, [record.product(c, c) for c in Channel]])
        while self._reached(parts[0].cycles, parts[0].samples):
            parts.popleft()
        if self.learned or self.full:
            used = self._used()
            self.mean = Mean(_added([each.sums for each in used]), sum(each.samples for each in used))

    def _cycles(self) -> int:
        return sum(part.cycles for part in self._parts)

    def _used(self) -> list[SpanPart]:
        return [part for part in self._parts if part.whole] if self.learned else list(self._parts)

    def _reached(self, cycles: int, samples: int) -> bool:
        """Say whether the span is long enough even without so many cycles and samples."""
        all_samples = sum(part.samples for part in self._parts)
        return self._cycles() - cycles >= SPAN_CYCLES or all_samples - samples >= self._most_samples


_NONE = (0,) * len(Channel)


def _added(rows: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*rows, strict=True))) if rows else _NONE
