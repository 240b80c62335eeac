"""Constants from observations (item of the GUM's example H.2: resistance and reactance from V, I and φ at once).

Each solving point gives by phase, meter against reference, what is left under the constants in force:

    gain of volts     V_ref / V_meter
    gain of amperes   I_ref / I_meter
    lag               φ_meter − φ_ref, φ the angle of (watts, vars)

The voltage sensors are taken to have no lag of their own: only the difference to the current's is ever seen. So the lag
is the current channel's, and at one current it becomes a delay of all channels for the latest, in whole ticks, and a
turn for the rest; at others, and for their gains, the points of a curve. What the constants in force did is added back,
so that they need not be nominal.
"""

from __future__ import annotations

from cmath import rect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import atan, degrees, log, radians, sqrt, tan
from statistics import fmean, stdev

from calibration.budget import Budget, Component, Shape, budget
from calibration.constants import CHANNELS, DELAY_LIMIT_TICKS, Calibration, ChannelConstants, CurveConstants
from calibration.errors import CalibrationError
from calibration.observation import PHASES, ObservedPoint, PhaseReading, Purpose, Readings

DIGITS = 12
"""Significant digits of solved constants: their rounding is far below any uncertainty."""

PERCENT_PER_DEG = 100 / degrees(1)
"""Uncertainties of angles are stated in hundredths of a radian: what they are of the watts, times the tangent."""


@dataclass(frozen=True)
class Truth:
    """Accuracy of a reference: `gain_percent` for volts and for amperes, `lag_deg` for angles, half-widths of
    rectangular distributions as data sheets have them."""

    name: str
    gain_percent: float
    lag_deg: float


@dataclass(frozen=True)
class Level:
    """One solving point, by phase: amperes, and what is left of gains (as factors) and lags in degrees."""

    amperes: tuple[float, ...]
    volts_gain: tuple[float, ...]
    amperes_gain: tuple[float, ...]
    lag_deg: tuple[float, ...]
    point: ObservedPoint

    @classmethod
    def of(cls, point: ObservedPoint) -> Level:
        """Take it from a point's means."""
        meter, reference = point.means(), point.means(of_reference=True)
        pairs = list(zip(meter, reference, strict=True))
        return cls(
            tuple(r.amperes for _, r in pairs),
            tuple(r.volts / m.volts for m, r in pairs),
            tuple(r.amperes / m.amperes for m, r in pairs),
            tuple((m.lag_deg - r.lag_deg + 180) % 360 - 180 for m, r in pairs),
            point,
        )


@dataclass(frozen=True)
class Solution:
    """Solved constants, and the budget of each: by channel, "gain" and "lag" where it has one."""

    calibration: Calibration
    budgets: dict[tuple[str, str], Budget]


def solve(
    found: Calibration, points: Sequence[ObservedPoint], truth: Truth, tick_hz: Fraction, *, identity: str, date: str,
    board: str, current_class: int, valid_until: str = "", temperature_c: Fraction | None = None,
    dc_codes: Sequence[Fraction] | None = None,
) -> Solution:  # fmt: skip
    """Solve the constants from the solving points among `points`, measured under the constants `found`.

    The point nearest to a quarter of the class current gives gain and delay, the others a curve; `dc_codes` are what
    the channels' DC was measured to be, None to leave it. Raises CalibrationError where there is none, or where what
    comes out cannot be a constant.
    """
    levels = [Level.of(point) for point in points if point.plan.purpose is Purpose.SOLVE]
    if not levels:
        raise CalibrationError("no point that constants are solved from was measured: measure one")
    levels.sort(key=lambda level: fmean(level.amperes))
    base = min(levels, key=lambda level: abs(log(fmean(level.amperes) / (current_class / 4))))
    hz = base.point.plan.hz
    tick_deg = float(360 * Fraction(hz) / tick_hz)
    late = [[_late(found, k, level, tick_deg) for k in range(PHASES)] for level in levels]
    at_base = late[levels.index(base)]
    latest = max(0.0, *at_base)
    volts_ticks = round(latest / tick_deg)
    channels = []
    for k in range(PHASES):
        gain = found.channels[k].gain * _rational(fmean(level.volts_gain[k] for level in levels))
        channels.append(_rounded(found.channels[k], gain, volts_ticks, Fraction(0)))
    for k in range(PHASES):
        old = found.channels[PHASES + k]
        ticks = round((latest - at_base[k]) / tick_deg)
        delayed = (ticks - volts_ticks) * tick_deg
        gains = [old.gain * _curve_at(old, level.amperes[k])[0] * _rational(level.amperes_gain[k]) for level in levels]
        gain = gains[levels.index(base)]
        left = at_base[k] + delayed
        curve = tuple(
            CurveConstants(_rational(level.amperes[k]), _short(each / gain), turn_of(late_here[k] - at_base[k]))
            for level, each, late_here in zip(levels, gains, late, strict=True)
        )
        solved = _rounded(old, gain, ticks, turn_of(left))
        channels.append(replace(solved, curve=curve if len(levels) > 1 else ()))
    if max(channel.delay_ticks for channel in channels) > DELAY_LIMIT_TICKS:
        raise CalibrationError(
            f"currents lag or lead by up to {max(map(abs, at_base)):.3g}°, and the bit delay reaches "
            f"{DELAY_LIMIT_TICKS * tick_deg:.3g}°: see the sensors"
        )
    if dc_codes is not None:
        channels = [replace(c, offset_codes=round(Fraction(dc), 3)) for c, dc in zip(channels, dc_codes, strict=True)]
    calibration = Calibration(
        tuple(channels),
        identity,
        date,
        True,
        truth.name,
        board,
        valid_until,
        current_class,
        found.temperature_c if temperature_c is None else temperature_c,
    )
    return Solution(calibration, _budgets(levels, base, truth))


