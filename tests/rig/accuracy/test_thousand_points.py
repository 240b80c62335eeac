"""Stated uncertainties of a thousand repeated points, against the error that the meter has by closed form."""

from __future__ import annotations

import pytest

from calibration.point_tables import Quantity
from rig.accuracy.applied import course_of
from rig.accuracy.figures import error_of
from rig.accuracy.run import Run
from rig.accuracy.workers import cores, on_cores
from tests.rig.accuracy.runs import filter_error_percent, plain_meter, point

POINTS = ("0.2S PF1 1%In", "0.2S 0.5L 10", "0.2S PF1 Imax", "0.2S single-phase load B PF1 5")
REPEATS = 250


@pytest.mark.slow
def test_stated_intervals_hold_the_truth_as_often_as_they_say():
    """Noise and phase are others in each repeat; an interval that held it always would be as wrong as a short one."""
    meter = plain_meter()
    runs: list[Run] = [
        meter.run(course_of(point(name), meter.ratings), 20, 1, repeat=k) for name in POINTS for k in range(REPEATS)
    ]
    true = filter_error_percent(60.0)
    held, shares = 0, []
    for run, found in on_cores(runs, cores()):
        figure = error_of(run, found, Quantity.ACTIVE)
        off = abs(figure.percent - true) / figure.uncertainty_percent
        held += off <= 1
        shares.append(off)
    assert len(shares) == len(POINTS) * REPEATS
    assert 0.93 <= held / len(shares) <= 0.97, f"{held} of {len(shares)}"
    # Of the same distribution half are within 0.688 / 2.140, by tables of Student with 19 degrees of freedom.
    assert sorted(shares)[len(shares) // 2] == pytest.approx(0.688 / 2.140, abs=0.03)
