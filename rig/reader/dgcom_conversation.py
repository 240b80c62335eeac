"""Commands of DGCOM asked over a line, as far as they are publicly described (X-2; docs/dgcom.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rig.communication.dgcom.encoding import date_bytes, time_bytes
from rig.communication.dgcom.link import PACKET_BYTES
from rig.errors import RigError
from rig.reader.conversation import MeterSilent, pump
from rig.reader.dgcom_master import DgcomMaster, Replied, Verdict
from rig.reader.line import MeterLine
from rig.reader.master import Failed

VERSION, PROFILE = 0x08, 0x03
SET_TIME, SET_DATE, RESET_DEMAND, LOG_OFF, UNLOCK = 0x21, 0x22, 0x2B, 0x79, 0xFF

PROFILE_KILOBYTES = 128
"""Of the load profile is asked for all that the largest memory has (docs/dgcom.md)."""


@dataclass(frozen=True)
class BlockName:
    """A block that is read: its opcode, what it is, and how many packets it has."""

    opcode: int
    name: str
    packets: int = 1


DEVICE_IDENTITY = BlockName(0x6F, "device identity")

BLOCKS = (
    BlockName(0x01, "time"),
    BlockName(0x02, "date"),
    BlockName(0x08, "version"),
    BlockName(0x0F, "demand interval"),
    BlockName(0x1F, "K factor"),
    BlockName(0x5A, "options"),
    BlockName(0x6D, "Kh"),
    DEVICE_IDENTITY,
    BlockName(0x83, "errors"),
    BlockName(0x87, "serial number"),
    BlockName(0x8A, "scale factor"),
    BlockName(0x8F, "configuration"),
    BlockName(0x99, "third metric"),
    BlockName(0xA0, "energies by rate"),
    BlockName(0xA6, "load profile metrics"),
    BlockName(0xAC, "maxima by rate"),
    BlockName(0xC3, "load profile options"),
    BlockName(0xC4, "metrics"),
    BlockName(0xC6, "demand of the previous interval"),
)
"""Blocks of a public description, in the order in which they are read."""

PROFILE_BLOCK = BlockName(PROFILE, "load profile", PROFILE_KILOBYTES * 1024 // PACKET_BYTES)


class DgcomRefused(RigError):
    """A command that the meter does not have, or not now, or not at this level: DGCOM does not say which."""

    status = 1


class DgcomConversation:
    """Commands over one line."""

    protocol = "DGCOM"
    identity = None

    def __init__(self, line: MeterLine) -> None:
        self.line = line
        self._master = DgcomMaster()

    def identify(self) -> bytes:
        """Ask for the version. Raises MeterSilent."""
        return self.read(BlockName(VERSION, "version"))

    def give_password(self, password: bytes) -> bool:
        """Prove a level by a key of three bytes, whose hexadecimal digits the password is; whether it is right."""
        try:
            key = bytes.fromhex(password.decode("ascii").strip().rjust(6, "0"))
        except ValueError:
            return False
        return len(key) == 3 and self._do(UNLOCK, key).verdict is Verdict.UNLOCKED

    def end(self) -> None:
        """Give the level up."""
        self._do(LOG_OFF)

    def read(self, block: BlockName, parameters: bytes = b"") -> bytes:
        """Read a block. Raises DgcomRefused, MeterSilent."""
        return self._accepted(f"give {block.name}", self._do(block.opcode, parameters, block.packets)).data

    def read_profile(self) -> bytes:
        """Read the whole load profile. Raises DgcomRefused, MeterSilent."""
        return self.read(PROFILE_BLOCK, bytes((PROFILE_KILOBYTES,)))

    def do(self, what: str, opcode: int, parameters: bytes = b"") -> None:
        """Have a command carried out; `what` is it in words. Raises DgcomRefused, MeterSilent."""
        self._accepted(what, self._do(opcode, parameters))

    def reset_demand(self) -> None:
        """Reset demand. Raises DgcomRefused, MeterSilent."""
        self.do("reset demand", RESET_DEMAND)

    def set_clock(self, local: datetime) -> None:
        """Set date and time, as the meter's clock shows them. Raises DgcomRefused, MeterSilent."""
        self.do("set its date", SET_DATE, date_bytes(local.date()))
        self.do("set its time", SET_TIME, time_bytes(local.time()))

    def _do(self, opcode: int, parameters: bytes = b"", packets: int = 0) -> Replied:
        self._master.ask(opcode, parameters, packets, self.line.now_ns())
        pump(self.line, self._master)
        outcome = self._master.outcome
        if isinstance(outcome, Failed) or outcome is None:
            raise MeterSilent(f"command {opcode:02X} of DGCOM was not answered: {(outcome or Failed.SILENT).value}")
        return outcome

    def _accepted(self, what: str, replied: Replied) -> Replied:
        if replied.verdict is Verdict.REFUSED:
            raise DgcomRefused(f"the meter refused to {what}: it has no such thing, not now, or not at this level")
        return replied
