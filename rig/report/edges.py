"""Edges of a result with the verdict on each: in order, or what was wrong before or at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.verify.result import EdgeLine, OrderError, Verification

ORDERLY = "in order"

_WHOLE_RUN = "both closed"
"""Counted over the whole run: no edge of it is known."""


@dataclass(frozen=True)
class JudgedEdge:
    """An edge: its number by the counter, seconds from the begin of the run, pulses late, its contact, its verdict."""

    number: int
    at_s: float
    late_pulses: float
    contact: str | None
    verdict: str

    @property
    def sentence(self) -> str:
        """It, for a person."""
        contact = f", {self.contact}" if self.contact else ""
        return f"number {self.number}, {self.at_s:.6f} s, {self.late_pulses:+.6f} pulses late{contact}: {self.verdict}"


def judged_edges(found: Verification) -> list[JudgedEdge]:
    """Give the result's edges, each with its verdict: that of the first error that names it."""
    wrong = _wrong(found.edges, found.kyz_order_errors)
    return [
        JudgedEdge(edge.number, edge.at_s, edge.late_pulses, edge.contact, wrong.get(edge.number, ORDERLY))
        for edge in found.edges
    ]


def _wrong(edges: Sequence[EdgeLine], errors: Sequence[OrderError]) -> dict[int, str]:
    """An error stands after an edge's number: what it is wrong with is the next one that was seen."""
    numbers = [edge.number for edge in edges]
    found: dict[int, str] = {}
    for error in errors:
        if error.fault == _WHOLE_RUN:
            continue
        following = next((number for number in numbers if number > error.after), None)
        if following is not None:
            found.setdefault(following, error.fault)
    return found
