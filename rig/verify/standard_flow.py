"""Flow of a reference standard on the meter's timeline: windows between its readings."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from math import hypot, inf, sqrt
from statistics import fmean

from calibration.budget import Component, K
from rig.verify.errors import CountLost
from rig.verify.observed import Counted, TimelineClock
from rig.verify.standard import Reading, ReferenceStandard

NANO = 10**9

STILL_S = 10
"""A standard that has seen nothing for so long, while the meter registers energy, is not on this load; nor is one whose
energy moves in steps, while STEPS of them are registered."""

STEPS = 3

FIRST_S = 60
"""Before its first step is known, so long."""


class StandardFlow:
    """Readings of a standard, and what they come to. `poll` asks for them, `windows` gives those that are new.

    `half_wh` is what energy is known to, half a step where readings repeat each other; `scatter` how far power moves
    from one reading to the next, of itself. `lasting` is the component of its certificate, whose expanded uncertainty
    (k = 2) is `certified_percent`.
    """

    def __init__(self, standard: ReferenceStandard, certified_percent: float) -> None:
        self.name, self._standard = standard.name, standard
        certificate = Component("certificate of the standard", certified_percent / K)
        self.lasting = (certificate,) if certified_percent else ()
        self.half_wh = 0.0
        self._watts: list[float] = []
        self._waiting: list[Reading] = []
        self._last: tuple[int, int, float] | None = None
        self._latest: Fraction | None = None
        self._moved_tick: int | None = None
        self._registered = 0
        self._step_wh = Fraction(0)
        self._repeats = False

    def poll(self) -> None:
        """Ask it. Raises CountLost where it does not answer, or its energy falls."""
        for reading in self._standard.poll():
            if self._latest is not None and reading.wh < self._latest:
                raise CountLost(
                    f"{self.name} has {float(reading.wh):g} Wh and had {float(self._latest):g}: it was reset, or its "
                    "energy flows backwards; set it for this load, and begin again"
                )
            if reading.wh != self._latest:
                self._moved_tick = None
                if self._latest is not None:
                    self._step_wh = max(self._step_wh, reading.wh - self._latest)
            elif reading.watts is None:
                self._repeats = True
            self._latest = reading.wh
            self._waiting.append(reading)

    def registered(self, nwh: int, tick: int, *, tick_hz: Fraction) -> None:
        """The meter has registered energy up to a tick. Raises CountLost where the standard has not, for too long."""
        if self._moved_tick is None:
            self._moved_tick, self._registered = tick, 0
        self._registered += nwh
        still_s = STILL_S if self._step_wh else FIRST_S
        if self._registered > STEPS * self._step_wh * NANO and tick - self._moved_tick > still_s * tick_hz:
            raise CountLost(
                f"{self.name} has measured nothing for {still_s} s while the meter registers energy: see to its wiring"
            )

    @property
    def scatter(self) -> float:
        """The standard deviation of a reading of power around those beside it, of the mean power; 0 for energy."""
        if len(self._watts) < 3:
            return 0.0
        return sqrt(fmean((b - a) ** 2 for a, b in pairwise(self._watts)) / 2) / abs(fmean(self._watts) or inf)

    def windows(self, clock: TimelineClock) -> Iterator[tuple[int, int, int, float]]:
        """Give windows between the readings that wait: their ticks, the energy in nWh, and to how many ticks their ends
        are known."""
        waiting, self._waiting = self._waiting, []
        for reading in waiting:
            placed = clock.placed(Counted(0, reading.at_ns, reading.at_ns, slack=reading.half_ns))
            half = hypot(placed.slack, placed.clock)
            if reading.watts is not None:
                self._watts.append(reading.watts)
                half = placed.clock  # energy that is made of power flows between instants, wherever it was read
            step = self._step_wh / 2 if self._repeats else Fraction(0)
            self.half_wh = max(self.half_wh, float(reading.half_wh), float(step))
            nwh = round(reading.wh * NANO)
            if self._last is not None and placed.latest > self._last[0]:
                yield self._last[0], placed.latest, nwh - self._last[1], max(self._last[2], half)
            if self._last is None or placed.latest > self._last[0]:
                self._last = placed.latest, nwh, half
