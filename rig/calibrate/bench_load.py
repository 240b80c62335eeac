"""Load of a simulated bench, changed at points of the source's grid that are set beforehand.

Whoever reads ahead, and by how much, then sees the change at the same point: a unit that is calibrated through its
service, and one whose gateware is read as fast as it runs, are given the same volts and amperes.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from drivers.sim.source import Floats
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import LoadState, Step


class BenchLoad:
    """A SignalSource that plays nothing until it is given a state, and one state after another with continuous phase.

    `read_points` counts what was read.
    """

    length_ticks: int | None = None

    def __init__(self, f_mod: Fraction) -> None:
        self._f_mod = f_mod
        self._playing = SyntheticLoad(f_mod, [Step(0.0, LoadState((), ()))])
        self._next: tuple[int, LoadState] | None = None
        self.read_points = 0

    def change_at(self, point: int, state: LoadState) -> None:
        """Play a state from a point of the grid on. Raises ValueError where that was read already, or another change is
        still to come."""
        if point < self.read_points:
            raise ValueError(f"the load is to change at point {point}, and {self.read_points} were read")
        if self._next is not None:
            raise ValueError(f"the load is to change at point {point}, and before at {self._next[0]}")
        self._next = point, state

    @property
    def peaks(self) -> Floats:
        """Peaks of what is played now."""
        return self._playing.peaks

    def read(self, points: int) -> Floats:
        """Give the next `points` grid points, shape (points, 6)."""
        pieces = []
        while points > 0:
            count = points if self._next is None else min(points, self._next[0] - self.read_points)
            if not count:
                assert self._next is not None
                self._playing = SyntheticLoad(self._f_mod, [Step(0.0, self._next[1])], phase=self._playing.phase)
                self._next = None
                continue
            pieces.append(self._playing.read(count))
            self.read_points += count
            points -= count
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