LEAST_KELVIN = 5
"""Between two calibrations that temperature coefficients are solved from: below, repeatability is all that is seen."""


def with_coefficients(calibration: Calibration, other: Calibration) -> Calibration:
    """Constants with the temperature coefficients that those of the same front end at another temperature say.

    Raises CalibrationError for those of another front end, or of nearly the same temperature.
    """
    kelvin = other.temperature_c - calibration.temperature_c
    if other.board != calibration.board:
        raise CalibrationError(
            f"the constants at another temperature are of {other.board or 'no board'}, and these of "
            f"{calibration.board or 'no board'}: give those of the same front end"
        )
    if abs(kelvin) < LEAST_KELVIN:
        raise CalibrationError(
            f"both are of {float(other.temperature_c):g} °C within {LEAST_KELVIN} K: calibrate it colder or warmer, "
            "with hardware.temperature_c in rig.toml"
        )
    channels = (
        replace(here, ppm_per_k=round((there.gain / here.gain - 1) / kelvin * 1_000_000, 4))
        for here, there in zip(calibration.channels, other.channels, strict=True)
    )
    return replace(calibration, channels=tuple(channels))


def turn_of(lag_deg: float) -> Fraction:
    """The turn that a lag is, tan(α/2), as a constant has it."""
    return _short(Fraction(tan(radians(lag_deg) / 2)))


def lag_of(turn: Fraction) -> float:
    """The lag in degrees that a turn is."""
    return 2 * degrees(atan(turn))


def undone(calibration: Calibration, k: int, amperes: float, tick_deg: float) -> tuple[float, float]:
    """Give the gain of a phase's current at a level, and the lag in degrees, against its voltage, that is undone."""
    volts, current = calibration.channels[k], calibration.channels[PHASES + k]
    ratio, turn = _curve_at(current, amperes)
    held = (current.delay_ticks - volts.delay_ticks) * tick_deg
    return float(current.gain * ratio), lag_of(current.turn) + lag_of(turn) - lag_of(volts.turn) - held


def as_read_under(meter: Readings, old: Calibration, new: Calibration, tick_deg: float) -> Readings:
    """Give what a meter that reads this under its constants would read under others."""
    found = []
    for k in range(PHASES):
        volts = meter[k].volts * float(new.channels[k].gain / old.channels[k].gain)
        was, becomes = (undone(each, k, meter[k].amperes, tick_deg) for each in (old, new))
        amperes = meter[k].amperes * becomes[0] / was[0]
        power = rect(volts * amperes, radians(meter[k].lag_deg - (becomes[1] - was[1])))
        found.append(PhaseReading(volts, amperes, power.real, power.imag))
    return found[0], found[1], found[2]


def _late(found: Calibration, k: int, level: Level, tick_deg: float) -> float:
    """Degrees by which the current channel's sensor itself is later than the voltage's."""
    return level.lag_deg[k] + undone(found, k, level.amperes[k], tick_deg)[1]


def _curve_at(channel: ChannelConstants, amperes: float) -> tuple[Fraction, Fraction]:
    """Ratio and turn of a curve at a current, as the meter takes them."""
    if not channel.curve:
        return Fraction(1), Fraction(0)
    after = next((n for n, point in enumerate(channel.curve) if point.amperes > amperes), len(channel.curve))
    if after in (0, len(channel.curve)):
        end = channel.curve[min(after, len(channel.curve) - 1)]
        return end.ratio, end.turn
    low, high = channel.curve[after - 1 : after + 1]
    share = _rational(log(amperes / low.amperes) / log(high.amperes / low.amperes))
    return low.ratio + share * (high.ratio - low.ratio), low.turn + share * (high.turn - low.turn)


def _rounded(old: ChannelConstants, gain: Fraction, ticks: int, turn: Fraction) -> ChannelConstants:
    return replace(old, gain=_short(gain), delay_ticks=ticks, turn=turn, curve=())


def _short(value: Fraction) -> Fraction:
    return Fraction(f"{float(value):.{DIGITS - 1}e}")


def _rational(value: float) -> Fraction:
    return Fraction(f"{value:.{DIGITS - 1}e}")


def _budgets(levels: Sequence[Level], base: Level, truth: Truth) -> dict[tuple[str, str], Budget]:
    """The uncertainty of each constant: the reference, and how far its samples scatter at the base point."""
    found = {}
    gain = Component(f"{truth.name}, gain", truth.gain_percent, Shape.RECTANGULAR)
    lag = Component(f"{truth.name}, phase", truth.lag_deg * PERCENT_PER_DEG, Shape.RECTANGULAR)
    for place, name in enumerate(CHANNELS):
        k, is_current = place % PHASES, place >= PHASES
        samples = base.point.samples
        ratios = [
            s.reference[k].amperes / s.meter[k].amperes if is_current else s.reference[k].volts / s.meter[k].volts
            for s in samples
        ]
        found[name, "gain"] = _combined([gain], [100 * ratio for ratio in ratios])
        if is_current:
            lags = [(s.meter[k].lag_deg - s.reference[k].lag_deg) * PERCENT_PER_DEG for s in samples]
            found[name, "lag"] = _combined([lag], lags)
    return found


def _combined(lasting: Sequence[Component], values: Sequence[float]) -> Budget:
    n = len(values)
    if n < 2:
        return budget([lasting], [values[0]])
    scatter = Component(f"repeatability of {n}", stdev(values) / sqrt(n), freedom=n - 1)
    return Budget((*lasting, scatter))
