"""The record: 64 words of 64 bits, one a measurement window, first a header, then the 57 sums (C-2, Q-1).

Why it is as it is: docs/decisions/002-record.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from itertools import combinations_with_replacement

from gateware.registers import CHANNELS, TICK_BITS, VOLTAGES, Capability, Channel

RECORD_WORDS = 64
HEADER_WORDS = 7

PRODUCTS: tuple[tuple[Channel, Channel], ...] = tuple(combinations_with_replacement(Channel, 2))
"""The 21 products of x·xᵀ, in the order of their words."""

WORD_PRODUCTS = HEADER_WORDS
WORD_DELAYED = WORD_PRODUCTS + len(PRODUCTS)  # 18 products x·dᵀ, d the voltages a quarter cycle ago
WORD_PHASORS = WORD_DELAYED + VOLTAGES * CHANNELS  # 12 products with the line-frequency oscillator
WORD_MEANS = WORD_PHASORS + 2 * CHANNELS  # 6 plain sums
assert WORD_MEANS + CHANNELS == RECORD_WORDS

OSCILLATOR_AMPLITUDE = (1 << 17) - 1
"""Peak of the cosine and sine that the phasors are sums with."""

_PRODUCT_INDEX = {pair: i for i, pair in enumerate(PRODUCTS)}

SAFE_SAMPLES = 1 << 25
"""A record of fewer samples cannot have overflowed a 64-bit sum: |x·y| ≤ 2**38, 2**25 samples = 43 minutes."""


def words_present(capabilities: Capability) -> list[range]:
    """The ranges of record words worth reading from a build with these capabilities."""
    ranges = [range(HEADER_WORDS)]
    for bit, start, count in (
        (Capability.PRODUCTS, WORD_PRODUCTS, len(PRODUCTS)),
        (Capability.DELAYED_PRODUCTS, WORD_DELAYED, VOLTAGES * CHANNELS),
        (Capability.PHASORS, WORD_PHASORS, 2 * CHANNELS),
        (Capability.MEANS, WORD_MEANS, CHANNELS),
    ):
        if bit in capabilities:
            if ranges[-1].stop == start:
                ranges[-1] = range(ranges[-1].start, start + count)
            else:
                ranges.append(range(start, start + count))
    return ranges


class RecordFlag(IntFlag):
    """Flag of a record: how its window began and ended."""

    START_CROSSING = 1 << 0
    END_CROSSING = 1 << 1
    END_TIMED = 1 << 2
    END_COMMANDED = 1 << 3
    OVERRUN = 1 << 4
    PHANTOM = 1 << 5


@dataclass(frozen=True)
class Record:
    """Record of the gateware's measurement over one window (or, coalesced, over several in a row).

    Ticks are modulator ticks modulo 2**48; `samples` sample vectors were summed. `sums` holds the 57 sums as
    signed integers in the order of their words; sums a build does not have are 0. `before` and `after` are the
    reference voltage's samples on the two sides of the closing boundary. `overload` and `dead` are masks by
    channel: samples beyond ±94 % of the code range (97 % ones), and 128 equal bits in a row. `oscillator_step` is
    what the phasors' oscillator turned from sample to sample, 2⁻³² of a turn, from 0 at the first; 0 without phasors.
    """

    sequence: int
    windows: int
    flags: RecordFlag
    tick_start: int
    tick_end: int
    samples: int
    cycles: int
    before: int
    after: int
    config_digest: int
    overload: int
    dead: int
    oscillator_step: int
    sums: tuple[int, ...]

    @property
    def ticks(self) -> int:
        """Length in modulator ticks, exact across the counter's wrap."""
        return (self.tick_end - self.tick_start) % (1 << TICK_BITS)

    @property
    def whole_cycles(self) -> bool:
        """True if it runs from a zero crossing to a zero crossing."""
        both = RecordFlag.START_CROSSING | RecordFlag.END_CROSSING
        return self.flags & both == both

    def product(self, a: int, b: int) -> int:
        """Σ x_a·x_b in sample codes squared."""
        return self.sums[_PRODUCT_INDEX[Channel(min(a, b)), Channel(max(a, b))]]

    def delayed(self, c: int, k: int) -> int:
        """Σ x_c[n]·v_k[n − D] in sample codes squared: the voltage D samples ago, which td_delay tells."""
        return self.sums[WORD_DELAYED - HEADER_WORDS + VOLTAGES * c + k]

    def phasor(self, c: int) -> tuple[int, int]:
        """Σ x_c·C and Σ x_c·S, with the oscillator's cosine and sine of amplitude OSCILLATOR_AMPLITUDE."""
        at = WORD_PHASORS - HEADER_WORDS + 2 * c
        return self.sums[at], self.sums[at + 1]

    def mean_sum(self, a: int) -> int:
        """Σ x_a in sample codes."""
        return self.sums[WORD_MEANS - HEADER_WORDS + a]

    def to_words(self) -> list[int]:
        """The 64 words as unsigned integers (the inverse of from_words)."""
        return [
            self.sequence << 32 | self.windows << 8 | int(self.flags),
            self.tick_start,
            self.tick_end,
            self.samples << 32 | self.cycles,
            (self.before & 0xFFFF_FFFF) << 32 | self.after & 0xFFFF_FFFF,
            self.config_digest << 32 | self.overload << 8 | self.dead,
            self.oscillator_step,
            *(s & 0xFFFF_FFFF_FFFF_FFFF for s in self.sums),
        ]

    @classmethod
    def from_words(cls, words: Sequence[int]) -> Record:
        """Decode 64 words. Words a build does not have are given as 0."""
        if len(words) != RECORD_WORDS:
            raise ValueError(f"a record has {RECORD_WORDS} words, got {len(words)}")
        return cls(
            sequence=words[0] >> 32,
            windows=words[0] >> 8 & 0xFF_FFFF,
            flags=RecordFlag(words[0] & 0xFF),
            tick_start=words[1],
            tick_end=words[2],
            samples=words[3] >> 32,
            cycles=words[3] & 0xFFFF_FFFF,
            before=_signed(words[4] >> 32, 32),
            after=_signed(words[4] & 0xFFFF_FFFF, 32),
            config_digest=words[5] >> 32,
            overload=words[5] >> 8 & 0x3F,
            dead=words[5] & 0x3F,
            oscillator_step=words[6] & 0xFFFF_FFFF,
            sums=tuple(_signed(w, 64) for w in words[HEADER_WORDS:]),
        )


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
