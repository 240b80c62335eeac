"""Energies of a load's record as the meter's whole nWh, so that what is equal in the file is equal in the meter.

The meter cuts an interval where a demand interval ends, and takes whole nWh of each part. Were an interval not a
multiple of its parts, they would differ by 1 nWh, and rounding would decide which of equal maxima came first. So each
interval is rounded up to a multiple, always in the same way, and what that adds is taken off where a day ends with more
than SURPLUS_NWH of it, and at the end: from the lowest interval of the day, of equal ones the last, which is no maximum
before the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from math import gcd

from rig.meter.billing.calendar import Calendar
from rig.meter.billing.demand import DemandKind, DemandSettings
from rig.meter.billing.time_units import SECOND_NS
from rig.replay.intervals.record import LoadInterval

SURPLUS_NWH = 100
"""Of nine decimals of a kWh, which are shown, the last is 1000."""

MOST_PARTS = 96
"""A day in quarters of an hour. Intervals off the grid by seconds have more parts, and are taken to the nWh."""


def parts_of(interval: LoadInterval, demand: DemandSettings | None, calendar: Calendar) -> int:
    """Give how many equal parts the ends of demand (sub-)intervals cut an interval into; 1 for none, or too many."""
    if demand is None or demand.kind is DemandKind.THERMAL:
        return 1
    step_ns, length_ns = demand.subinterval_s * SECOND_NS, interval.end_ns - interval.start_ns
    wall_ns = interval.start_ns + calendar.standard_offset_s(interval.start_ns) * SECOND_NS
    parts = length_ns // gcd(step_ns, length_ns, wall_ns % step_ns)
    return parts if parts <= MOST_PARTS else 1


def whole_nwh(
    amounts: Sequence[int],
    numerator: int,
    denominator: int,
    parts: Sequence[int],
    days: Sequence[object],
    lengths_ns: Sequence[int],
) -> list[int]:
    """Give the nWh of each interval: `amounts` times numerator over denominator, a multiple of its `parts`.

    `days` are what the intervals of one day have in common.
    """
    found, over = [], []
    for amount, count in zip(amounts, parts, strict=True):
        least = -(-amount * numerator // (denominator * count)) * count
        found.append(least)
        over.append(least * denominator - amount * numerator)
    surplus = 0
    for day in [list(places) for _, places in groupby(range(len(found)), key=lambda place: days[place])]:
        surplus += sum(over[place] for place in day)
        last = day[-1] == len(found) - 1
        if surplus <= (0 if last else SURPLUS_NWH * denominator):
            continue
        for place in sorted(day, key=lambda place: (Fraction(found[place], lengths_ns[place]), -place)):
            unit = parts[place] * denominator
            taken = min(-(-surplus // unit) * parts[place], found[place])
            found[place] -= taken
            surplus -= taken * denominator
            if surplus <= 0:
                break
    return found


def nearest_multiple(amount: int, count: int) -> int:
    """Give the multiple of `count` that is nearest to an amount; of two, the higher."""
    return (2 * amount + count) // (2 * count) * count
