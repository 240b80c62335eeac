"""A front end in double precision, with numpy's normal numbers for noise: the witness of drivers.sim.frontend.

It is the one that the simulation had before its modulators were integers, unchanged: `make bench` measures the present
one by it, and tests hold spectra and means of the two against each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from numba import njit

from drivers.sim.modulator import KEEP_ALIVE, NODES, keep_alive, lagrange
from drivers.sim.sensors import Sensor
from drivers.sim.source import GRID_TICKS, Floats, SignalSource

Bits = npt.NDArray[np.uint8]

LIMIT = 32.0
_BATCH_POINTS = 4096

TICK_WEIGHTS: Floats = np.array([lagrange(t / GRID_TICKS) for t in range(GRID_TICKS)]).T.copy()
"""lagrange() for every tick of a grid interval, (6, GRID_TICKS): at 3.2 kHz within 2e-5."""


class DoubleFrontEnd:
    """The six bitstreams that `source` causes through `sensors`, at `f_mod` Hz."""

    def __init__(self, source: SignalSource, sensors: Sequence[Sensor], f_mod: Fraction, seed: int = 0) -> None:
        if len(sensors) != 6:
            raise ValueError(f"six sensors are needed, one a channel, got {len(sensors)}")
        self._source = source
        grid_hz = float(f_mod / GRID_TICKS)
        delays = [sensor.delay_s * grid_hz for sensor in sensors]  # in grid points
        earliest = min(sensor.delay_s for sensor in sensors) * grid_hz
        self._base = math.ceil(max(0.0, -earliest)) - NODES[0]
        whole = [math.floor(self._base + delay) for delay in delays]
        self._taps = np.array([lagrange(self._base + delay - at) for delay, at in zip(delays, whole, strict=True)])
        self._nearest = np.array(whole) + NODES[0]  # points ago, of each channel's first tap
        self._history = max(whole) + NODES[-1]
        self._scale = np.array([(s.gain, s.offset, s.noise_density * math.sqrt(grid_hz / 2), s.clip) for s in sensors])
        self._noisy = any(sensor.noise_density for sensor in sensors)
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._values: Floats | None = None  # the last points of the source, and
        self._densities: Floats | None = None  # the last of what the modulators were given
        self._state = np.zeros((2, 6))
        self._sent = np.full(KEEP_ALIVE, 0b111111, np.uint8)
        self._sent[::2] = 0
        self._left = np.empty(0, np.uint8)

    def bits(self, ticks: int) -> Bits:
        """The next `ticks` modulator ticks, uint8: bit c of a byte is channel c's, 1 for +1."""
        parts, have = [self._left], len(self._left)
        while have < ticks:
            points = min(_BATCH_POINTS, -(-(ticks - have) // GRID_TICKS))
            parts.append(self._convert(points))
            have += points * GRID_TICKS
        stream = np.concatenate(parts)
        self._left = stream[ticks:].copy()
        return stream[:ticks]

    def _convert(self, points: int) -> Bits:
        """The bits of the next `points` grid intervals."""
        fresh = self._source.read(points)
        before = np.repeat(fresh[:1], self._history, axis=0) if self._values is None else self._values
        values = np.concatenate((before, fresh))
        self._values = values[len(values) - self._history :]

        noise = self._random.standard_normal((points if self._noisy else 0, 6))
        density = np.empty((points, 6))
        _sense(values, self._history, self._nearest, self._taps, self._scale, noise, density)
        if self._densities is None:
            self._densities = np.repeat(density[:1], len(NODES) - 1, axis=0)
        density = np.concatenate((self._densities, density))
        self._densities = density[points:]

        bits = np.empty(KEEP_ALIVE + GRID_TICKS * points, np.uint8)
        bits[:KEEP_ALIVE] = self._sent
        modulate(density, TICK_WEIGHTS, self._state, bits[KEEP_ALIVE:])
        keep_alive(bits)
        self._sent = bits[-KEEP_ALIVE:].copy()
        return bits[KEEP_ALIVE:]


@njit(cache=True)
def _sense(
    values: Floats, history: int, nearest: np.ndarray, taps: Floats, scale: Floats, noise: Floats, density: Floats
) -> None:
    """Densities from values, `history` points of which precede: delayed, with noise, scaled, clipped."""
    for c in range(6):
        gain, offset, sigma, clip = scale[c, 0], scale[c, 1], scale[c, 2], scale[c, 3]
        newest = history - nearest[c]
        for k in range(density.shape[0]):
            x = offset
            for j in range(taps.shape[1]):
                x += taps[c, j] * values[k + newest - j, c]
            if sigma != 0.0:
                x += sigma * noise[k, c]
            density[k, c] = min(max(gain * x, -clip), clip)


@njit(cache=True, inline="always")
def _step(u: float, x: float, y: float) -> tuple[float, float]:
    v = math.copysign(1.0, y)  # y is never −0: no sum of the loop yields it from the zeros it starts with
    after = y + (x - 2.0 * v)
    after = LIMIT if after > LIMIT else after
    after = -LIMIT if after < -LIMIT else after
    return x + (u - v), after


@njit(cache=True)
def modulate(density: Floats, weights: Floats, state: Floats, bits: np.ndarray) -> None:
    """Fill `bits` (uint8, GRID_TICKS a point; bit c is channel c) from `density` (points + 5, 6).

    `weights` are TICK_WEIGHTS; `state` (2, 6) holds x and y of each loop from call to call. The six loops are
    written out side by side: each alone would spend its time waiting for its own result.
    """
    u = np.empty((6, GRID_TICKS))
    xa, xb, xc, xd, xe, xf = state[0, 0], state[0, 1], state[0, 2], state[0, 3], state[0, 4], state[0, 5]
    ya, yb, yc, yd, ye, yf = state[1, 0], state[1, 1], state[1, 2], state[1, 3], state[1, 4], state[1, 5]
    for k in range(density.shape[0] - len(NODES) + 1):
        for c in range(6):
            p0, p1, p2 = density[k, c], density[k + 1, c], density[k + 2, c]
            p3, p4, p5 = density[k + 3, c], density[k + 4, c], density[k + 5, c]
            for t in range(GRID_TICKS):
                early = weights[0, t] * p0 + weights[1, t] * p1 + weights[2, t] * p2
                u[c, t] = early + weights[3, t] * p3 + weights[4, t] * p4 + weights[5, t] * p5
        for t in range(GRID_TICKS):
            low = (ya >= 0.0) | (yb >= 0.0) << 1 | (yc >= 0.0) << 2
            bits[GRID_TICKS * k + t] = low | (yd >= 0.0) << 3 | (ye >= 0.0) << 4 | (yf >= 0.0) << 5
            xa, ya = _step(u[0, t], xa, ya)
            xb, yb = _step(u[1, t], xb, yb)
            xc, yc = _step(u[2, t], xc, yc)
            xd, yd = _step(u[3, t], xd, yd)
            xe, ye = _step(u[4, t], xe, ye)
            xf, yf = _step(u[5, t], xf, yf)
    state[0, 0], state[0, 1], state[0, 2], state[0, 3], state[0, 4], state[0, 5] = xa, xb, xc, xd, xe, xf
    state[1, 0], state[1, 1], state[1, 2], state[1, 3], state[1, 4], state[1, 5] = ya, yb, yc, yd, ye, yf
