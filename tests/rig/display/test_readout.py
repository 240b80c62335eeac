"""Every item of the display against the registers and readings it is of (D-2 to D-5, D-7, M-4, Q-2 to Q-6)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shown_meters import (
    KNOWN,
    LOAD,
    NETWORK,
    NINE,
    PLATE,
    PROGRAM,
    TEXT,
    at,
    item,
    look,
    meters,
    new_meter,
    program,
    sees,
    show,
    shows,
)  # fmt: skip

from rig.meter.billing.commands import Action
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.tariff import Rate
from rig.meter.display.items import GYRBOX, DemandItem, EnergyItem, InstantItem, PeakItem, StatusItem
from rig.meter.display.lcd import ALL_SEGMENTS, Annunciator
from rig.meter.display.readout import Readout
from rig.meter.measuring.quantities import Readings
from rig.program.build import default_program
from rig.program.displayed_nameplate import displayed_nameplate
from tests.rig.kept_meter import KWH, MINUTE, SECOND
from tests.rig.phasor_readings import lagging, readings

YEAR = 365 * 86_400 * SECOND


def loaded() -> Readings:
    """480 W and some vars by element, besides what the phasors are."""
    found = readings(NETWORK, LOAD, (0.01, 0.02, None, 0.1, 0.2, 0.3))
    return replace(found, p_w=(200.0, 180.0, 100.0), s_va=(240.0, 240.0, 120.0), q_var=(120.0, 60.0, 180.0))


# --- registers ------------------------------------------------------------------------------------------------


def test_energy_in_total_and_by_rate():
    kept = meters(new_meter(), 90, kwh=1, kvarh=2)  # 9:00 to 10:30, rate A
    meters(kept, 60, kwh=10)  # to 11:30, half of it in rate B
    meter = kept.meter
    assert shows(meter, "kWh delivered") == "00690 kWh"
    assert shows(meter, "kWh delivered A") == "00390 kWh"
    assert shows(meter, "kWh delivered B") == "00300 kWh"
    assert shows(meter, "kWh delivered C") == "00000 kWh"
    assert shows(meter, "kvarh lagging", 6, 1) == "00180.0 kvarh"
    assert shows(meter, "kWh received") == "00000 kWh"


def test_a_net_register_has_a_sign():
    assert shows(meters(new_meter(), 5, kwh=3, quadrant=1).meter, "kWh net") == "-00015 kWh"


def test_registers_are_truncated_and_go_round():
    kept = new_meter()
    kept.meter.billing.advance(EnergyInterval(NINE, NINE + MINUTE, 0, 123_456 * KWH - 1))
    assert shows(kept.meter, "kWh delivered") == "23455 kWh"
    assert shows(kept.meter, "kWh delivered", 9, 3) == "123455.999 kWh"


@given(st.integers(0, 10**20), st.integers(0, 3), st.integers(4, 9), st.integers(0, 3))
def test_any_energy_reads_back(nwh: int, quadrant: int, digits: int, decimals: int):
    """In every quadrant, of every quantity."""
    kept = new_meter()
    kept.meter.billing.advance(EnergyInterval(NINE, NINE + MINUTE, quadrant, nwh, nwh // 2, nwh, nwh))
    kept.meter.billing.settle()
    for quantity in Quantity:
        register = kept.meter.billing.registers.energy(quantity)
        text, unit = shows(kept.meter, quantity.value, digits, decimals).split()
        steps = abs(register) * 10**decimals // KWH
        lost = 1 if register < 0 and steps and digits == 9 else 0
        assert abs(Fraction(text)) * 10**decimals == steps % 10 ** (digits - lost)
        assert unit == quantity.unit


def test_demand_registers():
    kept = meters(new_meter(), 15, kwh=1, kvarh=2, kvah=3)
    meters(kept, 15, kwh=2, kvarh=1, kvah=3)
    meters(kept, 5, kwh=4)
    meter = kept.meter
    assert shows(meter, "kW delivered present", 5, 2) == "080.00 kW"
    assert shows(meter, "kW delivered previous", 5, 2) == "120.00 kW"
    assert shows(meter, "kW delivered max", 5, 2) == "120.00 kW"
    assert shows(meter, "kW delivered max A", 5, 2) == "120.00 kW"
    assert shows(meter, "kW delivered max B", 5, 2) == "000.00 kW"
    assert shows(meter, "kvar lagging max") == "00120 kvar"
    assert shows(meter, "kvar lagging coincident") == "00060 kvar"
    assert shows(meter, "kVA coincident") == "00180 kVA"
    assert shows(meter, "kVA coincident A") == "00180 kVA"
    assert shows(meter, "kW delivered max date") == "26.07.06 kW"
    assert shows(meter, "kW delivered max time") == "09:30 kW"
    assert shows(meter, "kvar lagging max time") == "09:15 kvar"
    assert shows(meter, "kW delivered max time B") == "----- kW"
    assert shows(meter, "kW delivered cumulative") == "00000 kW"
    assert shows(meter, "kW delivered continuous cumulative") == "00120 kW"
    kept.does(Action.RESET)
    assert shows(meter, "kW delivered cumulative") == "00120 kW"
    assert shows(meter, "kW delivered max") == "00000 kW"


def test_demand_that_its_digits_lack_overflows_and_what_cumulates_goes_round():
    kept = meters(new_meter(), 15, kwh=50)
    assert shows(kept.meter, "kW delivered max", 5, 1) == "3000.0 kW"
    assert shows(kept.meter, "kW delivered max", 4, 1) == "OVERFLOW kW"
    assert shows(kept.meter, "kW delivered previous", 4, 1) == "OVERFLOW kW"
    assert shows(kept.meter, "kW delivered continuous cumulative", 4, 1) == "000.0 kW"


def test_peaks():
    kept = new_meter()
    for kwh in (3, 5, 4):
        meters(kept, 15, kwh=kwh)
    assert [shows(kept.meter, f"kW delivered peak {k}") for k in range(1, 6)] == [
        "00300 kW", "00240 kW", "00180 kW", "00000 kW", "00000 kW",
    ]  # fmt: skip
    assert shows(kept.meter, "kW delivered peak 2 time") == "09:45 kW"
    assert shows(kept.meter, "kW delivered peak 2 date") == "26.07.06 kW"
    assert shows(kept.meter, "kW delivered peak 5 time") == "----- kW"


def test_the_season_past():
    kept = meters(new_meter(at("2026-11-01 03:00")), 15, kwh=2)  # 23:00 in Toronto, summer
    meter = kept.meter
    for name in ("kWh delivered previous season", "kW delivered max previous season"):
        assert shows(meter, name).startswith("-----")
    meters(kept, 60, kwh=1)  # a quarter of it in winter
    assert meter.billing.season == 1
    assert shows(meter, "kWh delivered") == "00090 kWh"
    assert shows(meter, "kWh delivered previous season") == "00075 kWh"
    assert shows(meter, "kWh delivered B previous season") == "00075 kWh"
    assert shows(meter, "kWh delivered D previous season") == "00000 kWh"
    assert shows(meter, "kW delivered max previous season") == "00120 kW"
    assert shows(meter, "kW delivered max B previous season") == "00120 kW"
    assert shows(meter, "kW delivered max time previous season") == "23:15 kW"
    assert shows(meter, "kW delivered max date previous season") == "26.10.31 kW"
    assert shows(meter, "kW delivered max") == "00060 kW"


# --- test mode ------------------------------------------------------------------------------------------------


def test_test_mode_shows_its_own_registers():
    kept = meters(new_meter(), 20, kwh=2)
    kept.does(Action.TEST_BEGIN)
    meters(kept, 6, kwh=1)
    meter = kept.meter
    assert shows(meter, "kWh delivered") == "00006 kWh"
    assert shows(meter, "kW delivered max") == "00060 kW"
    assert shows(meter, "kW delivered present") == "00012 kW"
    assert shows(meter, "kW delivered peak 1") == "00060 kW"
    assert shows(meter, "kWh delivered A") == "00040 kWh", "of a rate there are billing's only"
    assert shows(meter, "test left") == "14:00 left"
    assert shows(meter, "interval left") == "04:00 left"
    kept.does(Action.TEST_END)
    assert shows(meter, "kWh delivered") == "00040 kWh"
    assert shows(meter, "test left") == "----- left"


def test_pulse_items():
    meter = new_meter().meter
    assert shows(meter, "pulse kWh") == "PULSE kvarh"
    assert shows(meter, "pulse kM3H") == "PULSE kVAh"


# --- the moment -----------------------------------------------------------------------------------------------


def test_values_of_the_moment():
    meter = sees(new_meter().meter, loaded(), 59.994)
    assert {name: shows(meter, name) for name in GYRBOX[2:]} == {
        "V A": "120.0 V", "V B": "121.0 V", "V C": "119.0 V",
        "V angle A": "0.0 deg", "V angle B": "120.0 deg", "V angle C": "240.0 deg",
        "I A": "5.000 A", "I B": "5.000 A", "I C": "2.500 A",
        "I angle A": "30.0 deg", "I angle B": "150.0 deg", "I angle C": "270.0 deg",
        "I N": "2.500 A", "Hz": "59.99 Hz", "kW": "0.480 kW", "kvar": "0.360 kvar", "PF": "0.800 PF",
    }  # fmt: skip
    assert shows(meter, "kVA") == "0.600 kVA"
    assert [shows(meter, f"THD {name}") for name in ("V A", "V C", "I B")] == ["1.0 % THD", "----- % THD", "20.0 % THD"]


def test_apparent_power_is_the_programs():
    meter = sees(new_meter().meter, loaded())
    plate = replace(PLATE, apparent_rms=True)
    assert show(meter, "kVA", plate=plate).text == "0.600"
    sees(meter, replace(loaded(), s_va=(240.0, 240.0, 160.0)))
    assert (show(meter, "kVA", plate=plate).text, show(meter, "PF", plate=plate).text) == ("0.640", "0.750")


def test_what_is_not_known_is_dashes():
    meter = new_meter().meter
    names = [name for name, what in KNOWN.items() if isinstance(what, InstantItem)]
    assert {shows(meter, name).split()[0] for name in names} == {"-----"}
    sees(meter, readings([0, 0, 0], angles=False), None)
    for name in ("V angle A", "THD I C", "kvar", "kVA", "PF", "Hz"):
        assert shows(meter, name).startswith("-----")
    assert shows(meter, "V A") == "0.0 V"


def test_an_angle_that_rounds_to_360_is_0():
    meter = sees(new_meter().meter, replace(loaded(), lag_deg=(0.0, 359.96, 359.94, None, None, None)))
    assert [shows(meter, f"V angle {p}") for p in "BC"] == ["0.0 deg", "359.9 deg"]
    assert shows(meter, "I angle A") == "----- deg"


# --- the rest -------------------------------------------------------------------------------------------------


def test_all_segments():
    assert show(new_meter().meter, "all segments") == ALL_SEGMENTS


def test_time_rate_and_season_are_local():
    kept = meters(new_meter(at("2026-07-07 02:59")), 2)
    meter = kept.meter
    assert shows(meter, "date") == "26.07.06 date"
    assert shows(meter, "time") == "23:01 time"
    assert shows(meter, "day of week") == "MON day"
    assert shows(meter, "season") == "summer ho season"
    assert shows(meter, "rate") == "B rate"
    kept.does(Action.FORCE_RATE, Rate.D)
    assert shows(meter, "rate") == "D FORCED rate"
    assert shows(meter, "interval left") == "14:00 left"


def test_the_plate():
    meter = new_meter().meter
    assert shows(meter, "firmware") == "0.1.0 firmw"
    assert shows(meter, "program") == "012345678 prog"
    assert shows(meter, "serial") == "00000000 serial"
    assert shows(meter, "Ks") == "1.8 Ks Wh"
    assert shows(meter, "multiplier") == "4800 mult"
    assert show(meter, "serial", plate=replace(PLATE, serial="A-12345678 90")).text == "234567890"
    assert show(meter, "serial", plate=replace(PLATE, serial="")).text == ""


def test_the_plate_of_a_program():
    plate = displayed_nameplate(PROGRAM)
    assert (plate.serial, plate.program, plate.multiplier) == ("00 000 000", PROGRAM.digest, "4800")
    assert Fraction(plate.ks) == PROGRAM.ks.wh
    assert (plate.reactive, plate.apparent_rms) == (True, False)
    assert plate.firmware[0].isdigit()
    ratios = 'vt_ratio = "1/3"\nautotransformer = "600/480"'
    other = displayed_nameplate(program(f'[meter]\nmodel = "AXS4e"\napparent = "rms"\n{ratios}'))
    assert (other.reactive, other.apparent_rms, other.multiplier) == (False, True, "0.41666667")
    assert displayed_nameplate(program('[meter]\nvt_ratio = "9999.5"\nct_ratio = "9999.7"')).multiplier == "99992000.2"


def test_resets_and_inputs():
    kept = meters(new_meter(), 3)
    assert shows(kept.meter, "reset count") == "0 resets"
    assert shows(kept.meter, "reset date") == "----- reset"
    kept.does(Action.RESET).does(Action.RESET).does(Action.INPUT_PULSES, 1, 12)
    assert shows(kept.meter, "reset count") == "2 resets"
    assert shows(kept.meter, "reset date") == "26.07.06 reset"
    assert shows(kept.meter, "reset time") == "09:03 reset"
    assert shows(kept.meter, "input 1") == "0 pulses"
    assert shows(kept.meter, "input 2") == "12 pulses"


def test_service_and_rotation():
    meter = new_meter().meter
    assert (shows(meter, "service"), shows(meter, "rotation")) == ("-----", "-----")
    look(meter, NETWORK, LOAD)
    assert (shows(meter, "service"), shows(meter, "rotation")) == ("4WY 120", "ABC")
    meter = look(new_meter().meter, [NETWORK[0], NETWORK[2], NETWORK[1]], LOAD)
    assert shows(meter, "rotation") == "CBA"
    meter = look(new_meter().meter, [lagging(90), lagging(90, 10), lagging(90, 20)], LOAD)
    assert (shows(meter, "service"), shows(meter, "rotation")) == ("UNKNOWN", "-----")
    single = new_meter(programmed=default_program("2S", 200)).meter
    assert shows(look(single, [lagging(120), lagging(120, 180), 0], LOAD), "service") == "1P3W 120"
    assert shows(single, "rotation") == "NONE"


def test_errors():
    meter = look(new_meter().meter, NETWORK, LOAD)
    assert shows(meter, "errors") == "NONE"
    look(meter, [NETWORK[0], 0, NETWORK[2]], LOAD, 40)
    assert shows(meter, "errors") == "-2-----B-"
    look(meter, [lagging(120), lagging(121, 120), 0], [LOAD[0], LOAD[1], 0], 60)
    assert shows(meter, "errors") == "-23-----C"
    meter = look(new_meter().meter, [lagging(90), lagging(90, 10), lagging(90, 20)], LOAD)
    assert shows(meter, "errors") == "--------- US"


# --- all of them ----------------------------------------------------------------------------------------------


def test_every_item_shows_in_every_condition():
    """New, loaded, in test mode, reset, in another season, without demand; nothing raises, every register fits."""
    fresh = new_meter().meter
    kept = meters(new_meter(at("2026-10-31 13:00")), 40, kwh=10**6, kvarh=10**6, kvah=10**7)
    loaded_meter = sees(kept.meter, loaded())
    tested = meters(new_meter().does(Action.TEST_BEGIN), 30, kwh=10**6).meter
    season = meters(new_meter(at("2026-11-01 03:30")), 60, kwh=7).does(Action.RESET).meter
    bare = new_meter(programmed=program('[meter]\nmodel = "AXLS4"')).meter
    shown = set()
    for meter in (fresh, loaded_meter, tested, season, bare):
        for name in KNOWN:
            lcd = Readout(PLATE).show(item(name, 9, 4), meter.reading(), meter.instant)
            shown.add(type(KNOWN[name]))
            assert lcd.text, name
    assert shown >= {EnergyItem, DemandItem, PeakItem, InstantItem, StatusItem}


def test_annunciators_and_waits_come_with_it():
    lit = frozenset({Annunciator.ALT})
    readout = Readout(PLATE)
    assert readout.show(item("date"), new_meter().meter.reading(), None, lit).lit == lit
    assert (readout.wait(42, lit).text, readout.wait(3600).text) == ("WAIT 42", "WAIT 3600")
    assert readout.wait(42, lit).lit == lit


@pytest.mark.parametrize("text", [TEXT, "", '[meter]\nmodel = "AXLS4"'])
def test_the_sequences_of_programs_show(text: str):
    made = program(text)
    meter = new_meter(programmed=made).meter
    settings = made.display
    for sequence in (settings.normal, settings.alternate, settings.gyrbox, settings.test):
        for k, each in enumerate(sequence):
            lcd = Readout(displayed_nameplate(made)).show(each, meter.reading(), meter.instant)
            assert lcd.ident == f"{k + 1:02}" or lcd == ALL_SEGMENTS
