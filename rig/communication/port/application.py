"""Requests of a session, carried out on the tables of a meter: what it reads, writes and proves (X-1, S-1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.communication.c1218.services import (
    Authenticate,
    Code,
    GivePassword,
    Identify,
    LogOnUser,
    ReadTable,
    WriteTable,
)
from rig.communication.c1218.session import Pending
from rig.communication.c1219.device import TableDevice
from rig.communication.c1219.levels import read_level
from rig.communication.c1219.outcome import Outcome, carry_out
from rig.communication.c1219.telephone import ModemFacts
from rig.communication.c1219.types import TableError
from rig.communication.keys import key_of
from rig.daemon.protocol import (
    ActivatePending,
    Asked,
    ColdStart,
    DrawTicket,
    LogOff,
    LogOn,
    LogOnByToken,
    NoteAccess,
    ReadLevel,
    WriteProgram,
)

PROCEDURE_INITIATE = 7
"""The table that starts a procedure."""

Ask = Callable[[Asked], Outcome]
"""Asks something of the meter and waits for what comes of it."""


@dataclass
class Deeds:
    """Deeds of a session, for the log."""

    logged_on: bool = False
    read: bool = False
    written: bool = False
    procedures: bool = False


class Application:
    """The tables of a meter for the sessions of one port, one after the other. `level` is what this one has proven."""

    def __init__(self, software: str, ask: Ask, modem: Callable[[], ModemFacts | None] = lambda: None) -> None:
        self.level = 0
        self._device = TableDevice(software, modem)
        self._meter = ask
        self._deeds = Deeds()

    def carry_out(self, asked: Pending) -> tuple[Code, bytes]:
        """Carry out one request: the code to answer, and the data of a read, of an identify its ticket, or of
        authenticate what proves the key."""
        match asked:
            case Identify():
                return Code.OK, self._drawn()
            case Authenticate(token=token):
                return self._authenticate(token)
            case LogOnUser():
                self._deeds.logged_on = True
                return Code.OK, b""
            case GivePassword(password):
                return self._prove(password), b""
            case ReadTable():
                return self._read(asked)
            case WriteTable():
                return self._write(asked), b""

    def drop_level(self) -> None:
        """Give up the level, and what belongs to the session."""
        level, self.level = self.level, 0
        self._device.end_session()
        if level:
            self._meter(LogOff())

    def take_note(self, *, ended: bool) -> NoteAccess | None:
        """Take what the log is to have of the session, which ended as it should or not; None for nothing."""
        deeds, self._deeds = self._deeds, Deeds()
        return NoteAccess(deeds.read, deeds.written, deeds.procedures, ended) if deeds.logged_on else None

    def _ask(self, asked: Asked) -> Outcome:
        """Ask the meter, and follow what becomes of the level: procedures prove and give up levels, too."""
        outcome = self._meter(asked)
        if outcome.refused is None:
            match asked:
                case LogOn() | LogOnByToken() | ReadLevel():
                    self.level = int(outcome.result["level"])
                case LogOff() | WriteProgram() | ActivatePending() | ColdStart():
                    self.level = 0
        return outcome

    def _level_now(self) -> int:
        """Give the level that the session has still: whoever else writes a program, or breaks the seal, ends it."""
        if self.level:
            self._ask(ReadLevel())
        return self.level

    def _prove(self, password: bytes) -> Code:
        return Code.OK if self._ask(LogOn(key_of(password))).refused is None else Code.ISC

    def _drawn(self) -> bytes:
        """Draw a ticket; none where the meter has no key for this port, or cannot read it."""
        outcome = self._ask(DrawTicket())
        return bytes.fromhex(outcome.result["ticket"]) if outcome.refused is None else b""

    def _authenticate(self, token: bytes) -> tuple[Code, bytes]:
        outcome = self._ask(LogOnByToken(token.hex()))
        if outcome.refused is not None:
            return Code.ERR, b""
        return Code.OK, bytes.fromhex(outcome.result["token"])

    def _read(self, asked: ReadTable) -> tuple[Code, bytes]:
        self._deeds.read = True
        device = self._device
        level = self._level_now() if read_level(asked.table) else self.level
        try:
            steps = (
                device.read_elements(asked.table, asked.indices, asked.count or 0, level=level)
                if asked.indices
                else device.read(asked.table, level=level, offset=asked.offset or 0, count=asked.count)
            )
            found = carry_out(steps, self._ask)
        except TableError:
            return Code.ERR, b""
        return (Code.OK, found) if isinstance(found, bytes) else (Code(found), b"")

    def _write(self, asked: WriteTable) -> Code:
        if asked.indices:
            return Code.ONP
        self._deeds.procedures |= asked.table == PROCEDURE_INITIATE
        self._deeds.written |= asked.table != PROCEDURE_INITIATE
        level = self._level_now() if asked.table == PROCEDURE_INITIATE else self.level
        try:
            found = carry_out(self._device.write(asked.table, asked.data, level=level, offset=asked.offset), self._ask)
        except TableError:
            return Code.ERR
        return Code.OK if found is None else Code(found)
