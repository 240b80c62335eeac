"""Recordings as a source: resampled to the grid with a band-limited interpolator, in exact rational time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from numba import njit

import gateware.model  # noqa: F401  (tells numba where)
from drivers.sim.channels import SLOTS
from drivers.sim.portable import cos_sin
from drivers.sim.recording import Recording, RecordingError
from drivers.sim.source import GRID_TICKS, Floats

HIGHEST_RATE_HZ = 10_000_000

TAPS = 64
"""Samples a value is computed from (more, in proportion, when the recording is faster than the grid).

With KAISER_BETA a sine of up to 0.85 of the recording's Nyquist frequency comes out within 3e-6 of its
amplitude (tests/drivers/test_interpolate.py); above that it fades.
"""
KAISER_BETA = 12.0
_PHASES = 2048  # of the kernel's table; between them it is linear, which leaves 3e-7
_SLACK_POINTS = 64  # points past the end for which the continuation is laid out


class RecordingSource:
    """A Source that plays channels of a recording, absent ones zero.

    `assignment` maps slots (va … ic) to columns, as channels.assign gives it. Time zero is half a sample
    period before the first sample played, so N samples last exactly N/rate; `start_s` and `seconds` select
    whole samples. The stream begins `lead_in_ticks` modulator ticks before time zero (any number: points need
    not fall on time zero) and ends `lead_out_ticks` after the last sample. Beyond the ends of the recording
    the signal goes on as its odd reflection about the end samples; with `loop` the selection is periodic and
    endless instead. `vt_ratio` and `ct_ratio` divide volts and amperes.
    RecordingError when the selection holds no samples.
    """

    def __init__(
        self,
        recording: Recording,
        assignment: Mapping[str, int],
        f_mod: Fraction,
        *,
        loop: bool = False,
        start_s: Fraction | float = 0,
        seconds: Fraction | float | None = None,
        lead_in_ticks: int = 0,
        lead_out_ticks: int = 0,
        vt_ratio: Fraction | float = 1,
        ct_ratio: Fraction | float = 1,
    ) -> None:
        rate = recording.rate_hz
        if not 0 < rate <= HIGHEST_RATE_HZ:
            raise RecordingError(
                f"{recording.path}: a rate of {float(rate):g} Hz cannot be played, up to {HIGHEST_RATE_HZ:g} Hz can"
            )
        total = len(recording.values)
        first = round(Fraction(start_s) * rate)
        count = total - first if seconds is None else min(round(Fraction(seconds) * rate), total - first)
        if not 0 <= first < total or count <= 0:
            raise RecordingError(
                f"{recording.path}: no samples from {float(start_s):g} s on"
                + ("" if seconds is None else f" for {float(seconds):g} s")
                + f", it lasts {float(recording.seconds):g} s"
            )
        columns = np.zeros((total, len(SLOTS)))
        for slot, column in assignment.items():
            ratio = float(vt_ratio if slot.startswith("v") else ct_ratio)
            columns[:, SLOTS.index(slot)] = recording.column(column) / ratio

        self.peaks: Floats = np.abs(columns[first : first + count]).max(axis=0)
        self.signal_ticks: Fraction = count * f_mod / rate
        """How long the samples last, in modulator ticks, exactly."""
        self.length_ticks: int | None = None if loop else lead_in_ticks + math.ceil(self.signal_ticks) + lead_out_ticks
        step = GRID_TICKS * rate / f_mod  # samples a point
        stretch = max(Fraction(1), step)
        half = math.ceil(TAPS // 2 * stretch)
        self._table = _kernel(2 * half, float(1 / stretch))
        position = -Fraction(1, 2) - lead_in_ticks * rate / f_mod  # in samples from the first one played
        if loop:
            position %= count
            self._samples = np.pad(columns[first : first + count], ((half, half), (0, 0)), mode="wrap")
        else:
            before = math.ceil(-position) + half
            after = math.ceil(Fraction(lead_out_ticks, GRID_TICKS) * step + _SLACK_POINTS * step) + half
            with np.errstate(over="ignore"):  # far beyond any front end, which says so
                whole = np.pad(columns, ((before, after), (0, 0)), mode="reflect", reflect_type="odd")
            self._samples = whole[first : first + before + count + after]
            position += before - half
        self._period = count if loop else 0
        self._denominator = math.lcm(step.denominator, position.denominator)
        if self._denominator >= 2**62:
            raise RecordingError(f"{recording.path}: a rate of {rate} Hz has too many digits to keep exact time")
        self._step = int(step * self._denominator)
        self._position = int(position * self._denominator)

    def read(self, points: int) -> Floats:
        """The next `points` grid points, shape (points, 6)."""
        out = np.empty((points, len(SLOTS)))
        sample, rest = divmod(self._position, self._denominator)
        _interpolate(
            self._samples,
            self._table,
            (sample, rest),
            divmod(self._step, self._denominator),
            self._denominator,
            self._period,
            out,
        )
        self._position += points * self._step
        if self._period:
            self._position %= self._period * self._denominator
        return out


@njit(cache=True)
def _kernel(taps: int, cutoff: float) -> Floats:
    """Taps for _PHASES + 1 positions between two samples: a sinc under Kaiser's window, each row of sum 1.

    `cutoff` is the middle of the transition in Nyquist frequencies of the recording. The window is
    I₀(β√(1−x²)), from its power series.
    """
    table = np.empty((_PHASES + 1, taps))
    for phase in range(_PHASES + 1):
        total = 0.0
        for k in range(taps):
            t = k + 1 - taps // 2 - phase / _PHASES
            quarter = (KAISER_BETA / 2) ** 2 * max(0.0, 1.0 - (2 * t / taps) ** 2)
            term = window = 1.0
            for n in range(1, 60):
                term *= quarter / (n * n)
                window += term
            x = cutoff * t
            table[phase, k] = window if x == 0.0 else window * cos_sin(x / 2)[1] / (math.pi * x)
            total += table[phase, k]
        for k in range(taps):
            table[phase, k] /= total
    return table


@njit(cache=True)
def _interpolate(
    samples: Floats,
    table: Floats,
    position: tuple[int, int],
    step: tuple[int, int],
    denominator: int,
    period: int,
    out: Floats,
) -> None:
    """Fill `out` from `samples` at position, position + step, …: pairs (whole samples, rest/denominator).

    The leftmost tap is one after the whole position. A position beyond the samples stays at their end.
    """
    sample, rest = position
    phases, taps = table.shape[0] - 1, table.shape[1]
    last = samples.shape[0] - taps
    weights = np.empty(taps)
    for p in range(out.shape[0]):
        if period:
            sample %= period
        left = min(sample + 1, last)
        phase = rest / denominator * phases
        row = int(phase)
        share = phase - row
        for k in range(taps):
            weights[k] = table[row, k] + share * (table[row + 1, k] - table[row, k])
        a = b = c = d = e = f = 0.0
        for k in range(taps):
            w = weights[k]
            a += w * samples[left + k, 0]
            b += w * samples[left + k, 1]
            c += w * samples[left + k, 2]
            d += w * samples[left + k, 3]
            e += w * samples[left + k, 4]
            f += w * samples[left + k, 5]
        out[p, 0], out[p, 1], out[p, 2], out[p, 3], out[p, 4], out[p, 5] = a, b, c, d, e, f
        sample += step[0]
        rest += step[1]
        if rest >= denominator:
            rest -= denominator
            sample += 1
