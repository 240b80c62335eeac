"""Runs of the simulated meter, against the errors that its constants and its filters have by closed forms."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import cos, radians

import msgspec
import pytest

from calibration.constants import Calibration, nominal
from calibration.point_tables import Quantity
from drivers.sim.components import ChannelParts, Components
from drivers.sim.sensors import FULL_SCALE_DENSITY, RANGES, VOLTAGE_PEAK_V
from rig.accuracy.applied import course_of
from rig.accuracy.figures import error_of, judged_point
from rig.accuracy.plan import planned
from rig.accuracy.run import Measured, Run, Segment, measure
from rig.accuracy.under_test import meter_under_test
from rig.hardware.config import Config
from rig.meter.measuring.elements import FORMS
from rig.program.build import default_program
from tests.rig.accuracy.runs import F_MOD_HZ, chosen, filter_error_percent, plain_meter, point


def run_of(name: str, cycles: int = 2, **changes: object) -> Run:
    meter = plain_meter(**changes)
    return meter.run(course_of(point(name), meter.ratings), 10, cycles)


def wrong(gain: Fraction, ticks: int) -> str:
    """Constants of ideal sensors, but for gain and delay of the three currents."""
    volts = Fraction(VOLTAGE_PEAK_V) / Fraction(FULL_SCALE_DENSITY)
    amperes = Fraction(RANGES[20]) / Fraction(FULL_SCALE_DENSITY)
    plain = nominal(volts, amperes)
    channels = plain.channels[:3] + tuple(
        replace(channel, gain=channel.gain * gain, delay_ticks=ticks) for channel in plain.channels[3:]
    )
    return Calibration(channels, "wrong on purpose", "", False, "test").to_toml()


def within_uncertainty(found: float, expected: float, uncertainty: float) -> bool:
    return abs(found - expected) < 2 * uncertainty  # of 95.45 %: four standard uncertainties


def test_a_good_meter_has_the_error_of_its_filters():
    run = run_of("0.2S PF1 Imax")
    figure = error_of(run, measure(run), Quantity.ACTIVE)
    assert figure.uncertainty_percent < 0.0005
    assert within_uncertainty(figure.percent, filter_error_percent(60.0), figure.uncertainty_percent)


@pytest.mark.parametrize(("name", "lag_deg"), [("0.2S PF1 100", 0.0), ("0.2S 0.5L 100", 60.0)])
def test_a_wrong_meter_has_its_own_error(name, lag_deg):
    gain, ticks = Fraction(1004, 1000), 20
    run = run_of(name, sensors="ideal", calibration=wrong(gain, ticks))
    figure = error_of(run, measure(run), Quantity.ACTIVE)
    late_deg = 360 * 60 * ticks / F_MOD_HZ  # the currents lag so much more
    right = (1 + filter_error_percent(60.0) / 100) * cos(radians(lag_deg + late_deg)) / cos(radians(lag_deg))
    assert within_uncertainty(figure.percent, 100 * (float(gain) * right - 1), figure.uncertainty_percent)
    assert figure.uncertainty_percent < 0.001


def test_vars_are_signed_by_their_quadrant():
    meter = plain_meter()
    for name, sign in (("reactive class 2 sin0.5L 100", 1), ("reactive class 2 sin0.5C 100", -1)):
        run = meter.run(course_of(point(name, "iec62053-23"), meter.ratings), 2, 2)
        found = measure(run)
        assert all(segment.nvarh * sign > 0 and segment.nwh > 0 for segment in found.segments)
        figure = error_of(run, found, Quantity.REACTIVE)
        assert abs(figure.percent) < 0.01


def test_a_segment_shares_no_window_with_the_next():
    found = measure(run_of("0.2S PF1 Imax", cycles=3))
    cycles = [segment.seconds * 60 for segment in found.segments]
    assert cycles == pytest.approx([3.0] * 10, abs=0.01)  # to a sample, of which a cycle has 217


def test_a_run_is_the_same_again_and_another_with_another_seed():
    run = run_of("0.2S PF1 1%In", cycles=1)
    assert measure(run) == measure(msgspec.json.decode(msgspec.json.encode(run), type=Run))
    other = msgspec.structs.replace(run, seed=run.seed + 1)
    assert measure(other) != measure(run)
    assert other.key("") != run.key("") != run.key("other code")


def test_nothing_flows_without_a_load():
    found = measure(run_of("0.2S no-load"))
    assert [segment.nwh for segment in found.segments] == [0] * 10


@pytest.mark.slow
def test_the_netlist_has_the_same_energy():
    """Spot check of `exact`: the compiled netlist behind its SPI pins, from the same bits."""
    run = run_of("0.2S 0.5L 10", cycles=1)
    run = msgspec.structs.replace(run, segments=3)
    exact, rtl = measure(run), measure(msgspec.structs.replace(run, fidelity="rtl"))
    assert len(exact.segments) == len(rtl.segments) == 3
    for mine, its in zip(exact.segments, rtl.segments, strict=True):
        assert abs(mine.nwh - its.nwh) <= 1  # what is less than a nWh was carried from another beginning
        assert mine.reference_wh == its.reference_wh


def test_the_uncertainty_is_that_of_the_mean_of_the_segments():
    """Nine segments whose errors alternate by ±0.3 %, one by 0: their deviation over the root of nine (GUM 4.2)."""
    run = run_of("0.2S PF1 Imax")
    offs = [0, *([3, -3] * 4)]
    segments = [Segment(1.0, (1000 + off) * 10**9, 0, 0.0, 1000.0, 0.0) for off in offs]
    figure = error_of(run, Measured(segments, None, []), Quantity.ACTIVE)
    scatter = (8 * 0.3**2 / 8) ** 0.5 / 3
    assert figure.percent == pytest.approx(0, abs=1e-12)
    assert figure.budget.combined_percent == pytest.approx(scatter, rel=1e-3)


def test_a_temperature_coefficient_is_that_of_the_parts():
    """Dividers of +25 ppm/K and transformers of −7: 18 ppm of the watts a kelvin, by 10 K above 23 °C, and less than
    3·10⁻⁷ % of it that goes by its square."""
    volts, amperes = ChannelParts(ppm_per_k=25.0), ChannelParts(ppm_per_k=-7.0)
    parts = Components("warm", volts, volts, volts, amperes, amperes, amperes)
    meter = plain_meter(components=parts, calibration=wrong(Fraction(1), 0))
    (plan,) = planned(chosen("0.2S temperature coefficient PF1 Imax"), meter)
    found = [measure(run) for run in plan.runs]
    result = judged_point(plan, found, meter)
    assert result.error_percent == pytest.approx(0.0018, abs=3e-7 + result.uncertainty_percent)
    assert result.uncertainty_percent < 0.0018 / 5
    assert result.passed


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_meter_of_every_form_has_the_error_of_its_filters(form):
    """Lagging by 60°, where a channel that a form weights wrongly or turns would be off by tens of percent."""
    meter = meter_under_test(default_program(form), Config())
    (plan,) = planned(chosen("0.2S 0.5L Imax"), meter)
    assert plan.why_not == ""
    run = msgspec.structs.replace(plan.runs[0], segments=4)
    figure = error_of(run, measure(run), Quantity.ACTIVE)
    assert within_uncertainty(figure.percent, filter_error_percent(60.0), figure.uncertainty_percent)
    assert figure.uncertainty_percent < 0.01
