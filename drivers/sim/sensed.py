"""A source as six sensors are connected to it, with what of a sensor changes slowly: by level, by time, by noise.

A sensor's gain and delay stand still for blocks of a tenth of a second, six cycles of 60 Hz or five of 50 Hz. A
transformer's errors are those of its curve at the r.m.s. value of the block itself, which is why a source is read a
block ahead where a sensor has such: a change of the load acts a tenth of a second later then. Values of the reference's
noise are independent from block to block.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drivers.sim.noise import Noise
from drivers.sim.sensors import Sensor
from drivers.sim.source import Floats, SignalSource

BLOCK_S = 0.1
_REFERENCE_SEED = 0x5EED_0F5E


class SensedSource:
    """The source's values by channel, with what its sensor makes of them at that time."""

    def __init__(self, source: SignalSource, sensors: Sequence[Sensor], grid_hz: float, seed: int) -> None:
        self._source, self._sensors, self._grid_hz = source, sensors, grid_hz
        own = list(range(len(sensors)))
        terminals = [c if s.terminal is None else s.terminal for c, s in zip(own, sensors, strict=True)]
        self._terminals = None if terminals == own else terminals
        self._varies = any(sensor.varies for sensor in sensors)
        self._block_points = round(grid_hz * BLOCK_S)
        self._blocks = 0
        self._ahead = np.empty((0, len(sensors)))
        self._factors = np.ones(len(sensors))
        self._delays_s = np.array([sensor.delay_s for sensor in sensors])
        self._reference = Noise([sensor.unsteady for sensor in sensors], seed ^ _REFERENCE_SEED)

    def read(self, points: int) -> tuple[Floats, Floats, Floats]:
        """Give up to `points` values, at least one, in volts and amperes; by channel the factor of the gain, and the
        delay in seconds, that all of them have."""
        if not self._varies:
            return self._connected(self._source.read(points)), self._factors, self._delays_s
        if not len(self._ahead):
            self._begin_block()
        fresh, self._ahead = self._ahead[:points], self._ahead[points:]
        return fresh, self._factors, self._delays_s

    def _begin_block(self) -> None:
        self._ahead = self._connected(self._source.read(self._block_points))
        seconds = self._blocks * self._block_points / self._grid_hz
        self._blocks += 1
        noise = self._reference.next(1)
        unsteady = noise[0] if len(noise) else np.zeros(len(self._sensors))
        for c, sensor in enumerate(self._sensors):
            square = sum((self._ahead[:, c] ** 2).tolist())  # in this order on every machine
            factor, delay_s = sensor.at_level((square / self._block_points) ** 0.5)
            self._factors[c] = factor * (1 + sensor.gain_per_s * seconds + unsteady[c])
            self._delays_s[c] = delay_s

    def _connected(self, values: Floats) -> Floats:
        return values if self._terminals is None else values[:, self._terminals]
