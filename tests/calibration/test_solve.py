"""Solved constants against the sensors that a unit was made of, in plain numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from bench_of_phasors import WIRING, PhasorUnit, solving

from calibration.constants import Calibration, CurveConstants, nominal
from calibration.errors import CalibrationError
from calibration.solve import Solution, Truth, solve, with_coefficients

TICK_HZ = Fraction(10_000_000, 3)
TICK_DEG = 360 * 60 / float(TICK_HZ)
TRUTH = Truth("reference standard", 0.02, 0.002)
VOLTS = [1.03, 0.97, 1.011]
NOMINAL = nominal(Fraction(1088), Fraction(181, 2))


def solved(unit: PhasorUnit, currents: list[float], found: Calibration = NOMINAL, hz: float = 60.0) -> Solution:
    points = [unit.measure(solving(amperes, hz)) for amperes in currents]
    return solve(
        found, points, TRUTH, TICK_HZ, identity="unit 1", date="2026-11-30", board="front end 1", current_class=20
    )


def lag(turn: Fraction) -> float:
    return 2 * math.degrees(math.atan(float(turn)))


def undone(solution: Solution, k: int, point: int = 0) -> float:
    """By how many degrees the constants take a phase's current for late, against its voltage."""
    volts, amperes = solution.calibration.channels[k], solution.calibration.channels[3 + k]
    curve = lag(amperes.curve[point].turn) if amperes.curve else 0.0
    return lag(amperes.turn) - lag(volts.turn) + curve - (amperes.delay_ticks - volts.delay_ticks) * TICK_DEG


@pytest.mark.parametrize("lags", [(0.0, 0.0, 0.0), (0.05, 0.3, 1.2), (-0.3, -0.01, -0.0033), (-0.3, 0.3, 0.1)])
def test_one_point_solves_shunts(lags: tuple[float, ...]) -> None:
    unit = PhasorUnit(VOLTS, [lambda _, r=r, a=a: (r, a) for r, a in zip((0.99, 1.01, 1.0), lags, strict=True)])
    solution = solved(unit, [5.0])
    channels = solution.calibration.channels
    for k in range(3):
        assert float(channels[k].gain / NOMINAL.channels[k].gain) == pytest.approx(1 / VOLTS[k], rel=1e-10)
        assert float(channels[3 + k].gain / NOMINAL.channels[3].gain) == pytest.approx(
            1 / (0.99, 1.01, 1.0)[k], rel=1e-10
        )
        assert undone(solution, k) == pytest.approx(lags[k], abs=1e-8)
        assert abs(lag(channels[3 + k].turn)) <= TICK_DEG  # what is left of two roundings to whole ticks
        assert not channels[3 + k].curve
        assert not channels[k].turn
    assert min(channel.delay_ticks for channel in channels) == 0
    assert len({channel.delay_ticks for channel in channels[:3]}) == 1


def test_a_transformer_has_its_errors_at_each_current() -> None:
    def curve(amperes: float) -> tuple[float, float]:
        return 1 - 0.002 / (1 + amperes), -0.1 - 0.1 / (1 + amperes)

    currents = [0.04, 0.5, 5.0, 20.0]
    solution = solved(PhasorUnit(VOLTS, [curve] * 3), currents)
    base = NOMINAL.channels[3].gain / Fraction(curve(5.0)[0])
    for k in range(3):
        channel = solution.calibration.channels[3 + k]
        assert float(channel.gain / base) == pytest.approx(1, rel=1e-10)
        assert [float(point.amperes) for point in channel.curve] == pytest.approx(currents)
        for n, amperes in enumerate(currents):
            ratio, late = curve(amperes)
            assert float(channel.curve[n].ratio * channel.gain / NOMINAL.channels[3].gain) == pytest.approx(
                1 / ratio, rel=1e-9
            )
            assert undone(solution, k, n) == pytest.approx(late, abs=1e-6)


