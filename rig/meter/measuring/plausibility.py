"""Plausibility of a record: the most that its counts and sums can come to in its length (H-9).

A good CRC says that a record arrived as it left, not that the FPGA's memory was sound. What a record registers is
bounded by its ticks, and these by the computer's clock (Measurement.advance), so neither energy nor the time that its
pulses take to work out goes beyond what the line could have delivered since the record before.
"""

from __future__ import annotations

from gateware.record_words import HEADER_WORDS, OSCILLATOR_AMPLITUDE, WORD_MEANS, WORD_PHASORS, Record
from gateware.registers import SAMPLE_BITS, TICK_BITS

_MOST_CODE = 1 << (SAMPLE_BITS - 1)
_MOST_PRODUCT = _MOST_CODE * _MOST_CODE
_PHASORS = slice(WORD_PHASORS - HEADER_WORDS, WORD_MEANS - HEADER_WORDS)
_MEANS = slice(WORD_MEANS - HEADER_WORDS, None)
_PRODUCTS = slice(0, WORD_PHASORS - HEADER_WORDS)

LEAST_CYCLE_SAMPLES = 8
"""No cycle of a line is shorter: at 13 kHz that is 1.6 kHz, and what follows the line stays within its registers."""

SPARE_SAMPLES = 2
"""A record may have so many samples more than its ticks tell of: none is known to, and none does harm by it."""


def implausible(record: Record, ticks_per_sample: int) -> bool:
    """Say whether a record holds more than its length allows.

    `ticks_per_sample` is the decimation, 256. Bounds by sample of 20 bits: 2**38 for a product, 2**19 times the
    oscillator's amplitude for a phasor, 2**19 for a mean. One without samples can hold nothing.
    """
    n = record.samples
    if record.tick_start >> TICK_BITS or record.tick_end >> TICK_BITS:
        return True
    if n and (record.ticks == 0 or (n - SPARE_SAMPLES) * ticks_per_sample > record.ticks):
        return True
    if not 1 <= record.windows <= max(n, 1) or record.cycles > 1 + n // LEAST_CYCLE_SAMPLES:
        return True
    if max(abs(record.before), abs(record.after)) > _MOST_CODE:
        return True
    return (
        _beyond(record.sums[_PRODUCTS], n * _MOST_PRODUCT)
        or _beyond(record.sums[_PHASORS], n * _MOST_CODE * OSCILLATOR_AMPLITUDE)
        or _beyond(record.sums[_MEANS], n * _MOST_CODE)
    )


def _beyond(sums: tuple[int, ...], most: int) -> bool:
    return max(sums) > most or min(sums) < -most
