"""Bits to samples, in integers, as the gateware does it: delay, CIC³, FIR with carried remainders."""

from __future__ import annotations

import numpy as np
from numba import njit

from gateware.bit_delay import MAX_DELAY
from gateware.chain import FIR_DECIMATION, TAPS, Chain
from gateware.registers import CHANNELS, SAMPLE_BITS

_OLDEST_FIRST = np.array(TAPS[::-1], np.float64)


class Decimation:
    """The sample path of one chain. Feed strobes (bytes of six bits), get sample sets.

    Exact for any split of the input and for delays that change between two calls.
    """

    def __init__(self, chain: Chain) -> None:
        assert sum(map(abs, TAPS)) << (chain.cic_bits - 2) < 1 << 53, "_dot needs sums that a double holds exactly"
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
        self._history = line[-MAX_DELAY:]
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
def _dot(a, b):
    """Exact in any order: every partial sum is a whole number that a double holds."""
    total = 0.0
    for k in range(len(a)):
        total += a[k] * b[k]
    return total


@njit(cache=True)  # the cache does not see a changed import, so the taps come as an argument
def _feed(
    line, strobes, delays, decimation, cic_bits, drop, limit, taps,
    integrators, combs, ones, ring, remainders, counts, samples, masks,
):  # fmt: skip
    wrap = (np.int64(1) << cic_bits) - 1
    sign = np.int64(1) << (cic_bits - 1)
    top = np.int64((1 << (SAMPLE_BITS - 1)) - 1)
    first = len(line) - strobes
    weights = np.empty((2, decimation), np.int32)
    weighted = 0
    made = 0
    at = 0
    while at < strobes:
        n = min(decimation - counts[0], strobes - at)
        # n ticks of three pipelined integrators at once: each sum gains binomial multiples of the ones below
        # it, and the bits weighted by how long they have been in.
        if n != weighted:
            weighted = n
            for k in range(n):
                weights[0, k] = n - 1 - k
                weights[1, k] = (n - 1 - k) * (n - 2 - k) // 2
        all_0, all_1 = n, n * (n - 1) // 2
        all_2 = n * (n - 1) * (n - 2) // 6
        for c in range(CHANNELS):
            begin = first + at - delays[c]
            sum_0, sum_1, sum_2 = np.int32(0), np.int32(0), np.int32(0)
            for k in range(n):
                bit = np.int32((line[begin + k] >> c) & 1)
                sum_0 += bit
                sum_1 += bit * weights[0, k]
                sum_2 += bit * weights[1, k]
            ones[c] += sum_0
            s1, s2, s3 = integrators[c, 0], integrators[c, 1], integrators[c, 2]
            integrators[c, 0] = s1 + 2 * sum_0 - all_0
            integrators[c, 1] = s2 + n * s1 + 2 * sum_1 - all_1
            integrators[c, 2] = s3 + n * s2 + all_1 * s1 + 2 * sum_2 - all_2
        at += n
        counts[0] += n
        if counts[0] < decimation:
            break
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