def test_constants_in_force_need_not_be_nominal() -> None:
    """A unit calibrated once, whose sensors have moved since: old constants and what is left of it add up."""
    wide = replace(
        NOMINAL.channels[3],
        gain=NOMINAL.channels[3].gain * Fraction(102, 100),
        delay_ticks=20,
        turn=Fraction(1, 50_000),
        curve=(CurveConstants(Fraction(1), turn=Fraction(1, 10_000)), CurveConstants(Fraction(10))),
    )
    channels = tuple(replace(c, delay_ticks=7) for c in NOMINAL.channels[:3]) + (wide,) * 3
    before = replace(NOMINAL, channels=channels)
    # The sensors lag 0.4°; these constants hold the currents back 13 ticks more and turn back two angles.
    at_base = (math.log(5.0) / math.log(10.0), 2 * math.degrees(math.atan(1e-4)), 2 * math.degrees(math.atan(2e-5)))
    curve_turn = 2 * math.degrees(math.atan(1e-4 * (1 - at_base[0])))
    left = 0.4 + 13 * TICK_DEG - at_base[2] - curve_turn
    solution = solved(PhasorUnit(amperes=[lambda _: (1.0, left)] * 3), [5.0], before)
    for k in range(3):
        assert undone(solution, k) == pytest.approx(0.4, abs=1e-6)
        assert solution.calibration.channels[3 + k].gain == pytest.approx(wide.gain, rel=1e-10)


def test_noise_averages_out_and_is_in_the_budget() -> None:
    unit = PhasorUnit(noise={"v1": 2e-4, "i1": 1e-4})
    solution = solved(unit, [5.0])
    assert float(solution.calibration.channels[0].gain / NOMINAL.channels[0].gain) == pytest.approx(
        1, abs=4 * 2e-4 / 8**0.5
    )
    parts = {part.source: part for part in solution.budgets["v1", "gain"].components}
    assert parts["reference standard, gain"].standard_percent == pytest.approx(0.02 / math.sqrt(3))
    scatter = parts["repeatability of 8"]
    assert scatter.freedom == 7
    assert scatter.standard_percent == pytest.approx(0.02 / math.sqrt(8), rel=0.6)  # 7 degrees: 27 % of 1 σ
    quiet = solution.budgets["v2", "gain"]
    assert quiet.combined_percent == pytest.approx(0.02 / math.sqrt(3), rel=1e-6)
    lag_budget = solution.budgets["i2", "lag"]
    assert lag_budget.combined_percent == pytest.approx(math.radians(0.002) * 100 / math.sqrt(3), rel=1e-6)


def test_what_it_is_of_is_written_into_it() -> None:
    calibration = solved(PhasorUnit(), [5.0]).calibration
    assert (calibration.identity, calibration.board, calibration.date) == ("unit 1", "front end 1", "2026-11-30")
    assert (calibration.current_class, calibration.source) == (20, "reference standard")
    assert calibration.calibrated


def test_nothing_is_solved_from_points_that_verify() -> None:
    with pytest.raises(CalibrationError, match="no point that constants are solved from was measured"):
        solve(
            NOMINAL,
            [PhasorUnit().measure(WIRING)],
            TRUTH,
            TICK_HZ,
            identity="unit 1",
            date="2026-11-30",
            board="",
            current_class=20,
        )


@pytest.mark.parametrize("lags", [(2.0, 0.0, 0.0), (0.0, -1.7, 0.0)])
def test_more_than_the_delay_line_holds_is_refused(lags: tuple[float, ...]) -> None:
    """255 ticks are 1.65° at 60 Hz."""
    with pytest.raises(CalibrationError, match=r"currents lag or lead by up to .*°, and the bit delay reaches 1.65°"):
        solved(PhasorUnit(amperes=[lambda _, a=a: (1.0, a) for a in lags]), [5.0])


def test_at_50_hz_a_tick_is_less_of_a_degree() -> None:
    solution = solved(PhasorUnit(amperes=[lambda _: (1.0, 0.3)] * 3), [5.0], hz=50.0)
    assert solution.calibration.channels[0].delay_ticks == round(0.3 / (TICK_DEG * 50 / 60))


def test_two_temperatures_give_coefficients() -> None:
    """20 K warmer the dividers read 25 ppm/K more, and the gains of the constants are so much less."""
    cold = solved(PhasorUnit(), [5.0]).calibration
    warm = replace(solved(PhasorUnit([1.0005, 1.0, 1.0]), [5.0]).calibration, temperature_c=cold.temperature_c + 20)
    both = with_coefficients(cold, warm)
    assert float(both.channels[0].ppm_per_k) == pytest.approx((1 / 1.0005 - 1) / 20 * 1e6, abs=1e-3)
    assert not any(channel.ppm_per_k for channel in both.channels[1:])
    assert float(both.at(warm.temperature_c).channels[0].gain / warm.channels[0].gain) == pytest.approx(1, abs=1e-8)
    with pytest.raises(CalibrationError, match=r"both are of 25 °C within 5 K: calibrate it colder or warmer"):
        with_coefficients(cold, replace(warm, temperature_c=Fraction(25)))
    with pytest.raises(CalibrationError, match=r"are of front end 2, and these of front end 1"):
        with_coefficients(cold, replace(warm, board="front end 2"))
