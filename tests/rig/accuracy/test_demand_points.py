"""Demand of an interval by the meter's registers, against energy over time by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest

from calibration.constants import Calibration, nominal
from calibration.point_tables import Quantity, point_table
from drivers.sim.sensors import FULL_SCALE_DENSITY, RANGES, VOLTAGE_PEAK_V
from rig.accuracy.applied import course_of
from rig.accuracy.demand import DemandInterval
from rig.accuracy.figures import error_of, judged_point
from rig.accuracy.plan import planned
from rig.accuracy.run import measure
from rig.meter.billing.demand import DemandSettings
from rig.meter.billing.quantity import NANO, Quadrant
from rig.meter.billing.quantity import Quantity as Registered
from rig.meter.measuring.registration import Energies
from tests.rig.accuracy.runs import plain_meter

TICK_HZ = Fraction(10_000_000, 3)
BLOCK = DemandSettings.parse("block:1")


def energies(nwh: int, quadrant: Quadrant = Quadrant.Q1) -> Energies:
    return Energies(quadrant, nwh, 0, 0, 0, ())


@pytest.mark.parametrize("text", ["block:1", "sliding:1x3"])
def test_a_steady_load_has_its_power_as_demand(text):
    """Windows of 55 555 ticks, one of them cut where the interval begins and one where it ends: 50 mWh each is
    10 800.1 W, to what is cut off of nWh in each window."""
    settings = DemandSettings.parse(text)
    interval = DemandInterval(text, TICK_HZ, 30_000)
    for k in range(ceil(settings.interval_s * TICK_HZ / 55_555) + 2):
        interval.take(55_555 * k, 55_555 * (k + 1), energies(50_000_000))
    watts = Fraction(50, 1000) * 3600 * TICK_HZ / 55_555
    assert interval.registered_nw / NANO == pytest.approx(float(watts), rel=1e-8)
    assert interval.end - interval.begin == pytest.approx(settings.interval_s * float(TICK_HZ), abs=1)


def test_what_flows_before_and_after_the_interval_is_none_of_it():
    interval = DemandInterval("block:1", TICK_HZ, 1_000_000)
    whole = 60 * int(TICK_HZ) + 20
    interval.take(0, 1_000_000, energies(10**12))
    interval.take(1_000_000, 1_000_000 + whole, energies(10**10))
    assert interval.registered_nw == pytest.approx(10**10 * 60, rel=1e-6)
    before = interval.registered_nw
    interval.take(1_000_000 + whole, 1_000_000 + 2 * whole, energies(10**12))
    assert interval.registered_nw == before


def test_energy_received_is_no_demand_delivered():
    interval = DemandInterval("block:1", TICK_HZ, 0)
    interval.take(0, 61 * int(TICK_HZ), energies(10**12, Quadrant.Q3))
    assert interval.registered_nw == 0


def wrong(gain: Fraction) -> str:
    """Constants of ideal sensors, but for the gain of the three currents."""
    volts, amperes = (Fraction(peak) / Fraction(FULL_SCALE_DENSITY) for peak in (VOLTAGE_PEAK_V, RANGES[20]))
    plain = nominal(volts, amperes).channels
    channels = plain[:3] + tuple(replace(channel, gain=channel.gain * gain) for channel in plain[3:])
    return Calibration(channels, "wrong on purpose", "", False, "test").to_toml()


def demand_plan(meter):
    table = point_table("canada").of_class("legal")
    return next(plan for plan in planned(table, meter) if plan.point.quantity is Quantity.DEMAND)


def test_a_demand_point_has_its_error_in_percent_of_the_scale():
    """A meter that registers 1.3 % too much, at 900 W: 11.7 W of the nameplate's MAX, 16.6 kW."""
    meter = plain_meter(sensors="ideal", calibration=wrong(Fraction(1013, 1000)), demand=BLOCK)
    plan = demand_plan(meter)
    assert plan.why_not == ""
    (run,) = plan.runs
    found = measure(run)
    energy = error_of(run, found, Quantity.ACTIVE)
    assert found.demand.seconds == pytest.approx(60)
    assert found.demand.reference_w == pytest.approx(900, rel=1e-6)
    result = judged_point(plan, [found], meter)
    expected = energy.percent * 900 / meter.ratings.max_w
    assert result.error_percent == pytest.approx(expected, abs=result.uncertainty_percent)
    assert result.error_percent == pytest.approx(1.3 * 900 / 16_600, rel=0.01)
    assert result.uncertainty_percent < 0.001
    assert result.passed
    strict = replace(plan, point=replace(plan.point, limit_percent=0.07))
    assert judged_point(strict, [found], meter).passed is False


@pytest.mark.parametrize(
    ("demand", "says"),
    [
        (None, "needs a meter with demand"),
        (DemandSettings.parse("thermal:15"), "block or sliding"),
        (DemandSettings.parse("block:15", (Registered.KVARH_LAGGING,)), "demand of energy delivered"),
    ],
)
def test_meters_without_such_a_demand_are_not_tested(demand, says):
    meter = plain_meter(demand=demand)
    (plan,) = (
        p for p in planned(point_table("canada").of_class("legal"), meter) if p.point.quantity is Quantity.DEMAND
    )
    assert says in plan.why_not
    assert judged_point(plan, [], meter).passed is None


def test_a_demand_run_is_as_long_as_its_interval():
    meter = plain_meter(demand=DemandSettings.parse("sliding:5x6"))
    (plan,) = (
        p for p in planned(point_table("canada").of_class("legal"), meter) if p.point.quantity is Quantity.DEMAND
    )
    (run,) = plan.runs
    assert run.segments * run.cycles >= 30 * 60 * 60
    assert run.demand == "sliding:5x6"
    assert run.course == course_of(plan.point, meter.ratings)
