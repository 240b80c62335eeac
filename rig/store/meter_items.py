"""Events of a meter as items of its store's history."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from rig.meter.billing.billing import MeterEvent
from rig.meter.billing.events import EndOfInterval, ProfileWords
from rig.meter.billing.log import LogEvent, details
from rig.meter.billing.snapshot import Snapshot
from rig.store.items import EventItem, Item, SnapshotItem, WordsItem


def items_of(events: Iterable[MeterEvent], recording: int) -> list[Item]:
    """Return the items that go to the history. An end of interval does not: its result is in registers and profile."""
    items: list[Item] = []
    for happening in events:
        match happening:
            case LogEvent():
                belongs = msgspec.json.encode(details(happening)).decode()
                items.append(EventItem(happening.utc_ns, happening.code, happening.label, belongs))
            case Snapshot():
                registers = msgspec.json.encode(happening).decode()
                items.append(SnapshotItem(happening.utc_ns, happening.cause.value, registers))
            case ProfileWords():
                items.append(WordsItem(recording, happening.first, happening.words))
            case EndOfInterval():
                pass
    return items
