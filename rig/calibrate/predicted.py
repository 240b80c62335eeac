"""A running meter as it will be with other constants: computed from what it reads now.

The meter takes new constants at its next start, so what is left is first computed: r.m.s. values by the ratio of the
gains, angles by the difference of what both sets of constants undo. What is measured afterwards is verified by
`rig verify`, or by calibrating once more with --dry-run.
"""

from __future__ import annotations

from cmath import rect
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import radians

from calibration.constants import CHANNELS, Calibration
from calibration.observation import PHASES, PhaseReading, PointPlan, Readings, Sample
from calibration.solve import undone
from rig.calibrate.running_unit import RunningUnit


class PredictedUnit:
    """A running unit, measured anew, with its readings as constants that are solved would have them."""

    def __init__(self, unit: RunningUnit, calibration: Calibration) -> None:
        self._unit, self.calibration = unit, calibration
        self.board, self.tick_hz, self.truth = unit.board, unit.tick_hz, unit.truth
        self._hz = 60.0

    def apply(self, plan: PointPlan) -> None:
        """Have a person apply a load."""
        self._hz = plan.hz
        self._unit.apply(plan)

    def samples(self) -> Iterator[Sample]:
        """Measure."""
        for sample in self._unit.samples():
            yield replace(sample, meter=self._with_other_constants(sample.meter))

    def _with_other_constants(self, meter: Readings) -> Readings:
        old, new = self._unit.calibration, self.calibration
        tick_deg = float(360 * self._hz / self.tick_hz)
        found = []
        for k in range(PHASES):
            volts = meter[k].volts * float(new.channels[k].gain / old.channels[k].gain)
            amperes, turned = meter[k].amperes, 0.0
            was, becomes = (undone(each, k, meter[k].amperes, tick_deg) for each in (old, new))
            amperes *= becomes[0] / was[0]
            turned = becomes[1] - was[1]
            power = rect(volts * amperes, radians(meter[k].lag_deg - turned))
            found.append(PhaseReading(volts, amperes, power.real, power.imag))
        assert len(found) == len(CHANNELS) // 2
        return found[0], found[1], found[2]

    def dc_codes(self) -> tuple[Fraction, ...] | None:
        """DC is not published: what the constants in force have stays."""
        return None

    def close(self) -> None:
        """Let the reference go."""
        self._unit.close()
