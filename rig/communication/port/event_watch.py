"""Events of the meter for which its modem calls: as they are published, and once from its log (X-3).

What was logged while nobody listened, such as the power up with which a meter begins before its ports do, is not
published again. So the log is looked at too, once for each connection, some seconds after it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Set
from pathlib import Path

import msgspec

from rig.daemon.client import ClientError, MeterClient, RequestRefusedError
from rig.daemon.protocol import EventsLogged, LoggedEvent, LogPage, NumberedEvent, ReadLog, ReadState, Topic

AGAIN_S = 5.0
"""A meter that is not there is looked for so often."""

CONNECT_S = 1.0

LOOK_S = 10.0
"""A line is in the log that the store has so long after it happened, at the latest (rig/store/writer.py)."""

MISSED_NS = 60 * 10**9
"""A port that has begun takes what happened so long before for missed: it begins with the meter, or after it."""

LINES = 64


class EventWatch:
    """The events of these names, of the meter at a socket; each is noticed once.

    `look_s` is how long after it has connected the log is looked at.
    """

    def __init__(self, socket: Path, names: Set[str], look_s: float = LOOK_S) -> None:
        self._socket, self._names, self._look_s = socket, names, look_s
        self._client: MeterClient | None = None
        self._again_s = 0.0
        self._look_at_s: float | None = None
        self._seen_ns: int | None = None
        """Everything up to here was noticed, by the meter's clock."""
        self._connected_ns = 0

    def happened(self) -> bool:
        """Say whether one of them has happened since; without waiting for a meter that is there."""
        if not self._names:
            return False
        try:
            if self._client is None:
                if time.monotonic() < self._again_s:
                    return False
                self._connect()
            assert self._client is not None
            found = False
            while (message := self._client.poll()) is not None:
                if isinstance(message, EventsLogged):
                    found |= self._among(message.events)
                    self._seen_ns = max([self._seen_ns or 0, *(event.utc_ns for event in message.events)])
            return found or self._in_log()
        except ClientError:
            self.close()
            return False

    def close(self) -> None:
        """Leave."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connect(self) -> None:
        self._again_s = time.monotonic() + AGAIN_S
        self._client = MeterClient.connect(self._socket, "modem", "events", CONNECT_S)
        self._client.subscribe(Topic.EVENTS)
        self._look_at_s = time.monotonic() + self._look_s

    def _in_log(self) -> bool:
        """Look at the log, once for a connection, at what happened before it."""
        if self._look_at_s is None or time.monotonic() < self._look_at_s:
            return False
        self._look_at_s = None
        try:
            with MeterClient.connect(self._socket, "command line", "events", CONNECT_S) as client:
                now_ns = int(client.ask(ReadState(), CONNECT_S)["utc_ns"])
                lines = msgspec.convert(client.ask(ReadLog(LINES), CONNECT_S), LogPage).events
        except (RequestRefusedError, msgspec.ValidationError):  # it keeps no log
            return False
        begin_ns = now_ns - round(self._look_s * 1e9) - MISSED_NS if self._seen_ns is None else self._seen_ns
        self._seen_ns = now_ns
        return self._among(line for line in lines if line.utc_ns > begin_ns)

    def _among(self, events: Iterable[LoggedEvent | NumberedEvent]) -> bool:
        return any(event.name in self._names for event in events)
