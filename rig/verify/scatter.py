"""Scatter of edges around whole pulses: the standard uncertainty of one edge's instant, found from all of a run.

    closures                         what they are compared with                      of each
    known to a part of a pulse       the next whole pulse after the one before        half of the gap's variance
    known to a pulse or so (ROUGH)   the line of least squares through all of them    its distance from the line

Gaps between instants that are the middles of two readings are multiples of the time between readings, so their median
is no pulse: the line has no such steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import floor, sqrt

from rig.verify.closures import HALF, Closure, pulse_nwh
from rig.verify.read_closures import ROUGH


def scatter_s(closures: Sequence[Closure], constant_nwh: Fraction, seconds: float) -> float:
    """Give the standard deviation of the instant of an edge in s, from three closures at least that came in so many
    seconds from the first to the last."""
    flowed = float(closures[-1].flowed_nwh - closures[0].flowed_nwh)
    if max(each.half_nwh for each in closures) > ROUGH * constant_nwh:
        return seconds / flowed * _around_the_line(closures)
    pulse = pulse_nwh(closures, constant_nwh)
    squares = 0.0
    for a, b in pairwise(closures):
        pulses = (b.flowed_nwh - a.flowed_nwh) / pulse
        squares += float(pulses - floor(pulses + HALF)) ** 2
    return seconds / flowed * float(pulse) * sqrt(squares / (2 * (len(closures) - 1)))


def _around_the_line(closures: Sequence[Closure]) -> float:
    """The standard deviation in nWh of what had flowed by each closure, from the line by their numbers."""
    count = len(closures)
    numbers = [each.number - closures[0].number for each in closures]
    flows = [float(each.flowed_nwh - closures[0].flowed_nwh) for each in closures]
    mean_n, mean_f = sum(numbers) / count, sum(flows) / count
    over = sum((n - mean_n) * (f - mean_f) for n, f in zip(numbers, flows, strict=True))
    slope = over / sum((n - mean_n) ** 2 for n in numbers)
    squares = sum((f - mean_f - slope * (n - mean_n)) ** 2 for n, f in zip(numbers, flows, strict=True))
    return sqrt(squares / (count - 2))
