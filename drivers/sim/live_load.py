"""A load that can be changed while it plays: what someone at the bench sets on a source."""

from __future__ import annotations

from fractions import Fraction

from drivers.sim.source import Floats
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import LoadState, Step


class LiveLoad:
    """A Source that plays one state until it is given another, with continuous phase.

    A change acts from the next point read on: whoever reads ahead hears of it so much later.
    """

    length_ticks: int | None = None

    def __init__(self, f_mod: Fraction, state: LoadState) -> None:
        self._f_mod = f_mod
        self._playing = SyntheticLoad(f_mod, [Step(0.0, state)])

    def apply(self, state: LoadState) -> None:
        """Play this from the next point on."""
        self._playing = SyntheticLoad(self._f_mod, [Step(0.0, state)], phase=self._playing.phase)

    @property
    def peaks(self) -> Floats:
        """Peaks of what is played now."""
        return self._playing.peaks

    def read(self, points: int) -> Floats:
        """The next `points` grid points, shape (points, 6)."""
        return self._playing.read(points)
