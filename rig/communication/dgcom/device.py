"""A DGCOM device: commands carried out on a meter by its own requests (X-1, S-1). Pure, like TableDevice.

Beside the blocks that are read there are: 21 and 22 set time and date, 2B resets demand, FF and F0 unlock with a key of
three bytes, the most significant first, and 79 logs off. Commands of our own, by which a program is written, are in
programming.py. What anything changes is decided by the meter's door.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time

from rig.communication.c1219.facts import FactsReader, Need
from rig.communication.c1219.levels import READER
from rig.communication.c1219.outcome import RefusedRequest, Steps, request
from rig.communication.c1219.types import TableError
from rig.communication.dgcom.blocks import BLOCKS, Block, BlockError
from rig.communication.dgcom.encoding import number_of
from rig.communication.dgcom.link import ACCEPTED, REFUSED, UNLOCKED, Command, packets
from rig.communication.dgcom.programming import (
    APPLY,
    MARK,
    QUESTION,
    STAGE,
    WHY,
    StagedText,
    long_block,
    may_write,
)
from rig.daemon.protocol import LogOff, LogOn, ReadLevel, ResetDemand, SetClock

DEVICE_IDENTITY = 0x6F
SET_TIME, SET_DATE, RESET_DEMAND, LOG_OFF, MODEM_PASSWORD, UNLOCK = 0x21, 0x22, 0x2B, 0x79, 0xF0, 0xFF
KEY_BYTES = 3
CENTURY = 2000
DAYS = 7


@dataclass(frozen=True)
class Reply:
    """Reply to a command: the status, and the packets of what is read."""

    status: int
    packets: tuple[bytes, ...] = ()


class DgcomDevice:
    """A meter's DGCOM for one port; `software` is the rig's own version."""

    def __init__(self, software: str) -> None:
        self._reader = FactsReader(software)
        self._staged = StagedText()

    def end_session(self) -> None:
        """Forget what belongs to a session: a program that was staged."""
        self._staged = StagedText()

    def carry_out(self, command: Command, *, level: int) -> Steps[Reply]:
        """Carry a command out; CC for one that is not known, not possible or not allowed."""
        try:
            return (yield from self._carry_out(command, level))
        except (RefusedRequest, TableError, BlockError, LookupError, ValueError, ArithmeticError):
            return Reply(REFUSED)

    def _carry_out(self, command: Command, level: int) -> Steps[Reply]:
        parameters = command.parameters
        match command.opcode:
            case opcode if opcode == DEVICE_IDENTITY and parameters == QUESTION:
                return Reply(ACCEPTED, tuple(packets(MARK)))
            case opcode if opcode in (STAGE, APPLY, WHY):
                return (yield from self._program(opcode, parameters, level))
            case opcode if opcode in BLOCKS:
                return (yield from self._read(BLOCKS[opcode], parameters, level))
            case opcode if opcode in (UNLOCK, MODEM_PASSWORD):
                yield from request(LogOn(parameters[:KEY_BYTES].hex()))
                return Reply(UNLOCKED)
            case opcode if opcode == LOG_OFF:
                self.end_session()
                yield from request(LogOff())
            case opcode if opcode == RESET_DEMAND:
                yield from request(ResetDemand())
            case opcode if opcode == SET_TIME:
                second, minute, hour = (number_of(parameters[at : at + 1]) for at in range(3))
                at_time = time(hour, minute, second)
                yield from self._set_clock(lambda now: datetime.combine(now.date(), at_time))
            case opcode if opcode == SET_DATE:
                weekday, year, day, month = (number_of(parameters[at : at + 1]) for at in range(4))
                if not 1 <= weekday <= DAYS:
                    return Reply(REFUSED)
                at_date = date(CENTURY + year, month, day)
                yield from self._set_clock(lambda now: datetime.combine(at_date, now.time()))
            case _:
                return Reply(REFUSED)
        return Reply(ACCEPTED)

    def _program(self, opcode: int, parameters: bytes, level: int) -> Steps[Reply]:
        staged = self._staged
        if opcode == APPLY:  # one that comes again once it was carried out finds the level given up
            repeated = staged.has_applied(parameters)
            done = (repeated or may_write(level)) and (yield from staged.apply(parameters))
            return Reply(ACCEPTED if done else REFUSED)
        if not may_write(level):
            return Reply(REFUSED)
        if opcode == WHY:
            why = staged.refusal
            return Reply(REFUSED) if why is None else Reply(ACCEPTED, tuple(packets(long_block(why.encode()))))
        return Reply(ACCEPTED if staged.stage(parameters) else REFUSED)

    def _read(self, block: Block, parameters: bytes, level: int) -> Steps[Reply]:
        if block.reader and (level < READER or (yield from request(ReadLevel()))["level"] < READER):
            return Reply(REFUSED)
        if Need.PROFILE in block.needs:
            self._reader.forget()
        facts = yield from self._reader.facts(block.needs)
        return Reply(ACCEPTED, tuple(packets(block.make(facts, parameters))))

    def _set_clock(self, changed: Callable[[datetime], datetime]) -> Steps[None]:
        facts = yield from self._reader.facts((Need.READING, Need.PROGRAM))
        yield from request(SetClock(facts.nearest_ns(changed(facts.now))))
