"""A program written to a meter, whole or not at all, and what the meter has in the end (X-2, decision 097).

The text is staged in MT0 part by part, which changes nothing; procedure MP0 then has the meter check and apply it at
once. Until MP0 is asked the meter has the program it had. If the line breaks after that, nobody knows until the meter
says: MT1 has the program in force, and is read again.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any
from zlib import crc32

import msgspec

from rig.communication.c1219.session_tables import MOST_PROGRAM, STAGED_PROGRAM
from rig.communication.c1219.table import MANUFACTURER
from rig.communication.c1219.types import TableError
from rig.errors import RigError
from rig.program.build import Program
from rig.program.written import public_file
from rig.reader.connecting import WrongPassword
from rig.reader.conversation import MOST_PIECE, Conversation, MeterSilent, Refused
from rig.reader.decoded import CONFIGURATION, Decoded
from rig.reader.line import LineError
from rig.reader.meter import MeterAccess, NoTables
from rig.reader.procedures import carry_out, done, formats_of

PROGRAM_IN_FORCE = MANUFACTURER + 1
WRITE_PROGRAM = 0
"""Manufacturer procedure."""

LOOKS = 3
"""After a break the meter is looked for so often."""

LOOK_AGAIN_S = 8.0
"""Pause before that: the session that broke is over by its time-out of 6 s."""

Progress = Callable[[int, int], None]
"""Called with how many bytes are staged, of how many."""


class ProgramError(RigError):
    """A program that no meter takes, or a meter that takes no program of ours."""


class NotWritten(RigError):
    """A program that the meter does not have, or of which nobody knows."""

    status = 1


class InForce(Enum):
    """Program that a meter has, after an attempt to write one."""

    NEW = "new"
    OLD = "old"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class MeterProgram:
    """Program in a meter: its digest, and its tables without keys."""

    digest: str
    tables: dict[str, Any]

    def is_of(self, program: Program) -> bool:
        """Say whether it is a file's program, but for keys, which no meter gives."""
        return self.digest == program.digest and self.tables == _public(program)


def program_of(conversation: Conversation) -> MeterProgram:
    """Read the program that a meter has. Raises Refused, MeterSilent, ProgramError for a meter that is not ours."""
    decoded = Decoded({CONFIGURATION: conversation.read(CONFIGURATION)})
    if not decoded.ours:
        raise ProgramError("the meter is of another maker: only this rig's own meters take its programs")
    data = conversation.read(PROGRAM_IN_FORCE)
    try:
        values = Decoded({CONFIGURATION: conversation.read(CONFIGURATION), PROGRAM_IN_FORCE: data}).values(
            PROGRAM_IN_FORCE
        )
        return MeterProgram(values["DIGEST"], msgspec.json.decode(values["TABLES"], type=dict[str, Any]))
    except (TableError, msgspec.DecodeError) as error:
        raise MeterSilent(f"the meter's program (MT1) is not understood: {error}") from None


def _public(program: Program) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(public_file(program.file)))
    return found


def key_of_program(program: Program) -> bytes:
    """Give the key that a meter with a program takes at its highest level."""
    return program.file.security.level_4.encode("ascii")


def stage(conversation: Conversation, table: int, data: bytes, progress: Progress) -> None:
    """Write MT0 in one of its forms, part by part. Raises Refused, MeterSilent, LineError."""
    size = min(MOST_PIECE, conversation.write_piece)
    for at in range(0, len(data), size):
        progress(at, len(data))
        conversation.write(table, data[at : at + size], offset=at or None)
    progress(len(data), len(data))


class ProgramWriter:
    """One attempt to write a program; `applied` from when the meter was asked to apply it, and may have."""

    def __init__(self, program: Program, text: bytes, progress: Progress) -> None:
        """Raises ProgramError for a text that no meter has room for."""
        if len(text) > MOST_PROGRAM:
            raise ProgramError(f"the program's text has {len(text)} bytes, a meter takes {MOST_PROGRAM}: shorten it")
        self._program, self._text, self._progress = program, text or b"\n", progress
        self.before: MeterProgram | None = None
        self.applied = False

    def write(self, conversation: Conversation) -> None:
        """Write it, and read it back. Raises ProcedureRefused, Refused, MeterSilent, LineError, NotWritten."""
        self.before = program_of(conversation)
        formats = formats_of(conversation)
        stage(conversation, STAGED_PROGRAM, self._text, self._progress)
        check = struct.pack("<II", len(self._text), crc32(self._text))
        self.applied = True
        answer = carry_out(conversation, WRITE_PROGRAM, check, formats, manufacturer=True)
        self.applied = answer.result == 0
        done(answer, "the meter has the program it had, it did not take the new one")
        if not conversation.give_password(key_of_program(self._program)):
            raise NotWritten("the meter says that it took the program, and does not take the program's key of level 4")
        if not program_of(conversation).is_of(self._program):
            raise NotWritten("the meter says that it took the program, and has another: read it, and write it again")


def write_program(access: MeterAccess, program: Program, text: bytes, progress: Progress) -> str:
    """Write a program, and give the sentence that says what the meter has now.

    Raises NotWritten where it is not the new program; ProcedureRefused, Refused, other errors of a session before that.
    """
    writer = ProgramWriter(program, text, progress)
    try:
        with access.session(needs_password=True) as meter:
            writer.write(meter.tables)
    except (MeterSilent, LineError, Refused) as error:
        if writer.before is None:
            raise
        found = InForce.OLD if not writer.applied else look(access, program, writer.before)
        if found is not InForce.NEW:
            raise NotWritten(f"{error}. {_HAS[found]}") from None
        return f"the session broke ({error}), {_HAS[found]}: {program.digest}"
    return f"written and read back: {program.digest}"


_HAS = {
    InForce.NEW: "and the meter has the new program",
    InForce.OLD: "The meter has the program that it had before",
    InForce.OTHER: "The meter has a program that is neither the new one nor the one of before",
    InForce.UNKNOWN: "Nobody knows which of both programs the meter has: see by rig write --check once it answers",
}


def look(access: MeterAccess, program: Program, before: MeterProgram | None) -> InForce:
    """Find out which program a meter has after a break; with the new program's key, and with the password of before."""
    for _ in range(LOOKS):
        access.pause(LOOK_AGAIN_S)
        for password in (key_of_program(program), None):
            try:
                with access.session(password=password, needs_password=True) as meter:
                    found = program_of(meter.tables)
            except NoTables:
                return InForce.NEW if before is not None else InForce.UNKNOWN  # it spoke C12.18 before
            except WrongPassword:
                continue
            except (MeterSilent, LineError, Refused):
                break
            if found.is_of(program):
                return InForce.NEW
            return InForce.OLD if found == before else InForce.OTHER
    return InForce.UNKNOWN


def check_program(access: MeterAccess, program: Program) -> str:
    """Compare the program that a meter has with a file's; the sentence for the same. Raises NotWritten for another."""
    with access.session(needs_password=True) as meter:
        found = program_of(meter.tables)
    if found.is_of(program):
        return f"the meter has this program: {program.digest}"
    raise NotWritten(f"the meter has program {found.digest}, this is {program.digest}: {differs(found, program)}")


def differs(found: MeterProgram, program: Program) -> str:
    """Name the tables in which a meter's program differs from a file's."""
    wanted = _public(program)
    names = [name for name in {**wanted, **found.tables} if wanted.get(name) != found.tables.get(name)]
    return f"they differ in {', '.join(f'[{name}]' for name in names)}" if names else "they differ in what has defaults"
