"""Tables of a program that waits: ST4, the pending status, and MT6, which program it is (X-1).

What waits is always the program, written as MT0 in its pending form; docs/decisions/127-pending-programs.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from rig.communication.c1219.facts import MeterFacts, Need
from rig.communication.c1219.layout import Array, Bit, BitField, Field, Layout, Ref, Remainder, Sized, constant
from rig.communication.c1219.log_tables import USERS
from rig.communication.c1219.pending_event import EVENT, EVENT_SIZE, PendingEvent
from rig.communication.c1219.session_tables import STAGED_PROGRAM
from rig.communication.c1219.table import MANUFACTURER, Table, TableContents
from rig.communication.c1219.types import LTIME, STIME, U8, U16, Numbers, Text
from rig.daemon.protocol import WaitingProgram

MOST_PENDING = 1
"""Programs that can wait at a time: NBR_PENDING."""


@dataclass(frozen=True)
class _Entry:
    """An entry of ST4: its EVENT record, and whether it is one of a program."""

    event: bytes
    there: bool


def event_of(facts: MeterFacts, waiting: WaitingProgram) -> PendingEvent:
    """Give when a program is to be activated, as ST4 has it and procedures 13 and 15 name it."""
    local = facts.local(waiting.at_utc_ns)
    return PendingEvent() if local is None else PendingEvent(local=local.replace(second=0, microsecond=0))


def _entries(contents: TableContents) -> list[_Entry]:
    facts = contents.facts
    waiting = facts.pending.waiting
    if waiting is None:
        return [_Entry(bytes(EVENT_SIZE), False)] * MOST_PENDING
    return [_Entry(event_of(facts, waiting).record, True)]


STATUS = Layout(
    (
        Field(
            "STD_PENDING_SUPPORTED", Sized(Numbers, Ref(0, "DIM_STD_TBLS_USED")), constant(frozenset()), "none can wait"
        ),
        Field(
            "MFG_PENDING_SUPPORTED",
            Sized(Numbers, Ref(0, "DIM_MFG_TBLS_USED")),
            constant(frozenset({STAGED_PROGRAM - MANUFACTURER})),
            "MT0, the program",
        ),
        Field(
            "LAST_ACTIVATION_DATE_TIME",
            STIME,
            lambda c: c.facts.local(c.facts.pending.activated_utc_ns),
            "of a program that had waited; zeros: none ever",
        ),
        Field("NBR_PENDING_ACTIVATION", U8, lambda c: int(c.facts.pending.waiting is not None), "that wait now"),
        Field(
            "PENDING_TABLES",
            Array(
                Ref(0, "NBR_PENDING"),
                Layout(
                    (
                        Field("EVENT", EVENT, lambda entry: entry.event),
                        Field(
                            "TABLE_SELECTOR",
                            BitField(
                                2,
                                (
                                    Bit("TBL_NBR", 0, 10, constant(STAGED_PROGRAM - MANUFACTURER)),
                                    Bit("STD_VS_MFG_FLAG", 11, 11, lambda entry: entry.there),
                                    Bit("PENDING_FLAG", 12, 12, lambda entry: entry.there),
                                ),
                            ),
                        ),
                    )
                ),
            ),
            _entries,
            "zeros where none waits",
        ),
    )
)


def _waiting(contents: TableContents) -> WaitingProgram:
    found = contents.facts.pending.waiting
    assert found is not None
    return found


_WAITS = Ref(None, "WAITING")

PENDING_PROGRAM = Layout(
    (
        Field("WAITING", U8, lambda c: c.facts.pending.waiting is not None, "1: a program waits"),
        Field("DIGEST", Text(12), lambda c: _waiting(c).digest, "as the display has it once it is in force", _WAITS),
        Field(
            "ACTIVATION_TIME",
            LTIME,
            lambda c: c.facts.local(_waiting(c).at_utc_ns),
            "local time; zeros: when it is asked for",
            _WAITS,
        ),
        Field("WRITTEN_TIME", LTIME, lambda c: c.facts.local(_waiting(c).written_utc_ns), "local time", _WAITS),
        Field("USER_ID", U16, lambda c: USERS.get(_waiting(c).source, 0), "who wrote it, as in ST74", _WAITS),
        Field("LEVEL", U8, lambda c: _waiting(c).level, "that was proven then", _WAITS),
        Field(
            "TABLES",
            Remainder(),
            lambda c: msgspec.json.encode(_waiting(c).file),
            "docs/program.md's tables as JSON, without keys",
            _WAITS,
        ),
    )
)

_NEEDS = frozenset({Need.PROGRAM, Need.PENDING})

PENDING_TABLES = (
    Table(4, "pending status", STATUS, "whether a program waits, and until when", (0,), _NEEDS),
    Table(MANUFACTURER + 6, "pending program", PENDING_PROGRAM, "the program that waits", (), _NEEDS),
)
