"""Keys of the meter's ports by C12.21, and the tickets by which their clients prove that they have one (X-1, S-1).

The key is read from its file for each ticket, so that another one is in force at once and none is kept. A ticket is
good for one token, right or wrong.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from pathlib import Path

from rig.hardware.config import AuthenticationConfig, PortConfig
from rig.hardware.des_key import BLOCK_BYTES, DesKey
from rig.hardware.key_file import KeyFileError, load_des_key
from rig.meter.billing.source import Source
from rig.service.door_error import DoorError

PORT_SOURCES = {"optical": Source.OPTICAL, "rs-232": Source.RS232, "rs-485": Source.RS485, "modem": Source.MODEM}
"""On whose behalf a port of a kind asks."""


@dataclass(frozen=True, slots=True)
class DrawnTicket:
    """A ticket with the key that it is of, and the level that its token proves."""

    ticket: bytes
    key: DesKey = field(repr=False)
    level: int

    def proven(self, token: bytes) -> bool:
        """Say whether a token is this ticket's, compared in constant time."""
        return compare_digest(self.key.encrypted(self.ticket), token)

    def answer(self, token: bytes) -> bytes:
        """Give what proves to the client that the meter has the key, too. For a token that is right."""
        return self.key.encrypted(token)


class PortKeys:
    """The keys of ports as rig.toml names them."""

    def __init__(self, ports: Sequence[PortConfig] = ()) -> None:
        self._settings = {
            (PORT_SOURCES[port.kind], port.name): settings
            for port in ports
            if (settings := port.authentication) is not None
        }

    def draw(self, source: Source, name: str) -> DrawnTicket:
        """Draw a ticket for a client of a port; reads a file, and touches nothing of the meter. Raises DoorError."""
        settings = self._settings.get((source, name))
        if settings is None:
            raise DoorError(f"port {name[:40]!r} has no key: give it ports.authentication in rig.toml")
        try:
            key = load_port_key(settings, name)
        except KeyFileError as error:
            raise DoorError(str(error)) from None
        return DrawnTicket(secrets.token_bytes(BLOCK_BYTES), key, settings.level)


def load_port_key(settings: AuthenticationConfig, name: str) -> DesKey:
    """Read the key of a port. Raises KeyFileError."""
    return load_des_key(Path(settings.key_file), f"ports.authentication.key_file of {name}")
