"""Values of a load's record that are no energies of intervals: a register's readings, nines for none (review A-11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

LEAST_READINGS = 20
"""So many values that never fall, over a day or more, are taken for readings of a register."""

LEAST_RISES = 6
LEAST_FILLER = 9999
DAY = timedelta(days=1)


class Climb(NamedTuple):
    """Values that never fall, from one place to another."""

    first: int
    last: int


def longest_climb(times: Sequence[datetime], values: Sequence[int | Fraction]) -> Climb | None:
    """Give the longest run of values above 0 that never fall over a day or more, and rise often; None without one.

    Energy of intervals falls at night, or in a pause; only a register's readings go on rising.
    """
    best: Climb | None = None
    first = rises = 0
    for place in range(len(values) + 1):
        if place == len(values) or (place > first and values[place] < values[place - 1]) or not values[place]:
            last = place - 1
            if (
                last - first + 1 >= LEAST_READINGS
                and 2 * rises >= min(last - first, 2 * LEAST_RISES)
                and abs(times[last] - times[first]) >= DAY * (LEAST_READINGS - 1) / LEAST_READINGS
                and (best is None or last - first > best.last - best.first)
            ):
                best = Climb(first, last)
            first, rises = (place, 0) if place < len(values) and values[place] else (place + 1, 0)
        elif place > first and values[place] > values[place - 1]:
            rises += 1
    return best


def filler(value: Decimal) -> bool:
    """Whether a number is one that often stands for none: 9999 or more, of nines alone, as 9999999 or 99999.9."""
    digits = "".join(map(str, value.normalize().as_tuple().digits))
    return value >= LEAST_FILLER and set(digits) == {"9"}
