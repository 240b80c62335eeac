"""Programs written by C12.18 and C12.21: staged in MT0, applied by procedure MP0, read back from MT1 (X-2)."""

from __future__ import annotations

import struct
from typing import Any
from zlib import crc32

import msgspec

from rig.communication.c1219.session_tables import STAGED_PROGRAM
from rig.communication.c1219.table import MANUFACTURER
from rig.communication.c1219.types import TableError
from rig.reader.conversation import MOST_PIECE, Conversation, MeterSilent
from rig.reader.decoded import CONFIGURATION, Decoded
from rig.reader.meter_program import MeterProgram, ProgramError, ProgramRefused, Progress
from rig.reader.procedures import ProcedureRefused, carry_out, done, formats_of

PROGRAM_IN_FORCE = MANUFACTURER + 1
WRITE_PROGRAM = 0
"""Manufacturer procedure."""


def write_in_parts(conversation: Conversation, table: int, data: bytes, progress: Progress) -> None:
    """Write a table from its beginning on. Raises ServiceRefused, MeterSilent, MeterLineError."""
    size = min(MOST_PIECE, conversation.write_piece)
    for at in range(0, len(data), size):
        progress(at, len(data))
        conversation.write(table, data[at : at + size], offset=at or None)
    progress(len(data), len(data))


class TableProgrammer:
    """A programmer over one session of C12.18 or C12.21."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def in_force(self) -> MeterProgram:
        """Read MT1. Raises ProgramError for a meter of another maker."""
        conversation = self._conversation
        configuration = conversation.read(CONFIGURATION)
        if not Decoded({CONFIGURATION: configuration}).ours:
            raise ProgramError("the meter is of another maker: only this rig's own meters take its programs")
        data = conversation.read(PROGRAM_IN_FORCE)
        try:
            values = Decoded({CONFIGURATION: configuration, PROGRAM_IN_FORCE: data}).values(PROGRAM_IN_FORCE)
            return MeterProgram(values["DIGEST"], msgspec.json.decode(values["TABLES"], type=dict[str, Any]))
        except (TableError, msgspec.DecodeError) as error:
            raise MeterSilent(f"the meter's program (MT1) is not understood: {error}") from None

    def stage(self, text: bytes, progress: Progress) -> None:
        """Write MT0 in parts."""
        write_in_parts(self._conversation, STAGED_PROGRAM, text, progress)

    def apply(self, text: bytes) -> None:
        """Have MP0 carried out."""
        check = struct.pack("<II", len(text), crc32(text))
        formats = formats_of(self._conversation)
        answer = carry_out(self._conversation, WRITE_PROGRAM, check, formats, manufacturer=True)
        try:
            done(answer, "the meter has the program it had, it did not take the new one")
        except ProcedureRefused as error:
            raise ProgramRefused(str(error)) from None

    def give_password(self, password: bytes) -> bool:
        """Prove a level; whether the password is right."""
        return self._conversation.give_password(password)
