"""Arguments of the event log's entries: the one number that belongs to a kind of event (ST76; decision 136)."""

from __future__ import annotations

from collections.abc import Mapping

from rig.daemon.protocol import NumberedEvent
from rig.meter.access import events as access
from rig.meter.billing import events as billing
from rig.meter.billing.log import LogEvent
from rig.meter.contacts.events import RelayOperated

ARGUMENT_BYTES = 4
"""An INT32."""

_LEAST, _MOST = -(1 << 31), (1 << 31) - 1

ARGUMENTS: Mapping[type[LogEvent], tuple[str, str]] = {
    billing.PowerUp: ("outage_s", "seconds without power"),
    billing.ClockSetTo: ("by_s", "seconds by which it was set"),
    billing.ClockSlewed: ("by_ms", "milliseconds by which it is slewed"),
    billing.DemandWasReset: ("resets", "number of resets"),
    billing.ResetRefused: ("wait_s", "seconds of lock-out left"),
    access.LoggedOn: ("level", "level"),
    access.LogOnFailed: ("failures", "wrong keys that count"),
    access.LogOnLockedOut: ("times", "times"),
    access.ActionRefused: ("times", "times"),
    access.ReadingRefused: ("times", "times"),
    access.PortRead: ("times", "times"),
    access.PortWritten: ("times", "times"),
    access.ProcedureInvoked: ("times", "times"),
    access.SessionEnded: ("times", "times"),
    access.SessionBrokeOff: ("times", "times"),
    access.PendingWritten: ("wait_s", "seconds until its time"),
    RelayOperated: ("for_ms", "milliseconds"),
}
"""The field of each kind of event that has a number, and what it is. All others have 0."""

_DETAILS = {kind.code: kind.named.get(name, name) for kind, (name, _) in ARGUMENTS.items()}


def argument_of(event: NumberedEvent) -> bytes:
    """Give an event's argument, INT32; 0 where it has none, the nearest for a number that has no room."""
    value = event.details.get(_DETAILS.get(event.code, ""))
    number = value if isinstance(value, int) else 0
    return min(max(number, _LEAST), _MOST).to_bytes(ARGUMENT_BYTES, "little", signed=True)


def arguments_in_words() -> str:
    """Say which number each event has, by codes, for documents."""
    by_meaning: dict[str, list[int]] = {}
    for kind, (_, meaning) in ARGUMENTS.items():
        by_meaning.setdefault(meaning, []).append(kind.code)
    said = "; ".join(f"{', '.join(map(str, sorted(codes)))} {meaning}" for meaning, codes in by_meaning.items())
    return f"INT32: {said}; others 0"
