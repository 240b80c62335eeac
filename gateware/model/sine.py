"""The sine generator in integers, as the gateware does it."""

from __future__ import annotations

import numpy as np
from numba import njit

_NODES = np.arange(256) / 256
SINE_TABLE = 1 + np.rint(
    2 * ((2**17 - 1) * (1 + (np.pi / 512) ** 2 / 12) * np.sin(np.pi / 2 * _NODES) - 2**17 * _NODES)
).astype(np.int64)
"""Height of a quarter wave above its chord, and a rounding half; an argument of compiled loops (see sine_of)."""


@njit(cache=True, inline="always")
def sine_of(phase: int, table: np.ndarray) -> int:
    """Sine of one phase (2⁻²⁴ of a turn, any integer) as a code of ±(2**17 − 1).

    numba's cache does not see a changed import, so the table comes as an argument.
    """
    x = phase & 0x3F_FFFF
    if phase & 0x40_0000:
        x = 0x40_0000 - x
    left: int = table[x >> 14 & 255]
    right: int = table[(x >> 14) + 1 & 255]
    # In 2⁻¹⁵ of a unit: the chord's rise, the way along the segment's own chord, the line of the quarter.
    total = (left << 14) + (right - left) * (x & 0x3FFF) + (x << 10)
    magnitude = min(total >> 15, 0x1_FFFF)
    return -magnitude if phase & 0x80_0000 else magnitude


@njit(cache=True)
def _sines(phases: np.ndarray, table: np.ndarray) -> np.ndarray:
    values = np.empty(len(phases), np.int64)
    for k in range(len(phases)):
        values[k] = sine_of(phases[k], table)
    return values


def sine(phases: np.ndarray) -> np.ndarray:
    """Codes (n,) int64 of phases (n,) in 2⁻²⁴ of a turn."""
    codes: np.ndarray = _sines(np.asarray(phases, np.int64), SINE_TABLE)
    return codes
