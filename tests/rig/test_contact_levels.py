"""The contacts that do not pulse: the table of states, and what each alert goes by (P-3, P-4, D-5)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from phasor_readings import lagging, readings

from rig.meter.billing.demand import DemandRegisters, DemandSettings
from rig.meter.billing.events import (
    Cause,
    EndOfInterval,
    RateChanged,
    RateForced,
    RateReleased,
    TestModeBegan,
    TestModeEnded,
)
from rig.meter.billing.quantity import NANO_PER_KILO, PLACES, Quantity
from rig.meter.billing.source import Source
from rig.meter.billing.tariff import Rate
from rig.meter.contacts import levels as levels_module
from rig.meter.contacts.alert_inputs import AlertInputs
from rig.meter.contacts.alerts import DemandAlert, DiagnosticAlert, PowerFactorAlert, VoltageAlert
from rig.meter.contacts.functions import Alert, LevelOutput
from rig.meter.contacts.level_functions import EndOfIntervalOutput, LoadControlOutput
from rig.meter.contacts.levels import ContactChange, LevelOutputs
from rig.meter.contacts.outputs import OutputId
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.measuring.elements import FORMS
from rig.meter.measuring.quantities import Readings

IT = A = OutputId.KYZ1
B = OutputId.KYZ2
TICK_HZ = Fraction(1000)
SECOND = 10**9
WYE = [lagging(120, 120 * k) for k in range(3)]
NOTHING = readings([0, 0, 0])
DIAGNOSTIC = DiagnosticAlert(IT, (Diagnostic.PHASE_A_OUT, Diagnostic.VOLTAGE_DEVIATION))
POWER_FACTOR = PowerFactorAlert(IT, Fraction(9, 10), Quantity.KVAH_TD, Fraction(5, 1000))
ENDED = EndOfInterval(0, Cause.SWITCH, (), Rate.A)
IN_B = RateChanged(0, Rate.B)
IN_A = RateForced(0, Rate.A, Source.INPUT)
TEST_BEGIN, TEST_END = TestModeBegan(0, Source.FRONT), TestModeEnded(0, Source.FRONT)


def seen(
    phases: Readings = NOTHING,
    watts: float = 0.0,
    vars_: float | None = 0.0,
    va: float = 0.0,
    *,
    form: str = "9S",
    service: str | None = None,
    demand: DemandRegisters | None = None,
    diagnostics: tuple[Diagnostic, ...] = (),
) -> AlertInputs:
    elements = replace(phases, p_w=(watts,), s_va=(va,), q_var=None if vars_ is None else (vars_,))
    return AlertInputs(phases, elements, FORMS[form].equation(service), demand, diagnostics)


def power(factor: float, amperes: float = 5.0) -> AlertInputs:
    return seen(readings(WYE, [amperes, 0, 0]), watts=-factor, vars_=(1 - factor**2) ** 0.5)


# --- the table ------------------------------------------------------------------------------------------------


def rows() -> list[tuple[str, str, str, str]]:
    """The table in the docstring."""
    lines = levels_module.__doc__.split("becomes\n")[1].split("\n\n")[0].splitlines()
    return [tuple(cell.strip() for cell in line.split("  ") if cell.strip()) for line in lines]


def output(function: str) -> LevelOutput:
    return {
        "end of interval": EndOfIntervalOutput(IT, 2),
        "load control": LoadControlOutput(IT, (Rate.A, Rate.C)),
        "alert": POWER_FACTOR,
    }[function]


def level_that_is(function: str, closed: bool, comes: str) -> LevelOutputs:
    """At tick 1000, in rate A or B as it must be, in test mode if that is to end."""
    level = LevelOutputs([output(function)], TICK_HZ)
    if function == "load control":
        ends = comes.startswith("end of test mode")
        in_test = ends or comes.endswith("in test mode")
        rate = Rate.A if closed or comes == "end of test mode in one of its rates" else Rate.B
        assert level.begin(1000, rate, in_test) == [ContactChange(1000, IT, closed)]
        return level
    assert level.begin(0, Rate.A, False) == [ContactChange(0, IT, False)]
    if closed:
        changes = level.advance([(1000, ENDED)], 1000) if function != "alert" else level.judge(1000, power(0.5))
        assert changes == [ContactChange(1000, IT, True)]
    return level


@pytest.mark.parametrize("row", rows(), ids=" - ".join)
def test_table_of_states(row: tuple[str, str, str, str]) -> None:
    function, before, comes, after = row
    level, at, until = level_that_is(function, before == "closed", comes), 2000, 2500
    match comes:
        case "an end of interval":
            changes = level.advance([(at, ENDED)], until)
        case "closed_s after the last one":
            at = 3000
            changes = level.advance([], at - 1)
            assert changes == []
            changes = level.advance([], at + 500)
        case "another rate":
            changes = level.advance([(at, IN_B)], until)
        case "one of its rates" | "one of its rates in test mode":
            changes = level.advance([(at, IN_A)], until)
        case "test mode":
            changes = level.advance([(at, TEST_BEGIN)], until)
        case "end of test mode in one of its rates" | "end of test mode in another rate":
            changes = level.advance([(at, TEST_END)], until)
        case "threshold exceeded":
            changes = level.judge(at, power(0.899))
        case "threshold not exceeded":
            changes = level.judge(at, power(0.901))
        case "nothing to judge":
            changes = level.judge(at, power(0.5, amperes=0.004))
    closes = after == "closed"
    assert level.closed == {IT: closes}
    assert changes == ([] if before == after else [ContactChange(at, IT, closes)])


@pytest.mark.parametrize(
    "event", [RateChanged(0, Rate.C), RateForced(0, Rate.C, Source.INPUT), RateReleased(0, Rate.C, Source.INPUT)]
)
def test_load_control_follows_a_rate_however_it_comes_in_force(
    event: RateChanged | RateForced | RateReleased,
) -> None:
    level = LevelOutputs([LoadControlOutput(IT, (Rate.C,))], TICK_HZ)
    level.begin(0, Rate.A, False)
    assert level.advance([(2000, event)], 2500) == [ContactChange(2000, IT, True)]


def test_the_table_is_whole() -> None:
    given = {(function, before, comes) for function, before, comes, _ in rows()}
    assert len(given) == len(rows())
    alerts = ("threshold exceeded", "threshold not exceeded", "nothing to judge")
    assert {row for row in given if row[0] == "alert"} == set(product(["alert"], ["open", "closed"], alerts))
    assert {before for function, before, _ in given if function == "load control"} == {"open", "closed"}
    assert ("end of interval", "closed", "an end of interval") in given


# --- end of interval, load control ----------------------------------------------------------------------------


def test_an_end_of_interval_while_closed_makes_it_last_longer() -> None:
    level = LevelOutputs([EndOfIntervalOutput(A, 2), EndOfIntervalOutput(B, 3)], TICK_HZ)
    level.begin(0, Rate.A, False)
    changes = level.advance([(100, ENDED), (1600, ENDED), (3600, ENDED)], 9000)
    assert changes == [
        ContactChange(100, A, True),
        ContactChange(100, B, True),
        ContactChange(5600, A, False),
        ContactChange(6600, B, False),
    ]


def test_two_ends_of_interval_apart_close_it_twice_in_one_step() -> None:
    level = LevelOutputs([EndOfIntervalOutput(A, 1)], TICK_HZ)
    level.begin(0, Rate.A, False)
    changes = level.advance([(100, ENDED), (1101, ENDED)], 9000)
    assert [(c.tick, c.closed) for c in changes] == [(100, True), (1100, False), (1101, True), (2101, False)]


def test_a_board_whose_second_is_no_whole_number_of_ticks_keeps_it_closed_long_enough() -> None:
    level = LevelOutputs([EndOfIntervalOutput(A, 1)], Fraction(2001, 2))
    level.begin(0, Rate.A, False)
    assert level.advance([(100, ENDED)], 9000)[1].tick == 1101


def test_what_happens_at_one_instant_makes_no_contact_flicker() -> None:
    """Test mode ends in rate A, and the calendar, which waited for that, goes to B at once."""
    level = LevelOutputs([LoadControlOutput(A, (Rate.A,)), LoadControlOutput(B, (Rate.B,))], TICK_HZ)
    level.begin(0, Rate.A, True)
    assert level.advance([(7, TEST_END), (7, IN_B)], 10) == [ContactChange(7, B, True)]


# --- alerts ---------------------------------------------------------------------------------------------------


def test_demand_is_above_its_level_when_it_is_more() -> None:
    registers = DemandRegisters(DemandSettings.parse("block:15", (Quantity.KWH_DELIVERED, Quantity.KVAH_RMS)), rates=0)
    alert = DemandAlert(IT, Quantity.KVAH_RMS, 8 * NANO_PER_KILO)
    amounts = [0] * PLACES
    amounts[2] = 2 * NANO_PER_KILO  # 2 kVAh of 15 min are 8 kVA
    assert alert.exceeded(seen(demand=registers)) is False
    registers.take(amounts, 0, 60 * SECOND, 0)
    assert alert.exceeded(seen(demand=registers)) is False
    amounts[2] = 1
    registers.take(amounts, 60 * SECOND, 61 * SECOND, 0)
    assert alert.exceeded(seen(demand=registers)) is True
    assert alert.exceeded(seen(demand=None)) is False


@pytest.mark.parametrize(("apparent", "expected"), [(Quantity.KVAH_TD, 0.6), (Quantity.KVAH_RMS, 0.5)])
def test_power_factor_is_of_the_totals_whichever_way_they_flow(apparent: Quantity, expected: float) -> None:
    alert = replace(POWER_FACTOR, apparent=apparent)
    for watts, vars_ in product((-3.0, 3.0), (-4.0, 4.0)):
        assert alert.power_factor(seen(readings(WYE, [1, 0, 0]), watts, vars_, 6.0)) == pytest.approx(expected)


def test_there_is_no_power_factor_without_current_or_apparent_power() -> None:
    idle, starting = readings(WYE, [0.00499, 0.00499, 0.00499]), readings(WYE, [0, 0, 0.005])
    assert POWER_FACTOR.power_factor(seen(idle, 1.0, 1.0, 2.0)) is None
    assert POWER_FACTOR.power_factor(seen(starting, 1.0, 0.0, 2.0)) == 1.0
    assert POWER_FACTOR.power_factor(seen(starting, 0.0, 0.0, 0.0)) is None
    assert POWER_FACTOR.power_factor(seen(starting, 1.0, None, 2.0)) is None


ON_A_DELTA = [lagging(480), 0, lagging(480, 300)]
"""Against phase B, which is the common point."""


@pytest.mark.parametrize(
    ("below", "above", "volts", "form", "service", "expected"),
    [
        (108, None, WYE, "9S", None, False),
        (108, 132, [lagging(120), lagging(107.9, 120), lagging(120, 240)], "9S", None, True),
        (108, 132, [lagging(132.1), lagging(120, 120), lagging(120, 240)], "9S", None, True),
        (None, 132, [lagging(120), 0, lagging(120, 240)], "9S", None, False),
        (108, None, [lagging(120), 0, lagging(120, 240)], "9S", None, True),
        (108, None, [lagging(120), lagging(120, 180), 0], "45S", "1-phase 3-wire", False),
        (108, None, [lagging(120), lagging(120, 120), 0], "12S", "3-wire network", False),
        (108, None, [lagging(120), 0, lagging(120, 240)], "6S", None, False),  # no coil senses B
        (432, 528, ON_A_DELTA, "45S", "3-wire delta", False),
        (432, 528, [lagging(480), 0, lagging(400, 300)], "45S", "3-wire delta", True),
        (108, 132, [lagging(120), lagging(120, 180), 0], "4S", None, False),
        (108, 132, [lagging(120), lagging(107, 180), 0], "4S", None, True),
    ],
)
def test_voltages_are_those_that_the_service_has(below, above, volts, form, service, expected) -> None:
    alert = VoltageAlert(IT, below, above)
    assert alert.exceeded(seen(readings(volts), form=form, service=service)) is expected


def test_no_voltage_is_judged_before_the_service_is_known() -> None:
    assert VoltageAlert(IT, Fraction(200), None).exceeded(replace(seen(readings([0, 0, 0])), expected=None)) is None


def test_a_diagnostic_alert_goes_by_its_own_diagnostics() -> None:
    for on, expected in {
        (): False,
        (Diagnostic.PHASE_B_OUT,): False,
        (Diagnostic.PHASE_B_OUT, Diagnostic.PHASE_A_OUT): True,
        (Diagnostic.VOLTAGE_DEVIATION,): True,
    }.items():
        assert DIAGNOSTIC.exceeded(seen(diagnostics=on)) is expected


def test_alerts_are_told_by_name_and_only_when_they_change() -> None:
    alerts: list[Alert] = [replace(DIAGNOSTIC, id=A), replace(POWER_FACTOR, id=B)]
    level = LevelOutputs(alerts, TICK_HZ)
    level.begin(0, Rate.A, False)
    both = replace(power(0.5), diagnostics=(Diagnostic.PHASE_A_OUT,))
    assert level.judge(5, both) == [ContactChange(5, A, True), ContactChange(5, B, True)]
    assert level.judge(6, both) == []
    assert level.judge(7, power(0.5)) == [ContactChange(7, A, False)]
