"""A synthetic load played as a source: waves of drivers/sim/waves.py, changing over time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numba import njit

import gateware.model  # noqa: F401  (tells numba where)
from drivers.sim.portable import cos_sin
from drivers.sim.source import GRID_TICKS, Floats
from drivers.sim.waves import LoadState, Step

_CHUNK = 1024  # points computed together: their phasors stay in the first-level cache
_PHASE_BITS = 64


@dataclass(frozen=True)
class _Segment:
    points: int | None  # None: without end
    state: LoadState
    ramp_from: LoadState | None


class SyntheticLoad:
    """A Source that plays `steps`, with continuous phase, and repeats them every `repeat_s` seconds if given.

    A wave of angle 0 is at its crest at time zero. Changes happen at grid points; a ramp on the first step
    begins from the last state. Frequencies stay exact to 2e-15 Hz: the phase is a 64-bit fraction of a turn,
    as in a direct digital synthesiser, and begins at `phase`, in 2**-64 turns.
    """

    length_ticks: int | None = None

    def __init__(self, f_mod: Fraction, steps: Sequence[Step], repeat_s: float | None = None, phase: int = 0) -> None:
        times = [step.time_s for step in steps] + ([] if repeat_s is None else [repeat_s])
        if not steps or times[0] != 0 or any(a >= b for a, b in pairwise(times)):
            raise ValueError(f"steps begin at 0 s and go forward in time, got {times}")
        for step, end in zip(steps, [*times[1:], math.inf], strict=False):
            if step.ramp_s < 0 or step.time_s + step.ramp_s > end:
                raise ValueError(f"the ramp at {step.time_s} s must end before the next step")
        self._grid_hz = f_mod / GRID_TICKS
        self._segments = self._schedule(steps, repeat_s)
        self._orders = np.array(sorted({1}.union(*(w.harmonics for s in steps for w in s.state.channels))))
        self._coefficients = {id(step.state): self._coefficients_of(step.state) for step in steps}
        self._segment = next(self._segments)
        self._position = 0  # points into the segment
        self._phase = phase  # at the segment's first point
        waves = np.array([[w.peak for w in s.state.channels] for s in steps])
        self.peaks: Floats = waves.max(axis=0)

    def read(self, points: int) -> Floats:
        """The next `points` grid points, shape (points, 6)."""
        out = np.empty((points, 6))
        done = 0
        while done < points:
            segment = self._segment
            left = points if segment.points is None else segment.points - self._position
            count = min(points - done, left)
            self._fill(out[done : done + count])
            done += count
            self._position += count
            if self._position == segment.points:
                self._phase = self.phase
                self._segment, self._position = next(self._segments), 0
        return out

    @property
    def phase(self) -> int:
        """The fundamental's phase at the next point, in 2**-64 turns."""
        return int(self._phases(np.array([self._position], np.uint64))[0])

    def _schedule(self, steps: Sequence[Step], repeat_s: float | None) -> Iterator[_Segment]:
        """The steps as runs of grid points: each boundary rounded from its own time, so none drifts."""
        round_s, before = Fraction(0), steps[-1].state
        while True:
            for k, step in enumerate(steps):
                begin = round_s + Fraction(step.time_s)
                ramped = begin + Fraction(step.ramp_s)
                if ramped > begin:
                    yield _Segment(self._point(ramped) - self._point(begin), step.state, before)
                if k + 1 < len(steps):
                    end = round_s + Fraction(steps[k + 1].time_s)
                elif repeat_s is not None:
                    end = round_s + Fraction(repeat_s)
                else:
                    yield _Segment(None, step.state, None)
                    return
                if self._point(end) > self._point(ramped):
                    yield _Segment(self._point(end) - self._point(ramped), step.state, None)
                before = step.state
            assert repeat_s is not None
            round_s += Fraction(repeat_s)

    def _point(self, time_s: Fraction) -> int:
        return round(time_s * self._grid_hz)

    def _phases(self, k: np.ndarray) -> np.ndarray:
        """Phase of the fundamental at points `k` of the segment, in 2**-64 turns; wraps."""
        segment = self._segment
        phase = np.uint64(self._phase) + k * self._turn_step(segment.state.frequency_hz)
        if segment.ramp_from is None:
            return phase
        assert segment.points is not None
        start = Fraction(segment.ramp_from.frequency_hz)
        slope = (Fraction(segment.state.frequency_hz) - start) / segment.points
        phase = np.uint64(self._phase) + k * self._turn_step(start)
        return phase + k * (k - np.uint64(1)) // np.uint64(2) * self._turn_step(slope)

    def _turn_step(self, frequency_hz: float | Fraction) -> np.uint64:
        return np.uint64(round(Fraction(frequency_hz) / self._grid_hz * 2**_PHASE_BITS) % 2**_PHASE_BITS)

    def _fill(self, out: Floats) -> None:
        segment = self._segment
        k = np.arange(self._position, self._position + len(out), dtype=np.uint64)
        turns = (self._phases(k) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        _synthesise(turns, self._orders, *self._coefficients[id(segment.state)], out)
        if segment.ramp_from is not None:
            begin = np.empty_like(out)
            _synthesise(turns, self._orders, *self._coefficients[id(segment.ramp_from)], begin)
            assert segment.points is not None
            share = (k.astype(np.float64) / segment.points)[:, None]
            out[:] = begin + share * (out - begin)

    def _coefficients_of(self, state: LoadState) -> tuple[Floats, Floats, Floats]:
        """(orders, 6) amplitudes of cos(hφ) and of −sin(hφ), and the 6 DC values."""
        cosine, sine = np.zeros((2, len(self._orders), 6))
        for channel, wave in enumerate(state.channels):
            for row, order in enumerate(self._orders):
                fraction, angle = (1.0, 0.0) if order == 1 else wave.harmonics.get(int(order), (0.0, 0.0))
                c, s = cos_sin((int(order) * wave.angle_deg + angle) / 360.0)
                amplitude = math.sqrt(2) * wave.rms * fraction
                cosine[row, channel], sine[row, channel] = amplitude * c, amplitude * s
        return cosine, sine, np.array([wave.dc for wave in state.channels])


@njit(cache=True)
def _synthesise(turns: Floats, orders: np.ndarray, cosine: Floats, sine: Floats, dc: Floats, out: Floats) -> None:
    """Σ cosine·cos(hφ) − sine·sin(hφ) + dc, the powers of the phasor shared by the six channels."""
    re, im, c1, s1 = np.empty((4, _CHUNK))
    total = np.empty((6, _CHUNK))
    for start in range(0, len(turns), _CHUNK):
        n = min(_CHUNK, len(turns) - start)
        for p in range(n):
            c1[p], s1[p] = cos_sin(turns[start + p])
            re[p], im[p] = c1[p], s1[p]
        for channel in range(6):
            total[channel, :n] = dc[channel]
        power = 1
        for row in range(len(orders)):
            while power < orders[row]:
                for p in range(n):
                    re[p], im[p] = re[p] * c1[p] - im[p] * s1[p], re[p] * s1[p] + im[p] * c1[p]
                power += 1
            for channel in range(6):
                a, b = cosine[row, channel], sine[row, channel]
                if a != 0.0 or b != 0.0:
                    for p in range(n):
                        total[channel, p] += a * re[p] - b * im[p]
        for p in range(n):
            for channel in range(6):
                out[start + p, channel] = total[channel, p]
