"""From volts and amperes to six modulators' bits: sensors, noise, interpolation, delta-sigma modulation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from numba import njit

import gateware.model  # noqa: F401  (tells numba where)
from drivers.sim.modulator import DELAY_TICKS, KEEP_ALIVE, NODES, TICK_WEIGHTS, keep_alive, lagrange, modulate
from drivers.sim.sensors import Sensor
from drivers.sim.source import GRID_TICKS, Floats, SignalSource

Bits = npt.NDArray[np.uint8]

_BATCH_POINTS = 4096
_AHEAD = NODES[-1]  # points that an interpolation needs past the interval's beginning


def delay_ticks(sensors: Sequence[Sensor], f_mod: Fraction) -> int:
    """How long after the source a bit is that stands for it, apart from the sensors' own delays.

    Tick n of FrontEnd.bits() stands for the source n − delay_ticks ticks after its first point.
    """
    return GRID_TICKS * (_base(sensors, f_mod) + _AHEAD) + DELAY_TICKS


def _base(sensors: Sequence[Sensor], f_mod: Fraction) -> int:
    """Grid points by which all channels are held back, so that no sensor needs the future."""
    earliest = min(sensor.delay_s for sensor in sensors) * float(f_mod / GRID_TICKS)
    return math.ceil(max(0.0, -earliest)) - NODES[0]


class FrontEnd:
    """The six bitstreams that `source` causes through `sensors`, at `f_mod` Hz.

    The same source, sensors and seed give the same bits however the ticks are split over calls, and on every
    machine (noise, as far as numpy's generator does). Before the source's first point its value is held.
    """

    def __init__(self, source: SignalSource, sensors: Sequence[Sensor], f_mod: Fraction, seed: int = 0) -> None:
        if len(sensors) != 6:
            raise ValueError(f"six sensors are needed, one a channel, got {len(sensors)}")
        self._source = source
        grid_hz = float(f_mod / GRID_TICKS)
        delays = [sensor.delay_s * grid_hz for sensor in sensors]  # in grid points
        self._base = _base(sensors, f_mod)
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

    @property
    def delay_ticks(self) -> int:
        """delay_ticks() of this front end."""
        return GRID_TICKS * (self._base + _AHEAD) + DELAY_TICKS

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
