"""A meter at a serial port: found, begun with, and whatever is done in one session of it (X-2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from rig.communication.c1218.services import Code
from rig.communication.c1219.types import TableError
from rig.errors import RigError
from rig.reader.connecting import Approach, begin, find, prove, prove_key
from rig.reader.conversation import Conversation, MeterSilent, ServiceRefused
from rig.reader.decoded import CONFIGURATION, Decoded
from rig.reader.dgcom_conversation import DEVICE_IDENTITY, DgcomConversation, DgcomRefused
from rig.reader.echo import WithoutEcho
from rig.reader.line import MeterLineError, OpenLine, SerialPort
from rig.reader.passwords import Passwords

GIVE_PASSWORD = "give it by --password-file, a keyring, or at a terminal by --prompt (docs/reading.md)"

_SERIAL = ((5, "IDENTIFICATION"), (1, "MFG_SERIAL_NUMBER"))


class NoPassword(RigError):
    """A password that is needed, and nobody gives one."""


class MeterSession:
    """A session with a meter: logged on, at the level that its password proves. `password`: whether one was given."""

    def __init__(
        self, line: OpenLine, device: str, talk: Conversation | DgcomConversation, serial: str, password: bool
    ) -> None:
        self.line, self.talk, self.serial, self.password = line, talk, serial, password
        self._device = device

    @property
    def tables(self) -> Conversation:
        """Its tables. Raises NoTables for a meter that speaks DGCOM."""
        if isinstance(self.talk, DgcomConversation):
            raise NoTables(
                f"the meter at {self._device} speaks DGCOM, which has no command for this that is publicly "
                "described: docs/dgcom.md has those that are"
            )
        return self.talk


class NoTables(RigError):
    """Something that DGCOM cannot do."""


@dataclass(frozen=True)
class MeterAccess:
    """Access to the meter at a port: `device` the port's name, how it is spoken to, and where its passwords are from.

    `open_line` opens the port at a speed, `pause` waits so many seconds: both are others in tests.
    """

    device: str
    approach: Approach
    passwords: Passwords
    open_line: Callable[[str, int], OpenLine] = SerialPort
    pause: Callable[[float], None] = time.sleep

    @contextmanager
    def session(self, *, needs_password: bool = False, password: bytes | None = None) -> Iterator[MeterSession]:
        """Open the port, find its meter and begin a session, which ends with the context; with this password, or one
        of `passwords`.

        Where there is a DES key, and the meter offers to authenticate by one, that comes first. Raises MeterLineError,
        MeterSilent, ServiceRefused, WrongPassword, WrongDesKey, KeyUnproven, PasswordError; NoPassword where one is
        needed.
        """
        line = WithoutEcho(self.open_line(self.device, self.approach.baud))
        try:
            talk = find(line, self.approach)
            if isinstance(talk, Conversation):
                begin(talk, self.approach)
            serial = serial_of(talk)
            try:
                proven = self._prove_key(talk, serial)
                needed = needs_password and not proven
                given = password if password is not None else self.passwords.of(serial, self.device, needed=needed)
                with _explained(self.device, proven or given is not None):
                    if given is None and needed:
                        raise NoPassword(f"this takes the password of the meter at {self.device}: {GIVE_PASSWORD}")
                    if given is not None:
                        prove(talk, given)
                    yield MeterSession(line, self.device, talk, serial, proven or given is not None)
            except (MeterLineError, MeterSilent):
                raise  # there is nobody to end it with: the meter does so by its time-out
            except RigError:
                _end(talk)
                raise
            _end(talk)
        finally:
            line.close()

    def _prove_key(self, talk: Conversation | DgcomConversation, serial: str) -> bool:
        """Prove a key, where there is one and it is asked for; whether that was done."""
        key = self.passwords.key_of(serial, self.device)
        if key is None or isinstance(talk, DgcomConversation) or not talk.ticket:
            return False
        prove_key(talk, key)
        return True


def _end(talk: Conversation | DgcomConversation) -> None:
    """End a session in order, as far as the meter takes part in it."""
    with suppress(MeterLineError, MeterSilent, ServiceRefused, DgcomRefused):
        talk.end()


@contextmanager
def _explained(device: str, password: bool) -> Iterator[None]:
    """Explain a refusal for want of a level, where no password was given."""
    try:
        yield
    except ServiceRefused as error:
        if error.code is not Code.ISC or password:
            raise
        raise NoPassword(f"{error}, so it takes the password of the meter at {device}: {GIVE_PASSWORD}") from None


def serial_of(talk: Conversation | DgcomConversation) -> str:
    """Give a meter's serial number, "" if it says none before a password. Raises MeterSilent, MeterLineError."""
    if isinstance(talk, DgcomConversation):
        try:
            return talk.read(DEVICE_IDENTITY)[::-1].decode("ascii", "replace").strip(" \0")
        except DgcomRefused:
            return ""
    tables: dict[int, bytes] = {}
    for number in (CONFIGURATION, *(number for number, _ in _SERIAL)):
        with suppress(ServiceRefused):
            tables[number] = talk.read(number)
    decoded = Decoded(tables)
    for number, name in _SERIAL:
        with suppress(TableError):
            if text := str(decoded.values(number)[name]).strip():
                return text
    return ""
