"""Verdicts on edges: each error names the next edge seen after its number, and no other."""

from __future__ import annotations

from rig.report.edges import judged_edges
from rig.verify.result import EdgeLine, OrderError
from tests.rig.report.report_results import verification


def test_an_edge_has_the_verdict_of_the_error_before_it() -> None:
    verdicts = {edge.number: edge.verdict for edge in judged_edges(verification())}
    assert verdicts.pop(5) == "missed"
    assert set(verdicts.values()) == {"in order"}


def test_an_error_after_an_edge_that_was_not_seen_is_of_the_next_that_was() -> None:
    """Numbers 3 and 4 were counted together: 5 is the first edge after number 2."""
    edges = [EdgeLine(number, float(number), 0.0, None) for number in (1, 2, 5, 6)]
    errors = [OrderError("doubled", 2, 2, 2.0, 5.0, "…"), OrderError("late", 1, 5, 5.0, 6.0, "…")]
    judged = judged_edges(verification(edges=edges, kyz_order_errors=errors))
    assert [edge.verdict for edge in judged] == ["in order", "in order", "doubled", "late"]


def test_errors_of_no_known_edge_mark_none() -> None:
    errors = [OrderError("both closed", 3, 0, 0.0, 2.0, "…"), OrderError("missed", 4, 9, 2.0, 3.0, "at the end")]
    judged = judged_edges(verification(kyz_order_errors=errors))
    assert {edge.verdict for edge in judged} == {"in order"}
