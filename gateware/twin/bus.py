"""An SPI host's side of the pins: one frame as a waveform at the FPGA's clock, mode 0."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

CS_N, SCK, COPI = 1, 2, 4
"""Bits of a byte of pins."""

LEAD_CLOCKS = 4
"""Chip select low before the first bit, and after the last."""

IDLE_CLOCKS = 8
"""Chip select high at least this long after a frame."""


@dataclass(frozen=True)
class Wave:
    """pins: uint8 a clock; edges: the clock of each bit's rising SCK edge, where the host samples CIPO."""

    pins: np.ndarray
    edges: np.ndarray

    def reply(self, cipo: np.ndarray) -> bytes:
        """What the host reads, given CIPO at each clock."""
        return np.packbits(cipo[self.edges]).tobytes()


def wave(frame: bytes, clocks_per_bit: Fraction, multiple: int) -> Wave:
    """The waveform of a frame, its length a multiple of `multiple` clocks (a modulator tick)."""
    bits = np.unpackbits(np.frombuffer(frame, np.uint8))
    starts = LEAD_CLOCKS + np.arange(len(bits) + 1) * clocks_per_bit.numerator // clocks_per_bit.denominator
    end = int(starts[-1]) + LEAD_CLOCKS
    length = -(-(end + IDLE_CLOCKS) // multiple) * multiple
    pins = np.full(length, CS_N, np.uint8)
    pins[1:end] = 0
    edges = (starts[:-1] + starts[1:]) // 2
    # Between start and start the level is constant: differences, then a running sum.
    sck = np.zeros(length + 1, np.int8)
    np.add.at(sck, edges, 1)
    np.add.at(sck, starts[1:], -1)
    copi = np.zeros(length + 1, np.int8)
    np.add.at(copi, starts[:-1], bits)
    np.add.at(copi, starts[1:], -bits.astype(np.int8))
    pins |= (np.cumsum(sck[:-1]) * SCK + np.cumsum(copi[:-1]) * COPI).astype(np.uint8)
    return Wave(pins, edges)
