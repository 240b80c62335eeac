"""Points of a calibration: the fewest that solve the constants, and others that verify them.

    point       load                                       solves
    wiring      nominal volts, currents 1 : 0.8 : 0.6,     nothing: which sensor is where, and which way round
                in phase
    solve       nominal volts, 60° lagging                 gains of volts and amperes, and phase, at once: watts and
                                                           vars have the angle, r.m.s. values have not
    verify      other currents, in phase, 60° lagging,     nothing: they say what is left
                36.87° leading

Shunts and burdens are linear: one current solves them. A transformer has a curve, and needs currents from the least to
the most; `between` adds one in the middle of two that differ by so much that going straight from one to the other
could be wrong by more than is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import degrees, log, sqrt

from calibration.observation import PointPlan, Purpose

LAG_DEG = 60.0
"""A power factor of 0.5, where 0.1° is 0.3 % of the watts."""

BEND = 0.25
"""Going straight (by logarithm) between two points of a curve that does not turn back is wrong by at most this share of
their difference: a parabola is by 1/4 of it where one end is its vertex."""

MOST_CURRENTS = 9


@dataclass(frozen=True)
class Ratings:
    """Ratings that points are taken from: nominal volts, class current and hertz; and whether currents come by
    transformers."""

    volts: float
    amperes: float
    hz: float
    transformers: bool


def wiring(ratings: Ratings) -> PointPlan:
    """The point that tells sensors apart."""
    return PointPlan(
        "wiring", Purpose.WIRING, ratings.volts, ratings.amperes / 4, 0.0, ratings.hz, shares=(1.0, 0.8, 0.6)
    )


def solving(ratings: Ratings) -> list[PointPlan]:
    """The points to begin with: by transformers the least current, a middle one and the most."""
    shares = (0.002, 0.25, 1.0) if ratings.transformers else (0.25,)
    return [_solving(ratings, ratings.amperes * share) for share in shares]


def _solving(ratings: Ratings, amperes: float) -> PointPlan:
    return PointPlan(f"{amperes:.4g} A, 60° lagging", Purpose.SOLVE, ratings.volts, amperes, LAG_DEG, ratings.hz)


def between(
    ratings: Ratings, currents: Sequence[float], gains: Sequence[Sequence[float]], lags_deg: Sequence[Sequence[float]],
    wanted_percent: float,
) -> list[PointPlan]:  # fmt: skip
    """The points that are still wanted between currents, by the gains (as factors) and lags of all phases at each."""
    wanted: list[PointPlan] = []
    rows = sorted(zip(currents, gains, lags_deg, strict=True))
    for (low, low_gains, low_lags), (high, high_gains, high_lags) in pairwise(rows):
        gain = max(abs(a / b - 1) for a, b in zip(low_gains, high_gains, strict=True)) * 100
        turn = max(abs(a - b) for a, b in zip(low_lags, high_lags, strict=True)) / degrees(1) * 100
        bent = BEND * (gain + sqrt(3) * turn)  # of the watts at 60°
        if bent > wanted_percent and log(high / low) > log(2) and len(rows) + len(wanted) < MOST_CURRENTS:
            wanted.append(_solving(ratings, float(f"{sqrt(low * high):.4g}")))
    return wanted


def verifying(ratings: Ratings) -> list[PointPlan]:
    """Points that no constant is solved from."""
    shares = ((0.01, 0.0), (0.02, 60.0), (0.05, -36.87), (0.1, 60.0), (0.35, 60.0), (0.35, -36.87), (0.8, 0.0))
    return [
        PointPlan(
            f"{ratings.amperes * share:.4g} A, {_angle(lag_deg)}",
            Purpose.VERIFY,
            ratings.volts,
            ratings.amperes * share,
            lag_deg,
            ratings.hz,
        )
        for share, lag_deg in shares
    ]


def _angle(lag_deg: float) -> str:
    return "in phase" if not lag_deg else f"{abs(lag_deg):.4g}° {'lagging' if lag_deg > 0 else 'leading'}"
