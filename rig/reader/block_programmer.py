"""Programs written by DGCOM, with the commands of our own that rig/communication/dgcom/programming.py has (X-2).

The meter is asked first, by a command that is publicly described, whether it is one of ours: to any other nothing is
sent that is not.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

import msgspec

from rig.communication.dgcom.programming import (
    APPLY,
    IN_FORCE,
    MARK,
    PART_BYTES,
    QUESTION,
    STAGE,
    WHY,
    text_of,
)
from rig.reader.conversation import MeterSilent
from rig.reader.dgcom_conversation import DEVICE_IDENTITY, BlockName, DgcomConversation, DgcomRefused
from rig.reader.meter_program import MeterProgram, ProgramError, ProgramRefused, Progress

DIGEST_BYTES = 12
_MOST_PACKETS = 1024
_PROGRAM = BlockName(IN_FORCE, "program in force", _MOST_PACKETS)
_WHY = BlockName(WHY, "reason of a refusal", _MOST_PACKETS)


class BlockProgrammer:
    """A programmer over DGCOM."""

    def __init__(self, conversation: DgcomConversation) -> None:
        self._conversation = conversation

    def in_force(self) -> MeterProgram:
        """Read the program in force. Raises ProgramError for a meter that is not ours."""
        if not self._is_ours():
            raise ProgramError(
                "the meter speaks DGCOM, for which no command is publicly described that writes a program: only this "
                "rig's own meters take one (docs/dgcom.md)"
            )
        try:
            text = text_of(self._conversation.read(_PROGRAM))
            tables = msgspec.json.decode(text[DIGEST_BYTES:], type=dict[str, Any])
            return MeterProgram(text[:DIGEST_BYTES].decode("ascii"), tables)
        except (ValueError, msgspec.DecodeError) as error:
            raise MeterSilent(f"the meter's program is not understood: {error}") from None

    def _is_ours(self) -> bool:
        try:
            return self._conversation.read(DEVICE_IDENTITY, QUESTION) == MARK
        except DgcomRefused:
            return False

    def stage(self, text: bytes, progress: Progress) -> None:
        """Bring it in parts of six bytes, which the parameters of a command have room for."""
        for at in range(0, len(text), PART_BYTES):
            progress(at, len(text))
            part = at.to_bytes(2, "little") + text[at : at + PART_BYTES]
            self._conversation.do("take a part of a program", STAGE, part)
        progress(len(text), len(text))

    def apply(self, text: bytes) -> None:
        """Have it checked and applied; a refusal with the meter's reason.

        Raises MeterSilent where the meter refuses and gives no reason: it may have taken it before.
        """
        check = len(text).to_bytes(3, "little") + crc32(text).to_bytes(4, "little")
        try:
            self._conversation.do("take the program", APPLY, check)
        except DgcomRefused:
            raise self._refusal() from None

    def _refusal(self) -> ProgramRefused | MeterSilent:
        try:
            why = text_of(self._conversation.read(_WHY)).decode("utf-8", "replace")
        except (DgcomRefused, ValueError):
            return MeterSilent("the meter refused to take the program, and does not say why")
        return ProgramRefused(f"the meter has the program it had, it did not take the new one: refused ({why})")

    def give_password(self, password: bytes) -> bool:
        """Prove a level; whether the password is right."""
        return self._conversation.give_password(password)
