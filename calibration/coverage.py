"""Coverage factors: by how much a combined standard uncertainty is multiplied so that the interval holds the truth.

What was found from few values is known less well than its scatter says. Student's distribution has the factor for it
(GUM G.3): that of 95.45 %, which two standard deviations of a normal distribution hold, so 2 for what is given.
"""

from __future__ import annotations

from functools import cache
from math import atan, cos, erf, exp, isfinite, lgamma, pi, sqrt

LEVEL = erf(sqrt(2))
"""95.45 %: what two standard deviations of a normal distribution hold."""

_STEPS = 1000


@cache
def coverage_factor(freedom: float) -> float:
    """Give the factor for so many (effective) degrees of freedom, 1 or more; infinity is 2. Raises ValueError."""
    if not freedom >= 1:
        raise ValueError(f"degrees of freedom are {freedom:g}, they must be 1 or more")
    if not isfinite(freedom) or freedom > 1e6:
        return 2.0
    low, high = 0.0, 1e3
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        if probability_within(middle, freedom) < LEVEL:
            low = middle
        else:
            high = middle
    return high


def probability_within(factor: float, freedom: float) -> float:
    """Give the probability that Student's t is within ±factor: t = √ν·tan x, ∫ cos^(ν−1) x dx by Simpson's rule."""
    end = atan(factor / sqrt(freedom))
    step = end / _STEPS
    values = (cos(k * step) ** (freedom - 1) * (4 if k % 2 else 2) for k in range(1, _STEPS))
    whole = step / 3 * (1 + cos(end) ** (freedom - 1) + sum(values))
    scale = lgamma((freedom + 1) / 2) - lgamma(freedom / 2)
    return float(2 * whole * exp(scale) / sqrt(pi))
