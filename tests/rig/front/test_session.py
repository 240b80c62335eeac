"""Thousands of random movements of switches and magnet, contacts bouncing: no state outside the table, test mode only
with the cover off and the Test switch open, and nothing billed changed that should not (D-2 to D-6, Q-5)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from session import LATEST_NS, MINUTE, SECOND, T0, Session
from test_modes import WISHES, table

from rig.meter.billing.commands import Action
from rig.meter.billing.events import DemandWasReset, ResetRefused
from rig.meter.billing.quantity import Quantity
from rig.meter.front.modes import FrontState

LOCKOUT = 60 * SECOND


@pytest.fixture(scope="module", params=[400, pytest.param(10_000, marks=pytest.mark.slow)])
def session(request) -> Session:
    return Session(seed=5, movements=request.param)


def test_every_movement_counts_once_and_no_bounce_or_glitch(session) -> None:
    assert sorted(session.seen) == sorted(session.moved)
    assert len(session.moved) > 0.85 * session.movements


def test_no_state_outside_the_table(session) -> None:
    cells = table()
    for step in session.steps:
        cell = cells[step.event, step.before]
        assert cell != ".", step
        assert step.request is WISHES.get(cell) or (cell == "undo" and step.request is None), step
        match cell:
            case "-" | "swipe" | "begin" | "end" | "undo":  # the session's display scrolls, so a swipe is nothing
                assert (step.after, step.moved) == (step.before, 0), step
            case "next":
                assert (step.after, step.moved) == (step.before, 1 % step.items), step
            case "pass":
                assert step.after in (step.before, FrontState.NORMAL), step
                assert step.moved == 1, step
            case heading:
                assert step.after.heading == heading, step
    reached = {step.after for step in session.steps}
    assert reached >= (
        {FrontState.NORMAL, FrontState.ALTERNATE, FrontState.TEST} if session.movements < 1000 else set(FrontState)
    )


def test_test_mode_only_with_cover_off_and_test_switch_open(session) -> None:
    operated, since, allowed = set(), None, []
    for at, switch, on in session.moved:
        operated = operated | {switch} if on else operated - {switch}
        wanted = {"cover", "test"} <= operated
        if wanted and since is None:
            since = T0 + at
        elif not wanted and since is not None:
            allowed.append((since, T0 + at))
            since = None
    assert since is None
    assert len(session.tests) > session.movements / 100
    assert session.movements < 1000 or any(end - begin == MINUTE for begin, end in session.tests)  # by itself
    for begin, end in session.tests:
        assert any(since <= begin and end <= until + LATEST_NS for since, until in allowed), (begin - T0, end - T0)
        assert end - begin <= MINUTE


def test_each_press_of_reset_asks_once(session) -> None:
    pressed = [T0 + at for at, switch, on in session.moved if switch == "reset" and on]
    assert [at for at, _, kind in session.requests if kind is Action.RESET_BY_SWITCH] == pressed
    assert pressed


def resets(session) -> list[int]:
    """Those that billing must take: outside test mode, a minute after the last one taken."""
    taken: list[int] = []
    for _, comes, kind in session.requests:
        in_test = any(begin <= comes < end for begin, end in session.tests)
        if kind is Action.RESET_BY_SWITCH and not in_test and (not taken or comes - taken[-1] >= LOCKOUT):
            taken.append(comes)
    return taken


def test_demand_is_reset_when_it_must_and_not_else(session) -> None:
    assert session.instants(DemandWasReset) == resets(session)
    assert session.billing.resets == len(resets(session)) > 0
    assert len(session.instants(ResetRefused)) > 0


def test_what_flows_in_test_mode_and_only_that_is_not_billed(session) -> None:
    billing = session.billing
    billing.settle()
    untaken = sum(session.energy(begin, end) for begin, end in session.tests)
    assert billing.registers.energy(Quantity.KWH_DELIVERED) == session.energy(T0, billing.now_ns) - untaken
    assert untaken > 0
    assert billing.registers.energy(Quantity.KWH_RECEIVED) == 0


def test_demand_is_that_of_the_account(session) -> None:
    """By the minute, cut by test mode and by resets; each part over a whole minute."""
    billing = session.billing
    billing.settle()
    taken = resets(session)
    cuts = {T0, billing.now_ns, *taken, *(instant for test in session.tests for instant in test)}
    cuts |= set(range(T0, billing.now_ns, MINUTE))
    highest, cumulative = 0, 0
    for begin, end in pairwise(sorted(cuts)):
        if begin in taken:
            cumulative, highest = cumulative + highest, 0
        if not any(since <= begin < until for since, until in session.tests):
            highest = max(highest, session.energy(begin, end) * 60)
    demand = billing.registers.demand
    assert demand is not None
    assert demand.maximum(0).value == highest
    assert demand.cumulative(0) == cumulative > 0
