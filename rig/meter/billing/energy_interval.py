"""A portion of energy: what flowed between two instants, evenly."""

from __future__ import annotations

from typing import NamedTuple

SQUARES = 7
"""V²h of V1, V2 and V3, then A²h of I1, I2, I3 and of the neutral."""


class EnergyInterval(NamedTuple):
    """Energy of a stretch of time, by which billing is advanced.

    Instants are UTC in nanoseconds since 1970. Energies are magnitudes in nWh, nvarh and nVAh, in one quadrant;
    `squares` are V²h and A²h in 10⁻⁹, all SQUARES of them or, where nobody measured them, none. `others` is for the
    intervals of a load's record, which may have energy in several quadrants: more of (quadrant, wh, varh, vah_rms,
    vah_td).
    """

    start_ns: int
    end_ns: int
    quadrant: int
    wh: int
    varh: int = 0
    vah_rms: int = 0
    vah_td: int = 0
    squares: tuple[int, ...] = ()
    others: tuple[tuple[int, int, int, int, int], ...] = ()

    @property
    def empty(self) -> bool:
        """True if nothing flowed."""
        return not (any(self[3:7]) or any(self.squares) or any(any(amounts) for _, *amounts in self.others))

    def between(self, from_ns: int, to_ns: int) -> EnergyInterval:
        """Return the part of it that flowed between two instants inside it.

        Up to an instant t that is ⌊E · (t − start) / (end − start)⌋, and between two the difference: so parts add up to
        the whole, and no part depends on where others were cut.
        """
        if from_ns == self.start_ns and to_ns == self.end_ns:
            return self
        since, until, whole = from_ns - self.start_ns, to_ns - self.start_ns, self.end_ns - self.start_ns

        def part(amount: int) -> int:
            return amount * until // whole - amount * since // whole

        return EnergyInterval(
            from_ns,
            to_ns,
            self.quadrant,
            part(self.wh),
            part(self.varh),
            part(self.vah_rms),
            part(self.vah_td),
            tuple(map(part, self.squares)),
            tuple((q, part(wh), part(varh), part(rms), part(td)) for q, wh, varh, rms, td in self.others),
        )

    def cut(self, at_ns: int) -> tuple[EnergyInterval, EnergyInterval]:
        """The parts before and after an instant inside it."""
        return self.between(self.start_ns, at_ns), self.between(at_ns, self.end_ns)
