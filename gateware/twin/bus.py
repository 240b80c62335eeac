"""An SPI host's side of the pins: one frame as a waveform at the FPGA's clock, mode 0."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

CS_N, SCK, COPI = 1, 2, 4
"""Bits of a byte of pins."""

LEAD_CLOCKS = 4
"""Chip select low before the first bit, and after the last."""

IDLE_CLOCKS = 8
"""Chip select high at least this long after a frame."""


@dataclass(frozen=True)
class Timing:
    """Timing of the bus in a frame of a given length.

    `pins` is the waveform, uint8 a clock, of a frame of zeros; `edges` the clock of each bit's rising SCK edge,
    where the host samples CIPO; `bit` the number of the bit that is on COPI at each clock, −1 for none.
    """

    pins: np.ndarray
    edges: np.ndarray
    bit: np.ndarray

    def send(self, frame: bytes) -> np.ndarray:
        """The waveform of a frame."""
        bits = np.append(np.unpackbits(np.frombuffer(frame, np.uint8)), 0)
        driven: np.ndarray = self.pins | bits[self.bit] * np.uint8(COPI)
        return driven

    def receive(self, cipo: np.ndarray) -> bytes:
        """Return what the host reads, given CIPO at each clock."""
        return np.packbits(cipo[self.edges]).tobytes()


@cache
def timing(length: int, clocks_per_bit: Fraction, multiple: int) -> Timing:
    """The timing of a frame of `length` bytes, padded to a multiple of `multiple` clocks (a modulator tick)."""
    count = 8 * length
    starts = LEAD_CLOCKS + np.arange(count + 1) * clocks_per_bit.numerator // clocks_per_bit.denominator
    edges = (starts[:-1] + starts[1:]) // 2
    end = int(starts[-1]) + LEAD_CLOCKS
    clocks = np.arange(-(-(end + IDLE_CLOCKS) // multiple) * multiple)
    bit = np.searchsorted(starts, clocks, side="right") - 1
    bit[(bit < 0) | (bit >= count)] = -1
    high = (bit >= 0) & (clocks >= edges[np.clip(bit, 0, None)])
    pins = np.where((clocks >= 1) & (clocks < end), 0, CS_N) + np.where(high, SCK, 0)
    return Timing(pins.astype(np.uint8), edges, bit)
