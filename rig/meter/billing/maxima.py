"""Maxima of demand (Q-4), with their coincident demands, the highest peaks, cumulative demand.

Rows are by bin, total first and then the rates; in a row, places are by quantity. Demand is in nW (nvar, nVA).
Of equal demands the first stays. Demand of 0 is no maximum: there is none yet.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field

PEAKS = 5
"""So many of the highest peaks of the first quantity are kept."""


@dataclass(frozen=True, slots=True)
class Maximum:
    """A highest demand, when it was reached, and what the other quantities, in their order, were then.

    `at_ns` is where its interval ended, for thermal demand when it was; None and zeros if there is none yet.
    """

    value: int
    at_ns: int | None
    coincident: tuple[int, ...]


@dataclass(frozen=True)
class ResetValues:
    """Values that a demand reset ended, the running interval included; `cumulative` is as it stands after.

    `maxima` and `cumulative` are by quantity, then by bin.
    """

    at_ns: int
    maxima: tuple[tuple[Maximum, ...], ...]
    peaks: tuple[Maximum, ...]
    cumulative: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Candidate:
    """The demands of all quantities in one bin at one instant, and the number of the sub-interval in which that was."""

    number: int
    at_ns: int | None
    demands: tuple[int, ...]

    def maximum(self, quantity: int) -> Maximum:
        """As the maximum of one of them."""
        demands = self.demands
        return Maximum(demands[quantity], self.at_ns, demands[:quantity] + demands[quantity + 1 :])


@dataclass
class MaximaState:
    """`number` counts sub-intervals, `highest` is the running one's; `peaks` are those of the others, highest first."""

    highest: Candidate
    held: list[list[Candidate]]
    cumulative: list[list[int]]
    peaks: list[Candidate] = field(default_factory=list)
    number: int = 0

    @classmethod
    def new(cls, quantities: int, bins: int) -> MaximaState:
        """No maxima yet."""
        none = _none(quantities)
        return cls(none, [[none] * quantities for _ in range(bins)], [[0] * quantities for _ in range(bins)])


class Maxima:
    """The highest demands since the last reset.

    Peaks are of the first quantity in total: the highest, then the highest whose interval overlaps with none before,
    and so on. An interval of `subintervals` overlaps with 2 · subintervals − 2 others at most, so the fifth peak is
    among the highest 4 · (2 · subintervals − 1) + 1 of all. To keep so many finds the peaks of all that ever were.
    """

    def __init__(self, subintervals: int, state: MaximaState) -> None:
        self._subintervals = subintervals
        self._most_peaks = (PEAKS - 1) * (2 * subintervals - 1) + 1
        self.state = state

    def look(self, bin: int, demands: tuple[int, ...], at_ns: int) -> None:
        """Demands that count, in one bin: keep those that are higher than any before."""
        state = self.state
        seen = None
        row = state.held[bin]
        for q, demand in enumerate(demands):
            if demand > row[q].demands[q]:
                row[q] = seen = seen or Candidate(state.number, at_ns, demands)
        if bin == 0 and demands[0] > state.highest.demands[0]:
            state.highest = seen or Candidate(state.number, at_ns, demands)

    def advance(self, subintervals: int) -> None:
        """The running sub-interval ended; the next one is so many further on."""
        state = self.state
        if state.highest.at_ns is not None:
            insort(state.peaks, state.highest, key=_falling)
            del state.peaks[self._most_peaks :]
            state.highest = _none(len(state.highest.demands))
        state.number += subintervals

    def maximum(self, quantity: int, bin: int) -> Maximum:
        """The highest since the last reset."""
        return self.state.held[bin][quantity].maximum(quantity)

    def peaks(self) -> tuple[Maximum, ...]:
        """The highest that do not overlap, PEAKS at most, highest first. The first is the maximum."""
        state = self.state
        ranked: Sequence[Candidate] = state.peaks
        if state.highest.at_ns is not None:
            ranked = list(ranked)
            insort(ranked, state.highest, key=_falling)
        chosen: list[Candidate] = []
        for candidate in ranked:
            if all(abs(candidate.number - other.number) >= self._subintervals for other in chosen):
                chosen.append(candidate)
                if len(chosen) == PEAKS:
                    break
        return tuple(candidate.maximum(0) for candidate in chosen)

    def reset(self, at_ns: int) -> ResetValues:
        """Maxima go into cumulative demand and are cleared, and peaks with them."""
        state = self.state
        quantities = range(len(state.highest.demands))
        values = ResetValues(
            at_ns=at_ns,
            maxima=tuple(tuple(row[q].maximum(q) for row in state.held) for q in quantities),
            peaks=self.peaks(),
            cumulative=tuple(
                tuple(sums[q] + row[q].demands[q] for row, sums in zip(state.held, state.cumulative, strict=True))
                for q in quantities
            ),
        )
        state.highest = none = _none(len(quantities))
        state.held = [[none] * len(quantities) for _ in state.held]
        state.cumulative = [list(sums) for sums in zip(*values.cumulative, strict=True)]
        state.peaks.clear()
        return values


def _none(quantities: int) -> Candidate:
    return Candidate(0, None, (0,) * quantities)


def _falling(candidate: Candidate) -> int:
    return -candidate.demands[0]
