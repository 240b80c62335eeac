"""The verdict on closures whose instants are known only between two readings of a counter: none missed, none doubled?

What had flowed by a closure, in pulses, less its number is the same for all that are in order, whatever the load: the
level. A reading gives an interval for it, as it is not known where between two readings the closure came. Intervals of
closures in order have a common part; where one has none with those before it, the level has moved:

    level moves by     verdict
    +n                 n missed: more flowed than was counted
    −n                 n doubled
    less than ±½       none: a reading was timed worse than it says, and the level is between the two

The last closure whose interval does not hold the new level was before it, the one that was found was after. Which
constant is right is not known to better than WRONG, so the common part grows by that with each pulse; and of two
slopes, the constant's own and that of a line through all closures, the one that needs fewer faults is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

WRONG = 0.01
"""A level may drift by so much of a pulse with each: what flowed for one is known no better than that."""

ROUGH = Fraction(1, 8)
"""Of a pulse: a closure that is known better has a place of its own (rig/verify/closures.py)."""


MOST_WRONG = 1.5
"""A constant is wrong by less than this factor; a counter that counts each pulse twice, or every other one, by more."""


@dataclass(frozen=True)
class Moved:
    """A level that moved by `pulses` between two places in the list of closures."""

    pulses: int
    before: int
    after: int


def moves(
    numbers: Sequence[int], flowed_nwh: Sequence[Fraction], half_nwh: Sequence[Fraction], constant_nwh: Fraction
) -> list[Moved]:
    """Give where the level moves, from the number of each closure, what had flowed by the middle of its interval, and
    half of the interval."""
    if len(numbers) < 2:
        return []
    flows = [float(each - flowed_nwh[0]) for each in flowed_nwh]
    halves = [float(each) for each in half_nwh]
    constant = float(constant_nwh)
    slopes = [constant]
    fitted = _fitted(numbers, flows)
    if fitted is not None and constant / MOST_WRONG <= fitted <= constant * MOST_WRONG:
        slopes.append(fitted)
    found = [_moves(numbers, flows, halves, slope) for slope in slopes]
    return min(found, key=lambda each: sum(abs(moved.pulses) for moved in each))


def _fitted(numbers: Sequence[int], flows: Sequence[float]) -> float | None:
    """Energy of a pulse by the line of least squares; None where it does not rise."""
    count = len(numbers)
    mean_n, mean_f = sum(numbers) / count, sum(flows) / count
    over = sum((n - mean_n) * (f - mean_f) for n, f in zip(numbers, flows, strict=True))
    below = sum((n - mean_n) ** 2 for n in numbers)
    return over / below if below and over > 0 else None


def _moves(numbers: Sequence[int], flows: Sequence[float], halves: Sequence[float], pulse: float) -> list[Moved]:
    levels = [flow / pulse - number for number, flow in zip(numbers, flows, strict=True)]
    widths = [half / pulse for half in halves]
    found: list[Moved] = []
    least, most = levels[0] - widths[0], levels[0] + widths[0]
    for k in range(1, len(levels)):
        drift = WRONG * (numbers[k] - numbers[k - 1])
        least, most = least - drift, most + drift
        low, high = levels[k] - widths[k], levels[k] + widths[k]
        if low <= most and high >= least:
            least, most = max(least, low), min(most, high)
            continue
        step = _step(low - most, high - least)
        if not step:
            least, most = (most, low) if low > most else (high, least)
            continue
        now = (least + most) / 2 + step
        before = k - 1
        while before > 0 and abs(levels[before] - now) <= widths[before]:
            before -= 1
        found.append(Moved(step, before, k))
        least, most = low, high
    return found


def _step(least: float, most: float) -> int:
    """Give the smallest whole number of pulses in an interval without 0, or the nearest to it where it has none: 0 for
    a closure that came at another time than its reading says, by less than half a pulse."""
    if least > 0:
        return ceil(least) if ceil(least) <= most else round((least + most) / 2)
    return floor(most) if floor(most) >= least else round((least + most) / 2)
