"""A load as data: per phase voltage, current, angle, harmonics and DC, and how they change over time.

Nothing of the simulation is loaded here: drivers/sim/synthetic.py plays it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

Harmonics = Mapping[int, tuple[float, float]]
"""Order → (fraction of the fundamental, angle in degrees)."""


@dataclass(frozen=True)
class Wave:
    """One voltage or current: √2·rms·[cos θ + Σ fraction·cos(h·θ + angle)] + dc, where θ = 2πft + angle_deg.

    `rms` is that of the fundamental. A harmonic's angle is referred to the wave's own fundamental, so the
    same harmonics on three phases give three equal shapes.
    """

    rms: float = 0.0
    angle_deg: float = 0.0
    harmonics: Harmonics = field(default_factory=dict)
    dc: float = 0.0

    def __post_init__(self) -> None:
        if any(order < 2 for order in self.harmonics):
            raise ValueError(f"harmonic orders begin at 2, got {sorted(self.harmonics)}")

    @property
    def peak(self) -> float:
        """A bound of the magnitude: all harmonics at their crests together."""
        crests = 1 + sum(abs(fraction) for fraction, _ in self.harmonics.values())
        return math.sqrt(2) * abs(self.rms) * crests + abs(self.dc)


NOTHING = Wave()


def current(rms: float, lag_deg: float, voltage: Wave, harmonics: Harmonics | None = None, dc: float = 0.0) -> Wave:
    """A current that lags `voltage` by `lag_deg` degrees (a lag beyond 90° is received power)."""
    return Wave(rms, voltage.angle_deg - lag_deg, harmonics or {}, dc)


@dataclass(frozen=True)
class LoadState:
    """The load from one moment on: up to three voltages and three currents, and the frequency."""

    voltages: tuple[Wave, ...]
    currents: tuple[Wave, ...]
    frequency_hz: float = 60.0

    def __post_init__(self) -> None:
        if len(self.voltages) > 3 or len(self.currents) > 3:
            raise ValueError("a load has at most three voltages and three currents")

    @property
    def channels(self) -> tuple[Wave, ...]:
        """The six waves in channel order, absent ones zero."""
        pad = (NOTHING,) * 3
        return (self.voltages + pad)[:3] + (self.currents + pad)[:3]


@dataclass(frozen=True)
class Step:
    """At `time_s` the load goes to `state`: at once, or linearly (amplitudes and frequency) over `ramp_s`."""

    time_s: float
    state: LoadState
    ramp_s: float = 0.0


Phasor = tuple[float, float]
"""Volts r.m.s., and degrees by which it leads phase A's."""


@dataclass(frozen=True)
class Line:
    """Line that a meter is connected to, by phase a b c: `voltages` against the common point, None where there is none.

    `unity_deg` are the angles of the currents of a balanced load of unity power factor, None where none is metered.
    """

    voltages: tuple[Phasor | None, ...]
    unity_deg: tuple[float | None, ...]

    def state(
        self, amperes: tuple[Wave, ...], volts: tuple[tuple[float, float], ...] = ((1.0, 0.0),) * 3,
        harmonics: Harmonics | None = None, frequency_hz: float = 60.0,
    ) -> LoadState:  # fmt: skip
        """Give the load of these currents, whose angles are from unity power factor, beyond 90° received.

        `volts` are by phase the share of its voltage and the degrees it is turned; each has the same `harmonics`.
        """
        return LoadState(
            tuple(
                Wave(line[0] * share, line[1] + turned, harmonics or {}) if line else NOTHING
                for line, (share, turned) in zip(self.voltages, volts, strict=True)
            ),
            tuple(
                Wave(wave.rms, unity + wave.angle_deg, wave.harmonics, wave.dc) if unity is not None else NOTHING
                for unity, wave in zip(self.unity_deg, amperes, strict=True)
            ),
            frequency_hz,
        )


WYE = Line(((120.0, 0.0), (120.0, -120.0), (120.0, 120.0)), (0.0, -120.0, 120.0))
"""A 4-wire wye of 120 V, rotation ABC."""


@dataclass(frozen=True)
class Course:
    """Course of a load over time: its steps, and after how many seconds they begin again; None: never."""

    steps: tuple[Step, ...]
    repeat_s: float | None = None

    @property
    def peaks(self) -> tuple[float, ...]:
        """A bound of each channel's magnitude, in volts and amperes."""
        return tuple(max(step.state.channels[c].peak for step in self.steps) for c in range(6))
