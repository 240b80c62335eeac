"""Turns and curves of the constants: sensors in error by closed form, and what the meter makes of them (Q-1).

The witness turns phasors in floating point before they become samples; it shares nothing with the correction.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import cos, log, radians, sin, sqrt, tan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_records import CHAIN, Wave, records

from calibration.constants import Calibration, CurveConstants, nominal
from rig.meter.billing.quantity import Quantity
from rig.meter.measuring.correction import Factor
from rig.meter.measuring.elements import FORMS
from rig.meter.measuring.measurement import Measurement
from rig.meter.measuring.quantities import Readings

V_CODE, A_CODE = Fraction(1000, 2**19), Fraction(100, 2**19)
V_PEAK, A_PEAK = 150_000.0, 200_000.0
EDGE = 4e-5
"""A second of whole cycles begins and ends on a sample: half of one of 13 020 at either end, as a share."""

TURNED_EDGE = EDGE * 0.08
"""What turning by up to 2° moves of the edges: the power pulses at twice the angle."""


def turn_of(degrees: float) -> Fraction:
    return Fraction(tan(radians(degrees) / 2)).limit_denominator(10**12)


def calibration(lags: list[float], curves: dict[int, tuple[CurveConstants, ...]] | None = None) -> Calibration:
    base = nominal(Fraction(1000), Fraction(100))
    channels = [
        replace(channel, turn=turn_of(lag), curve=(curves or {}).get(c, ()))
        for c, (channel, lag) in enumerate(zip(base.channels, lags, strict=True))
    ]
    return replace(base, channels=tuple(channels))


def metered(waves: list[Wave], constants: Calibration, hz: float = 60.0, seconds: float = 1.0) -> Measurement:
    meter = Measurement(
        equation=FORMS["9S"].equation(),
        calibration=constants,
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=0,
        quarter=CHAIN.quarter,
    )
    for record in records(waves, hz, seconds):
        assert not meter.advance(record).faults
    return meter


def readings(waves: list[Wave], constants: Calibration, hz: float = 60.0) -> Readings:
    meter = metered(waves, constants, hz)
    return meter.readings(meter.run)


def load(lag: float, errors: list[float], ratio: float = 1.0, peak: float = A_PEAK) -> list[Wave]:
    """A balanced load that lags, through sensors that lag by `errors`; the currents' ratio is off."""
    volts = [Wave(V_PEAK, 120.0 * k + errors[k]) for k in range(3)]
    return volts + [Wave(peak * ratio, 120.0 * k + lag + errors[3 + k]) for k in range(3)]


@pytest.mark.parametrize("hz", [50.0, 60.0])
@pytest.mark.parametrize("lag", [0.0, 60.0, -36.87, 90.0, 200.0])
def test_sensors_that_lag_are_turned_back(lag: float, hz: float) -> None:
    errors = [0.0, 0.15, -0.2, 0.3, -0.1, 2.0]
    found = readings(load(lag, errors), calibration(errors), hz)
    power = V_PEAK * A_PEAK / 2 * float(V_CODE * A_CODE)
    assert found.q_var is not None
    assert found.p1_w is not None
    assert found.q1_var is not None
    assert found.lag_deg is not None
    for k in range(3):
        assert found.p_w[k] == pytest.approx(power * cos(radians(lag)), abs=EDGE * power)
        assert found.q_var[k] == pytest.approx(power * sin(radians(lag)), abs=EDGE * power)
        assert found.p1_w[k] == pytest.approx(power * cos(radians(lag)), abs=2e-6 * power)
        assert found.q1_var[k] == pytest.approx(power * sin(radians(lag)), abs=2e-6 * power)
        assert abs(((found.lag_deg[3 + k] or 0) - (120 * k + lag) + 180) % 360 - 180) < 1e-4
        assert found.v_rms[k] == pytest.approx(V_PEAK / sqrt(2) * float(V_CODE), rel=EDGE)
    perfect = readings(load(lag, [0.0] * 6), calibration([0.0] * 6), hz)
    assert perfect.q_var is not None
    assert found.p_w == pytest.approx(perfect.p_w, abs=TURNED_EDGE * power)
    assert found.q_var == pytest.approx(perfect.q_var, abs=TURNED_EDGE * power)


