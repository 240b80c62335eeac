"""Registers and history that a meter keeps when it is programmed anew (S-3)."""

from __future__ import annotations

from rig.meter.billing.billing import Billing, MeterEvent
from rig.meter.billing.commands import Action
from rig.meter.billing.events import Programmed, TestModeEnded
from rig.meter.billing.settings import BillingSettings
from rig.meter.billing.source import Source
from rig.meter.billing.state import BillingState


def reprogram(
    settings: BillingSettings, old: BillingState, program: str, source: Source | None = None
) -> tuple[Billing, list[MeterEvent]]:
    """Billing by new settings, at the time of the old: energy, inputs' counts and the count of demand resets go on.

    So do the lockout of the switch, and commands that wait for their time. Demand, its maxima and what it cumulated,
    and the load profile begin anew, as they may be of other quantities; what a season closed is forgotten, and what
    season was asked for, as there may be other seasons. Who needs what they were keeps the old state.
    Test mode is over, and no rate is forced: the new program may have no input that would release it. For the log:
    `program` is the new one's digest, `source` who wrote it; None where it was found so at the start.
    """
    billing, events = Billing.begin(settings, old.now_ns)
    ended = [] if old.test is None else [TestModeEnded(old.now_ns, source)]
    state = billing.state
    if state.registers is not None and old.registers is not None:
        state.registers.energy, state.registers.rates = old.registers.energy, old.registers.rates
    state.inputs, state.resets, state.last_reset_ns = old.inputs, old.resets, old.last_reset_ns
    state.last_switch_reset_ns = old.last_switch_reset_ns
    state.waiting = [each for each in old.waiting if each.action is not Action.SEASON_CHANGE]
    return billing, [*ended, Programmed(old.now_ns, program, source), *events]
