"""A bench of phasor arithmetic for a calibration from beginning to end: nothing is simulated, and it takes no time."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import msgspec

from calibration.constants import Calibration, nominal
from calibration.observation import PhaseReading, PointPlan, Sample
from calibration.plan import Ratings
from calibration.solve import Truth
from rig.calibrate.run import Job
from rig.calibrate.session import CalibrationSession, Terms
from rig.results.provenance import Provenance, provenance_of_computation

TICK_DEG = 360 * 60 / (10_000_000 / 3)
RATINGS = Ratings(120.0, 20.0, 60.0, True)
VOLTS = (1.03, 0.97, 1.0)
LAGS = (-0.2, -0.1, -0.3)
FOUND = nominal(Fraction(1088), Fraction(181, 2))


class Broken(BaseException):
    """The process died here."""


class PhasorBench:
    """A unit of three dividers and three transformers, by what it says of a load under any constants.

    `dies_at` is the point, counted from 0, in which the process dies; `measured` are the points so far.
    """

    tick_hz = Fraction(10_000_000, 3)
    board = "phasors"
    truth = Truth("phasors", 0.002, 0.0001)

    def __init__(self, calibration: Calibration = FOUND, dies_at: int | None = None) -> None:
        self.calibration, self.dies_at = calibration, dies_at
        self.measured: list[str] = []
        self.gain_of_reference = 1.0

    def apply(self, plan: PointPlan) -> None:
        if len(self.measured) == self.dies_at:
            raise Broken
        self.measured.append(plan.name)
        self._plan = plan

    def samples(self) -> Iterator[Sample]:
        plan = self._plan
        while True:
            meter, truth = [], []
            for k in range(3):
                v = cmath.rect(plan.volts, math.radians(-120 * k))
                i = cmath.rect(plan.amperes * plan.shares[k], math.radians(-120 * k - plan.lag_deg))
                truth.append(_reading(v * self.gain_of_reference, i * self.gain_of_reference))
                meter.append(_reading(*self._seen(k, v, i)))
            yield Sample((meter[0], meter[1], meter[2]), (truth[0], truth[1], truth[2]))

    def _seen(self, k: int, v: complex, i: complex) -> tuple[complex, complex]:
        """What constants make of sensors in error; the transformer's curve is the true one where they have one."""
        volts, amperes = self.calibration.channels[k], self.calibration.channels[3 + k]
        level = abs(i)
        ratio, lag = 1 - 0.001 / (1 + level), LAGS[k] * (1 + 0.3 / (1 + level))
        held = (amperes.delay_ticks - volts.delay_ticks) * TICK_DEG
        turned = 2 * math.degrees(math.atan(amperes.turn))
        gain = float(amperes.gain / FOUND.channels[3].gain) * ratio
        if amperes.curve:
            point = _between(amperes.curve, level)
            gain, turned = gain * point[0], turned + 2 * math.degrees(math.atan(point[1]))
        seen = i * cmath.rect(gain, -math.radians(lag + held - turned))
        return v * float(volts.gain / FOUND.channels[0].gain) * VOLTS[k], seen

    def dc_codes(self) -> tuple[Fraction, ...]:
        return tuple(Fraction(n) for n in range(6))

    def close(self) -> None:
        """Nothing is held."""


def _between(curve: tuple, level: float) -> tuple[float, float]:
    points = [(math.log(float(p.amperes)), float(p.ratio), float(p.turn)) for p in curve]
    place = min(max(math.log(level), points[0][0]), points[-1][0])
    for (x0, r0, t0), (x1, r1, t1) in pairwise(points):
        if place <= x1:
            share = (place - x0) / (x1 - x0)
            return r0 + share * (r1 - r0), t0 + share * (t1 - t0)
    return points[-1][1:]


def _reading(v: complex, i: complex) -> PhaseReading:
    power = v * i.conjugate()
    return PhaseReading(abs(v), abs(i), power.real, power.imag)


def job(unit: PhasorBench, folder: Path, again: PhasorBench | None = None) -> Job:
    """Its calibration, whose session is in a folder; `again` is what is left, by default the same unit."""
    terms = Terms(unit.board, "0" * 12, unit.calibration.digest, unit.truth.name, 0.02)

    def left(calibration: Calibration) -> PhasorBench:
        made = again or PhasorBench()
        made.calibration = calibration
        return made

    return Job(
        unit,
        left,
        RATINGS,
        CalibrationSession(folder / "constants.toml.session", terms),
        "unit 1",
        "2026-11-30",
        "",
        0.02,
        provenance(),
    )


def provenance() -> Provenance:
    """Provenance without a time, so that two results are equal."""

    return msgspec.structs.replace(provenance_of_computation("exact", "p"), begun_utc="")
