"""A meter that is programmed anew (S-3): what goes on, what begins anew, and what its log has."""

from __future__ import annotations

import pytest
from billing_histories import MINUTE, program

from rig.meter.billing.billing import Billing, MeterEvent
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.events import ProfileWords, Programmed, ResetRefused, TestModeBegan, TestModeEnded
from rig.meter.billing.log import LogEvent
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.reprogram import reprogram
from rig.meter.billing.source import Source

BEGIN = 1_720_612_800 * 10**9
WH = 10**9


def kinds(told: list[MeterEvent]) -> list[type[LogEvent]]:
    return [type(each) for each in told if isinstance(each, LogEvent)]


def ran() -> Billing:
    """Half an hour with a reset, a pulse, a forced rate, and energy in two rates."""
    billing, _ = Billing.begin(program("block:15", recorder_min=15), BEGIN)
    billing.advance(EnergyInterval(BEGIN, BEGIN + 20 * MINUTE, 0, 700 * WH))
    billing.command(Command(BEGIN, Action.RESET, Source.COMMAND_LINE))
    billing.command(Command(BEGIN, Action.INPUT_PULSES, Source.COMMAND_LINE, 1, 5))
    billing.command(Command(BEGIN, Action.FORCE_RATE, Source.COMMAND_LINE, 3))
    billing.advance(EnergyInterval(BEGIN + 20 * MINUTE, BEGIN + 30 * MINUTE, 2, 300 * WH, 20 * WH))
    return billing


@pytest.mark.parametrize("kind", [None, "block:30", "sliding:5x3", "thermal:15"])
def test_energy_counts_and_resets_go_on_and_demand_begins_anew(kind):
    old = ran()
    energy, resets, at = old.registers.amounts(), old.resets, old.last_reset_ns
    billing, told = reprogram(program(kind, test=kind, recorder_min=5), old.state, "abc")
    assert billing.now_ns == BEGIN + 30 * MINUTE
    assert billing.registers.amounts() == energy
    assert (billing.resets, billing.last_reset_ns, billing.inputs) == (resets, at, (0, 5))
    assert told[0] == Programmed(billing.now_ns, "abc")
    assert [each.first for each in told if isinstance(each, ProfileWords)] == [0]
    demand = billing.registers.demand
    assert (demand is None) == (kind is None)
    if demand is not None:
        assert (demand.maximum(0).value, demand.present(0), demand.cumulative(0)) == (0, 0, 0)
    billing.advance(EnergyInterval(billing.now_ns, billing.now_ns + MINUTE, 0, 3 * WH))
    billing.settle()
    assert billing.registers.energy(Quantity.KWH_DELIVERED) == 703 * WH
    assert billing.registers.energy(Quantity.KWH_RECEIVED) == 300 * WH


def test_the_log_ends_test_mode_before_the_new_program():
    old = ran()
    begun = old.command(Command(old.now_ns, Action.TEST_BEGIN, Source.COMMAND_LINE))
    old.advance(EnergyInterval(old.now_ns, old.now_ns + MINUTE, 0, 9 * WH))
    billing, told = reprogram(program("block:15"), old.state, "abc")
    assert kinds([*begun, *told]) == [
        TestModeBegan,
        TestModeEnded,
        Programmed,
    ]
    assert billing.test is None
    assert billing.registers.energy(Quantity.KWH_DELIVERED) == 700 * WH


def test_the_lockout_and_pulses_that_wait_go_on():
    old = ran()
    old.command(Command(old.now_ns, Action.RESET_BY_SWITCH, Source.COMMAND_LINE))
    old.command(Command(old.now_ns + MINUTE // 2, Action.INPUT_PULSES, Source.COMMAND_LINE, 0, 7))
    billing, _ = reprogram(program("block:15"), old.state, "abc")
    assert ResetRefused in kinds(billing.command(Command(billing.now_ns, Action.RESET_BY_SWITCH, Source.COMMAND_LINE)))
    billing.outage(billing.now_ns + MINUTE)
    assert billing.inputs == (7, 5)
