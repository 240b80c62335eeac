"""A program written to a meter to wait, and what waits there (X-2; docs/access.md, "A program that waits").

It is staged in the pending form of MT0, an EVENT record before its text, and procedure MP0 has the meter check it. What
waits is in ST4, which other makers' meters have too, and which program it is in MT6, our own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from zlib import crc32

from rig.communication.c1219.layout import Values
from rig.communication.c1219.pending_event import EVENT_SIZE, PendingEvent
from rig.communication.c1219.session_tables import MOST_PROGRAM, PENDING_PROGRAM
from rig.communication.c1219.table import MANUFACTURER
from rig.communication.c1219.types import TableError
from rig.errors import RigError
from rig.program.build import Program
from rig.reader.conversation import Conversation, MeterSilent, ServiceRefused
from rig.reader.decoded import CONFIGURATION, Decoded
from rig.reader.line import MeterLineError
from rig.reader.meter import MeterAccess, MeterSession
from rig.reader.meter_program import NotWritten, ProgramError, Progress
from rig.reader.procedures import carry_out, done, formats_of
from rig.reader.table_programmer import WRITE_PROGRAM, TableProgrammer, write_in_parts

STATUS, WHICH = 4, MANUFACTURER + 6
ASKED = "asked"
"""Word for a program that waits until its activation is asked for."""


def event_at(text: str) -> PendingEvent:
    """Give when a program is to be activated. Raises ProgramError for what is no local time to the minute."""
    if text == ASKED:
        return PendingEvent()
    try:
        local = datetime.fromisoformat(text)
        if local.tzinfo is not None or local.second or local.microsecond:
            raise ValueError
        event = PendingEvent(local=local)
        _ = event.record
    except ValueError:
        raise ProgramError(
            f"the time is {text!r}, it must be {ASKED}, or to the minute as the meter's clock shows it, such as "
            "2027-01-01T00:00"
        ) from None
    return event


def write_pending(access: MeterAccess, program: Program, text: bytes, event: PendingEvent, progress: Progress) -> str:
    """Have a program wait, and give the sentence that says until when.

    Raises NotWritten where nobody knows whether it waits; ProgramError for a text that no meter has room for;
    ProcedureRefused with the meter's own sentence, and other errors of a session: then nothing waits that did not
    before.
    """
    if EVENT_SIZE + len(text) > MOST_PROGRAM:
        raise ProgramError(
            f"the program's text has {len(text)} bytes, a meter takes {MOST_PROGRAM - EVENT_SIZE}: shorten it"
        )
    data, asked = event.record + text, False
    try:
        with access.session(needs_password=True) as meter:
            tables = meter.tables
            TableProgrammer(tables).in_force()  # it is one of ours
            formats = formats_of(tables)
            write_in_parts(tables, PENDING_PROGRAM, data, progress)
            asked = True
            answer = carry_out(
                tables, WRITE_PROGRAM, struct.pack("<II", len(data), crc32(data)), formats, manufacturer=True
            )
            asked = answer.result == 0
            done(answer, "the program does not wait, the meter did not take it")
            found = _decoded(tables)
            waiting = found.values(WHICH)
            if waiting.get("DIGEST") != program.digest:
                raise NotWritten(
                    "the meter says that the program waits, and another does: see by rig meter PORT pending"
                )
            return f"written: {_of_ours(waiting)}"
    except (MeterSilent, MeterLineError, ServiceRefused) as error:
        if not asked:
            raise
        raise NotWritten(f"{error}. Nobody knows whether the program waits: see by rig meter PORT pending") from None


def pending(session: MeterSession, value: str | None) -> str:
    """Say what waits in a meter, ours or another's. Raises ServiceRefused, MeterSilent, MeterLineError."""
    decoded = _decoded(session.tables)
    try:
        status = decoded.values(STATUS)
    except TableError as error:
        raise MeterSilent(f"what waits in the meter (ST4) is not understood: {error}") from None
    waiting = decoded.maybe(WHICH)
    said = [_of_ours(waiting)] if waiting is not None and waiting["WAITING"] else list(_entries(status))
    last = status["LAST_ACTIVATION_DATE_TIME"]
    said += [] if last is None else [f"last activation {last:%Y-%m-%d %H:%M}"]
    return "; ".join(said)


class NothingWaits(RigError):
    """A program that was to be activated, and none waits."""

    status = 1


def of_pending(number: int, sentence: str, *, needs_one: bool) -> Callable[[MeterSession, str | None], str]:
    """Make an action that a procedure is, on what waits. Where nothing does, the action raises NothingWaits if it
    `needs_one`, else says so."""

    def run(session: MeterSession, value: str | None) -> str:
        tables = session.tables
        before = _decoded(tables).maybe(STATUS)
        done(carry_out(tables, number, b"", formats_of(tables)), sentence)
        none = before is not None and not before["NBR_PENDING_ACTIVATION"]
        if none and needs_one:
            raise NothingWaits(f"{sentence}: nothing waits; rig write PORT PROGRAM --at asked has one wait")
        return f"{sentence}: nothing waits" if none else f"{sentence}: done"

    return run


def _decoded(tables: Conversation) -> Decoded:
    found = {number: tables.read(number) for number in (CONFIGURATION, STATUS)}
    if Decoded(found).ours:
        with suppress(ServiceRefused):  # it takes a password
            found[WHICH] = tables.read(WHICH)
    return Decoded(found)


def _of_ours(waiting: Values) -> str:
    at = waiting["ACTIVATION_TIME"]
    until = "until its activation is asked for" if at is None else f"until {at:%Y-%m-%d %H:%M:%S}"
    return f"program {waiting['DIGEST']} waits {until}"


def _entries(status: Values) -> Iterator[str]:
    """Give what waits by ST4 alone."""
    count = status["NBR_PENDING_ACTIVATION"]
    if not count:
        yield "nothing waits"
    for entry in status["PENDING_TABLES"][:count]:
        which, event = entry["TABLE_SELECTOR"], entry["EVENT"]
        kind = "MT" if which["STD_VS_MFG_FLAG"] else "ST"
        code, storage = event["EVENT_SELECTOR"]["EVENT_CODE"], event["EVENT_STORAGE"]
        yield f"{kind}{which['TBL_NBR']} waits {_until(code, storage)}"


def _until(code: int, storage: bytes) -> str:
    try:
        local = PendingEvent.decoded(bytes((code,)) + storage).local
    except TableError:
        local = None
    return f"until {local:%Y-%m-%d %H:%M}" if local is not None else f"for event {code} {storage.hex()}"
