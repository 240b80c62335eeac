"""Events of the meter for which its modem calls, as they are published (X-3)."""

from __future__ import annotations

import time
from collections.abc import Set
from pathlib import Path

from rig.daemon.client import ClientError, MeterClient
from rig.daemon.protocol import EventsLogged, Topic

AGAIN_S = 5.0
"""A meter that is not there is looked for so often."""

CONNECT_S = 1.0


class EventWatch:
    """The events of these names, of the meter at a socket."""

    def __init__(self, socket: Path, names: Set[str]) -> None:
        self._socket, self._names = socket, names
        self._client: MeterClient | None = None
        self._again_s = 0.0

    def happened(self) -> bool:
        """Say whether one of them has happened since; without waiting for a meter that is there."""
        if not self._names:
            return False
        found = False
        try:
            if self._client is None:
                if time.monotonic() < self._again_s:
                    return False
                self._again_s = time.monotonic() + AGAIN_S
                self._client = MeterClient.connect(self._socket, "modem", "events", CONNECT_S)
                self._client.subscribe(Topic.EVENTS)
            while (message := self._client.poll()) is not None:
                if isinstance(message, EventsLogged):
                    found |= any(event.name in self._names for event in message.events)
        except ClientError:
            self.close()
        return found

    def close(self) -> None:
        """Leave."""
        if self._client is not None:
            self._client.close()
            self._client = None
