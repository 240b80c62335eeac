"""Sensors built of components (drivers/sim/components.py)."""

from __future__ import annotations

import math

from drivers.sim.components import CHANNELS, PHASES_HZ, REFERENCE_C, ChannelParts, Components
from drivers.sim.sensors import FULL_SCALE_DENSITY, NOISE_BAND_HZ, CurvePoint, Sensor, nominal_peaks

_PER_DEG = 1 / (360 * PHASES_HZ)


def sensors_built_of(components: Components, current_class: int) -> tuple[Sensor, ...]:
    """The six sensors that components make. Raises ValueError for a class or a curve that cannot be."""
    peaks = nominal_peaks(current_class)
    return tuple(
        _sensor(parts, peak, components.temperature_c) for parts, peak in zip(components.channels, peaks, strict=True)
    )


def _sensor(parts: ChannelParts, peak: float, temperature_c: float) -> Sensor:
    """One channel's, of a nominal range of so many peak volts or amperes."""
    gain = FULL_SCALE_DENSITY / peak * (1 + parts.ratio_percent / 100) * (1 + parts.modulator_percent / 100)
    gain *= 1 + parts.ppm_per_k * 1e-6 * (temperature_c - REFERENCE_C)
    return Sensor(
        gain=0.0 if parts.dead else -gain if parts.reversed else gain,
        delay_s=parts.lag_deg * _PER_DEG,
        noise_density=peak / math.sqrt(2) * 10 ** (parts.noise_db / 20) / math.sqrt(NOISE_BAND_HZ),
        offset=parts.offset_percent / 100 * peak,
        curve=tuple(
            CurvePoint(each.amperes, 1 + each.ratio_percent / 100, each.lag_deg * _PER_DEG) for each in parts.curve
        ),
        gain_per_s=parts.drift_ppm_per_hour * 1e-6 / 3600,
        unsteady=parts.unsteady_percent / 100,
        terminal=None if parts.terminal is None else CHANNELS.index(parts.terminal),
    )
