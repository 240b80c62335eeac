"""Source that a simulated meter is connected to: something that yields volts and amperes at its terminals."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

GRID_TICKS = 64
"""Modulator ticks between two points of the grid of sources, which is at 52 083 Hz for 3.33 MHz."""

Floats = npt.NDArray[np.float64]


class SignalSource(Protocol):
    """Volts and amperes at the meter's terminals, on a grid of one point every GRID_TICKS modulator ticks.

    Columns are in the order of gateware.registers.Channel: v1 v2 v3 i1 i2 i3.
    """

    @property
    def length_ticks(self) -> int | None:
        """Modulator ticks from the first point to the end of what is worth reading; None when endless."""
        ...

    @property
    def peaks(self) -> Floats:
        """Largest magnitude each of the 6 channels reaches, in volts and amperes (it may be a bound)."""
        ...

    def read(self, points: int) -> Floats:
        """The next `points` grid points, float64 of shape (points, 6).

        The first call begins at the source's time zero, less its lead-in. How the points are split over calls
        makes no difference to their values, and reading past the end is allowed.
        """
        ...
