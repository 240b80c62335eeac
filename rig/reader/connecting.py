"""A meter found at a line: C12.18, C12.21 or DGCOM, whichever it answers, and a session begun (X-2, M-7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from rig.communication.c1218.settings import OPTICAL, REMOTE, LinkSettings
from rig.errors import RigError
from rig.hardware.des_key import DesKey
from rig.reader.conversation import PACKET_SIZE, PACKETS, Conversation, MeterSilent
from rig.reader.dgcom_conversation import DgcomConversation
from rig.reader.line import MeterLine

T = TypeVar("T")

FIND_RETRIES = 1
"""Repetitions of identify before the next protocol is tried."""


class Protocol(Enum):
    """Protocol to speak, or to find out."""

    AUTO = "auto"
    C12_18 = "c12.18"
    C12_21 = "c12.21"
    DGCOM = "dgcom"


class WrongPassword(RigError):
    """A password that the meter does not take."""


@dataclass(frozen=True)
class Approach:
    """The way to a meter: the protocol, its address on a shared line (0: the only one), the speed of the base state,
    and the fastest to agree to."""

    protocol: Protocol = Protocol.AUTO
    address: int = 0
    baud: int = 9600
    most_baud: int = 115200

    def settings(self, base: LinkSettings) -> LinkSettings:
        """Give the settings of a link. On a line with an address others hear what is not theirs."""
        return replace(base, address=self.address, shared_line=self.address != 0, baud=self.baud)

    @property
    def bauds(self) -> tuple[int, ...]:
        """Speeds to offer, the fastest first; none where it is the base state's own."""
        faster = sorted(baud for baud in OPTICAL.bauds if self.baud <= baud <= self.most_baud)
        return tuple(reversed(faster))


def find(line: MeterLine, approach: Approach) -> Conversation | DgcomConversation:
    """Find out what the meter at a line speaks, and identify it. Raises MeterSilent, MeterLineError."""
    wanted = approach.protocol
    if wanted is Protocol.DGCOM:
        return _asked("DGCOM", approach, lambda: _dgcom(line))
    base = REMOTE if wanted is Protocol.C12_21 else OPTICAL
    conversation = Conversation(line, approach.settings(base))
    if wanted is not Protocol.AUTO or approach.address:
        spoken = "C12.18 or C12.21" if wanted is Protocol.AUTO else wanted.value.upper()
        _asked(spoken, approach, lambda: conversation.identify(FIND_RETRIES if wanted is Protocol.AUTO else None))
        return conversation
    try:
        conversation.identify(retries=FIND_RETRIES)
    except MeterSilent:
        return _asked("C12.18, C12.21 or DGCOM", approach, lambda: _dgcom(line))
    return conversation


def _asked(protocols: str, approach: Approach, ask: Callable[[], T]) -> T:
    """Ask a meter what it is. Raises MeterSilent with what a person can do for one that does not answer."""
    try:
        return ask()
    except MeterSilent:
        where = f" at address {approach.address}" if approach.address else ""
        see = "the head sits right, the meter has power, and nobody else reads it; of several on a line give --address"
        if approach.address:
            see = "it has power and this address, and nobody else uses the line"
        raise MeterSilent(f"no meter answers{where}, by {protocols} at {approach.baud} baud: see that {see}") from None


def _dgcom(line: MeterLine) -> DgcomConversation:
    line.clear()
    conversation = DgcomConversation(line)
    conversation.identify()
    return conversation


def begin(conversation: Conversation, approach: Approach) -> None:
    """Agree on packets and speed, and log on.

    A speed that the line does not carry is given up: the meter falls back by its own time-out, and it is begun anew.
    Raises ServiceRefused, MeterSilent, MeterLineError.
    """
    bauds = approach.bauds
    conversation.negotiate(PACKET_SIZE, PACKETS, bauds)
    try:
        conversation.log_on()
    except MeterSilent:
        if conversation.baud == approach.baud:
            raise
        conversation.fall_back()
        conversation.identify()
        conversation.negotiate(PACKET_SIZE, PACKETS, ())
        conversation.log_on()


class WrongDesKey(RigError):
    """A key that the meter does not take."""


def prove_key(conversation: Conversation, key: DesKey) -> None:
    """Prove a DES key of C12.21. Raises WrongDesKey, KeyUnproven, ServiceRefused, MeterSilent, MeterLineError."""
    if not conversation.authenticate(key):
        raise WrongDesKey(
            "the meter does not take the key: it is wrong, or the port is locked after wrong ones; wait before you try "
            "again"
        )


def prove(conversation: Conversation | DgcomConversation, password: bytes) -> None:
    """Prove a level. Raises WrongPassword, ServiceRefused, MeterSilent, MeterLineError."""
    if not conversation.give_password(password):
        raise WrongPassword(
            "the meter does not take the password: it is wrong, or the port is locked after wrong ones; wait before "
            "you try again"
        )
