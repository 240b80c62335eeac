"""Meters with something to show, shared by the tests of the display."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime

from rig.files.strict_toml import convert
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.quantity import Quantity
from rig.meter.display.items import DisplayItem
from rig.meter.display.lcd import Lcd
from rig.meter.display.readout import DisplayedNameplate, Readout
from rig.meter.measuring.quantities import Readings
from rig.meter.meter import Meter
from rig.meter.reading.instantaneous import Instantaneous
from rig.program import schema
from rig.program.build import Program, build
from rig.program.display_items import items
from rig.program.names import PulseQuantities
from tests.rig.kept_meter import KWH, MINUTE, SECOND, KeptMeter
from tests.rig.phasor_readings import lagging, readings

TEXT = """
[meter]
form = "9S"
serial = "00 000 000"
vt_ratio = "60"
ct_ratio = "80"
[clock]
zone = "America/Toronto"
[demand]
quantities = ["kW delivered", "kvar lagging", "kVA"]
[test_mode]
minutes = 20
interval_minutes = 5
[display]
scroll_seconds = 6
[[tou.seasons]]
name = "summer holidays"
begins = "05-01"
weekday = ["00:00 C", "07:00 A", "11:00 B"]
[[tou.seasons]]
name = "winter"
begins = "11-01"
weekday = ["00:00 D"]
[[inputs]]
name = "IN1"
function = "record"
[[inputs]]
name = "IN2"
function = "record"
"""
NETWORK = [lagging(120), lagging(121, 120), lagging(119, 240)]
LOAD = [lagging(5, 30), lagging(5, 150), lagging(2.5, 270)]


def program(text: str = TEXT) -> Program:
    return build(convert(tomllib.loads(text), schema.ProgramFile))


PROGRAM = program()
PLATE = DisplayedNameplate(
    "0.1.0", "0123456789ab", "00 000 000", "1.8", "4800", PROGRAM.billing.calendar, software="0.2.0"
)
KNOWN = items(PROGRAM.metering.names, PulseQuantities(Quantity.KVARH_LAGGING, Quantity.KVAH_RMS))


def at(text: str) -> int:
    """An instant in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


NINE = at("2026-07-06 13:00")
"""Monday, 9:00 in Toronto: rate A."""


def new_meter(utc_ns: int = NINE, programmed: Program = PROGRAM) -> KeptMeter:
    return KeptMeter(None, programmed, utc_ns)


def meters(kept: KeptMeter, minutes: int, kwh: int = 0, kvarh: int = 0, kvah: int = 0, quadrant: int = 0) -> KeptMeter:
    """So many minutes, with so much in each, in kilo-units."""
    for _ in range(minutes):
        now_ns = kept.now_ns
        kept.meter.billing.advance(
            EnergyInterval(now_ns, now_ns + MINUTE, quadrant, kwh * KWH, kvarh * KWH, kvah * KWH, kvah * KWH)
        )
    return kept


def item(name: str, digits: int = 5, decimals: int = 0) -> DisplayItem:
    return DisplayItem(name, KNOWN[name], digits, decimals, "07")


def show(meter: Meter, name: str, digits: int = 5, decimals: int = 0, plate: DisplayedNameplate = PLATE) -> Lcd:
    return Readout(plate).show(item(name, digits, decimals), meter.reading(), meter.instant)


def shows(meter: Meter, name: str, digits: int = 5, decimals: int = 0) -> str:
    """Text and unit as a person reads them."""
    lcd = show(meter, name, digits, decimals)
    assert lcd.ident == "07"
    return f"{lcd.text} {lcd.unit}".rstrip()


def look(
    meter: Meter, volts: Sequence[complex], amperes: Sequence[complex], until_s: int = 20, utc_ns: int = NINE
) -> Meter:
    """What the installation makes of these, looking each second until one of its clock."""
    for second in range(until_s - 19, until_s + 1):
        meter.installation.advance(readings(volts, amperes), second * SECOND, utc_ns)
    return meter


def sees(meter: Meter, readings: Readings, hz: float | None = 60.0) -> Meter:
    """The last second as these readings have it, by phase and by element of a form of three."""
    installation = meter.installation
    equation = installation.equation
    meter.instant = Instantaneous(
        readings, readings, hz, equation.sensed_phases, equation.phases, installation.starting_a
    )
    return meter
