"""Plots of witnesses on one timeline: how far each statement was from what flowed, in the band of its tolerance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from rig.verify.agreement import TimelineLine

LEFT, RIGHT = 80.0, 20.0
STRIP, BETWEEN = 96.0, 56.0
STRIPS = 4
"""In one chart, as a sheet has its length."""

_UNITS = ((1.0, ""), (1e3, "m"), (1e6, "µ"), (1e9, "n"))


def timeline_charts(strips: Sequence[tuple[str, str, Sequence[TimelineLine]]]) -> list[Chart]:
    """Draw a strip for each witness, all over the same time: its name, its unit such as "Wh", and its statements."""
    every = [line for _, _, lines in strips for line in lines]
    values = [abs(value) for line in every for value in (line.at_s, line.difference_wh, line.tolerance_wh)]
    if not every or not all(value < MOST_VALUE for value in values):
        return []
    begin, end = min(line.at_s for line in every), max(line.at_s for line in every)
    across = Axis(begin, end if end - begin > 1e-3 else begin + 1.0, LEFT + 8, WIDTH - RIGHT - 8)
    charts = []
    for k in range(0, len(strips), STRIPS):
        parts: list[Part] = []
        for place, (name, unit, lines) in enumerate(strips[k : k + STRIPS]):
            parts += _strip(name, unit, lines, across, 24 + place * (STRIP + BETWEEN))
        title = "Statements over time: stated less flowed, in the band of the tolerance"
        height = 24 + (STRIP + BETWEEN) * len(strips[k : k + STRIPS])
        charts.append(Chart(title if not k else f"{title}, continued", height, parts))
    return charts


def _strip(name: str, unit: str, lines: Sequence[TimelineLine], across: Axis, top: float) -> Iterator[Part]:
    reach = max([*(abs(each.difference_wh) for each in lines), *(each.tolerance_wh for each in lines)], default=0.0)
    reach = max(1.2 * reach, 1e-9)
    scale, prefix = next((pair for pair in _UNITS if reach * pair[0] >= 1), _UNITS[-1])
    down = Axis(-reach * scale, reach * scale, top + STRIP, top)
    yield Bar(LEFT, top, WIDTH - LEFT - RIGHT, STRIP, "#f7f8fa")
    yield from _band(lines, across, down, scale)
    yield Words(LEFT, top - 6, f"{name}, in {prefix}{unit}", "start", BLACK, 13)
    for value, text in down.ticks[:: 2 if len(down.ticks) > 4 else 1]:
        yield Line(LEFT, down.at(value), WIDTH - RIGHT, down.at(value), "#d8dbe0", 1.0)
        yield Words(LEFT - 6, down.at(value) + 4, text, "end", BLACK, 12)
    yield Line(LEFT, down.at(0.0), WIDTH - RIGHT, down.at(0.0), GREY, 1.0)
    for at_s, text in across.ticks:
        yield Line(across.at(at_s), top + STRIP, across.at(at_s), top + STRIP + 4, GREY)
        yield Words(across.at(at_s), top + STRIP + 17, f"{text} s", "middle", BLACK, 12)
    for each in lines:
        agrees = abs(each.difference_wh) <= each.tolerance_wh
        shape, colour, size = (Shape.DOT, BLUE, 2.6) if agrees else (Shape.SQUARE, RED, 4.0)
        tip = f"{each.at_s:.3f} s: {each.difference_wh:+.9g} {unit}, {each.tolerance_wh:.9g} {unit} allowed"
        yield Mark(across.at(each.at_s), down.at(each.difference_wh * scale), shape, colour, size, tip)


def _band(lines: Sequence[TimelineLine], across: Axis, down: Axis, scale: float) -> Iterator[Part]:
    """The tolerance beside each statement, up to the next one."""
    ends = [across.at(each.at_s) for each in lines[1:]] + [across.end]
    for each, end in zip(lines, ends, strict=True):
        x, width = across.at(each.at_s), end - across.at(each.at_s)
        high, low = down.at(each.tolerance_wh * scale), down.at(-each.tolerance_wh * scale)
        if width > 0:
            yield Bar(x, high, width, low - high, PALE)
            yield Line(x, high, end, high, GREEN, 1.0)
            yield Line(x, low, end, low, GREEN, 1.0)
