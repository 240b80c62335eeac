"""A register's readings as energies: the difference of each reading and the one before, exact.

a reading below the one before              taken as
from the top tenth of 10, 100, … thousand   the register's turn, past 9999… to 0, if that is no more than ten times
to its lowest tenth                         the largest other difference; told with both numbers
else, of net readings                       energy the other way
else                                        time without energy, told with both numbers
more than two, and one in ten               refused: as energies of intervals are
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from itertools import pairwise
from typing import NamedTuple

from rig.replay.intervals.record import counted

EXACT = Context(prec=120)
"""Numbers of load records have up to 15 digits and 40 decimals."""

LEAST_DIGITS = 4
MOST_TURN = 10
MOST_FALLS = 2
MOST_TOLD = 5


class DatedReading(NamedTuple):
    """A register's value at an instant, in seconds of UTC, and the file's line."""

    at_s: int
    value: Decimal
    line: int


class Difference(NamedTuple):
    """Advance of a register from an instant for some time; `line` is that of the later reading."""

    start_s: int
    duration_s: int
    value: Decimal
    line: int


class WrongRegister(ValueError):
    """Readings that are no register's; the sentence goes on after the file's name and the register's."""


def differences(readings: Sequence[DatedReading], *, net: bool) -> tuple[list[Difference], list[str]]:
    """Give the energies between readings in order of time, and notes on falls. Raises WrongRegister."""
    steps = [(a, b, EXACT.subtract(b.value, a.value)) for a, b in pairwise(readings)]
    falls = [(a, b) for a, b, rise in steps if rise < 0]
    if not net and len(falls) > max(MOST_FALLS, len(steps) // 10):
        a, b = falls[0]
        raise WrongRegister(
            f"falls {len(falls)} times in {len(readings)} readings, the first from {a.value:f} in line {a.line} to "
            f"{b.value:f} in line {b.line}: these are no readings of a register"
        )
    highest = max((rise for _, _, rise in steps if rise > 0), default=Decimal(0))
    found, turns, lost = [], [], []
    for a, b, rise in steps:
        if rise < 0 and (turn := _turn(a.value, b.value)) is not None and (not highest or turn <= MOST_TURN * highest):
            rise = turn
            turns.append(f"{_fall(a, b)}, {turn:f} more")
        elif rise < 0 and not net:
            lost.append(_fall(a, b))
            continue
        found.append(Difference(a.at_s, b.at_s - a.at_s, rise, b.line))
    notes = []
    if turns:
        notes.append(f"turns over {counted(len(turns), 'time')}, past nines to 0: {_listed(turns)}")
    if lost:
        notes.append(f"falls {counted(len(lost), 'time')}, which counts as no energy: {_listed(lost)}")
    return found, notes


def _turn(before: Decimal, after: Decimal) -> Decimal | None:
    """Give the advance of a register past its highest number; None where it is not near it."""
    digits = len(str(int(before)))
    full = Decimal(10) ** digits
    if digits < LEAST_DIGITS or 10 * before < 9 * full or not 0 <= 10 * after <= full:
        return None
    return EXACT.add(EXACT.subtract(full, before), after)


def _fall(a: DatedReading, b: DatedReading) -> str:
    return f"from {a.value:f} in line {a.line} to {b.value:f} in line {b.line}"


def _listed(told: Sequence[str]) -> str:
    return "; ".join(told[:MOST_TOLD]) + (f"; and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else "")