def test_what_is_not_turned_back_is_seen() -> None:
    """The same sensors with nominal constants are off as 0.3° at a power factor of 0.5 must be: 0.9 %."""
    errors = [0.0, 0.0, 0.0, 0.3, 0.3, 0.3]
    found = readings(load(60.0, errors), nominal(Fraction(1000), Fraction(100)))
    wrong = cos(radians(60.3)) / cos(radians(60)) - 1
    assert wrong == pytest.approx(-0.0091, abs=1e-4)
    power = V_PEAK * A_PEAK / 2 * float(V_CODE * A_CODE) / 2
    assert found.p_w[0] == pytest.approx(power * (1 + wrong), rel=2 * EDGE)


CURVE = (
    CurveConstants(Fraction(1), Fraction(1002, 1000), turn_of(-0.2)),
    CurveConstants(Fraction(10), Fraction(1), turn_of(-0.05)),
)


@pytest.mark.parametrize("amperes", [0.5, 1.0, 1.7, 3.0, 10.0, 14.0])
def test_a_transformer_is_corrected_by_its_curve(amperes: float) -> None:
    """At each current its ratio and lag are between the curve's ends by the current's logarithm, and the meter says
    what flowed; the level is the one that the meter sees, within the curve's slope of the true one."""
    seen = min(max(amperes, 1.0), 10.0)
    share = log(seen) / log(10)
    ratio, lag = 1 / (1.002 - 0.002 * share), -0.2 + 0.15 * share
    peak = amperes * sqrt(2) / float(A_CODE)
    errors = [0.0, 0.0, 0.0, lag, lag, lag]
    waves = load(60.0, errors, ratio, peak)
    found = readings(waves, calibration([0.0] * 6, dict.fromkeys((3, 4, 5), CURVE)))
    power = V_PEAK / sqrt(2) * float(V_CODE) * amperes / 2
    assert found.p_w == pytest.approx((power,) * 3, rel=2 * EDGE)
    assert found.i_rms == pytest.approx((amperes,) * 3, rel=EDGE)
    assert found.s_va == pytest.approx((2 * power,) * 3, rel=2 * EDGE)


def test_what_registers_is_what_is_read() -> None:
    errors = [0.0, 0.1, 0.0, 0.3, 0.25, 0.2]
    meter = metered(load(60.0, errors), calibration(errors))
    watts = 3 * V_PEAK * A_PEAK / 4 * float(V_CODE * A_CODE)
    hours = meter.run.samples / float(CHAIN.tick_hz / CHAIN.ticks_per_sample) / 3600
    energy = 0
    again = Measurement(
        equation=FORMS["9S"].equation(),
        calibration=calibration(errors),
        tick_hz=CHAIN.tick_hz,
        ticks_per_sample=CHAIN.ticks_per_sample,
        config_digest=0,
        quarter=CHAIN.quarter,
    )
    for record in records(load(60.0, errors), 60.0, 1.0):
        window = again.advance(record)
        energy += window.energies.of(Quantity.KWH_DELIVERED) if window.energies else 0
    assert energy / 1e9 == pytest.approx(watts * hours, rel=2 * EDGE)


def test_no_turn_and_no_curve_change_nothing() -> None:
    """Constants as they were before there were turns register the same integers."""
    waves = load(31.0, [0.0] * 6)
    plain, zero = metered(waves, nominal(Fraction(1000), Fraction(100))), metered(waves, calibration([0.0] * 6))
    assert plain.run == zero.run


turns = st.fractions(Fraction(-1, 20), Fraction(1, 20), max_denominator=10**12)
sums = st.integers(-(2**60), 2**60)


@given(turns, sums, sums)
def test_a_turn_is_a_rotation_exactly(turn: Fraction, active: int, reactive: int) -> None:
    """Its cosine and sine are rationals on the unit circle, and turned there and back nothing is left but rounding."""
    factor = Factor.of(Fraction(1), turn)
    assert factor.re**2 + factor.im**2 == factor.norm**2
    there = factor.along(active, reactive), factor.across(active, reactive)
    back = factor.conjugate()
    assert abs(back.along(*there) - active) <= 2
    assert abs(back.across(*there) - reactive) <= 2


@given(turns, turns)
def test_turns_one_after_the_other_add_their_angles(one: Fraction, other: Fraction) -> None:
    """tan(α/2) and tan(β/2) give tan((α+β)/2) by the sum of tangents."""
    both = (one + other) / (1 - one * other)
    made, expected = Factor.of(Fraction(1), one).times(Factor.of(Fraction(1), other)), Factor.of(Fraction(1), both)
    assert Fraction(made.re, made.norm) == Fraction(expected.re, expected.norm)
    assert Fraction(made.im, made.norm) == Fraction(expected.im, expected.norm)
