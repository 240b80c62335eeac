"""Demand as it runs (Q-4): energy over a block or a sliding window, and the thermal lag.

Rows are by bin, total first and then the rates; in a row, numbers are by quantity. Energy is in nWh (nvarh, nVAh),
demand in nW (nvar, nVA). Both averagings are told of the same things, and offer to the maxima what counts: `take` and
`idle` are time with power and without, at `settle` the interval so far counts, with `shift` the next sub-interval
begins, with `clear` averaging begins anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from rig.meter.billing.maxima import Maxima
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.time_units import HOUR_S, SECOND_NS


@dataclass
class WindowState:
    """Energy of the running sub-interval, and of those before it that its end will average with it, oldest first."""

    running: list[list[int]]
    completed: list[list[list[int]]] = field(default_factory=list)

    @classmethod
    def new(cls, quantities: int, bins: int) -> WindowState:
        """Nothing yet."""
        return cls([[0] * quantities for _ in range(bins)])


class WindowAveraging:
    """Block (one sub-interval) and sliding demand: the energy in the window over the window's whole length.

    So demand is exact where the length divides an hour, and rounded down elsewhere. Until the window is full, and where
    it was cut short, it is less than the mean power. All of it is integers: however energy is split, nothing changes.
    """

    continuous = False

    def __init__(
        self, quantities: Sequence[Quantity], subinterval_s: int, subintervals: int, maxima: Maxima, state: WindowState
    ) -> None:
        self._places = [q.adds for q in quantities]
        self._length_s = subinterval_s * subintervals
        self._most_completed = subintervals - 1
        self._maxima = maxima
        self._bins = len(state.running)
        self._sum = self._nothing()
        self.state = state
        for rows in state.completed:
            self._add(rows, 1)

    def take(self, amounts: Sequence[int], start_ns: int, end_ns: int, rate: int) -> None:
        """Energy of this sub-interval in one rate. When in it it flowed is all the same."""
        running = self.state.running
        total = running[0]
        own = running[1 + rate] if self._bins > 1 else None
        for q, places in enumerate(self._places):
            energy = 0
            for place in places:
                energy += amounts[place]
            total[q] += energy
            if own is not None:
                own[q] += energy

    def idle(self, start_ns: int, end_ns: int) -> None:
        """Without power nothing is added: the interval counts over its whole length."""

    def demands(self, bin: int) -> tuple[int, ...]:
        """Of the window so far, over its whole length."""
        length_s = self._length_s
        return tuple(
            [(e + s) * HOUR_S // length_s for e, s in zip(self.state.running[bin], self._sum[bin], strict=True)]
        )

    def settle(self, at_ns: int) -> list[tuple[int, ...]]:
        """The window so far counts for the maxima: its demands by bin."""
        settled = [self.demands(bin) for bin in range(self._bins)]
        for bin, demands in enumerate(settled):
            self._maxima.look(bin, demands, at_ns)
        return settled

    def shift(self) -> None:
        """The running sub-interval is complete; the oldest leaves the window."""
        state = self.state
        if self._most_completed:
            state.completed.append(state.running)
            self._add(state.running, 1)
            if len(state.completed) > self._most_completed:
                self._add(state.completed.pop(0), -1)
        state.running = self._nothing()

    def clear(self, at_ns: int) -> None:
        """All sub-intervals are forgotten."""
        self.state.running = self._nothing()
        self.state.completed.clear()
        self._sum = self._nothing()

    def _nothing(self) -> list[list[int]]:
        return [[0] * len(self._places) for _ in range(self._bins)]

    def _add(self, rows: list[list[int]], sign: int) -> None:
        for row, sums in zip(rows, self._sum, strict=True):
            for q, energy in enumerate(row):
                sums[q] += sign * energy


@dataclass
class ThermalState:
    """Pointers of thermal demand: where they are, and the residues of their rounding; both in nW, by quantity.

    `rate` is that of the last portion; None from where an interval begins until its first portion.
    """

    levels: list[float]
    residues: list[float]
    rate: int | None = None

    @classmethod
    def new(cls, quantities: int) -> ThermalState:
        """At rest."""
        return cls([0.0] * quantities, [0.0] * quantities)


class ThermalAveraging:
    """Thermal (exponential) demand: the lag D' = (P − D) · ln 10 / T, so 90 % of a step after one response time T.

    Each portion moves the pointers by the exact solution for its mean power, D += (P − D) · (1 − 10^(−Δt/T)). Residues
    keep what rounding takes off a sum: without them pointers would stick 1e-11 short of a load in 17 ms windows.
    So parts of equal power in place of one portion change D by less than 1e-12 of the highest it has been, and the
    rounding of their energies to whole nWh by at most 3600 ln 10 / T nW (9.2 nW where T is 15 min).

    One lag serves all bins. In a portion it only rises or only falls. So to look where each ends, and where the first
    of a rate or of an interval begins, finds the highest exactly. Without power nothing is looked at.
    """

    continuous = True

    def __init__(
        self, quantities: Sequence[Quantity], bins: int, response_s: int, maxima: Maxima, state: ThermalState
    ) -> None:
        self._places = [q.adds for q in quantities]
        self._bins = bins
        self._per_ns = math.log(10) / (response_s * SECOND_NS)
        self._maxima = maxima
        self.state = state

    def take(self, amounts: Sequence[int], start_ns: int, end_ns: int, rate: int) -> None:
        """A portion, which ends after it starts, with its energy spread evenly over it."""
        state = self.state
        if rate != state.rate:
            state.rate = rate
            self._look(start_ns, rate)
        levels, residues, span_ns = state.levels, state.residues, end_ns - start_ns
        gain = -math.expm1(-span_ns * self._per_ns)
        per_energy = HOUR_S * SECOND_NS / span_ns
        for q, places in enumerate(self._places):
            energy = 0
            for place in places:
                energy += amounts[place]
            level = levels[q]
            step = (energy * per_energy - level) * gain + residues[q]
            levels[q] = moved = level + step
            residues[q] = step - (moved - level)
        self._look(end_ns, rate)

    def idle(self, start_ns: int, end_ns: int) -> None:
        """Without power pointers fall."""
        left = math.exp((start_ns - end_ns) * self._per_ns)
        state = self.state
        state.levels = [level * left for level in state.levels]
        state.residues = [residue * left for residue in state.residues]

    def demands(self, bin: int) -> tuple[int, ...]:
        """Return the positions of the pointers, to the nearest nW."""
        return tuple([round(level) for level in self.state.levels])

    def settle(self, at_ns: int) -> list[tuple[int, ...]]:
        """The maxima have seen the pointers on their way: the same demands in each bin."""
        return [self.demands(0)] * self._bins

    def shift(self) -> None:
        """The pointers stay; they are looked at where the next portion begins."""
        self.state.rate = None

    def clear(self, at_ns: int) -> None:
        """The pointers stay: maxima of the total begin with them at once, those of a rate with its next portion."""
        self.state.rate = None
        self._maxima.look(0, self.demands(0), at_ns)

    def _look(self, at_ns: int, rate: int) -> None:
        demands = self.demands(0)
        self._maxima.look(0, demands, at_ns)
        if self._bins > 1:
            self._maxima.look(1 + rate, demands, at_ns)
