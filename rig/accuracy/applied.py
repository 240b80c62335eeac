"""Load applied to the meter at a test point: voltages and currents as harmonics, and their course over time."""

from __future__ import annotations

from dataclasses import replace
from math import acos, asin, degrees, sqrt

from calibration.point_tables import AccuracyPoint, Quantity
from calibration.waveforms import WAVEFORMS, Gate
from drivers.sim.waves import NOTHING, Course, Harmonics, Line, LoadState, Step, Wave
from rig.accuracy.ratings import Ratings
from rig.meter.measuring.elements import PHASES

OVERCURRENT = 20.0
OVERCURRENT_S = 0.5
"""Of the short-time overcurrent: so many times Imax, for so long (IEC 62053-22, 7.6.2)."""

BURST_CYCLES = 2
"""On, and as many off."""


def missing_phase(point: AccuracyPoint, ratings: Ratings) -> str:
    """Give the first phase that a point loads alone, or interrupts, and the meter does not have; "" for none."""
    named = point.load.removeprefix("without ").lower() if point.load not in ("balanced", "reversed") else ""
    return next((phase.upper() for phase in named if phase not in ratings.phases), "")


def reference_conditions(point: AccuracyPoint) -> AccuracyPoint:
    """Give the point that an influence is compared with: the same current and power factor, all else nominal."""
    return replace(
        point,
        volts_percent=100.0,
        hertz_percent=100.0,
        waveform="sinusoid",
        shape=WAVEFORMS["sinusoid"],
        load="balanced",
    )


def course_of(point: AccuracyPoint, ratings: Ratings) -> Course:
    """Give what a point applies."""
    amperes, shape = ratings.amperes(point), point.shape
    steady = _state(point, ratings, amperes)
    if shape.gate is Gate.BURST:
        cycle = 1 / steady.frequency_hz
        # The sine of unity power factor is zero a quarter of a cycle after its crest, where it is switched.
        off = LoadState(steady.voltages, (NOTHING,) * 3, steady.frequency_hz)
        begin = cycle / 4
        return Course(
            (Step(0.0, steady), Step(begin, off), Step(begin + BURST_CYCLES * cycle, steady)),
            repeat_s=2 * BURST_CYCLES * cycle,
        )
    if shape.gate is Gate.OVERCURRENT:
        most = _state(point, ratings, OVERCURRENT * ratings.current_class)
        return Course((Step(0.0, most), Step(OVERCURRENT_S, steady)))
    return Course((Step(0.0, steady),))


def _state(point: AccuracyPoint, ratings: Ratings, amperes: float) -> LoadState:
    line = _reversed(ratings.line) if point.load == "reversed" else ratings.line
    interrupted = point.load.removeprefix("without ").lower() if point.load.startswith("without ") else ""
    alone = point.load.lower() if point.load.isalpha() and point.load.isupper() else PHASES
    shape = point.shape
    volts, currents = _harmonics(shape.volts), _harmonics(shape.amperes)
    lag = point.side * degrees((acos if _is_active(point) else asin)(point.power_factor))
    voltages, loads = [], []
    for phase, voltage, unity in zip(PHASES, line.voltages, line.unity_deg, strict=True):
        there = voltage is not None and phase not in interrupted
        voltages.append(
            Wave(voltage[0] * point.volts_percent / 100, voltage[1], volts) if there and voltage else NOTHING
        )
        if unity is None or phase not in alone or phase not in ratings.phases or amperes == 0:
            loads.append(NOTHING)
        else:
            # Alone it is a load between its own terminals: on a delta a balanced one is 30° from them.
            unity = voltage[1] if alone != PHASES and voltage is not None else unity
            rms = amperes * shape.scale
            loads.append(Wave(rms, unity - lag + shape.turned_deg, currents, shape.dc * sqrt(2) * rms))
    return LoadState(tuple(voltages), tuple(loads), ratings.hertz * point.hertz_percent / 100)


def _is_active(point: AccuracyPoint) -> bool:
    return point.quantity in (Quantity.ACTIVE, Quantity.DEMAND)


def _harmonics(rows: tuple[tuple[int, float, float], ...]) -> Harmonics:
    return {order: (share, angle) for order, share, angle in rows}


def _reversed(line: Line) -> Line:
    """Give the line in rotation CBA: each angle is its negative."""
    return Line(
        tuple(None if phasor is None else (phasor[0], -phasor[1]) for phasor in line.voltages),
        tuple(None if unity is None else -unity for unity in line.unity_deg),
    )
