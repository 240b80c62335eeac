"""Ratings of a meter that test points are given in: nominal, test and maximum current, voltage, frequency, line."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from calibration.point_tables import AccuracyPoint, CurrentUnit
from drivers.sim.waves import Line
from rig.meter.measuring.elements import TEST_AMPERES, ElementEquation
from rig.meter.nameplate import HERTZ
from rig.program.build import Program

NOMINAL_PARTS = 4
"""The nominal current In, and a basic current Ib, is the class over this: 5 A of class 20, as 1/1000 of In is its
starting current (rig/meter/measuring/starting.py)."""

TRANSITIONAL_PARTS = 10
"""The transitional current is Ib over this: OIML R 46-1:2012, meters connected directly."""


@dataclass(frozen=True)
class Ratings:
    """Ratings of a meter: `current_class` is its maximum current in A; `line` what it is connected to at its nominal
    voltage and power factor 1; `constant_wh` the energy of a flash of its test LED, and
    `max_w` the demand that its nameplate has as MAX."""

    current_class: int
    equation: ElementEquation
    line: Line
    constant_wh: Fraction
    max_w: float
    hertz: float = HERTZ

    @property
    def nominal_a(self) -> float:
        """The nominal current."""
        return self.current_class / NOMINAL_PARTS

    @property
    def test_a(self) -> float:
        """The test current TA of the nameplate."""
        return float(TEST_AMPERES[self.current_class])

    def amperes(self, point: AccuracyPoint) -> float:
        """Give the current of a point."""
        full = {
            CurrentUnit.AMPERES: 100.0,
            CurrentUnit.NOMINAL: self.nominal_a,
            CurrentUnit.BASIC: self.nominal_a,
            CurrentUnit.TEST: self.test_a,
            CurrentUnit.MOST: float(self.current_class),
            CurrentUnit.TRANSITIONAL: 100 * self.nominal_a / TRANSITIONAL_PARTS,
        }[point.unit]
        return float(point.current) * full / 100

    @property
    def phases(self) -> str:
        """The phases that carry current through the meter."""
        return self.equation.phases


def ratings_of(program: Program) -> Ratings:
    """Give the ratings of a programmed meter."""
    equation = program.equation
    service = equation.service_type
    volts = float(service.volts[0])
    line = Line(
        tuple(None if phasor is None else (volts * phasor[0], -phasor[1]) for phasor in service.voltages),
        tuple(None if lag is None else -lag for lag in service.current_lags),
    )
    plate = program.nameplate
    return Ratings(program.metering.current_class, equation, line, plate.k_wh, 1000 * float(plate.max_kw))
