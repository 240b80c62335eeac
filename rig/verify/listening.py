"""Listening to a meter for a while: its publications one by one, none of them lost unnoticed."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Container, Iterator
from typing import Any

from rig.daemon.client import ClientError, MeterClient
from rig.daemon.protocol import Dropped, EventsLogged
from rig.meter.billing.events import (
    ClockSetTo,
    ColdStarted,
    DataCleared,
    MasterResetDone,
    Programmed,
    TestModeBegan,
    TestModeEnded,
)
from rig.verify.errors import CountLost

POLL_S = 0.05
"""How long is waited for the meter's next publication, and how often a counter on a bus is read."""

SILENCE_S = 60.0
"""A meter publishes several times in each second of its own time: one that has been silent so long does not run."""

OUTPUTS_BEGIN_ANEW = frozenset(each.code for each in (Programmed, MasterResetDone, ColdStarted))
"""Events at which outputs drop the part of a pulse that they had: a count over one would find a closure missed."""

REGISTERS_PART = OUTPUTS_BEGIN_ANEW | {each.code for each in (DataCleared, TestModeBegan, TestModeEnded)}
"""Events at which registers begin anew, or others take the energy."""

INTERVALS_PART = REGISTERS_PART | {ClockSetTo.code}
"""Those, and the one at which an interval has another length than its clock says."""


def heard(
    client: MeterClient,
    over: Callable[[], bool],
    what: str,
    idle: Callable[[], None] = lambda: None,
    *,
    broken_by: Container[int] = OUTPUTS_BEGIN_ANEW,
) -> Iterator[Any]:
    """Give each publication until it is `over`. `what` breaks off, as in "the test". `idle` is called each
    POLL_S while there is none. `broken_by` are codes of events that end it, where Topic.EVENTS is subscribed to.

    Raises CountLost for a meter that is silent or gone, where publications were dropped, and at such an event.
    """
    heard_s = time.monotonic()
    try:
        while not over():
            if (message := client.poll()) is None:
                if time.monotonic() - heard_s > SILENCE_S:
                    raise CountLost(f"the meter at {client.path} publishes nothing: see with rig watch whether it runs")
                idle()
                select.select([client], [], [], POLL_S)
                continue
            heard_s = time.monotonic()
            if isinstance(message, Dropped):
                raise CountLost(
                    f"{message.count} publications of {message.topic.value} did not reach this client, which was too "
                    "slow: close what keeps the computer busy, and begin again"
                )
            if isinstance(message, EventsLogged):
                for event in message.events:
                    if event.code in broken_by:
                        raise CountLost(
                            f"{what} broke off, as the meter logged {event.name!r}: leave its program, clock, "
                            "test mode and data alone meanwhile, and begin again"
                        )
                continue
            yield message
    except ClientError as error:
        raise CountLost(f"{what} broke off, and nothing is known of the rest: {error}") from None
