"""Runs of a plain meter, for tests, and what its filters do to a sine by closed form."""

from __future__ import annotations

from cmath import exp
from dataclasses import replace
from math import pi, sin

from calibration.point_tables import AccuracyPoint, PointTable, point_table
from gateware.chain import TAPS
from rig.accuracy.under_test import MeterUnderTest, meter_under_test
from rig.hardware.config import Config
from rig.program.build import default_program

F_MOD_HZ = 10e6 / 3


def plain_meter(**changes: object) -> MeterUnderTest:
    """A 9S of class 20 on typical sensors, their constants known."""
    return replace(meter_under_test(default_program(), Config()), **changes)


def point(name: str, standard: str = "iec62053-22") -> AccuracyPoint:
    return next(p for p in point_table(standard).points if p.name == name)


def chosen(*names: str) -> PointTable:
    """Those points of class 0.2 S, as a table of their own."""
    table = point_table("iec62053-22").of_class("0.2S")
    points = tuple(p for p in table.points if p.name in names)
    return PointTable(table.key, table.title, points, ())


def filter_error_percent(hertz: float) -> float:
    """The error of power at a frequency, of two channels through CIC³ ÷128 and the FIR, relative to DC."""
    x = pi * hertz / F_MOD_HZ
    cic = (sin(128 * x) / (128 * sin(x))) ** 3
    fir = sum(tap * exp(-2j * pi * hertz * k * 128 / F_MOD_HZ) for k, tap in enumerate(TAPS)) / sum(TAPS)
    return 100 * ((cic * abs(fir)) ** 2 - 1)
