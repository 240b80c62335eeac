"""P-3: outputs that do not pulse: load control, thresholds, diagnostics."""

from __future__ import annotations

import pytest

TOU = """
[[tou.seasons]]
name = "all year"
begins = "01-01"
weekday = ["00:00 A", "15:00 B"]

[[outputs]]
name = "KYZ1"
function = "load control"
rates = ["B"]
"""

THRESHOLDS = """
[demand]
interval_minutes = 1
allow_short_interval = true

[[outputs]]
name = "KYZ1"
function = "demand threshold"
above = "0.5"

[[outputs]]
name = "KYZ2"
function = "pf threshold"
below = "0.9"

[[outputs]]
name = "KYZ3"
function = "voltage threshold"
below_v = "108"
above_v = "132"

[[outputs]]
name = "KYZ4"
function = "diagnostic"
"""


@pytest.mark.program(TOU, at="2026-07-01 14:59:57")
def test_load_control_by_the_calendar(relay) -> None:
    relay("KYZ1").expect("K-Z", within=1)
    assert 2.9 < relay("KYZ1").expect("K-Y", within=3.4) < 3.3


@pytest.mark.program(THRESHOLDS)
def test_demand_above_its_level(rig, source, relay) -> None:
    """7.2 kW for 4.2 s are 0.5 kW in a minute."""
    relay("KYZ1").expect("K-Z", within=2)
    source.apply(amps=20)
    assert 4 < relay("KYZ1").expect("K-Y", within=6) < 5.6


@pytest.mark.program(THRESHOLDS)
def test_power_factor_below_its_level(source, relay) -> None:
    relay("KYZ2").expect("K-Z", within=2)
    source.apply(amps=5, pf=0.95)
    relay("KYZ2").keeps("K-Z", seconds=2.5)
    source.apply(amps=5, pf=0.85)
    relay("KYZ2").expect("K-Y", within=2.5)
    source.off()
    relay("KYZ2").expect("K-Z", within=4.5)  # what a current leaves that is cut inside its wave dies away in seconds


@pytest.mark.program(THRESHOLDS)
def test_voltage_outside_its_levels(rig, source, relay) -> None:
    rig.run(5)
    relay("KYZ3").expect("K-Z")
    source.apply(volts=(120, 106, 120))
    relay("KYZ3").expect("K-Y", within=2.5)
    source.apply()
    relay("KYZ3").expect("K-Z", within=2.5)
    source.apply(volts=(120, 120, 134))
    relay("KYZ3").expect("K-Y", within=2.5)


@pytest.mark.slow
@pytest.mark.program(THRESHOLDS)
def test_a_diagnostic(rig, source, relay, display) -> None:
    source.apply(amps=5)
    rig.run(5)
    relay("KYZ4").expect("K-Z")
    source.apply(volts=(120, 0, 120), amps=5)
    relay("KYZ4").expect("K-Y", within=30)
