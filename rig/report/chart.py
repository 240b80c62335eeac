"""Charts as lines, marks and words on a canvas whose origin is at the top left: drawn alike in SVG and in PDF."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

MOST_VALUE = 1e12
"""What is beyond, no axis shows: such figures stand in the tables alone."""

WIDTH = 900.0
"""Of every chart; a sheet or a window scales it."""

BLUE, RED, GREEN, GREY, PALE, BLACK = "#0057a8", "#b3261e", "#1b7f4d", "#8a8f98", "#e7f1ea", "#1c1f24"

MOST_TICKS = 6


class Shape(Enum):
    """Shape of a mark: told apart without colours too."""

    DOT = "dot"
    SQUARE = "square"
    UP = "triangle upwards"
    DOWN = "triangle downwards"
    DIAMOND = "diamond"


@dataclass(frozen=True)
class Line:
    """A line."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str = GREY
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True)
class Bar:
    """A filled rectangle; x and y are its top left."""

    x: float
    y: float
    width: float
    height: float
    colour: str = BLUE


@dataclass(frozen=True)
class Mark:
    """A mark around a point, of so many units from it; `tip` is what HTML shows where a mouse rests on it."""

    x: float
    y: float
    shape: Shape = Shape.DOT
    colour: str = BLUE
    size: float = 3.5
    tip: str = ""

    @property
    def corners(self) -> Sequence[tuple[float, float]]:
        """Give the corners of a shape that is no dot, in sizes from the point, y downwards."""
        match self.shape:
            case Shape.UP:
                return (0, -1.2), (1.1, 0.9), (-1.1, 0.9)
            case Shape.DOWN:
                return (0, 1.2), (1.1, -0.9), (-1.1, -0.9)
            case Shape.DIAMOND:
                return (0, -1.3), (1.1, 0), (0, 1.3), (-1.1, 0)
            case _:
                return (-1, -1), (1, -1), (1, 1), (-1, 1)


@dataclass(frozen=True)
class Words:
    """Words on a base line; `anchor` is "start", "middle" or "end"."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    colour: str = BLACK
    size: float = 14.0


Part = Line | Bar | Mark | Words


@dataclass(frozen=True)
class Chart:
    """A chart of WIDTH by `height`; `title` is its caption."""

    title: str
    height: float
    parts: Sequence[Part]


@dataclass(frozen=True)
class Axis:
    """Axis from the value `low` at coordinate `begin` to `high` at `end`. Raises ValueError for one without length."""

    low: float
    high: float
    begin: float
    end: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"an axis from {self.low:g} to {self.high:g} has no length")

    def at(self, value: float) -> float:
        """Give the coordinate of a value."""
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)

    @property
    def step(self) -> float:
        """Step of the ticks: 1, 2 or 5 times a power of ten, so that there are at most MOST_TICKS + 1."""
        rough = (self.high - self.low) / MOST_TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Give the ticks, each with its text."""
        step = self.step
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [
            (k * step, f"{k * step if k else 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}"))
            for k in range(first, last + 1)
        ]
