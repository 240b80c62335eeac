"""Spreads of a lot: by point the least, the quartiles and the largest of its meters' errors, in parts of the limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles

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

NAMES, RIGHT, TOP, ROW = 300.0, 24.0, 10.0, 22.0
MOST_ROWS = 32
"""In one chart: more go on in the next, as a sheet has its length."""

MOST_NAME = 38


@dataclass(frozen=True)
class Spread:
    """Spread of a point: its name, its limit and the errors of the meters, in percent."""

    name: str
    limit: float
    errors: tuple[float, ...]

    @property
    def five(self) -> tuple[float, float, float, float, float]:
        """Least, lower quartile, median, upper quartile, largest, each in parts of the limit."""
        shares = sorted(error / self.limit for error in self.errors)
        low, middle, high = quantiles(shares, n=4, method="inclusive") if len(shares) > 1 else shares * 3
        return shares[0], low, middle, high, shares[-1]


def spread_charts(title: str, spreads: Sequence[Spread]) -> list[Chart]:
    """Draw spreads, a row each, all on one scale; none where there is nothing that an axis can show."""
    reach = max((max(map(abs, spread.five)) for spread in spreads), default=0.0)
    if not 0 < reach < MOST_VALUE:
        return []
    axis = Axis(-max(reach, 1.0) * 1.1, max(reach, 1.0) * 1.1, NAMES, WIDTH - RIGHT)
    pieces = [spreads[k : k + MOST_ROWS] for k in range(0, len(spreads), MOST_ROWS)]
    return [_chart(title if not k else f"{title}, continued", piece, axis) for k, piece in enumerate(pieces)]


def _chart(title: str, spreads: Sequence[Spread], axis: Axis) -> Chart:
    bottom = TOP + ROW * len(spreads)
    parts: list[Part] = [Bar(axis.at(-1), TOP, axis.at(1) - axis.at(-1), bottom - TOP, PALE)]
    for value, text in axis.ticks:
        parts.append(Line(axis.at(value), TOP, axis.at(value), bottom, "#c9cdd3"))
        parts.append(Words(axis.at(value), bottom + 17, text, "middle", BLACK, 13))
    for at in (-1.0, 1.0):
        parts.append(Line(axis.at(at), TOP, axis.at(at), bottom, GREEN, 1.5))
    for k, spread in enumerate(spreads):
        parts += _row(spread, TOP + ROW * (k + 0.5), axis)
    parts.append(Words((NAMES + WIDTH - RIGHT) / 2, bottom + 36, "error in parts of its limit", "middle", BLACK, 13))
    return Chart(title, bottom + 44, parts)


def _row(spread: Spread, y: float, axis: Axis) -> Iterator[Part]:
    least, low, middle, high, most = spread.five
    name = spread.name if len(spread.name) <= MOST_NAME else f"{spread.name[: MOST_NAME - 1]}…"
    colour = BLUE if max(-least, most) <= 1 else RED
    tip = f"{spread.name}: {spread.limit * least:+.6g} % to {spread.limit * most:+.6g} %, limit ±{spread.limit:g} %"
    yield Words(NAMES - 10, y + 5, name, "end", BLACK, 13)
    yield Line(axis.at(least), y, axis.at(most), y, GREY, 1.5)
    yield Bar(axis.at(low), y - 5, max(axis.at(high) - axis.at(low), 1.5), 10, colour)
    yield Mark(axis.at(middle), y, Shape.DIAMOND, BLACK, 3.0, tip)
