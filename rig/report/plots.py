"""Plots of a report: errors against their limits, an uncertainty's parts, each edge on a strip chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rig.report.chart import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    MOST_VALUE,
    PALE,
    RED,
    WIDTH,
    Axis,
    Bar,
    Chart,
    Line,
    Mark,
    Part,
    Shape,
    Words,
)
from rig.report.edges import ORDERLY, JudgedEdge
from rig.verify.result import BudgetLine

LEFT, RIGHT = 70.0, 20.0
NAMES = 250.0
"""Room for names at the left."""

ROW = 24.0
MOST_ROWS = 24
"""In one chart: more go on in the next, as a sheet has its length."""

MOST_NAME = 32
STRIP_EDGES = 100
"""In one strip; of a sheet it is as wide as edges can still be told apart."""

STRIP = 96.0
STRIPS = 4
"""In one chart."""

MARKS = {
    ORDERLY: (Shape.DOT, BLUE),
    "missed": (Shape.DOWN, RED),
    "doubled": (Shape.UP, RED),
    "swapped": (Shape.DIAMOND, RED),
    "late": (Shape.SQUARE, RED),
    "early": (Shape.SQUARE, RED),
    "both closed": (Shape.DIAMOND, RED),
}
"""How an edge is marked by its verdict."""

_UNITS = ((1.0, "pulses"), (1e3, "thousandths of a pulse"), (1e6, "millionths of a pulse"))


@dataclass(frozen=True)
class ErrorRow:
    """A row of an error plot, in percent; without an `uncertainty` only a mark, without a `limit` (0) no band."""

    name: str
    error: float
    uncertainty: float | None
    limit: float
    passed: bool


def error_charts(title: str, rows: Sequence[ErrorRow]) -> list[Chart]:
    """Draw errors with their uncertainty, each in its band of ±limit; MOST_ROWS to a chart, all on one scale."""
    reach = max((max(abs(row.error) + (row.uncertainty or 0.0), row.limit) for row in rows), default=0.0) * 1.15
    if not 0 < reach < MOST_VALUE:
        return []
    axis = Axis(-reach, reach, NAMES, WIDTH - RIGHT)
    parts = [rows[k : k + MOST_ROWS] for k in range(0, len(rows), MOST_ROWS)]
    return [_error_chart(title if not k else f"{title}, continued", part, axis) for k, part in enumerate(parts)]


def _error_chart(title: str, rows: Sequence[ErrorRow], axis: Axis) -> Chart:
    bottom = 10 + ROW * len(rows)
    bands: list[Part] = []
    over: list[Part] = []
    for k, row in enumerate(rows):
        top, middle = 10 + ROW * k, 10 + ROW * (k + 0.5)
        colour = GREEN if row.passed else RED
        low, high = axis.at(-row.limit), axis.at(row.limit)
        if row.limit:
            bands.append(Bar(low, top + 2, high - low, ROW - 4, PALE))
            bands += [Line(edge, top + 2, edge, top + ROW - 2, GREEN, 1.0) for edge in (low, high)]
        over.append(Words(NAMES - 12, middle + 5, _cut(row.name), "end"))
        if row.uncertainty is not None:
            ends = [axis.at(row.error - row.uncertainty), axis.at(row.error + row.uncertainty)]
            over.append(Line(ends[0], middle, ends[1], middle, colour, 2.0))
            over += [Line(end, middle - 5, end, middle + 5, colour, 2.0) for end in ends]
        tip = f"{row.name}: {row.error:+.6f} %"
        over.append(Mark(axis.at(row.error), middle, Shape.DOT if row.passed else Shape.SQUARE, colour, 4.5, tip))
    return Chart(title, bottom + 46, [*bands, *_scale(axis, 10, bottom), *over, _named(bottom + 40, "error in %")])


def budget_chart(lines: Sequence[BudgetLine]) -> list[Chart]:
    """Draw what share each component has of the variance; none where there is nothing to share."""
    total = sum(line.standard_percent**2 for line in lines)
    if not 0 < total < MOST_VALUE:
        return []
    axis = Axis(0.0, 100.0, NAMES + 130, WIDTH - RIGHT - 70)
    shown = sorted(lines, key=lambda line: -line.standard_percent)[:MOST_ROWS]
    parts: list[Part] = []
    for k, line in enumerate(shown):
        top, share = 6 + ROW * k, 100 * line.standard_percent**2 / total
        parts.append(Words(axis.begin - 12, top + 17, _cut(line.source, 52), "end"))
        parts.append(Bar(axis.begin, top + 4, max(1.0, axis.at(share) - axis.begin), ROW - 8, BLUE))
        parts.append(Words(axis.at(share) + 8, top + 17, f"{share:.1f} %"))
    return [Chart("Shares of the variance", 14 + ROW * len(shown), parts)]


def strip_charts(edges: Sequence[JudgedEdge]) -> list[Chart]:
    """Draw each edge over time as a recorder would, strip under strip: how late it was, and its verdict as its mark."""
    if not edges or not all(abs(value) < MOST_VALUE for edge in edges for value in (edge.at_s, edge.late_pulses)):
        return []
    reach = max(max(abs(edge.late_pulses) for edge in edges) * 1.2, 1e-7)
    scale, unit = next((scale, unit) for scale, unit in reversed(_UNITS) if reach * scale < 1000 or scale == 1)
    strips = [edges[k : k + STRIP_EDGES] for k in range(0, len(edges), STRIP_EDGES)]
    charts = []
    for k in range(0, len(strips), STRIPS):
        parts: list[Part] = []
        for place, strip in enumerate(strips[k : k + STRIPS]):
            parts += _strip(strip, 24 + place * (STRIP + 34), reach * scale, scale)
        title = f"Edges over time: late by reference and constant, in {unit}"
        height = 24 + (STRIP + 34) * len(strips[k : k + STRIPS]) + 26
        charts.append(Chart(title if not k else f"{title}, continued", height, [*parts, *_legend(height - 8, edges)]))
    return charts


def _strip(edges: Sequence[JudgedEdge], top: float, reach: float, scale: float) -> Iterator[Part]:
    begin, end = min(edge.at_s for edge in edges), max(edge.at_s for edge in edges)
    least = max(1e-3, abs(end) * 1e-9)  # one edge alone, or several at one instant, are no length
    across = Axis(begin, end if end - begin > least else begin + 1e3 * least, LEFT + 8, WIDTH - RIGHT - 8)
    down = Axis(-reach, reach, top + STRIP, top)
    yield Bar(LEFT, top, WIDTH - LEFT - RIGHT, STRIP, "#f7f8fa")
    for value, text in down.ticks[:: 2 if len(down.ticks) > 4 else 1]:
        yield Line(LEFT, down.at(value), WIDTH - RIGHT, down.at(value), "#d8dbe0", 1.0)
        yield Words(LEFT - 6, down.at(value) + 4, text, "end", BLACK, 12)
    yield Line(LEFT, down.at(0.0), WIDTH - RIGHT, down.at(0.0), GREY, 1.0)
    for at_s, text in across.ticks:
        yield Line(across.at(at_s), top + STRIP, across.at(at_s), top + STRIP + 4, GREY)
        yield Words(across.at(at_s), top + STRIP + 17, f"{text} s", "middle", BLACK, 12)
    for edge in edges:
        shape, colour = MARKS.get(edge.verdict, (Shape.DIAMOND, RED))
        x, y = across.at(edge.at_s), down.at(edge.late_pulses * scale)
        if edge.verdict != ORDERLY:
            yield Line(x, top, x, top + STRIP, colour, 1.0, dashed=True)
            yield Words(min(x, WIDTH - RIGHT - 40), top - 5, f"no. {edge.number} {edge.verdict}", "middle", colour, 12)
        size = 3.2 if edge.verdict == ORDERLY else 5.5
        yield Mark(x, y, shape, colour, size, edge.sentence)


def _legend(y: float, edges: Sequence[JudgedEdge]) -> Iterator[Part]:
    x = LEFT
    for verdict in [name for name in MARKS if any(edge.verdict == name for edge in edges)]:
        shape, colour = MARKS[verdict]
        yield Mark(x + 5, y - 4, shape, colour, 4.5)
        yield Words(x + 16, y, verdict, size=13)
        x += 40 + 8.0 * len(verdict)


def _scale(axis: Axis, top: float, bottom: float) -> Iterator[Part]:
    for value, text in axis.ticks:
        colour, dashed = (BLACK, False) if abs(value) < axis.step / 2 else ("#c9cdd3", True)
        yield Line(axis.at(value), top, axis.at(value), bottom, colour, 1.0, dashed)
        yield Words(axis.at(value), bottom + 18, text, "middle", BLACK, 13)


def _named(y: float, text: str) -> Words:
    return Words((NAMES + WIDTH - RIGHT) / 2, y, text, "middle", BLACK, 13)


def _cut(text: str, most: int = MOST_NAME) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
