"""Outcomes of requests that tables and procedures make of the meter, and steps made of such requests (X-1)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from rig.communication.c1219.codes import ProcedureResult
from rig.daemon.protocol import Asked
from rig.meter.access.decision import Refusal

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """Outcome of a request: its result; or the sentence of the refusal, whether a key could help, and the door's reason
    by its name in the log, as RequestRefused has them (rig/daemon/protocol.py)."""

    result: Any = None
    refused: str | None = None
    needs_key: bool = False
    why: str | None = None


Steps = Generator[Asked, Outcome, T]
"""Requests to carry out, one by one, and at the end what they come to."""


class RefusedRequest(Exception):
    """A request of the meter was refused: the steps end there."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.refused)
        self.outcome = outcome


def request(asked: Asked) -> Steps[Any]:
    """Ask for one thing and give its result. Raises RefusedRequest."""
    outcome = yield asked
    if outcome.refused is not None:
        raise RefusedRequest(outcome)
    return outcome.result


def carry_out(steps: Steps[T], ask: Callable[[Asked], Outcome]) -> T:
    """Carry out every request of some steps by `ask`, and give what they come to."""
    try:
        asked = next(steps)
        while True:
            asked = steps.send(ask(asked))
    except StopIteration as stop:
        found: T = stop.value
        return found


_AUTHORIZATION = {Refusal.SOURCE, Refusal.MODULE, Refusal.SEALED, Refusal.LEVEL}


def result_of(outcome: Outcome) -> ProcedureResult:
    """Give a procedure's result for a request that was refused: what the door refuses for who asks is no authorization,
    what it refuses for the state of the meter is a conflict; anything else is wrong with what was given, such as a time
    that is past."""
    if outcome.needs_key:
        return ProcedureResult.NO_AUTHORIZATION
    if outcome.why is None or Refusal(outcome.why) is Refusal.PAST:
        return ProcedureResult.INVALID_PARAMETER
    if Refusal(outcome.why) in _AUTHORIZATION:
        return ProcedureResult.NO_AUTHORIZATION
    return ProcedureResult.CONFLICTS_WITH_SETUP
