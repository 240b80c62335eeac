"""A meter at a serial port: found, begun with, and whatever is done in one session of it (X-2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rig.communication.c1219.types import TableError
from rig.errors import RigError
from rig.reader.connecting import Approach, begin, find, prove
from rig.reader.conversation import Conversation, MeterSilent, Refused
from rig.reader.decoded import CONFIGURATION, Decoded
from rig.reader.dgcom_conversation import DEVICE_IDENTITY, DgcomConversation, DgcomRefused
from rig.reader.line import LineError, SerialPort
from rig.reader.passwords import Passwords

_SERIAL = ((5, "IDENTIFICATION"), (1, "MFG_SERIAL_NUMBER"))


class NoPassword(RigError):
    """A password that is needed, and nobody gives one."""


class MeterSession:
    """A session with a meter: logged on, at the level that its password proves. `password`: whether one was given."""

    def __init__(self, port: SerialPort, talk: Conversation | DgcomConversation, serial: str, password: bool) -> None:
        self.port, self.talk, self.serial, self.password = port, talk, serial, password

    @property
    def tables(self) -> Conversation:
        """Its tables. Raises NoTables for a meter that speaks DGCOM."""
        if isinstance(self.talk, DgcomConversation):
            raise NoTables(
                f"the meter at {self.port.device} speaks DGCOM, which has no command for this that is publicly "
                "described: docs/dgcom.md has those that are"
            )
        return self.talk


class NoTables(RigError):
    """Something that DGCOM cannot do."""


@contextmanager
def session(
    device: str, approach: Approach, passwords: Passwords, *, needs_password: bool = False
) -> Iterator[MeterSession]:
    """Open a port, find its meter and begin a session, which ends with the context.

    Raises LineError, MeterSilent, Refused, WrongPassword, PasswordError; NoPassword where one is needed.
    """
    port = SerialPort(device, approach.baud)
    try:
        talk = find(port, approach)
        if isinstance(talk, Conversation):
            begin(talk, approach)
        serial = serial_of(talk)
        password = passwords.of(serial, device)
        if password is None and needs_password:
            raise NoPassword(
                f"this takes the password of the meter at {device}: give it by --password-file, a keyring, or at a "
                "terminal (docs/reading.md)"
            )
        if password is not None:
            prove(talk, password)
        yield MeterSession(port, talk, serial, password is not None)
        with suppress(LineError, MeterSilent, Refused):
            talk.end()
    finally:
        port.close()


def serial_of(talk: Conversation | DgcomConversation) -> str:
    """Give a meter's serial number, "" where it does not say it before a password. Raises MeterSilent, LineError."""
    if isinstance(talk, DgcomConversation):
        try:
            return talk.read(DEVICE_IDENTITY)[::-1].decode("ascii", "replace").strip(" \0")
        except DgcomRefused:
            return ""
    tables: dict[int, bytes] = {}
    for number in (CONFIGURATION, *(number for number, _ in _SERIAL)):
        with suppress(Refused):
            tables[number] = talk.read(number)
    decoded = Decoded(tables)
    for number, name in _SERIAL:
        with suppress(TableError):
            if text := str(decoded.values(number)[name]).strip():
                return text
    return ""
