"""Axes and plots: ticks by their own arithmetic, and a drawing for whatever figures a file holds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.report.chart import MOST_TICKS, WIDTH, Axis, Bar, Line, Mark, Words
from rig.report.edges import JudgedEdge
from rig.report.plots import MOST_ROWS, STRIP_EDGES, STRIPS, ErrorRow, budget_chart, error_charts, strip_charts
from rig.verify.result import BudgetLine

ANY = st.floats(allow_nan=False, allow_infinity=False)


@given(st.floats(-1e9, 1e9), st.floats(1e-9, 1e9))
def test_ticks_are_within_the_axis_at_even_steps_of_1_2_or_5(low: float, length: float) -> None:
    if not low < low + length * 1e-3:
        return
    axis = Axis(low, low + length, 0.0, 100.0)
    values = [value for value, _ in axis.ticks]
    mantissa = axis.step / 10.0 ** math.floor(math.log10(axis.step) + 1e-9)
    assert min(abs(mantissa - each) for each in (1, 2, 5, 10)) < 1e-6
    assert len(values) <= MOST_TICKS + 1
    slack = axis.step * 1e-6
    assert all(low - slack <= value <= low + length + slack for value in values)


def test_an_axis_maps_its_ends() -> None:
    axis = Axis(-2.0, 2.0, 300.0, 100.0)
    assert (axis.at(-2.0), axis.at(0.0), axis.at(1.0), axis.at(2.0)) == (300.0, 200.0, 150.0, 100.0)
    assert axis.ticks == [(-2.0, "−2"), (-1.0, "−1"), (0.0, "0"), (1.0, "1"), (2.0, "2")]
    with pytest.raises(ValueError, match="has no length"):
        Axis(1.0, 1.0, 0.0, 1.0)


@given(st.lists(st.tuples(ANY, ANY), max_size=5))
def test_whatever_edges_a_file_has_all_that_is_drawn_is_on_the_canvas(edges: list[tuple[float, float]]) -> None:
    judged = [JudgedEdge(k, at_s, late, None, "late") for k, (at_s, late) in enumerate(edges)]
    for chart in strip_charts(judged):
        for part in chart.parts:
            match part:
                case Line(x1, y1, x2, y2):
                    places = [(x1, y1), (x2, y2)]
                case Bar() | Mark() | Words():
                    places = [(part.x, part.y)]
            assert all(-1 <= x <= WIDTH + 1 and -1 <= y <= chart.height + 1 for x, y in places)


def test_every_edge_is_marked_once_strip_under_strip() -> None:
    count = STRIP_EDGES * STRIPS + 7
    edges = [JudgedEdge(k, float(k), 0.0, None, "in order") for k in range(count)]
    charts = strip_charts(edges)
    assert len(charts) == 2
    tips = [part.tip for chart in charts for part in chart.parts if isinstance(part, Mark) and part.tip]
    assert [tip.split(",")[0] for tip in tips] == [f"number {k}" for k in range(count)]


@given(st.lists(st.tuples(ANY, ANY, ANY), max_size=60))
def test_errors_of_any_size_make_charts_of_bounded_length(rows: list[tuple[float, float, float]]) -> None:
    charts = error_charts("", [ErrorRow("a", error, spread, limit, True) for error, spread, limit in rows])
    assert len(charts) <= -(-len(rows) // MOST_ROWS)


def test_shares_of_the_variance_are_those_of_the_squares() -> None:
    """3-4-5: 9/25 and 16/25."""
    lines = [BudgetLine("a", 3.0, "normal", 3.0, None), BudgetLine("b", 4.0, "normal", 4.0, None)]
    (chart,) = budget_chart(lines)
    assert [part.text for part in chart.parts if isinstance(part, Words)] == ["b", "64.0 %", "a", "36.0 %"]
    assert budget_chart([BudgetLine("a", 0.0, "normal", 0.0, None)]) == []
