"""Sensors between the meter's terminals and its modulators: dividers, shunts and transformers as data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from drivers.sim.source import Floats

FULL_SCALE_DENSITY = 0.78125
"""Specified full scale of AMC1306-class modulators, ±250 mV of ±320 mV: 89.06 % ones."""

VOLTAGE_PEAK_V = 850.0
"""Nominal range of the voltage channels: 600 V rms at its crest."""

RANGES: Mapping[int, float] = {amperes: amperes * math.sqrt(2) * 2.5 for amperes in (10, 20, 200, 320)}
"""Nominal range of the current channels, peak amperes by current class (M-2): 2.5 times its sine's crest."""

NOISE_BAND_HZ = 3200.0
"""Noise is stated from 0 to here."""

_TYPICAL_NOISE = 1e-5  # −100 dB, rms of a full-scale sine to rms in 0 to 3.2 kHz
_TYPICAL_GAIN_ERRORS = (0.0021, -0.0034, 0.0012, -0.0027, 0.0041, 0.0016)
_TYPICAL_CURRENT_DELAYS_TICKS = (17, 9, 31)


@dataclass(frozen=True)
class CurvePoint:
    """Error of a transformer at one level: at `rms` volts or amperes its gain is that of the sensor times `gain`, and
    its delay the sensor's and `delay_s`."""

    rms: float
    gain: float = 1.0
    delay_s: float = 0.0


@dataclass(frozen=True)
class Sensor:
    """One channel's sensor, linear up to where its modulator clips.

    `gain` is bitstream density (−1 … +1) per volt or ampere, negative where it is connected the wrong way round;
    `delay_s` its phase as a time delay, which may be negative (a transformer leads); `noise_density` white, in V/√Hz
    or A/√Hz; `offset` in volts or amperes. `clip` is the density at which the modulator's input clips, at most 1.
    `curve` goes by rising level; between its points errors go evenly with the level's logarithm, beyond them they stay.
    The gain drifts by the share `gain_per_s`, and its share `unsteady` r.m.s. is noise of the reference, in bands of
    up to 5 Hz. `terminal` is the column of the source that it is on, None: its own.
    """

    gain: float
    delay_s: float = 0.0
    noise_density: float = 0.0
    offset: float = 0.0
    clip: float = 1.0
    curve: tuple[CurvePoint, ...] = ()
    gain_per_s: float = 0.0
    unsteady: float = 0.0
    terminal: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.clip <= 1:
            raise ValueError(f"a modulator clips at a density above 0 and up to 1, got {self.clip}")
        if any(low.rms >= high.rms for low, high in pairwise(self.curve)) or any(each.rms <= 0 for each in self.curve):
            raise ValueError(f"a curve goes by rising level above 0, got {[each.rms for each in self.curve]}")

    @property
    def varies(self) -> bool:
        """True if its gain or delay changes with level or time."""
        return bool(self.curve or self.gain_per_s or self.unsteady)

    @property
    def delays_s(self) -> tuple[float, float]:
        """The least and the most of its delay at any level."""
        added = [each.delay_s for each in self.curve] or [0.0]
        return self.delay_s + min(added), self.delay_s + max(added)

    def at_level(self, rms: float) -> tuple[float, float]:
        """Give the factor of its gain, and its delay in seconds, at a level."""
        if not self.curve:
            return 1.0, self.delay_s
        place = min(max(rms, self.curve[0].rms), self.curve[-1].rms)
        for low, high in pairwise(self.curve):
            if place <= high.rms:
                share = math.log(place / low.rms) / math.log(high.rms / low.rms)
                delay_s = low.delay_s + share * (high.delay_s - low.delay_s)
                return low.gain + share * (high.gain - low.gain), self.delay_s + delay_s
        return self.curve[0].gain, self.delay_s + self.curve[0].delay_s


def ideal_sensors(current_class: int) -> tuple[Sensor, ...]:
    """Six sensors without error for the current class in amperes, a key of RANGES; ValueError for another."""
    return tuple(Sensor(FULL_SCALE_DENSITY / peak) for peak in nominal_peaks(current_class))


def typical_sensors(current_class: int, f_mod: Fraction) -> tuple[Sensor, ...]:
    """Six sensors as they are before calibration, the same ones every time.

    Gains off by a few tenths of a percent, current sensors late by whole ticks of the modulator clock `f_mod`
    in Hz, noise 100 dB below a full-scale sine in 0 to 3.2 kHz.
    """
    delays = (0, 0, 0, *_TYPICAL_CURRENT_DELAYS_TICKS)
    return tuple(
        Sensor(
            gain=FULL_SCALE_DENSITY / peak * (1 + error),
            delay_s=float(ticks / f_mod),
            noise_density=peak / math.sqrt(2) * _TYPICAL_NOISE / math.sqrt(NOISE_BAND_HZ),
        )
        for peak, error, ticks in zip(nominal_peaks(current_class), _TYPICAL_GAIN_ERRORS, delays, strict=True)
    )


def peak_densities(peaks: Floats, sensors: tuple[Sensor, ...]) -> Floats:
    """Largest density each channel reaches for `peaks` of a source (6, volts and amperes), without noise.

    More than FULL_SCALE_DENSITY is outside what the modulator is specified for; more than 1 clips.
    """
    return np.array([abs(s.gain) * (peak + abs(s.offset)) for peak, s in zip(peaks, sensors, strict=True)])


def nominal_peaks(current_class: int) -> tuple[float, ...]:
    """Nominal range by channel, peak volts and amperes. Raises ValueError for a class that is no key of RANGES."""
    if current_class not in RANGES:
        known = ", ".join(map(str, RANGES))
        raise ValueError(f"no current class {current_class} A, there are {known} A")
    return (VOLTAGE_PEAK_V,) * 3 + (RANGES[current_class],) * 3
