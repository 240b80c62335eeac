"""Witnesses of one load on one timeline: what each says of the energy that flowed, and whether all can be true (P-6).

A witness makes statements: by some instant between two ticks, energy between two amounts had flowed since it began.
Both are intervals, as no witness knows better:

    witness      amount is known to                      instant is known to
    pulses       the edge itself: a whole number          between edge − latency − LATE_S and edge − latency
    no pulse     one pulse: the next has not come         between now − latency − SEEN_S and now − latency
    registers    1 nWh, exactly what they are kept in     the window's end that the reading was made at
    recorder     one pulse of the channel                 the same
    display      one unit of the last digit, truncated    between two looks at the register, SHOWN_S

The first statement of a witness is where it begins; each later one is compared with the energy of the windows between
the two. It agrees while some instant and some amount within the intervals are equal. Else it parts from the rest by
what is missing, and its tolerance is what the widths of both statements come to: half of their sum in energy, and the
power at each times half of what its instant is known to.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction

from rig.verify.flow import Flow

LATE_S = Fraction(1, 1000)
"""A simulated meter at full speed makes its edges no later (drivers/schedule.py); one in real time counts those that
are."""

LATE_PACED_S = Fraction(1, 50)
"""Of a host in real time that is busy: 20 ms, a fiftieth of a pulse at one pulse a second."""

SEEN_S = Fraction(1, 10)
"""The counters are read at each poll, several times in this time."""

SHOWN_S = Fraction(7, 20)
"""The register on display is looked at every 0.25 s (rig/service/front_panel.py), the display after the window that
runs, and in real time published at most every 50 ms (rig/daemon/metering.py)."""

MOST_LINES = 2000
"""Of statements so many are in a result, evenly chosen."""


class WitnessKind(Enum):
    """Kind of a witness."""

    PULSES = "pulses"
    REGISTERS = "registers"
    RECORDER = "recorder"
    DISPLAY = "display"


@dataclass(frozen=True)
class Statement:
    """By an instant between two ticks, energy between two amounts in nWh had flowed."""

    earliest: int
    latest: int
    least_nwh: Fraction
    most_nwh: Fraction


@dataclass(frozen=True)
class Compared:
    """A statement beside the reference, both since the witness began: when, and amounts in nWh.

    `tolerance_nwh` is by how much they can differ, `width_nwh` the part of it that the amount stated makes.
    """

    at_tick: int
    stated_nwh: Fraction
    reference_nwh: Fraction
    tolerance_nwh: Fraction
    width_nwh: Fraction

    @property
    def difference_nwh(self) -> Fraction:
        """Stated less reference: positive where the witness says too much."""
        return self.stated_nwh - self.reference_nwh

    @property
    def agrees(self) -> bool:
        """True if both can be so."""
        return abs(self.difference_nwh) <= self.tolerance_nwh


@dataclass(frozen=True)
class _Placed:
    """A statement and the reference's energy at the two ends of its instant."""

    statement: Statement
    least_flowed: Fraction
    most_flowed: Fraction


@dataclass
class Witness:
    """A witness of a quantity: `add` takes its statements in order, and `settle` compares those whose energy is known.

    `unit_nwh` is the least that it can tell apart, `around_nwh` where it goes round, as a dial does.
    """

    name: str
    kind: WitnessKind
    quantity: str
    unit_nwh: Fraction
    around_nwh: Fraction | None = None
    compared: list[Compared] = field(default_factory=list)
    _waiting: deque[Statement] = field(default_factory=deque)
    _base: _Placed | None = None

    def add(self, statement: Statement) -> None:
        """Take in a statement."""
        self._waiting.append(statement)

    def settle(self, flow: Flow) -> None:
        """Compare what can be by now. What was before the first window is left out."""
        while self._waiting:
            statement = self._waiting[0]
            if flow.begin_tick is None or flow.end_tick is None or statement.latest > flow.end_tick:
                return
            self._waiting.popleft()
            if self._base is None and statement.earliest < flow.begin_tick:
                continue
            least, most = flow.at(statement.earliest), flow.at(statement.latest)
            assert least is not None
            assert most is not None
            placed = _Placed(statement, least, most)
            if self._base is None:
                self._base = placed
            else:
                self.compared.append(self._compare(self._base, placed))

    def _compare(self, base: _Placed, now: _Placed) -> Compared:
        first, last = base.statement, now.statement
        half = Fraction(1, 2)
        reference = half * (now.least_flowed + now.most_flowed - base.least_flowed - base.most_flowed)
        stated = half * (last.least_nwh + last.most_nwh - first.least_nwh - first.most_nwh)
        if self.around_nwh is not None:
            stated += round((reference - stated) / self.around_nwh) * self.around_nwh
        known = now.most_flowed - now.least_flowed + base.most_flowed - base.least_flowed
        widths = last.most_nwh - last.least_nwh + first.most_nwh - first.least_nwh
        return Compared(last.latest, stated, reference, half * (known + widths), half * widths)

    @property
    def parted(self) -> Compared | None:
        """The first comparison that does not agree."""
        return next((each for each in self.compared if not each.agrees), None)

    @property
    def final(self) -> Compared:
        """The last comparison of those that know best, such as a count at an edge: what it came to."""
        least = min(each.width_nwh for each in self.compared)
        return next(each for each in reversed(self.compared) if each.width_nwh == least)

    @property
    def worst(self) -> Compared | None:
        """The comparison farthest beyond its tolerance, or nearest to it."""
        return max(self.compared, key=lambda each: abs(each.difference_nwh) - each.tolerance_nwh, default=None)
