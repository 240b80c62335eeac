"""A unit under calibration: something that a load can be applied to, and that says what it measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Protocol

from calibration.constants import Calibration
from calibration.observation import PointPlan, Sample
from calibration.solve import Truth

Progress = Callable[[float], None]
"""Called with the seconds of a point that are measured."""


class Unit(Protocol):
    """A unit on the bench. `calibration` are the constants that it meters with now; `board` names its front end."""

    calibration: Calibration
    board: str
    tick_hz: Fraction
    truth: Truth

    def apply(self, plan: PointPlan) -> None:
        """Apply a load; what is measured next is of it."""
        ...

    def samples(self) -> Iterator[Sample]:
        """Measure, sample after sample, as long as more are taken."""
        ...

    def dc_codes(self) -> tuple[Fraction, ...] | None:
        """DC of the channels in sample codes, over the last second; None where it cannot be had."""
        ...

    def close(self) -> None: ...
