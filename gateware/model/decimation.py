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

_HISTORY = -(-MAX_DELAY // _GROUP) * _GROUP
_LSBS, _GATHER = np.uint64(0x0101_0101_0101_0101), np.uint64(0x0102_0408_1020_4080)


def _gains() -> np.ndarray:
    """Compute what each of the three pipelined integrators gains from 8 ticks' bits (bit 0 the earliest), from zero."""
    gains = np.zeros((256, 3), np.int64)
    for byte in range(256):
        sums = [0, 0, 0]
        for tick in range(_GROUP):
            sums = [sums[0] + (1 if byte >> tick & 1 else -1), sums[1] + sums[0], sums[2] + sums[1]]
        gains[byte] = sums
    return gains


_GAINS = _gains()


class Decimation:
    """The sample path of one chain. Feed strobes (bytes of six bits), get sample sets.

    Exact for any split of the input and for delays that change between two calls.
    """

    def __init__(self, chain: Chain) -> None:
        assert sum(map(abs, TAPS)) << (chain.cic_bits - 2) < 1 << 53, "_dot needs sums that a double holds exactly"
        self._chain = chain
        self._history = np.zeros(_HISTORY, np.uint8)
        self._integrators = np.zeros((CHANNELS, 3), np.int64)
        self._combs = np.zeros((CHANNELS, 3), np.int64)
        self._ones = np.zeros(CHANNELS, np.int64)
        self._ring = np.zeros((CHANNELS, 2 * len(TAPS)))  # every value twice: any stretch is whole
        self._remainders = np.zeros(CHANNELS, np.int64)
        self._counts = np.zeros(3, np.int64)  # ticks in this CIC period, CIC outputs, dead mask of the last output

    def feed(self, strobes: np.ndarray, delays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns samples (n, 6) int64, overload masks (n,) and dead masks (n,)."""
        chain = self._chain
        line = np.zeros(_HISTORY + -(-len(strobes) // _GROUP) * _GROUP, np.uint8)
        line[:_HISTORY] = self._history
        line[_HISTORY : _HISTORY + len(strobes)] = strobes
        self._history = line[len(strobes) : len(strobes) + _HISTORY].copy()
        most = len(strobes) // chain.ticks_per_sample + 1
        samples = np.empty((most, CHANNELS), np.int64)
        masks = np.empty((most, 2), np.int64)
        count = _feed(
            line,
            _planes(line.view(np.uint64)),
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
def _planes(words: np.ndarray) -> np.ndarray:
    """The bits of each channel by themselves, eight ticks a byte, and a byte more."""
    planes = np.zeros((CHANNELS, len(words) + 1), np.uint8)
    for g in range(len(words)):
        for c in range(CHANNELS):
            planes[c, g] = ((words[g] >> np.uint64(c) & _LSBS) * _GATHER) >> np.uint64(56)
    return planes


@njit(cache=True)  # the cache does not see a changed import, so the taps come as an argument
def _feed(
    line: np.ndarray,
    planes: np.ndarray,
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
    while at < strobes:
        n = min(decimation - counts[0], strobes - at)
        if counts[0] % _GROUP:
            n = min(n, _GROUP - counts[0] % _GROUP)
        groups = n // _GROUP
        if groups:
            n = groups * _GROUP
        for c in range(CHANNELS):
            begin = _HISTORY + at - delays[c]
            s1, s2, s3 = integrators[c, 0], integrators[c, 1], integrators[c, 2]
            before = s1
            if groups:
                shift = begin % _GROUP
                place = begin // _GROUP
                for g in range(place, place + groups):
                    byte = (np.int64(planes[c, g]) | np.int64(planes[c, g + 1]) << 8) >> shift & 0xFF
                    s3 += 8 * s2 + 28 * s1 + gains[byte, 2]
                    s2 += 8 * s1 + gains[byte, 1]
                    s1 += gains[byte, 0]
            else:
                for k in range(begin, begin + n):
                    s3 += s2
                    s2 += s1
                    s1 += 2 * np.int64((line[k] >> c) & 1) - 1
            ones[c] += (s1 - before + n) // 2
            integrators[c, 0], integrators[c, 1], integrators[c, 2] = s1, s2, s3
        at += n
        counts[0] += n
        if counts[0] < decimation:
            continue
        counts[0] = 0
        dead = 0
        place = counts[1] % len(taps)
        for c in range(CHANNELS):
            value = integrators[c, 2]
            for s in range(3):
                value, combs[c, s] = value - combs[c, s], value
            value &= wrap
            ring[c, place] = ring[c, place + len(taps)] = value - 2 * (value & sign)
            if ones[c] == 0 or ones[c] == decimation:
                dead |= 1 << c
            ones[c] = 0
        counts[1] += 1
        if counts[1] % FIR_DECIMATION == 0:
            overload = 0
            for c in range(CHANNELS):
                total = remainders[c] + np.int64(_dot(taps, ring[c, place + 1 : place + 1 + len(taps)]))
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
