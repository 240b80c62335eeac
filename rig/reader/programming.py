"""A program written to a meter, whole or not at all, and what the meter has in the end (X-2, decision 097).

The text is staged part by part, which changes nothing; then the meter is asked to check it and apply it at once. Until
then it has the program it had. If the line breaks after that, nobody knows until the meter says: its program in force
is read again. How each protocol does so is in table_programmer.py and block_programmer.py.
"""

from __future__ import annotations

from enum import Enum

from rig.communication.c1219.session_tables import MOST_PROGRAM
from rig.program.build import Program
from rig.reader.block_programmer import BlockProgrammer
from rig.reader.connecting import WrongPassword
from rig.reader.conversation import Conversation, MeterSilent, ServiceRefused
from rig.reader.dgcom_conversation import DgcomConversation, DgcomRefused
from rig.reader.line import MeterLineError
from rig.reader.meter import MeterAccess
from rig.reader.meter_program import (
    MeterProgram,
    NotWritten,
    ProgramError,
    Programmer,
    ProgramRefused,
    Progress,
    public_tables,
)
from rig.reader.table_programmer import TableProgrammer

LOOKS = 3
"""After a break the meter is looked for so often."""

LOOK_AGAIN_S = 8.0
"""Pause before that: the session that broke is over by its time-out of 6 s."""


class InForce(Enum):
    """Program that a meter has, after an attempt to write one."""

    NEW = "new"
    OLD = "old"
    OTHER = "other"
    UNKNOWN = "unknown"


def programmer_of(talk: Conversation | DgcomConversation) -> Programmer:
    """Give the programmer of a session, by whatever it speaks."""
    return BlockProgrammer(talk) if isinstance(talk, DgcomConversation) else TableProgrammer(talk)


def key_of_program(program: Program) -> bytes:
    """Give the key that a meter with a program takes at its highest level."""
    return program.file.security.level_4.encode("ascii")


class ProgramWriter:
    """One attempt to write a program; `applied` from when the meter was asked to apply it, and may have."""

    def __init__(self, program: Program, text: bytes, progress: Progress) -> None:
        """Raises ProgramError for a text that no meter has room for."""
        if len(text) > MOST_PROGRAM:
            raise ProgramError(f"the program's text has {len(text)} bytes, a meter takes {MOST_PROGRAM}: shorten it")
        self._program, self._text, self._progress = program, text or b"\n", progress
        self.before: MeterProgram | None = None
        self.applied = False

    def write(self, programmer: Programmer) -> None:
        """Write it, and read it back. Raises ProgramRefused, NotWritten, and what a programmer raises."""
        self.before = programmer.in_force()
        programmer.stage(self._text, self._progress)
        self.applied = True
        try:
            programmer.apply(self._text)
        except ProgramRefused:
            self.applied = False
            raise
        if not programmer.give_password(key_of_program(self._program)):
            raise NotWritten("the meter says that it took the program, and does not take the program's key of level 4")
        if not programmer.in_force().is_of(self._program):
            raise NotWritten("the meter says that it took the program, and has another: read it, and write it again")


def write_program(access: MeterAccess, program: Program, text: bytes, progress: Progress) -> str:
    """Write a program, and give the sentence that says what the meter has now.

    Raises NotWritten where it is not the new program; ProgramRefused, ServiceRefused, other errors of a session before
    that.
    """
    writer = ProgramWriter(program, text, progress)
    try:
        with access.session(needs_password=True) as meter:
            writer.write(programmer_of(meter.talk))
    except (MeterSilent, MeterLineError, ServiceRefused, DgcomRefused) as error:
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
                    found = programmer_of(meter.talk).in_force()
            except (WrongPassword, DgcomRefused):
                continue
            except (MeterSilent, MeterLineError, ServiceRefused):
                break
            if found.is_of(program):
                return InForce.NEW
            return InForce.OLD if found == before else InForce.OTHER
    return InForce.UNKNOWN


def check_program(access: MeterAccess, program: Program) -> str:
    """Compare the program that a meter has with a file's; the sentence for the same. Raises NotWritten for another."""
    with access.session(needs_password=True) as meter:
        found = programmer_of(meter.talk).in_force()
    if found.is_of(program):
        return f"the meter has this program: {program.digest}"
    raise NotWritten(f"the meter has program {found.digest}, this is {program.digest}: {differs(found, program)}")


def differs(found: MeterProgram, program: Program) -> str:
    """Name the tables in which a meter's program differs from a file's."""
    wanted = public_tables(program)
    names = [name for name in {**wanted, **found.tables} if wanted.get(name) != found.tables.get(name)]
    return f"they differ in {', '.join(f'[{name}]' for name in names)}" if names else "they differ in what has defaults"
