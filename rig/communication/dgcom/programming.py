"""Programs written by DGCOM: commands of our own, as no public one is known (X-1, decision 130).

    opcode  does                                                                              level
    6F      with the parameters QUESTION: says MARK, and not who the meter is                 0
    E0      stages six bytes of a program's text: their place, 16 bits, and they              3
    E1      has the staged text checked and applied: its length, 24 bits, its CRC-32          3
    E2      gives the sentence why it was refused                                             3
    E3      gives the program in force: its digest, its tables as JSON, without keys          1

A host asks by 6F first, which is publicly described and changes nothing: to a meter of another make no command of ours
is ever sent. Text is staged from its beginning on without a gap; the same part may come twice. Until E1 the meter has
the program it had, and E1 applies it whole or not at all, by the same request as MP0 of C12.19. An E1 that comes twice,
as its answer was lost, is answered twice and carried out once. What is staged is over with the session.

E2 and E3 are long blocks: their length, 32 bits, then the text, then NULs, so that the last packet is a short one.
Numbers are least significant byte first.
"""

from __future__ import annotations

import struct
from zlib import crc32

from rig.communication.c1219.levels import write_level
from rig.communication.c1219.outcome import Steps
from rig.communication.c1219.session_tables import STAGED_PROGRAM
from rig.communication.dgcom.link import PACKET_BYTES
from rig.daemon.protocol import WriteProgram

QUESTION = b"AE0764\0\0"
MARK = b"AE-0764 rig"[::-1].rjust(15)
"""Fifteen characters reversed, as 6F has a meter's own."""

STAGE, APPLY, WHY, IN_FORCE = 0xE0, 0xE1, 0xE2, 0xE3
PART_BYTES = 6

LEAST_LONG = 257
"""A block of fewer bytes would go in one packet, which no host can tell from the first of several."""


def long_block(text: bytes) -> bytes:
    """Give a long block's bytes."""
    block = (struct.pack("<I", len(text)) + text).ljust(LEAST_LONG, b"\0")
    return block if len(block) % PACKET_BYTES else block + b"\0"


def text_of(block: bytes) -> bytes:
    """Give a long block's text. Raises ValueError for one that is cut off."""
    if len(block) < 4 or len(block) - 4 < (size := struct.unpack_from("<I", block)[0]):
        raise ValueError("the block is shorter than it says")
    return block[4 : 4 + size]


def may_write(level: int) -> bool:
    """Say whether a level is enough to stage a program; what it changes, the meter's door decides."""
    least = write_level(STAGED_PROGRAM)
    return least is not None and level >= least


class StagedText:
    """Text of a program as it is staged in a session, and what became of the last one."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._applied: tuple[bytes, str | None] | None = None

    @property
    def refusal(self) -> str | None:
        """Sentence why the last text was refused; None: it was not, or there was none."""
        return None if self._applied is None else self._applied[1]

    def stage(self, parameters: bytes) -> bool:
        """Take a part; False for one that would leave a gap. No place is beyond the longest program there is."""
        at = int.from_bytes(parameters[:2], "little")
        if at > len(self._text):
            return False
        if not at:
            self._text.clear()
            self._applied = None
        self._text[at : at + PART_BYTES] = parameters[2 : 2 + PART_BYTES]
        return True

    def has_applied(self, parameters: bytes) -> bool:
        """Say whether the same command was carried out before."""
        return self._applied is not None and self._applied[0] == parameters

    def apply(self, parameters: bytes) -> Steps[bool]:
        """Have the meter take the text; whether it did. Whatever comes of it, the text is gone."""
        if not self.has_applied(parameters):
            self._applied = parameters, (yield from self._write(parameters))
        return self.refusal is None

    def _write(self, parameters: bytes) -> Steps[str | None]:
        size, check = int.from_bytes(parameters[:3], "little"), int.from_bytes(parameters[3:7], "little")
        text = bytes(self._text[:size])
        rest = len(self._text) - size
        self._text.clear()
        if not text or not 0 <= rest < PART_BYTES or crc32(text) != check:
            return "what was staged is not what the command says"
        try:
            program = text.decode("utf-8")
        except UnicodeDecodeError:
            return "the program is not UTF-8 text"
        outcome = yield WriteProgram(program)
        return outcome.refused
