"""A C12.19 device: reads and writes of tables, answered of a meter by its own requests (X-1).

Pure: no I/O, no clock. What a read or a write needs of the meter it asks for, one typed request after the other, and
whoever holds the meter carries each out and gives back what came of it:

    steps = device.read(23, level=0)
    answer = carry_out(steps, lambda asked: outcome)      # bytes, or a ResponseCode

Who asks for what is decided twice: here by level, of what is read (levels.py), and by the meter's door, of everything.

What can be written are ST7, which carries a procedure out (procedures.py) and leaves its answer in ST8, and the staged
program, MT0, also in its pending form. Nothing else can: a meter is programmed whole. Parts of a table further on than
its beginning are of the same instant as the beginning that was read before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rig.communication.c1219.codes import ProcedureResult, ResponseCode
from rig.communication.c1219.elements import NoElement, span_of
from rig.communication.c1219.facts import FactsReader, MeterFacts, Need
from rig.communication.c1219.general import MOST_PARAMETERS
from rig.communication.c1219.layout import Scope, Values, decode_table
from rig.communication.c1219.levels import OWN_LEVELS, PUBLIC, read_level, write_level
from rig.communication.c1219.outcome import RefusedRequest, Steps
from rig.communication.c1219.procedures import MANUFACTURER as MANUFACTURER_PROCEDURES
from rig.communication.c1219.procedures import STANDARD, Answer, ProcedureState, carry_out_procedure
from rig.communication.c1219.session_tables import (
    ANSWER,
    MOST_PROGRAM,
    MOST_SELECTOR,
    NO_ANSWER,
    ON_EXCEPTION,
    PENDING_PROGRAM,
    PROCEDURE,
    STAGED_FORMS,
    STAGED_PROGRAM,
)
from rig.communication.c1219.table import (
    MANUFACTURER,
    PENDING_FORM,
    PROCEDURES_ARE_ANSWERED_IN,
    PROCEDURES_ARE_WRITTEN_TO,
    Table,
    TableContents,
    TableUse,
)
from rig.communication.c1219.tables import TABLES
from rig.communication.c1219.telephone import ModemFacts
from rig.communication.c1219.types import TableError

PROFILE_STATUS_TABLE = 63
"""A load profile is as it was when this was read last in the session, so that its parts fit."""

MOST_READ = 0xFFFF
"""Bytes that one answer counts."""


class TableDevice:
    """A meter's tables for one port; `software` is the rig's own version, `modem` gives the facts of its modem."""

    def __init__(self, software: str, modem: Callable[[], ModemFacts | None] = lambda: None) -> None:
        self._reader = FactsReader(software, modem)
        self._begin()

    def end_session(self) -> None:
        """Forget what belongs to a session: a procedure's answer, a program that was staged and not written."""
        self._begin()

    def _begin(self) -> None:
        self._procedures = ProcedureState(self._reader)
        self._answer: bytes | None = None
        self._last: tuple[int, bytes] | None = None
        self._reader.forget()

    def read(
        self, number: int, *, level: int, offset: int = 0, count: int | None = None
    ) -> Steps[bytes | ResponseCode]:
        """Read a table, whole or `count` bytes from `offset` on; what is beyond its end is left out.

        INAPPROPRIATE for a table that the meter does not have, or an offset beyond it; INSUFFICIENT_SECURITY below its
        level, and for what nobody may read; NOT_POSSIBLE for more than one answer can have, and where the meter cannot
        answer; NOT_READY for ST8 before any procedure; BUSY where the meter's program changed meanwhile; ERROR where
        what the meter answers is not understood.
        """
        least = read_level(number)
        if number in STAGED_FORMS:
            return self._read_staged(number, level, offset, count)
        table = TABLES.get(number)
        if table is None:
            return ResponseCode.INSUFFICIENT_SECURITY if least is None else ResponseCode.INAPPROPRIATE
        if least is None or level < least or not table.readable:
            return ResponseCode.INSUFFICIENT_SECURITY
        part = yield from self._part(table, offset, offset + (MOST_READ + 1 if count is None else count))
        if part == b"" and offset and not (count == 0 and (yield from self._part(table, offset - 1, offset))):
            return ResponseCode.INAPPROPRIATE
        if isinstance(part, bytes) and len(part) > MOST_READ:
            return ResponseCode.NOT_POSSIBLE
        return part

    def read_elements(
        self, number: int, indices: Sequence[int], count: int, *, level: int
    ) -> Steps[bytes | ResponseCode]:
        """Read `count` elements of a table by their indices, as elements.py has it; 0: all up to the end.

        Codes are those of `read`; INAPPROPRIATE also for an element that is not there, NOT_POSSIBLE for a table that is
        made in parts, which is read by offset.
        """
        table = TABLES.get(number & ~PENDING_FORM if number in STAGED_FORMS else number)
        if table is not None and table.part is not None and level >= (read_level(number) or PUBLIC):
            return ResponseCode.NOT_POSSIBLE
        found = yield from self.read(number, level=level)
        if isinstance(found, ResponseCode):
            return found
        assert table is not None
        try:
            facts = yield from self._facts(table)
            begin, end = span_of(table.layout, found, Scope(self._limits_of(table, facts)), indices, count)
        except RefusedRequest:
            return ResponseCode.NOT_POSSIBLE
        except NoElement:
            return ResponseCode.INAPPROPRIATE
        except (TableError, LookupError, ValueError, ArithmeticError):  # a program was written between two requests
            return ResponseCode.BUSY
        return found[begin:end]

    def write(self, number: int, data: bytes, *, level: int, offset: int | None = None) -> Steps[ResponseCode | None]:
        """Write a table, whole or from `offset` on; None: it is written, which of ST7 says nothing of the procedure.

        INAPPROPRIATE for a table that cannot be written, or not so; INSUFFICIENT_SECURITY below its level;
        NOT_POSSIBLE for a program that is too long.
        """
        self._last = None
        match number:
            case _ if number == PROCEDURES_ARE_WRITTEN_TO:
                return (yield from self._procedure(data, offset or 0, level))
            case _ if number in STAGED_FORMS:
                return self._stage(number, data, offset, level)
            case _ if read_level(number) is None:
                return ResponseCode.INSUFFICIENT_SECURITY
        return ResponseCode.INAPPROPRIATE

    # --- what is written --------------------------------------------------------------------------------------

    def _procedure(self, data: bytes, offset: int, level: int) -> Steps[ResponseCode | None]:
        """Carry a procedure out: its number with flags, a sequence number, its parameters."""
        if offset or len(data) < 3 or len(data) - 3 > MOST_PARAMETERS:
            return ResponseCode.INAPPROPRIATE
        found = decode_table(PROCEDURE, data, Scope({}))
        which = found["TABLE_IDB_BFLD"]
        if which["SELECTOR"] > MOST_SELECTOR:
            return ResponseCode.INAPPROPRIATE
        number, manufacturer = which["TBL_PROC_NBR"], bool(which["STD_VS_MFG_FLAG"])
        self._procedures.level = level
        if not manufacturer and level < OWN_LEVELS.get(number, PUBLIC):
            answer = Answer(ProcedureResult.NO_AUTHORIZATION)
        else:
            answer = yield from carry_out_procedure(self._procedures, number, manufacturer, found["PARM"])
        unanswered = {NO_ANSWER} if answer.result else {NO_ANSWER, ON_EXCEPTION}
        if which["SELECTOR"] not in unanswered:
            values = {**found, "RESULT_CODE": answer.result, "RESP_DATA_RCD": answer.data}
            self._answer = ANSWER.encode(values, Scope({}))
        return None

    def _read_staged(self, number: int, level: int, offset: int, count: int | None) -> bytes | ResponseCode:
        """Give what was staged in this form, or a part of it."""
        least = read_level(number)
        if least is None or level < least:
            return ResponseCode.INSUFFICIENT_SECURITY
        staged, waits = bytes(self._procedures.staged), number == PENDING_PROGRAM
        if not staged or self._procedures.waits is not waits:
            return ResponseCode.NOT_READY
        if offset > len(staged) or (offset == len(staged) and count != 0):
            return ResponseCode.INAPPROPRIATE
        part = staged[offset : len(staged) if count is None else offset + count]
        return ResponseCode.NOT_POSSIBLE if len(part) > MOST_READ else part

    def _stage(self, number: int, data: bytes, offset: int | None, level: int) -> ResponseCode | None:
        """Take a part of a program's text; a whole write, or one in the other form, begins anew, and a part must not
        leave a gap."""
        least = write_level(number)
        if least is None or level < least:
            return ResponseCode.INSUFFICIENT_SECURITY
        staged, waits = self._procedures.staged, number == PENDING_PROGRAM
        if waits is not self._procedures.waits:
            staged.clear()
            self._procedures.waits = waits
        begin = 0 if offset is None else offset
        if begin > len(staged):
            return ResponseCode.INAPPROPRIATE
        if begin + len(data) > MOST_PROGRAM:
            return ResponseCode.NOT_POSSIBLE
        if offset is None:
            staged.clear()
        staged[begin : begin + len(data)] = data
        return None

    # --- of the meter -----------------------------------------------------------------------------------------

    def _part(self, table: Table, begin: int, end: int) -> Steps[bytes | ResponseCode]:
        """Give a table's bytes from one place to another; of what was read before, as it was then."""
        if begin and self._last is not None and self._last[0] == table.number:
            return self._last[1][begin:end]
        found = yield from self._whole(table, begin, end)
        if isinstance(found, ResponseCode) or table.part is not None:
            return found
        self._last = table.number, found
        return found[begin:end]

    def _whole(self, table: Table, begin: int, end: int) -> Steps[bytes | ResponseCode]:
        """Make a table of the meter as it is now; of one that can be made in parts, the part."""
        if table.number == PROCEDURES_ARE_ANSWERED_IN:
            return ResponseCode.NOT_READY if self._answer is None else self._answer
        try:
            facts = yield from self._facts(table)
        except RefusedRequest as refused:
            if refused.outcome.needs_key:
                return ResponseCode.INSUFFICIENT_SECURITY
            return (yield from self._why_not(table))
        except TableError:
            return ResponseCode.ERROR
        if not table.there(facts):
            return ResponseCode.INAPPROPRIATE
        try:
            if table.part is not None:
                return table.part(TableContents(facts), begin, end)
            return self._encoded(table, facts)
        except (TableError, LookupError, ValueError, ArithmeticError):  # a program was written between two requests
            return ResponseCode.BUSY

    def _why_not(self, table: Table) -> Steps[ResponseCode]:
        """Say why the meter did not answer for a table: it may not have it."""
        try:
            facts = yield from self._reader.facts((Need.PROGRAM,))
        except RefusedRequest:
            return ResponseCode.NOT_POSSIBLE
        except TableError:
            return ResponseCode.ERROR
        return ResponseCode.NOT_POSSIBLE if table.there(facts) else ResponseCode.INAPPROPRIATE

    def _facts(self, table: Table) -> Steps[MeterFacts]:
        """Ask for all that a table and its limits need."""
        if table.number == PROFILE_STATUS_TABLE:
            self._reader.forget()
        needs = {need for each in self._with_limits(table) for need in each.needs}
        return (yield from self._reader.facts(needs))

    def _with_limits(self, table: Table) -> Iterable[Table]:
        for number in table.limits:
            yield from self._with_limits(TABLES[number])
        yield table

    def _encoded(self, table: Table, facts: MeterFacts) -> bytes:
        scope = Scope(self._limits_of(table, facts))
        return table.layout.encode(table.layout.gather(TableContents(facts, self._use(facts)), scope), scope)

    def _limits_of(self, table: Table, facts: MeterFacts) -> dict[int, Values]:
        found = {}
        for number in table.limits:
            limit = TABLES[number]
            scope = Scope(self._limits_of(limit, facts))
            found[number] = decode_table(limit.layout, self._encoded(limit, facts), scope)
        return found

    def _use(self, facts: MeterFacts) -> TableUse:
        there = [table.number for table in TABLES.values() if table.there(facts)]
        return TableUse(
            standard=frozenset(number for number in there if number < MANUFACTURER),
            manufacturer=frozenset(number - MANUFACTURER for number in there if number >= MANUFACTURER),
            standard_written=frozenset({PROCEDURES_ARE_WRITTEN_TO}),
            manufacturer_written=frozenset({STAGED_PROGRAM - MANUFACTURER}),
            procedures=frozenset(STANDARD),
            manufacturer_procedures=frozenset(MANUFACTURER_PROCEDURES),
        )
