"""Events that each of C12.19's two logs has, by their codes (ST72, ST73, ST75; X-1, S-3).

Both logs are of the one journal of the meter. The history log has all of it. The event log has what an audit asks for
(docs/decisions/125-two-logs.md): who did what to the meter, or tried to; power and clock; and what became of the
journal itself. What the meter does by itself, and what it finds of the installation, is in the history alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.meter.access import events as access_events
from rig.meter.billing import events as billing_events
from rig.meter.billing.log import LogEvent
from rig.meter.contacts import events as contact_events
from rig.meter.installation import events as installation_events
from rig.meter.measuring import events as measuring_events
from rig.service import events as service_events
from rig.store import events as store_events

FIRST_OWN = 2048
"""Codes from here on are this project's; those below are C12.19's."""

_WHERE_EVENTS_ARE = (
    access_events, billing_events, contact_events, installation_events, measuring_events, service_events, store_events,
)  # fmt: skip

_KINDS = tuple(
    kind
    for module in _WHERE_EVENTS_ARE
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, LogEvent) and hasattr(kind, "code")
)

EVENT_CODES = frozenset(kind.code for kind in _KINDS)
"""Codes of every kind of event that a meter logs, which is what the history log has."""

EVENT_NAMES: Mapping[int, str] = {kind.code: kind.label for kind in _KINDS}
"""Names of events by their codes: below 2048 C12.19's own, from there on this project's."""

_BY_THE_DOOR = tuple(kind for kind in _KINDS if kind.__module__ == access_events.__name__)

AUDITED: tuple[type[LogEvent], ...] = (
    *_BY_THE_DOOR,
    billing_events.PowerDown,
    billing_events.PowerUp,
    billing_events.ClockSetFrom,
    billing_events.ClockSetTo,
    billing_events.ClockSlewed,
    service_events.HostTimeDoubted,
    service_events.HostTimeBelieved,
    billing_events.Programmed,
    service_events.ConstantsWritten,
    service_events.BoardChanged,
    service_events.BoardForeign,
    billing_events.DemandWasReset,
    billing_events.ResetRefused,
    billing_events.DataCleared,
    billing_events.MasterResetDone,
    billing_events.ColdStarted,
    billing_events.TestModeBegan,
    billing_events.TestModeEnded,
    contact_events.RelayOperated,
    store_events.StoreDamaged,
    store_events.StoreAdopted,
)
"""Kinds of event that the event log has."""

AUDITED_CODES = frozenset(kind.code for kind in AUDITED)


def standard(codes: frozenset[int]) -> frozenset[int]:
    """Give the codes among some that are C12.19's."""
    return frozenset(code for code in codes if code < FIRST_OWN)


def own(codes: frozenset[int]) -> frozenset[int]:
    """Give the codes among some that are this project's, counted from 0."""
    return frozenset(code - FIRST_OWN for code in codes if code >= FIRST_OWN)
