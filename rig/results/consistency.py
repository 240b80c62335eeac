"""Consistency of a result that is read again: what it says twice, it says alike.

Each finding is a sentence that names the field, what it says, and what the other fields make it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isclose

from rig.results.provenance import BOARD, Provenance

SHARE = 1e-9
"""Figures are written with all their digits: a sum of a thousand of them is off by less than this share of it."""

PERCENT = 1e-9
"""The same of a percentage, which is the difference of two figures over a third."""


def same(stated: float, due: float) -> bool:
    """Return whether two figures, sums of what is not negative, are the same but for rounding."""
    return isclose(stated, due, rel_tol=SHARE)


def same_difference(stated: float, minuend: float, subtrahend: float) -> bool:
    """Return whether a figure is the difference of two others but for rounding."""
    return abs(stated - (minuend - subtrahend)) <= SHARE * max(abs(minuend), abs(subtrahend))


def same_percent(stated: float, due: float) -> bool:
    """Return whether two percentages are the same but for rounding."""
    return abs(stated - due) <= PERCENT * max(1.0, abs(stated), abs(due))


def clearly_more(amount: float, bound: float) -> bool:
    """Return whether an amount is beyond a bound by more than rounding."""
    return amount > bound * (1 + SHARE)


def figure(place: str, stated: object, by: str, due: object) -> str:
    """Give the sentence for a figure that others contradict."""
    return f"{place} is {_text(stated)}, and by {by} it is {_text(due)}"


def verdict(place: str, passed: bool, by: str) -> str:
    """Give the sentence for a verdict that figures contradict."""
    return f"{place} is {_text(passed)}, and {by}"


def all_passed(place: str, passed: bool, verdicts: Iterable[bool], of: str) -> Iterator[str]:
    """Find a verdict that is not that of all of its parts."""
    if passed is not (due := all(verdicts)):
        yield figure(place, passed, of, due)


def origin(place: str, found: Provenance) -> Iterator[str]:
    """Find a provenance that says it is simulated and is not, or the other way round."""
    if found.simulated is (found.fidelity == BOARD):
        yield figure(f"{place}.simulated", found.simulated, f"fidelity {found.fidelity!r}", not found.simulated)


def origin_twice(place: str, simulated: bool, fidelity: str, found: Provenance) -> Iterator[str]:
    """Find a result that does not say of itself what its provenance does."""
    if simulated is not found.simulated:
        yield figure(f"{place}.simulated", simulated, "provenance", found.simulated)
    if fidelity != found.fidelity:
        yield figure(f"{place}.fidelity", fidelity, "provenance", found.fidelity)
    yield from origin(f"{place}.provenance", found)


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case float():
            return f"{value:.10g}"
    return str(value)
