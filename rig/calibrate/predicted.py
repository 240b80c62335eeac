"""A running meter as it will be with other constants: computed from what it reads now.

The meter takes new constants at its next start, so what is left is first computed: r.m.s. values by the ratio of the
gains, angles by the difference of what both sets of constants undo. What is measured afterwards is verified by
`rig verify`, or by calibrating once more with --dry-run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from calibration.constants import Calibration
from calibration.observation import PointPlan, Sample
from calibration.solve import as_read_under
from rig.calibrate.running_unit import RunningUnit


class PredictedUnit:
    """A running unit, measured anew, with its readings as constants that are solved would have them."""

    def __init__(self, unit: RunningUnit, calibration: Calibration) -> None:
        self._unit, self.calibration = unit, calibration
        self.board, self.tick_hz, self.truth = unit.board, unit.tick_hz, unit.truth
        self._tick_deg = 0.0

    def apply(self, plan: PointPlan) -> None:
        """Have a person apply a load."""
        self._tick_deg = float(360 * plan.hz / self.tick_hz)
        self._unit.apply(plan)

    def samples(self) -> Iterator[Sample]:
        """Measure."""
        for sample in self._unit.samples():
            meter = as_read_under(sample.meter, self._unit.calibration, self.calibration, self._tick_deg)
            yield replace(sample, meter=meter)

    def dc_codes(self) -> tuple[Fraction, ...] | None:
        """DC is not published: what the constants in force have stays."""
        return None

    def close(self) -> None:
        """Let the reference go."""
        self._unit.close()
