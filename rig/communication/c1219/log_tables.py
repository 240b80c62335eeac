"""Decade 7: the two logs (ST70 to ST76; X-1, S-3), both of the meter's one journal, divided in monitored.py.

Codes are those of the meter's events, from 2048 on of our own. What belongs to an event is in MT4, in words; of the
event log an entry has the one number of it (event_arguments.py), as MT4 goes back no further than the history. An entry
has the same sequence number in both logs, its place in the journal; so EVENT_NUMBER, which other meters have for that,
is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rig.communication.c1219.event_arguments import ARGUMENT_BYTES, argument_of, arguments_in_words
from rig.communication.c1219.facts import LOG_LINES, Need
from rig.communication.c1219.layout import Array, Bit, BitField, Field, Layout, Ref, Sized, constant
from rig.communication.c1219.lists import ListNumber
from rig.communication.c1219.monitored import AUDITED_CODES, EVENT_CODES, own, standard
from rig.communication.c1219.table import Table, TableContents
from rig.communication.c1219.types import LTIME, U8, U16, U32, Binary, Numbers
from rig.daemon.protocol import NumberedEvent
from rig.meter.billing.source import Source

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
                    Bit("EVENT_NUMBER_FLAG", 0, 0, constant(0), "1: entries have an EVENT_NUMBER too"),
                    Bit("HIST_DATE_TIME_FLAG", 1, 1, constant(1), "ST74 has the time of each entry"),
                    Bit("HIST_SEQ_NBR_FLAG", 2, 2, constant(1), "and its sequence number"),
                    Bit("HIST_INHIBIT_OVF_FLAG", 3, 3, constant(0), "0: ST74 has the newest lines"),
                    Bit("EVENT_INHIBIT_OVF_FLAG", 4, 4, constant(0), "0: ST76 has the newest lines"),
                ),
            ),
        ),
        Field("NBR_STD_EVENTS", U8, constant(_bytes(standard(EVENT_CODES))), "bytes of the set"),
        Field("NBR_MFG_EVENTS", U8, constant(_bytes(own(EVENT_CODES))), "bytes of the set"),
        Field("HIST_DATA_LENGTH", U8, constant(0), "bytes of HISTORY_ARGUMENT"),
        Field("EVENT_DATA_LENGTH", U8, constant(ARGUMENT_BYTES), "bytes of EVENT_ARGUMENT"),
        Field("NBR_HISTORY_ENTRIES", U16, constant(LOG_LINES)),
        Field("NBR_EVENT_ENTRIES", U16, constant(LOG_LINES)),
    )
)

EVENTS = Layout(
    (
        Field(
            "STD_EVENTS_SUPPORTED",
            Sized(Numbers, Ref(71, "NBR_STD_EVENTS")),
            constant(standard(EVENT_CODES)),
            "standard codes that are logged",
        ),
        Field(
            "MFG_EVENTS_SUPPORTED",
            Sized(Numbers, Ref(71, "NBR_MFG_EVENTS")),
            constant(own(EVENT_CODES)),
            "our own: code − 2048",
        ),
    )
)


def _control(codes: frozenset[int]) -> Layout:
    """Lay out what a log monitors: events of these codes, and every table and procedure that anybody can write.

    A session at a port is logged as a whole, with whether it read, wrote and asked for procedures.
    """

    def events(size: str, numbers: frozenset[int], meaning: str) -> Field:
        return Field(f"{size[4:7]}_EVENTS_MONITORED", Sized(Numbers, Ref(71, size)), constant(numbers), meaning)

    def used(name: str, size: str, use: str, meaning: str) -> Field:
        return Field(name, Sized(Numbers, Ref(0, size)), lambda contents: getattr(contents.use, use), meaning)

    return Layout(
        (
            events("NBR_STD_EVENTS", standard(codes), "standard codes that this log has"),
            events("NBR_MFG_EVENTS", own(codes), "our own: code − 2048"),
            used("STD_TBLS_MONITORED", "DIM_STD_TBLS_USED", "standard_written", "whose writing is logged, by session"),
            used("MFG_TBLS_MONITORED", "DIM_MFG_TBLS_USED", "manufacturer_written", "likewise"),
            used("STD_PROC_MONITORED", "DIM_STD_PROC_USED", "procedures", "all that there are, by session"),
            used("MFG_PROC_MONITORED", "DIM_MFG_PROC_USED", "manufacturer_procedures", "likewise"),
        )
    )


# --- entries --------------------------------------------------------------------------------------------------

Lines = Callable[[TableContents], Sequence[NumberedEvent]]


def _of(value: Any) -> Any:
    """Make a source of an entry: 0 where there is none."""
    return lambda entry: 0 if entry[1] is None else value(entry[1])


def _user(event: NumberedEvent) -> int:
    return USERS.get(str(event.details.get("source", "")), 0)


def _record(prefix: str, argument: Field, *, time: Ref | None, sequence: Ref | None) -> Layout:
    """Lay out an entry; conditions of its time and its sequence number, None: always there."""
    return Layout(
        (
            Field(f"{prefix}_TIME", LTIME, lambda entry: entry[0], "local time", time),
            Field("EVENT_NUMBER", U16, constant(0), "of other meters", Ref(71, "LOG_FLAGS.EVENT_NUMBER_FLAG")),
            Field(
                f"{prefix}_SEQ_NBR",
                U16,
                _of(lambda event: event.number & 0xFFFF),
                "low 16 bits of its place in the journal",
                sequence,
            ),
            Field("USER_ID", U16, _of(_user), "0 the meter, 1 a person at it, 2 optical port, 3… others"),
            Field(f"{prefix}_CODE", U16, _of(lambda event: event.code), "bit 11: our own"),
            argument,
        )
    )


def _log(flags: str, lines: Lines, marked: ListNumber, entries: str, record: Layout) -> Layout:
    """Lay out a log: its state, and as many entries as ST71 says, those without an event zeros."""

    def all_entries(contents: TableContents) -> list[tuple[Any, NumberedEvent | None]]:
        local = contents.facts.local
        found: list[tuple[Any, NumberedEvent | None]] = [(local(event.utc_ns), event) for event in lines(contents)]
        return found + [(None, None)] * (LOG_LINES - len(found))

    def last(contents: TableContents) -> int:
        found = lines(contents)
        return found[-1].number if found else 0

    def unread(contents: TableContents) -> int:
        return contents.facts.marks.unread(marked, [event.number for event in lines(contents)])

    return Layout(
        (
            Field(
                flags,
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
            Field("NBR_VALID_ENTRIES", U16, lambda c: len(lines(c)), "those after are zeros"),
            Field("LAST_ENTRY_ELEMENT", U16, lambda c: max(len(lines(c)) - 1, 0)),
            Field("LAST_ENTRY_SEQ_NBR", U32, last, "its place in the journal, which grows, though not always by one"),
            Field("NBR_UNREAD_ENTRIES", U16, unread, "by procedures 4 and 5 of this port"),
            Field("ENTRIES", Array(Ref(71, entries), record), all_entries),
        )
    )


HISTORY = _log(
    "HIST_FLAGS",
    lambda c: c.facts.log,
    ListNumber.HISTORY,
    "NBR_HISTORY_ENTRIES",
    _record(
        "HISTORY",
        Field("HISTORY_ARGUMENT", Sized(Binary, Ref(71, "HIST_DATA_LENGTH")), constant(b"")),
        time=Ref(71, "LOG_FLAGS.HIST_DATE_TIME_FLAG"),
        sequence=Ref(71, "LOG_FLAGS.HIST_SEQ_NBR_FLAG"),
    ),
)

EVENT_LOG = _log(
    "EVENT_FLAGS",
    lambda c: c.facts.audited,
    ListNumber.EVENTS,
    "NBR_EVENT_ENTRIES",
    _record(
        "EVENT",
        Field(
            "EVENT_ARGUMENT",
            Sized(Binary, Ref(71, "EVENT_DATA_LENGTH")),
            lambda entry: bytes(ARGUMENT_BYTES) if entry[1] is None else argument_of(entry[1]),
            arguments_in_words(),
        ),
        time=None,
        sequence=None,
    ),
)

_IDENTITY = frozenset({Need.IDENTITY})

LOG_TABLES = (
    Table(70, "log dimensions", LOG_DIMENSIONS, "the most that ST71 can have, which is what it has"),
    Table(71, "actual log", LOG_DIMENSIONS, "what entries have, and how many there are"),
    Table(72, "events identification", EVENTS, "the kinds of event that are logged", (71,)),
    Table(73, "history log control", _control(EVENT_CODES), "what ST74 monitors: everything", (0, 71), _IDENTITY),
    Table(74, "history log", HISTORY, "the newest lines of the journal", (71,), frozenset({Need.PROGRAM, Need.LOG})),
    Table(75, "event log control", _control(AUDITED_CODES), "what ST76 monitors", (0, 71), _IDENTITY),
    Table(
        76,
        "event log",
        EVENT_LOG,
        "what an audit asks for: who did what, or tried to, power and clock",
        (71,),
        frozenset({Need.PROGRAM, Need.AUDITED}),
    ),
)
