"""Curves of error against current, a line for each power factor, in the band of their limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10

from rig.accuracy.result import AccuracyPointResult
from rig.report.chart import BLACK, BLUE, GREEN, GREY, RED, WIDTH, Axis, Chart, Line, Mark, Part, Shape, Words

LEFT, RIGHT, TOP, BOTTOM = 80.0, 160.0, 16.0, 300.0

_STYLES = (
    (BLUE, Shape.DOT),
    (RED, Shape.SQUARE),
    (GREEN, Shape.UP),
    ("#7b4ba3", Shape.DIAMOND),
    ("#b06a00", Shape.DOWN),
)


def error_curves(points: Sequence[AccuracyPointResult]) -> list[Chart]:
    """Draw the errors of points that are judged by them, as usual but for current and power factor; none for less than
    two currents."""
    usual = [
        p for p in points
        if p.judged in ("error", "from TA") and not p.applied and p.error_percent is not None and p.amperes > 0
    ]  # fmt: skip
    currents = sorted({p.amperes for p in usual})
    if len(currents) < 2:
        return []
    reach = max(abs(p.error_percent or 0.0) + (p.uncertainty_percent or 0.0) for p in usual) * 1.2
    reach = max(reach, 1e-4)
    across = Axis(log10(currents[0]), log10(currents[-1]), LEFT, WIDTH - RIGHT)
    down = Axis(-reach, reach, BOTTOM, TOP)
    parts = [*_scales(across, down, currents)]
    for k, factor in enumerate(dict.fromkeys(p.power_factor for p in usual)):
        colour, shape = _STYLES[k % len(_STYLES)]
        chosen = sorted((p for p in usual if p.power_factor == factor), key=lambda p: p.amperes)
        parts += _curve(chosen, across, down, colour, shape)
        parts.append(Mark(WIDTH - RIGHT + 30, TOP + 12 + 24 * k, shape, colour, 4.5))
        parts.append(Words(WIDTH - RIGHT + 42, TOP + 17 + 24 * k, f"PF {factor}"))
    return [Chart("Error in % against current in A, with its uncertainty", BOTTOM + 46, parts)]


def _curve(
    points: Sequence[AccuracyPointResult], across: Axis, down: Axis, colour: str, shape: Shape
) -> Iterator[Part]:
    before: tuple[float, float] | None = None
    for point in points:
        error, uncertainty = point.error_percent or 0.0, point.uncertainty_percent or 0.0
        x, y = across.at(log10(point.amperes)), down.at(error)
        yield Line(x, down.at(error - uncertainty), x, down.at(error + uncertainty), colour, 1.5)
        if before is not None:
            yield Line(*before, x, y, colour, 1.5)
        yield Mark(x, y, shape, colour, 4.0, f"{point.name}: {error:+.6f} %")
        before = x, y


def _scales(across: Axis, down: Axis, currents: Sequence[float]) -> Iterator[Part]:
    for value, text in down.ticks:
        yield Line(LEFT, down.at(value), WIDTH - RIGHT, down.at(value), BLACK if abs(value) < 1e-12 else "#c9cdd3")
        yield Words(LEFT - 8, down.at(value) + 5, text, "end", BLACK, 13)
    last = -100.0
    for amperes in currents:
        x = across.at(log10(amperes))
        yield Line(x, BOTTOM, x, BOTTOM + 5, GREY)
        if x - last > 46:
            yield Words(x, BOTTOM + 20, f"{amperes:g}", "middle", BLACK, 13)
            last = x
    yield Words((LEFT + WIDTH - RIGHT) / 2, BOTTOM + 40, "current in A", "middle", BLACK, 13)
