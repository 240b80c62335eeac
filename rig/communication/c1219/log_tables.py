"""Decade 7: the log (ST70 to ST72, ST74; X-1, S-3). The meter has one log, which is C12.19's history log.

Codes are those of the meter's events, from 2048 on of our own. What belongs to an event is in MT4, in words.
"""

from __future__ import annotations

from typing import Any

from rig.communication.c1219.facts import LOG_LINES, Need
from rig.communication.c1219.layout import Array, Bit, BitField, Field, Layout, Ref, Sized, constant
from rig.communication.c1219.lists import ListNumber
from rig.communication.c1219.table import MANUFACTURER, Table, TableContents
from rig.communication.c1219.types import LTIME, U8, U16, U32, Numbers
from rig.daemon.protocol import NumberedEvent
from rig.meter.access import events as access_events
from rig.meter.billing import events as billing_events
from rig.meter.billing.log import LogEvent
from rig.meter.billing.source import Source
from rig.meter.contacts import events as contact_events
from rig.meter.installation import events as installation_events
from rig.meter.measuring import events as measuring_events
from rig.service import events as service_events
from rig.store import events as store_events

_WHERE_EVENTS_ARE = (
    access_events, billing_events, contact_events, installation_events, measuring_events, service_events, store_events,
)  # fmt: skip

EVENT_CODES = frozenset(
    kind.code
    for module in _WHERE_EVENTS_ARE
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, LogEvent) and hasattr(kind, "code")
)
"""Codes of every kind of event that a meter logs."""

STANDARD_EVENTS = frozenset(code for code in EVENT_CODES if code < MANUFACTURER)
OWN_EVENTS = frozenset(code - MANUFACTURER for code in EVENT_CODES if code >= MANUFACTURER)

USERS: dict[str, int] = {
    Source.FRONT.value: 1,
    Source.OPTICAL.value: 2,
    Source.RS232.value: 3,
    Source.RS485.value: 4,
    Source.MODEM.value: 5,
    Source.MODULE.value: 6,
    Source.PANEL.value: 7,
    Source.VERIFICATION.value: 8,
    Source.COMMAND_LINE.value: 9,
}
"""USER_ID by the source of an event: 1 is a person at the meter; 0, of all others, the meter itself."""


def _bytes(numbers: frozenset[int]) -> int:
    return max(numbers) // 8 + 1


LOG_DIMENSIONS = Layout(
    (
        Field(
            "LOG_FLAGS",
            BitField(
                1,
                (
                    Bit("EVENT_NUMBER_FLAG", 0, 0, constant(0)),
                    Bit("HIST_DATE_TIME_FLAG", 1, 1, constant(1), "ST74 has the time of each entry"),
                    Bit("HIST_SEQ_NBR_FLAG", 2, 2, constant(1), "and its sequence number"),
                    Bit("HIST_INHIBIT_OVF_FLAG", 3, 3, constant(0), "0: ST74 has the newest lines"),
                    Bit("EVENT_INHIBIT_OVF_FLAG", 4, 4, constant(0)),
                ),
            ),
        ),
        Field("NBR_STD_EVENTS", U8, constant(_bytes(STANDARD_EVENTS)), "bytes of the set"),
        Field("NBR_MFG_EVENTS", U8, constant(_bytes(OWN_EVENTS)), "bytes of the set"),
        Field("HIST_DATA_LENGTH", U8, constant(0)),
        Field("EVENT_DATA_LENGTH", U8, constant(0)),
        Field("NBR_HISTORY_ENTRIES", U16, constant(LOG_LINES)),
        Field("NBR_EVENT_ENTRIES", U16, constant(0), "there is no second log"),
    )
)

EVENTS = Layout(
    (
        Field(
            "STD_EVENTS_SUPPORTED",
            Sized(Numbers, Ref(71, "NBR_STD_EVENTS")),
            constant(STANDARD_EVENTS),
            "standard codes that are logged",
        ),
        Field(
            "MFG_EVENTS_SUPPORTED",
            Sized(Numbers, Ref(71, "NBR_MFG_EVENTS")),
            constant(OWN_EVENTS),
            "our own: code − 2048",
        ),
    )
)


def _user(event: NumberedEvent) -> int:
    return USERS.get(str(event.details.get("source", "")), 0)


def _entries(contents: TableContents) -> list[tuple[Any, NumberedEvent | None]]:
    facts = contents.facts
    found: list[tuple[Any, NumberedEvent | None]] = [(facts.local(event.utc_ns), event) for event in facts.log]
    return found + [(None, None)] * (LOG_LINES - len(found))


def _of(value: Any) -> Any:
    """Make a source of an entry: 0 where there is none."""
    return lambda entry: 0 if entry[1] is None else value(entry[1])


def _last(contents: TableContents) -> int:
    return contents.facts.log[-1].number if contents.facts.log else 0


def _unread(contents: TableContents) -> int:
    return contents.facts.marks.unread(ListNumber.HISTORY, [event.number for event in contents.facts.log])


HISTORY = Layout(
    (
        Field(
            "HIST_FLAGS",
            BitField(
                1,
                (
                    Bit("ORDER_FLAG", 0, 0, constant(0), "0: oldest first"),
                    Bit("OVERFLOW_FLAG", 1, 1, constant(0)),
                    Bit("LIST_TYPE_FLAG", 2, 2, constant(0)),
                    Bit("INHIBIT_OVERFLOW_FLAG", 3, 3, constant(0)),
                ),
            ),
        ),
        Field("NBR_VALID_ENTRIES", U16, lambda c: len(c.facts.log), "those after are zeros"),
        Field("LAST_ENTRY_ELEMENT", U16, lambda c: max(len(c.facts.log) - 1, 0)),
        Field("LAST_ENTRY_SEQ_NBR", U32, _last, "its place in the history, which grows, though not always by one"),
        Field("NBR_UNREAD_ENTRIES", U16, _unread, "by procedures 4 and 5 of this port"),
        Field(
            "ENTRIES",
            Array(
                Ref(71, "NBR_HISTORY_ENTRIES"),
                Layout(
                    (
                        Field(
                            "HISTORY_TIME",
                            LTIME,
                            lambda entry: entry[0],
                            "local time",
                            Ref(71, "LOG_FLAGS.HIST_DATE_TIME_FLAG"),
                        ),
                        Field(
                            "HISTORY_SEQ_NBR",
                            U16,
                            _of(lambda event: event.number & 0xFFFF),
                            "low 16 bits",
                            Ref(71, "LOG_FLAGS.HIST_SEQ_NBR_FLAG"),
                        ),
                        Field("USER_ID", U16, _of(_user), "0 the meter, 1 a person at it, 2 optical port, 3… others"),
                        Field("HISTORY_CODE", U16, _of(lambda event: event.code), "bit 11: our own"),
                    )
                ),
            ),
            _entries,
        ),
    )
)

LOG_TABLES = (
    Table(70, "log dimensions", LOG_DIMENSIONS, "the most that ST71 can have, which is what it has"),
    Table(71, "actual log", LOG_DIMENSIONS, "what entries have, and how many there are"),
    Table(72, "events identification", EVENTS, "the kinds of event that are logged", (71,)),
    Table(74, "history log", HISTORY, "the newest lines of the log", (71,), frozenset({Need.PROGRAM, Need.LOG})),
)
