"""Bits to samples, in integers, as the gateware does it: delay, CIC³, FIR with carried remainders."""

from __future__ import annotations

import numpy as np
from numba import njit

from gateware.bit_delay import MAX_DELAY
from gateware.chain import FIR_DECIMATION, TAPS, Chain
from gateware.registers import CHANNELS, SAMPLE_BITS

_OLDEST_FIRST = np.array(TAPS[::-1], np.float64)

_GROUP = 8
"""Ticks that the integrators advance at once, from one byte of a channel's bits."""

_LSBS, _GATHER = np.uint64(0x0101_0101_0101_0101), np.uint64(0x0102_0408_1020_4080)

# What a CIC period's bits add to the three integrators is summed apart, from zero, in one word: a lane each, the first
# lowest. A period of 128 ones adds at most 128, 8128 and 341 376, so that no lane reaches the next. By 8 ticks of
# nothing the second gains 8 times the first, and the third 8 times the second and 28 times the first: a product.
_LANE = 21
_LANES = (np.int64(1) << _LANE) - 1
_EIGHT_TICKS = 1 | 8 << _LANE | 28 << 2 * _LANE


def _gains() -> np.ndarray:
    """Compute the gains of the three pipelined integrators from 8 ticks' ones (bit 0 the earliest), a lane each."""
    gains = np.zeros(256, np.int64)
    for byte in range(256):
        sums = [0, 0, 0]
        for tick in range(_GROUP):
            sums = [sums[0] + (byte >> tick & 1), sums[1] + sums[0], sums[2] + sums[1]]
        gains[byte] = sums[0] | sums[1] << _LANE | sums[2] << 2 * _LANE
    return gains


_GAINS = _gains()


