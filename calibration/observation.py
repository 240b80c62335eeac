"""Observations of a calibration: what the meter and a reference say of the same load, phase by phase."""

from __future__ import annotations

from cmath import phase as angle_of
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import degrees

PHASES = 3


class Purpose(Enum):
    """Purpose of a point: constants are solved from it, or it verifies them and is never solved from."""

    WIRING = "wiring"
    SOLVE = "solve"
    VERIFY = "verify"


@dataclass(frozen=True)
class PointPlan:
    """A load to be applied to all three phases of a wye: volts and amperes r.m.s., and by how many degrees the currents
    lag. Where the phases' currents differ, `shares` are those of each."""

    name: str
    purpose: Purpose
    volts: float
    amperes: float
    lag_deg: float
    hz: float
    shares: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class PhaseReading:
    """One phase: volts and amperes r.m.s., watts and vars, positive where the current lags."""

    volts: float
    amperes: float
    watts: float
    vars: float

    @property
    def lag_deg(self) -> float:
        """Degrees by which its current lags its voltage."""
        return degrees(angle_of(complex(self.watts, self.vars)))


Readings = tuple[PhaseReading, PhaseReading, PhaseReading]


@dataclass(frozen=True)
class Sample:
    """Readings of meter and reference over the same time. `clipped` are channels that left their range in it."""

    meter: Readings
    reference: Readings
    clipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class ObservedPoint:
    """A point as it was measured; its samples are in order of time."""

    plan: PointPlan
    samples: tuple[Sample, ...]

    def means(self, of_reference: bool = False) -> Readings:
        """The means of the meter's readings, or of the reference's."""
        all_readings = [sample.reference if of_reference else sample.meter for sample in self.samples]
        found = [_mean([readings[k] for readings in all_readings]) for k in range(PHASES)]
        return found[0], found[1], found[2]

    def errors_percent(self) -> tuple[float, float, float]:
        """By phase, the meter's error in watts as a share of the reference's, in percent."""
        pairs = zip(self.means(), self.means(of_reference=True), strict=True)
        a, b, c = (100 * (meter.watts / reference.watts - 1) for meter, reference in pairs)
        return a, b, c


def _mean(readings: Sequence[PhaseReading]) -> PhaseReading:
    n = len(readings)
    return PhaseReading(
        sum(r.volts for r in readings) / n,
        sum(r.amperes for r in readings) / n,
        sum(r.watts for r in readings) / n,
        sum(r.vars for r in readings) / n,
    )
