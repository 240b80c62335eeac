"""From volts and amperes to six modulators' bits: sensors, noise, interpolation, delta-sigma modulation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numba import njit

import gateware.model  # noqa: F401  (tells numba where)
from drivers.sim.modulator import DELAY_TICKS, NODES, PLACES, Bits, lagrange, modulators
from drivers.sim.noise import Noise
from drivers.sim.sensed import SensedSource
from drivers.sim.sensors import Sensor
from drivers.sim.source import GRID_TICKS, Floats, SignalSource

_BATCH_POINTS = 4096
_JITTER_SEED = 0x6A17_7E12
_AHEAD = NODES[-1]  # points that an interpolation needs past the interval's beginning


def delay_ticks(sensors: Sequence[Sensor], f_mod: Fraction) -> int:
    """Return how long after the source a bit is that stands for it, apart from the sensors' own delays.

    Tick n of FrontEnd.bits() stands for the source n − delay_ticks ticks after its first point.
    """
    return GRID_TICKS * (_base(sensors, f_mod) + _AHEAD) + DELAY_TICKS


def _base(sensors: Sequence[Sensor], f_mod: Fraction) -> int:
    """Grid points by which all channels are held back, so that no sensor needs the future."""
    earliest = min(sensor.delays_s[0] for sensor in sensors) * float(f_mod / GRID_TICKS)
    return math.ceil(max(0.0, -earliest)) - NODES[0]


def joined(first: Bits, then: Bits) -> Bits:
    """Bits after bits, copied only where there are some of both."""
    if not len(first) or not len(then):
        return then if not len(first) else first
    return np.concatenate((first, then))


class FrontEnd:
    """The six bitstreams that `source` causes through `sensors`, at `f_mod` Hz, with a jitter of the modulators' clock
    of `jitter_s` seconds r.m.s. from tick to tick.

    The same source, sensors and seed give the same bits however the ticks are split over calls, and on every
    machine. Before the source's first point its value is held.
    """

    def __init__(
        self, source: SignalSource, sensors: Sequence[Sensor], f_mod: Fraction, seed: int = 0, jitter_s: float = 0.0
    ) -> None:
        if len(sensors) != 6:
            raise ValueError(f"six sensors are needed, one a channel, got {len(sensors)}")
        grid_hz = float(f_mod / GRID_TICKS)
        self._source = SensedSource(source, sensors, grid_hz, seed)
        self._grid_hz = grid_hz
        self._base = _base(sensors, f_mod)
        self._history = max(math.floor(self._base + s.delays_s[1] * grid_hz) for s in sensors) + NODES[-1]
        self._scale = np.array([(s.gain, s.offset, s.clip) for s in sensors])
        self._jitter = Noise([jitter_s / math.sqrt(GRID_TICKS) * grid_hz], seed ^ _JITTER_SEED)
        self._noise = Noise([sensor.noise_density * math.sqrt(grid_hz / 2) for sensor in sensors], seed)
        self._delays_s: Floats | None = None  # those that the taps are for
        self._values: Floats | None = None  # the last points of the source, and
        self._densities: Floats | None = None  # the last of what the modulators were given
        self._modulators = modulators()
        self._begun: Bits | None = None  # bits that are being made, and
        self._next: tuple[Floats, Bits] | None = None  # what comes after them: densities, and room for bits
        self._left = np.empty(0, np.uint8)

    @property
    def delay_ticks(self) -> int:
        """delay_ticks() of this front end."""
        return GRID_TICKS * (self._base + _AHEAD) + DELAY_TICKS

    def bits(self, ticks: int) -> Bits:
        """The next `ticks` modulator ticks, uint8: bit c of a byte is channel c's, 1 for +1."""
        ready = self._left
        while len(ready) < ticks and self._begun is not None:
            ready = joined(ready, self._finished())
        if len(ready) < ticks:
            have, points = len(ready), -(-(ticks - len(ready)) // GRID_TICKS)
            stream = np.empty(have + points * GRID_TICKS, np.uint8)
            stream[:have] = ready
            for first in range(0, points, _BATCH_POINTS):
                count = min(_BATCH_POINTS, points - first)
                at = have + first * GRID_TICKS
                self._modulators.run(self._density(count), stream[at : at + count * GRID_TICKS])
            ready = stream
        self._left = ready[ticks:]
        return ready[:ticks]

    def begin(self, ticks: int) -> None:
        """Read so much more of the source, at least, and have its bits made while other things are done, unless some
        are being made; bits() has them."""
        if self._begun is None and ticks > 0:
            self._make(*self._read(ticks))

    def begin_next(self, ticks: int) -> None:
        """Read so much of the source after that, unless some is read: its bits are begun as soon as those before are
        there, so that the other core never waits for this one to read."""
        if self._begun is not None and self._next is None and ticks > 0:
            self._next = self._read(ticks)

    def _read(self, ticks: int) -> tuple[Floats, Bits]:
        points = -(-ticks // GRID_TICKS)
        return self._density(points), np.empty(points * GRID_TICKS, np.uint8)

    def _make(self, density: Floats, bits: Bits) -> None:
        self._begun = bits
        self._modulators.begin(density, bits)

    @property
    def begun(self) -> int:
        """Number of ticks of bits() that are made or being made."""
        return len(self._left) + (0 if self._begun is None else len(self._begun))

    def made(self) -> int:
        """Return how many ticks bits() has without waiting or making them."""
        begun = 0 if self._begun is None or not self._modulators.made() else len(self._begun)
        return len(self._left) + begun

    def _finished(self) -> Bits:
        """Return the bits that were begun, finished."""
        assert self._begun is not None
        bits, self._begun = self._begun, None
        self._modulators.finish()
        if self._next is not None:
            begun, self._next = self._next, None
            self._make(*begun)
        return bits

    def _density(self, points: int) -> Floats:
        """Return what the modulators are given in the next `points` grid intervals, as they take it."""
        first = len(NODES) - 1
        density = np.zeros((first + points, PLACES))
        done = 0
        while done < points:
            fresh, factors, delays_s = self._source.read(points - done)
            self._sense(fresh, factors, delays_s, density[first + done : first + done + len(fresh)])
            done += len(fresh)
        density[:first] = density[first] if self._densities is None else self._densities
        self._densities = density[points:].copy()
        return density

    def _sense(self, fresh: Floats, factors: Floats, delays_s: Floats, density: Floats) -> None:
        """Fill densities of fresh values of the source, by the factors of the gains and the delays of the sensors."""
        before = np.repeat(fresh[:1], self._history, axis=0) if self._values is None else self._values
        values = np.concatenate((before, fresh))
        self._values = values[len(values) - self._history :]
        if self._delays_s is None or (delays_s != self._delays_s).any():
            self._delays_s = delays_s.copy()
            delays = self._base + delays_s * self._grid_hz  # in grid points
            whole = np.floor(delays)
            self._taps = np.array([lagrange(float(delay)) for delay in delays - whole])
            self._nearest = whole.astype(np.int64) + NODES[0]  # points ago, of each channel's first tap
        scale = self._scale.copy()
        scale[:, 0] *= factors
        noise, jitter = self._noise.next(len(fresh)), self._jitter.next(len(fresh))
        _sense(values, self._history, self._nearest, self._taps, scale, noise, jitter, density)


@njit(cache=True)
def _sense(
    values: Floats,
    history: int,
    nearest: np.ndarray,
    taps: Floats,
    scale: Floats,
    noise: Floats,
    jitter: Floats,
    density: Floats,
) -> None:
    """Densities from values, `history` points of which precede: delayed, with noise, scaled, clipped. `jitter` is in
    grid points, of all channels alike: they have one clock."""
    points = density.shape[0]
    x, v = np.empty(points), np.empty(values.shape[0])
    for c in range(6):
        gain, offset, clip = scale[c, 0], scale[c, 1], scale[c, 2]
        for k in range(len(v)):
            v[k] = values[k, c]
        w0, w1, w2, w3, w4, w5 = taps[c, 0], taps[c, 1], taps[c, 2], taps[c, 3], taps[c, 4], taps[c, 5]
        n = history - nearest[c]
        v0, v1, v2 = v[n : n + points], v[n - 1 : n - 1 + points], v[n - 2 : n - 2 + points]
        v3, v4, v5 = v[n - 3 : n - 3 + points], v[n - 4 : n - 4 + points], v[n - 5 : n - 5 + points]
        for k in range(points):  # in this order, and no other
            early = offset + w0 * v0[k] + w1 * v1[k] + w2 * v2[k]
            x[k] = early + w3 * v3[k] + w4 * v4[k] + w5 * v5[k]
        for k in range(noise.shape[0]):
            x[k] += noise[k, c]
        for k in range(jitter.shape[0]):
            x[k] += jitter[k, 0] * (v2[k] - v3[k])
        for k in range(points):
            density[k, c] = min(max(gain * x[k], -clip), clip)
