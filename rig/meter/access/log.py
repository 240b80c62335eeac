"""The door's entries for the event log, so few that nobody can push older ones out of it by asking (S-1)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from rig.meter.access.events import (
    AccessEvent,
    ActionRefused,
    LoggedOn,
    LogOnLockedOut,
    PortRead,
    PortWritten,
    ProcedureInvoked,
    ReadingRefused,
    SessionBrokeOff,
    SessionEnded,
)
from rig.meter.billing.time_units import SECOND_NS

QUIET_NS = 600 * SECOND_NS
"""For so long an event that differs in its time only is counted and not written again."""

COUNTED = (
    LoggedOn, LogOnLockedOut, ActionRefused, ReadingRefused, PortRead, PortWritten, ProcedureInvoked, SessionEnded,
    SessionBrokeOff,
)  # fmt: skip
"""Events that whoever asks can repeat as often as he likes."""

MOST_KINDS = 256
"""Events remembered as written, the oldest first out."""


class AccessLog:
    """Entries not yet taken. Those of COUNTED that repeat come once in QUIET_NS.

    What is remembered of them does not outlive a power cycle: then the first one is written anew.
    """

    def __init__(self) -> None:
        self._waiting: list[AccessEvent] = []
        self._written: dict[Hashable, tuple[int, int]] = {}

    def add(self, event: AccessEvent) -> None:
        """Write an event down, or count it."""
        if not isinstance(event, COUNTED):
            self._waiting.append(event)
            return
        kind = (type(event), replace(event, utc_ns=0))
        written_ns, unwritten = self._written.pop(kind, (None, 0))
        if written_ns is not None and 0 <= event.utc_ns - written_ns < QUIET_NS:
            self._written[kind] = written_ns, unwritten + 1
            return
        self._waiting.append(replace(event, times=unwritten + 1))
        self._written[kind] = event.utc_ns, 0
        if len(self._written) > MOST_KINDS:
            del self._written[next(iter(self._written))]

    def take(self) -> list[AccessEvent]:
        """Give the entries since the last call, in order."""
        taken, self._waiting = self._waiting, []
        return taken

    def move_clock(self, by_ns: int) -> None:
        """The meter's clock was set, forward by so much."""
        self._written = {kind: (written_ns + by_ns, count) for kind, (written_ns, count) in self._written.items()}
