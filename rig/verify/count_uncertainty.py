"""Uncertainty of a count from one closure to another (docs/verification.md, "The uncertainty").

The instants of both, with what edges scatter by; that they may all be late by the same, on a load that moves; and the
readings of a reference that is read now and then. Each is a component that differs from one repeat to the next.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import hypot, inf, sqrt

from calibration.budget import Component, Shape
from rig.meter.billing.quantity import NANO
from rig.verify.closures import Closure
from rig.verify.observed import CRYSTALS
from rig.verify.plan import LEAST_PULSES

LATE_S = Fraction(1, 1000)
"""Edges are late by a millisecond at most (drivers/schedule.py); what of that is the same for all no count shows."""

EDGE_S = float(LATE_S) / sqrt(3)
"""Before edges have shown how they scatter: late by any part of that."""

ROUNDED_TICKS = 1
"""The instant of a pulse is rounded up to a tick (rig/meter/contacts/pulses.py), and its edge is stamped with one."""


@dataclass(frozen=True)
class Seen:
    """A closure, at a tick known to plus or minus `half_ticks`, and by a comparison of clocks to `clock` ticks;
    `late_nwh` is what flowed in the time that it can be late by."""

    closure: Closure
    tick: Fraction
    half_ticks: Fraction
    comparison: int | None
    clock: int
    late_nwh: Fraction


@dataclass(frozen=True)
class EdgeScatter:
    """Standard uncertainty of the instant of an edge, and of how many closures it was found."""

    edge_s: float
    closures: int


@dataclass
class ReferenceReadings:
    """Readings of a reference that is read now and then: ticks, and what each is known to, half of it; `half_wh` is
    what its energy is known to, `scatter` how far its power moves from one to the next, of itself."""

    ticks: list[int] = field(default_factory=list)
    halves: list[float] = field(default_factory=list)
    half_wh: float = 0.0
    scatter: float = 0.0

    def add(self, tick: int, half_ticks: float) -> None:
        """Take in the next."""
        self.ticks.append(tick)
        self.halves.append(half_ticks)

    def known_to(self, half_wh: float, scatter: float) -> ReferenceReadings:
        """Give the same readings, known to so much."""
        return replace(self, half_wh=half_wh, scatter=scatter)

    def half_ticks_at(self, tick: Fraction) -> float:
        """Half-width to which a tick between two readings is known: each has half of a part in it."""
        place = bisect_left(self.ticks, tick)
        return hypot(*self.halves[max(0, place - 1) : place + 1]) / 2


def count_components(
    first: Seen, last: Seen, edges: EdgeScatter, readings: ReferenceReadings, tick_hz: float, latency_ticks: int
) -> list[Component]:
    """Give the components of a count from the first closure to the last, in percent of what flowed."""
    found = (
        *_of_instants(first, last, edges, readings, tick_hz, latency_ticks),
        *_of_lateness(first, last),
        *_of_reference(first, last, readings, latency_ticks),
    )
    return [replace(each, random=True) for each in found]


def _reference_wh(first: Seen, last: Seen) -> Fraction:
    return (last.closure.flowed_nwh - first.closure.flowed_nwh) / NANO


def _of_instants(
    first: Seen, last: Seen, edges: EdgeScatter, readings: ReferenceReadings, hz: float, latency: int
) -> list[Component]:
    """Give what is uncertain of two instants, each with its own, and of the reference's readings beside them: what
    edges scatter by has both."""
    seconds = float(last.tick - first.tick) / hz
    to_percent, reference_wh = 100 / seconds, _reference_wh(first, last)
    half_s = hypot(float(first.half_ticks), float(last.half_ticks)) / hz
    read_s = hypot(*(readings.half_ticks_at(each.tick - latency) for each in (first, last))) / hz
    stepped_s = sqrt(2) * readings.half_wh / float(reference_wh) * seconds
    explained_s = hypot(half_s, read_s, stepped_s) / Shape.RECTANGULAR.divisor
    scattered_s = sqrt(2) * edges.edge_s
    freedom = 2 / 3 * (edges.closures - 1)
    known = edges.closures >= LEAST_PULSES
    by_chance = 1 + 2 / sqrt(2 * freedom) if known else 1.0
    if scattered_s > explained_s * by_chance:
        named, own = "instants of the first and the last edge", freedom if known else inf
        found = [Component(named, scattered_s * to_percent, freedom=own)]
    else:
        found = [Component("resolution of the counter's instants", half_s * to_percent, Shape.RECTANGULAR)]
        if read_s:
            named = "instants of the reference's readings"
            found.append(Component(named, read_s * to_percent, Shape.RECTANGULAR))
    if first.comparison is not None and last.comparison is not None:
        if first.comparison == last.comparison:  # what is wrong with it is wrong with both
            clock_s = CRYSTALS * 100 / to_percent
        else:
            clock_s = hypot(first.clock, last.clock) / hz
        found.append(Component("comparison of clocks", clock_s * to_percent, Shape.RECTANGULAR))
    return found


def _of_lateness(first: Seen, last: Seen) -> list[Component]:
    """Give what is uncertain of edges that are all late by the same: on an even load nothing, as it cancels."""
    moved = abs(last.late_nwh - first.late_nwh)
    if not moved:
        return []
    half = float(100 * moved / NANO / _reference_wh(first, last))
    return [Component("edges late by the same, as the load moved", half, Shape.RECTANGULAR)]


def _of_reference(first: Seen, last: Seen, readings: ReferenceReadings, latency: int) -> list[Component]:
    """Give what is uncertain of readings of the reference at either end."""
    found, reference_wh = [], _reference_wh(first, last)
    if readings.scatter and readings.ticks:
        begin, end = (bisect_left(readings.ticks, each.tick - latency) for each in (first, last))
        moves = 100 * readings.scatter / sqrt(max(1, end - begin))
        found.append(Component("power between the reference's readings", moves))
    if readings.half_wh:
        half = 100 * sqrt(2) * readings.half_wh / float(reference_wh)
        found.append(Component("resolution of the reference", half, Shape.RECTANGULAR))
    return found
