"""White noise of six sensors, the same on every machine: integers, and counted bits.

Value n of a stream takes its 64 random bits from the n-th state of SplitMix64 (Steele, Lea and Flood 2014). The ones
among 48 of them are binomial, of mean 24 and variance 12; the other 16 bits fill the step from one count to the next
evenly. The sum is normal but for an excess kurtosis of −0.04, and ends at ±6.9 standard deviations. Of such values
eight and more make one of the meter's samples. (numpy's normal numbers come from logarithms, in whose last place
machines differ.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numba import njit

import gateware.model  # noqa: F401  (tells numba where)
from drivers.sim.source import Floats

_COUNTED, _EVEN = 48, 16
_STEP = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58_476D_1CE4_E5B9), np.uint64(0x94D0_49BB_1331_11EB)
_CENTRE = _COUNTED / 2 + (1 - 2.0**-_EVEN) / 2
DEVIATION = math.sqrt(_COUNTED / 4 + (1 - 4.0**-_EVEN) / 12)
"""Standard deviation of count and step together."""


class Noise:
    """Noise of these standard deviations, a stream a channel, none of it where all are 0."""

    def __init__(self, deviations: Sequence[float], seed: int) -> None:
        self._factors = np.array(deviations) / DEVIATION
        self._some = any(deviations)
        self._seed = np.uint64(seed % 2**64)
        self._place = 0

    def next(self, points: int) -> Floats:
        """The next `points` values of each channel, (points, channels); (0, channels) where there is none."""
        noise = np.empty((points if self._some else 0, len(self._factors)))
        _fill(noise, self._factors, self._seed, np.uint64(self._place))
        self._place += noise.size
        return noise


@njit(cache=True)
def _fill(noise: Floats, factors: Floats, seed: np.uint64, place: np.uint64) -> None:
    state = _mixed(seed) + place * _STEP
    for k in range(noise.shape[0]):
        for c in range(noise.shape[1]):
            state += _STEP
            word = _mixed(state)
            even = np.float64(np.int64(word & np.uint64(0xFFFF))) * 2.0**-16
            noise[k, c] = factors[c] * (np.float64(_ones(word >> np.uint64(16))) + even - _CENTRE)


@njit(cache=True, inline="always")
def _mixed(word: np.uint64) -> np.uint64:
    word = (word ^ word >> np.uint64(30)) * _MIX_1
    word = (word ^ word >> np.uint64(27)) * _MIX_2
    return word ^ word >> np.uint64(31)


@njit(cache=True, inline="always")
def _ones(word: np.uint64) -> int:
    """Count the bits that are set (Warren, Hacker's Delight, 5-1)."""
    word = word - (word >> np.uint64(1) & np.uint64(0x5555_5555_5555_5555))
    word = (word & np.uint64(0x3333_3333_3333_3333)) + (word >> np.uint64(2) & np.uint64(0x3333_3333_3333_3333))
    word = word + (word >> np.uint64(4)) & np.uint64(0x0F0F_0F0F_0F0F_0F0F)
    return int(word * np.uint64(0x0101_0101_0101_0101) >> np.uint64(56))
