"""Values of a load's record that are no energies of intervals: a register's readings, nines for none (review A-11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.record import counted

LEAST_READINGS = 20
"""So many values that never fall, over a day or more, are taken for readings of a register."""

LEAST_RISES = 6
MOST_TURNS = 2
"""Falls among readings: a register that turned over or was exchanged, a reading that is missing and written as 0."""

LEAST_LEVEL = 20
"""Readings are so many times their steps, or more."""

LEAST_FILLER = 9999
DAY = timedelta(days=1)


class Climb(NamedTuple):
    """Values that never fall, from one place to another."""

    first: int
    last: int


def longest_climb(times: Sequence[datetime], values: Sequence[int | Decimal]) -> Climb | None:
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


def turns(times: Sequence[datetime], values: Sequence[Decimal]) -> list[int] | None:
    """Give the places at which a register's readings fall, or rise if they count down; None for values of intervals.

    Over a day or more all but a few of the steps are one way, small beside the readings, and between two turns
    somewhere the readings stay within twice the lowest: a load that grows from nothing does not.
    """
    if len(values) < LEAST_READINGS or abs(times[-1] - times[0]) < DAY * (LEAST_READINGS - 1) / LEAST_READINGS:
        return None
    for way in (1, -1):
        turned = (place for place in range(1, len(values)) if way * values[place] < way * values[place - 1])
        against = list(islice(turned, MOST_TURNS + 1))
        if len(against) > MOST_TURNS:
            continue
        steps = [abs(after - before) for before, after in pairwise(values)]
        moves = sum(map(bool, steps)) - len(against)
        parts = [values[first:end] for first, end in pairwise((0, *against, len(values)))]
        level = any(len(part) > LEAST_RISES and 2 * min(part) >= max(part) for part in parts)
        if level and 2 * moves >= len(steps) and LEAST_LEVEL * median(steps) <= median(values):
            return against
    return None


def _short_climb(values: Sequence[Decimal]) -> bool:
    """Return whether values of less than a day, or of few intervals, go up as a register's readings do, in small
    steps."""
    if len(values) <= LEAST_RISES:
        return False
    steps = [after - before for before, after in pairwise(values)]
    if min(steps) < 0 or 2 * sum(map(bool, steps)) < len(steps):
        return False
    return LEAST_LEVEL * median(steps) <= median(values)


def filler(value: Decimal) -> bool:
    """Return whether a number often stands for a missing one: 9999 or more, nines alone, as 9999999 or 99999.9."""
    digits = "".join(map(str, value.normalize().as_tuple().digits))
    return value >= LEAST_FILLER and set(digits) == {"9"}


def value_notes(
    path: Path,
    column: str,
    times: Sequence[datetime],
    values: Sequence[Decimal],
    lines: Sequence[int],
    *,
    power: bool,
) -> list[str]:
    """Give notes on values that may be no energies of intervals.

    Raises IntervalFileError for readings of a register.
    """
    notes = []
    if nines := [line for line, value in zip(lines, values, strict=True) if filler(value)]:
        notes.append(
            f"{column}: {counted(len(nines), 'value')} of nines, the first in line {nines[0]}: if it stands for no "
            "value, leave its cell empty"
        )
    climb = None if power else longest_climb(times, values)
    if climb != (0, len(values) - 1) and not power and (against := turns(times, values)) is not None:
        but = "" if not against else f" but for line {' and '.join(str(lines[place]) for place in against)}"
        raise IntervalFileError(
            f"{path}: {column} goes one way from line {lines[0]}, {values[0]:f}, to line {lines[-1]}, "
            f"{values[-1]:f}{but}, as a register's readings do: it must be the energy of each interval, the "
            "difference of two readings, or --registers says that they are readings"
        )
    if climb is None and not power and _short_climb(values):
        return [
            *notes,
            f"{column} never falls from line {lines[0]}, {values[0]:f}, to line {lines[-1]}, {values[-1]:f}, in small "
            "steps, as a register's readings do: is it the energy of each interval?",
        ]
    if climb is None:
        return notes
    low, high = values[climb.first], values[climb.last]
    found = f"{column} never falls from line {lines[climb.first]}, {low:f}, to line {lines[climb.last]}, {high:f}"
    # Of a register that began at 0 the readings can look like a load that grows: only doubted.
    if climb == (0, len(values) - 1) and 2 * low >= high:
        raise IntervalFileError(
            f"{path}: {found}, as a register's readings do: it must be the energy of each interval, the "
            "difference of two readings, or --registers says that they are readings"
        )
    return [*notes, f"{found}, as a register's readings do: is it the energy of each interval?"]