class Decimation:
    """The sample path of one chain. Feed strobes (bytes of six bits), get sample sets.

    Exact for any split of the input and for delays that change between two calls.
    """

    def __init__(self, chain: Chain) -> None:
        assert sum(map(abs, TAPS)) << (chain.cic_bits - 2) < 1 << 53, "_dot needs sums that a double holds exactly"
        assert chain.decimation <= 128, "the lanes of a CIC period's sums are made for 128 ticks"
        self._chain = chain
        self._history = np.zeros(MAX_DELAY, np.uint8)
        self._integrators = np.zeros((CHANNELS, 3), np.int64)
        self._combs = np.zeros((CHANNELS, 3), np.int64)
        self._ones = np.zeros(CHANNELS, np.int64)
        self._ring = np.zeros((CHANNELS, 2 * len(TAPS)))  # every value twice: any stretch is whole
        self._remainders = np.zeros(CHANNELS, np.int64)
        self._counts = np.zeros(3, np.int64)  # ticks in this CIC period, CIC outputs, dead mask of the last output

    def feed(self, strobes: np.ndarray, delays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns samples (n, 6) int64, overload masks (n,) and dead masks (n,)."""
        chain = self._chain
        line = np.concatenate((self._history, strobes))
        self._history = line[len(strobes) : len(strobes) + MAX_DELAY].copy()
        most = len(strobes) // chain.ticks_per_sample + 1
        samples = np.empty((most, CHANNELS), np.int64)
        masks = np.empty((most, 2), np.int64)
        count = _feed(
            line,
            len(strobes),
            delays,
            chain.decimation,
            chain.cic_bits,
            chain.round_bits,
            chain.overload_code,
            _OLDEST_FIRST,
            _GAINS,
            self._integrators,
            self._combs,
            self._ones,
            self._ring,
            self._remainders,
            self._counts,
            samples,
            masks,
        )
        return samples[:count], masks[:count, 0], masks[:count, 1]


@njit(cache=True, fastmath={"reassoc"})
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    """Exact in any order: every partial sum is a whole number that a double holds."""
    total = 0.0
    for k in range(len(a)):
        total += a[k] * b[k]
    return total


@njit(cache=True)
def _planes(line: np.ndarray, begins: np.ndarray, groups: int) -> np.ndarray:
    """The bits of each channel by themselves, eight ticks a byte, from its own beginning in the line."""
    planes = np.empty((CHANNELS, groups), np.uint8)
    for c in range(CHANNELS):
        words = line[begins[c] : begins[c] + groups * _GROUP].view(np.uint64)
        plane = planes[c]
        for g in range(groups):
            plane[g] = ((words[g] >> np.uint64(c) & _LSBS) * _GATHER) >> np.uint64(56)
    return planes


@njit(cache=True)  # the cache does not see a changed import, so the taps come as an argument
def _feed(
    line: np.ndarray,
    strobes: int,
    delays: np.ndarray,
    decimation: int,
    cic_bits: int,
    drop: int,
    limit: int,
    taps: np.ndarray,
    gains: np.ndarray,
    integrators: np.ndarray,
    combs: np.ndarray,
    ones: np.ndarray,
    ring: np.ndarray,
    remainders: np.ndarray,
    counts: np.ndarray,
    samples: np.ndarray,
    masks: np.ndarray,
) -> int:
    wrap = (np.int64(1) << cic_bits) - 1
    sign = np.int64(1) << (cic_bits - 1)
    top = np.int64((1 << (SAMPLE_BITS - 1)) - 1)
    made = 0
    at = 0
    whole = min((decimation - counts[0]) % decimation, strobes)  # periods that are whole, but for the last, begin there
    planes = _planes(line, MAX_DELAY + whole - delays, (strobes - whole) // _GROUP)
    while at < strobes:
        n = min(decimation - counts[0], strobes - at)
        groups = n // _GROUP if at >= whole else 0
        place = (at - whole) // _GROUP
        for c in range(CHANNELS):
            begin = MAX_DELAY + at - delays[c]
            sums = np.int64(0)
            for g in range(place, place + groups):
                sums = sums * _EIGHT_TICKS + gains[planes[c, g]]
            t1, t2, t3 = sums & _LANES, sums >> _LANE & _LANES, sums >> 2 * _LANE & _LANES
            for k in range(begin + groups * _GROUP, begin + n):
                t3 += t2
                t2 += t1
                t1 += np.int64(line[k]) >> c & 1
            ones[c] += t1
            # A bit counts +1 or -1: twice the ones, less what n ones would add. Then what was there before moves on.
            two, three = n * (n - 1) // 2, n * (n - 1) * (n - 2) // 6
            s1, s2, s3 = integrators[c, 0], integrators[c, 1], integrators[c, 2]
            integrators[c, 2] = s3 + n * s2 + two * s1 + 2 * t3 - three
            integrators[c, 1] = s2 + n * s1 + 2 * t2 - two
            integrators[c, 0] = s1 + 2 * t1 - n
        at += n
        counts[0] += n
        if counts[0] < decimation:
            continue
        counts[0] = 0
        dead = 0
        newest = counts[1] % len(taps)
        for c in range(CHANNELS):
            value = integrators[c, 2]
            for s in range(3):
                value, combs[c, s] = value - combs[c, s], value
            value &= wrap
            ring[c, newest] = ring[c, newest + len(taps)] = value - 2 * (value & sign)
            if ones[c] == 0 or ones[c] == decimation:
                dead |= 1 << c
            ones[c] = 0
        counts[1] += 1
        if counts[1] % FIR_DECIMATION == 0:
            overload = 0
            for c in range(CHANNELS):
                total = remainders[c] + np.int64(_dot(taps, ring[c, newest + 1 : newest + 1 + len(taps)]))
                quotient = total >> drop
                remainders[c] = total - (quotient << drop)
                if quotient >= limit or quotient <= -limit:
                    overload |= 1 << c
                samples[made, c] = min(max(quotient, -top - 1), top)
            masks[made, 0] = overload
            masks[made, 1] = dead | counts[2]
            made += 1
        counts[2] = dead
    return made
