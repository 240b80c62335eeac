"""Procedures of C12.19 asked of a meter: written to ST7, answered in ST8, their results as sentences (X-2)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from rig.communication.c1218.services import Code
from rig.communication.c1219.codes import ProcedureResult
from rig.communication.c1219.formats import Formats
from rig.communication.c1219.table import PROCEDURES_ARE_ANSWERED_IN, PROCEDURES_ARE_WRITTEN_TO
from rig.errors import RigError
from rig.reader.conversation import BUSY_NS, Conversation, MeterSilent, ServiceRefused
from rig.reader.decoded import CONFIGURATION

ANSWER_TRIES = 40
"""So often ST8 is read, half a second apart, until it has the answer."""

OWN = 1 << 11
"""Of a procedure's number in ST7: a manufacturer procedure."""

_RESULTS = {
    ProcedureResult.DONE: "done",
    ProcedureResult.NOT_COMPLETED: "accepted, and not completed yet",
    ProcedureResult.INVALID_PARAMETER: "refused: the meter does not take these values",
    ProcedureResult.CONFLICTS_WITH_SETUP: "refused: it conflicts with the meter's set-up or state",
    ProcedureResult.TIMING_CONSTRAINT: "refused: not so soon after the last",
    ProcedureResult.NO_AUTHORIZATION: "refused: not at this level, or not under the seal",
    ProcedureResult.UNRECOGNIZED: "refused: the meter has no such procedure",
}


class ProcedureRefused(RigError):
    """A procedure that a meter did not carry out: `result` is its code."""

    status = 1

    def __init__(self, sentence: str, result: int) -> None:
        super().__init__(sentence)
        self.result = result


@dataclass(frozen=True)
class ProcedureAnswer:
    """A procedure's answer: its result code, and the data with it."""

    result: int
    data: bytes

    @property
    def sentence(self) -> str:
        """The result in words, with what the meter says of it."""
        known = self.result in set(ProcedureResult)
        words = _RESULTS[ProcedureResult(self.result)] if known else f"result {self.result}, which is none we know"
        text = self.data.decode("ascii", "replace") if self.result and self.data.isascii() else ""
        return f"{words} ({text})" if text.isprintable() and text else words


def formats_of(conversation: Conversation) -> Formats:
    """Read in which formats a meter's tables are. Raises ServiceRefused, MeterSilent, TableError."""
    return Formats.of(conversation.read(CONFIGURATION))


def carry_out(
    conversation: Conversation, number: int, parameters: bytes, formats: Formats, *, manufacturer: bool = False
) -> ProcedureAnswer:
    """Have a procedure carried out, and wait for its answer. Raises ServiceRefused, MeterSilent, MeterLineError."""
    order = "big" if formats.order else "little"
    word = (number | (OWN if manufacturer else 0)).to_bytes(2, order)  # type: ignore[arg-type]
    sequence = bytes((2 + secrets.randbelow(253),))
    conversation.write(PROCEDURES_ARE_WRITTEN_TO, word + sequence + parameters)
    for _ in range(ANSWER_TRIES):
        try:
            answer = conversation.read(PROCEDURES_ARE_ANSWERED_IN)
        except ServiceRefused as error:
            if error.code not in (Code.DNR, Code.BSY):
                raise
            answer = b""
        if answer[:3] == word + sequence and len(answer) > 3 and answer[3] != ProcedureResult.NOT_COMPLETED:
            return ProcedureAnswer(answer[3], answer[4:])
        conversation.wait(BUSY_NS)
    raise MeterSilent(f"procedure {number} was asked for, and ST8 has no answer: read the meter to see what it did")


def done(answer: ProcedureAnswer, what: str) -> ProcedureAnswer:
    """Give an answer that says done. Raises ProcedureRefused for any other."""
    if answer.result != ProcedureResult.DONE:
        raise ProcedureRefused(f"{what}: {answer.sentence}", answer.result)
    return answer
