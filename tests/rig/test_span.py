"""What counts for DC and mean squares, by the table of rig/meter/measuring/span.py, and over how many cycles."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gateware.record_words import PRODUCTS, RECORD_WORDS, WORD_MEANS, WORD_PRODUCTS, Record, RecordFlag
from gateware.registers import CHANNELS
from rig.meter.measuring.products import Mean
from rig.meter.measuring.span import Span

SAMPLE_HZ = Fraction(13_000)
SAMPLES = 217
"""Of a cycle of 60 Hz."""

BEFORE = 7
CROSSINGS = RecordFlag.START_CROSSING | RecordFlag.END_CROSSING


def window(mean: int, flags: RecordFlag = CROSSINGS) -> Record:
    """A cycle whose samples are all `mean`, in every channel."""
    words = [0] * RECORD_WORDS
    for c in range(CHANNELS):
        words[WORD_MEANS + c] = SAMPLES * mean
    for place in range(len(PRODUCTS)):
        words[WORD_PRODUCTS + place] = SAMPLES * mean * mean
    cycles = int(RecordFlag.END_CROSSING in flags)
    return Record(0, 1, flags, 0, 256 * SAMPLES, SAMPLES, cycles, -1, 1, 0, 0, 0, 0, tuple(words[WORD_PRODUCTS:]))


def timed(mean: int) -> Record:
    return window(mean, RecordFlag.END_TIMED)


def span_of(*windows: Record) -> Span:
    span = Span(Mean.of_codes([Fraction(BEFORE)] * CHANNELS), SAMPLE_HZ)
    for record in windows:
        span.advance(record)
    return span


@pytest.mark.parametrize(
    ("crossing", "by_timer", "dc", "counted"),
    [
        (6, 6, Fraction(10), 6),  # half of its cycles
        (5, 6, Fraction(BEFORE), 11),  # fewer, and it is not full
        (25, 40, Fraction(25 * 10 + 40 * 20, 65), 65),  # fewer, and it is full
        (0, 61, Fraction(20), 61),
    ],
)
def test_what_counts_is_what_the_table_says(crossing: int, by_timer: int, dc: Fraction, counted: int) -> None:
    """Cycles of 10 codes from crossing to crossing, after some of 20 codes that the timer closed."""
    span = span_of(*[timed(20)] * by_timer, *[window(10)] * crossing)
    assert span.mean.codes() == (dc,) * CHANNELS
    assert span.samples == counted * SAMPLES


@pytest.mark.parametrize("cycles", range(60, 200, 7))
def test_it_is_of_the_last_sixty_cycles_and_up_to_a_part_more(cycles: int) -> None:
    """56-about-a-second: 60 to 71 cycles. Each cycle has a mean of its own, so that the DC tells which they are."""
    span = span_of(*[window(k * k) for k in range(cycles)])
    last, rest = divmod(span.samples, SAMPLES)
    assert rest == 0
    assert 60 <= last <= 71
    assert span.full
    assert span.mean.codes()[0] == Fraction(sum(k * k for k in range(cycles - last, cycles)), last)


def test_a_window_closed_by_command_is_no_part_of_it() -> None:
    span = span_of(window(10), window(30, RecordFlag.START_CROSSING | RecordFlag.END_COMMANDED), window(10))
    assert span.mean.codes() == (Fraction(10),) * CHANNELS
