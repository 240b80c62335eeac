"""Readings as a meter would make them of r.m.s. phasors, and phasors in degrees that lag."""

from __future__ import annotations

from cmath import phase, rect
from collections.abc import Sequence
from math import degrees, radians

from rig.meter.measuring.quantities import Readings

NOTHING = 0.001
"""Below this the fundamental is less than a code: no angle."""


def lagging(rms: float, degrees_lag: float = 0.0) -> complex:
    """A phasor that lags the reference by so many degrees."""
    return rect(rms, -radians(degrees_lag))


def readings(
    volts: Sequence[complex],
    amperes: Sequence[complex] = (0, 0, 0),
    tdr: tuple[float | None, ...] | None = (0.0,) * 6,
    *,
    angles: bool = True,
) -> Readings:
    """Of three voltages and three currents; `angles` False for a build without phasors."""
    channels = [complex(x) for x in (*volts, *amperes)]
    there = [abs(x) >= NOTHING for x in channels]
    return Readings(
        seconds=1.0,
        v_rms=tuple(abs(x) for x in channels[:3]),
        i_rms=tuple(abs(x) for x in channels[3:]),
        neutral_a=abs(sum(channels[3:])),
        p_w=(0.0,) * 3,
        s_va=(0.0,) * 3,
        q_var=None,
        p1_w=None,
        q1_var=None,
        lag_deg=tuple(
            degrees(phase(channels[0]) - phase(x)) % 360 if here and there[0] else None
            for x, here in zip(channels, there, strict=True)
        )
        if angles
        else None,
        tdr=tdr if angles else None,
    )
