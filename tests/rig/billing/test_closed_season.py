"""What a season closed stays, for the display, until the next one closes: over restarts too (T-1, S-3)."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest
from billing_histories import DAY, MINUTE, program, utc_ns

from rig.meter.billing.billing import Billing, BillingState, MeterEvent
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.events import Cause
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.reprogram import reprogram
from rig.meter.billing.settings import BillingSettings
from rig.meter.billing.snapshot import Snapshot
from rig.meter.billing.source import Source

KWH = 10**12
EVE = utc_ns(datetime(2024, 10, 31, 23, 30))
"""Half an hour before winter."""


def run(billing: Billing, minutes: int, wh_a_minute: int = KWH // 10) -> list[MeterEvent]:
    return billing.advance(EnergyInterval(billing.now_ns, billing.now_ns + minutes * MINUTE, 0, minutes * wh_a_minute))


def closed(told: list[MeterEvent]) -> list[Snapshot]:
    return [each for each in told if isinstance(each, Snapshot) and each.cause is Cause.SEASON]


def over_the_change(settings: BillingSettings) -> tuple[Billing, Snapshot]:
    billing, _ = Billing.begin(settings, EVE)
    assert billing.closed_season is None
    (snapshot,) = closed(run(billing, 60))
    return billing, snapshot


@pytest.mark.parametrize("settings", [
    program("block:15"), program("sliding:5x3", season_resets=False), program("thermal:15"), program(None),
])  # fmt: skip
def test_it_is_what_is_told(settings: BillingSettings):
    billing, snapshot = over_the_change(settings)
    assert billing.closed_season == snapshot
    assert Quantity.KWH_DELIVERED.of(snapshot.energy) == 3 * KWH
    if settings.demand is not None:
        assert snapshot.demand[0][0].maximum.value > 0
    billing.command(Command(billing.now_ns, Action.RESET, Source.COMMAND_LINE))
    billing.command(Command(billing.now_ns, Action.SELF_READ, Source.COMMAND_LINE))
    assert billing.closed_season == snapshot, "only a season closes one"


def test_the_next_season_closes_the_next():
    billing, first = over_the_change(program())
    told = [happening for _ in range(182) for happening in run(billing, DAY // MINUTE, 0)]
    (second,) = closed(told)
    assert billing.closed_season == second
    assert second.season == 1
    assert second.energy == billing.registers.amounts()[0] != first.energy


def test_a_change_in_test_mode_closes_it_at_its_end():
    billing, _ = Billing.begin(program(minutes=255), EVE)
    run(billing, 10)
    billing.command(Command(billing.now_ns, Action.TEST_BEGIN, Source.COMMAND_LINE))
    run(billing, 60)
    assert billing.closed_season is None
    (snapshot,) = closed(billing.command(Command(billing.now_ns, Action.TEST_END, Source.COMMAND_LINE)))
    assert billing.closed_season == snapshot
    assert Quantity.KWH_DELIVERED.of(snapshot.energy) == KWH


@pytest.mark.parametrize("kind", ["block:15", "thermal:15", None])
def test_it_outlives_a_power_failure(kind: str | None):
    settings = program(kind)
    billing, snapshot = over_the_change(settings)
    again = Billing(settings, msgspec.json.decode(msgspec.json.encode(billing.state), type=BillingState))
    again.outage(again.now_ns + DAY)
    assert again.closed_season == snapshot


def test_a_state_from_before_there_was_one_is_read():
    settings = program()
    billing, snapshot = over_the_change(settings)
    old = msgspec.json.decode(msgspec.json.encode(billing.state))
    assert old.pop("closed_season")["cause"] == "season"
    again = Billing(settings, msgspec.convert(old, BillingState))
    assert again.closed_season is None
    assert again.registers.amounts()[0] == billing.registers.amounts()[0] != snapshot.energy


def test_another_program_forgets_it():
    billing, _ = over_the_change(program())
    assert reprogram(program("block:30"), billing.state, "abc")[0].closed_season is None


def test_when_the_interval_and_test_mode_end():
    billing, _ = Billing.begin(program("block:15", test="block:5", minutes=30), EVE + 2 * MINUTE)
    assert (billing.interval_ends_ns, billing.test_ends_ns) == (EVE + 15 * MINUTE, None)
    billing.command(Command(billing.now_ns, Action.TEST_BEGIN, Source.COMMAND_LINE))
    assert (billing.interval_ends_ns, billing.test_ends_ns) == (EVE + 7 * MINUTE, EVE + 32 * MINUTE)
    run(billing, 30)
    assert (billing.interval_ends_ns, billing.test_ends_ns) == (EVE + 45 * MINUTE, None)
    assert not billing.rate_forced
    billing.command(Command(billing.now_ns, Action.FORCE_RATE, Source.COMMAND_LINE, 1))
    assert billing.rate_forced
    assert Billing.begin(program(None), EVE)[0].interval_ends_ns is None
