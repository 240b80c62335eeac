"""Waiting for a state, and watching one: the answer is data, and the caller decides what it means.

`within_s` is measured from the instant of the last action. Expecting something after the rig was run beyond that time
is an error (DeadlinePast), whether it was seen or not: a test that asks too late asks the wrong thing (review A-13).
What an action itself takes, as a person's hand does, is no such run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Generic, Protocol, TypeVar

from rig.bench.action_log import LoggedAction, actions_text, time_text
from rig.bench.clock import LOOK_NS
from rig.bench.errors import DeadlinePast, WrongArgument
from rig.bench.history import Observation, StateHistory
from rig.bench.rig import Rig
from rig.meter.billing.time_units import SECOND_NS

LISTED = 5
"""States that a result has, the last ones."""

WATCHED_S = 10.0
"""A long watch is looked over in parts of this length, so that not all of it needs to be kept."""


class Described(Protocol):
    """A state that has a line of text."""

    @property
    def text(self) -> str: ...


S = TypeVar("S", bound=Described)


@dataclass(frozen=True, slots=True)
class ExpectationResult(Generic[S]):
    """The outcome of an expectation, `expected` in words. Instants are ns of the rig's clock.

    `met` is whether it was met. `after_s`: if it was awaited and met, how long after the last action it came.
    `decided_by` is the state that met what was awaited, or broke what was watched; None: none did. `seen` are the last
    states from `from_ns` to `until_ns`, of which there were `unlisted` more. `actions` were the last ones.
    """

    expected: str
    met: bool
    after_s: float | None
    decided_by: Observation[S] | None
    from_ns: int
    until_ns: int
    seen: tuple[Observation[S], ...]
    unlisted: int
    actions: tuple[LoggedAction, ...]
    begin_ns: int

    @property
    def text(self) -> str:
        """Lines with the expectation, the states seen and since when, and the last actions."""
        more = [f"  ({self.unlisted} before)"] if self.unlisted else []
        seen = [f"  since {time_text(each.since_ns, self.begin_ns):>12}  {each.state.text}" for each in self.seen]
        return "\n".join(
            [
                self.expected,
                f"there was, up to {time_text(self.until_ns, self.begin_ns)}:",
                *more,
                *seen,
                "last acts:",
                actions_text(self.actions, self.begin_ns),
            ]
        )


def await_state(
    rig: Rig, history: StateHistory[S], holds: Callable[[S], bool], within_s: float | None, expected: str
) -> ExpectationResult[S]:
    """Run the rig until a state holds, at most until `within_s` after the last action; None: look at the present.

    Raises DeadlinePast where the rig was run beyond that time, NoLongerKept where the states of that time are not known
    any more, WrongArgument for a time below 0.
    """
    action = rig.actions.last
    if within_s is None:
        now_ns, last = rig.now_ns, history.last
        expected = f"expected now, at {rig.actions.time(now_ns)}: {expected}"
        return _result(rig, history, expected, last if holds(last.state) else None, action.at_ns, now_ns)
    if not (isfinite(within_s) and within_s >= 0):
        raise WrongArgument(f"nothing comes within {within_s:g} s: give 0 or more")
    until_ns = action.at_ns + round(within_s * SECOND_NS)
    if rig.ran_to_ns > until_ns:
        least_s = (rig.ran_to_ns - action.at_ns) / SECOND_NS
        raise DeadlinePast(
            f"within {within_s:g} s of {rig.actions.time(action.at_ns)}, when {action.text}, is past: the rig ran to "
            f"{rig.actions.time(rig.ran_to_ns)} before {expected} was expected; give at least {least_s:g} s, or expect "
            "it earlier"
        )
    looked_ns = action.at_ns
    while True:
        now_ns = rig.now_ns
        for each in history.between(looked_ns, until_ns):
            if holds(each.state):
                return _result(rig, history, expected, each, action.at_ns, max(each.since_ns, action.at_ns))
        if now_ns >= until_ns:
            break
        looked_ns = now_ns
        rig.run_on_to(min(now_ns + LOOK_NS, until_ns))
    expected = f"expected within {within_s:g} s of {rig.actions.time(action.at_ns)}, when {action.text}: {expected}"
    return _result(rig, history, expected, None, action.at_ns, until_ns)


def watch_state(
    rig: Rig, history: StateHistory[S], holds: Callable[[S], bool], for_s: float, expected: str
) -> ExpectationResult[S]:
    """Run the rig for so long, and see whether a state holds all the time, from now on.

    Raises NoLongerKept where states change too often to be looked over, WrongArgument for a time below 0.
    """
    begin_ns, until_ns = rig.now_ns, rig.clock.after_ns(for_s)
    broken: Observation[S] | None = None
    now_ns = begin_ns
    while True:
        from_ns = now_ns
        rig.run_on_to(min(from_ns + round(WATCHED_S * SECOND_NS), until_ns))
        now_ns = rig.now_ns
        if broken is None:
            broken = next((each for each in history.between(from_ns, now_ns) if not holds(each.state)), None)
        if now_ns >= until_ns:
            break
    seen, unlisted = history.latest(begin_ns, now_ns, LISTED)
    expected = f"expected for {for_s:g} s from {rig.actions.time(begin_ns)} on: {expected}"
    return ExpectationResult(
        expected, broken is None, None, broken, begin_ns, now_ns, seen, unlisted, rig.actions.recent, rig.begin_ns
    )


def _result(
    rig: Rig, history: StateHistory[S], expected: str, met_by: Observation[S] | None, from_ns: int, until_ns: int
) -> ExpectationResult[S]:
    seen, unlisted = history.latest(min(from_ns, until_ns), until_ns, LISTED)
    after_s = None if met_by is None else (max(met_by.since_ns, from_ns) - from_ns) / SECOND_NS
    met = met_by is not None
    return ExpectationResult(
        expected, met, after_s, met_by, from_ns, until_ns, seen, unlisted, rig.actions.recent, rig.begin_ns
    )
