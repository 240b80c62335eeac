"""Listening to a meter for a while: its publications one by one, none of them lost unnoticed."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from typing import Any

from rig.daemon.client import ClientError, MeterClient
from rig.daemon.protocol import Dropped
from rig.verify.errors import CountLost

POLL_S = 0.05
"""How long is waited for the meter's next publication, and how often a counter on a bus is read."""

SILENCE_S = 60.0
"""A meter publishes several times in each second of its own time: one that has been silent so long does not run."""


def heard(
    client: MeterClient, over: Callable[[], bool], what: str, idle: Callable[[], None] = lambda: None
) -> Iterator[Any]:
    """Give each publication until it is `over`. `what` breaks off, as in "the test". `idle` is called each
    POLL_S while there is none.

    Raises CountLost for a meter that is silent or gone, and where publications were dropped.
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
            yield message
    except ClientError as error:
        raise CountLost(f"{what} broke off, and nothing is known of the rest: {error}") from None
