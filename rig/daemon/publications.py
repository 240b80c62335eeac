"""Events of the meter as they are published (rig/daemon/protocol.py)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rig.daemon.protocol import EventsLogged, LoggedEvent
from rig.meter.billing.billing import MeterEvent
from rig.store.items import EventItem
from rig.store.meter_items import items_of


def logged(events: Sequence[MeterEvent]) -> EventsLogged | None:
    """Give the lines of the event log among what happened, as the history has them; None: there is none."""
    lines = [item for item in items_of(events, 0) if isinstance(item, EventItem)]
    if not lines:
        return None
    return EventsLogged(
        [LoggedEvent(line.utc_ns, line.code, line.name, msgspec.json.decode(line.details)) for line in lines]
    )
