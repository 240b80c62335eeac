"""A C12.19 device: reads and writes of tables, answered of a meter by its own requests (X-1).

Pure: no I/O, no clock. What a read or a write needs of the meter it asks for, one typed request after the other, and
whoever holds the meter carries each out and gives back what came of it:

    steps = device.read(23, level=0)
    answer = carry_out(steps, lambda asked: outcome)      # bytes, or a ResponseCode

Who asks for what is decided twice: here by level, of what is read (levels.py), and by the meter's door, of everything.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from rig.communication.c1219.codes import ResponseCode
from rig.communication.c1219.facts import REQUESTS, FactsReader, MeterFacts, Need
from rig.communication.c1219.general import GENERAL_TABLES
from rig.communication.c1219.layout import Scope, Values, decode_table
from rig.communication.c1219.levels import read_level
from rig.communication.c1219.table import MANUFACTURER, Table, TableContents, TableUse
from rig.daemon.protocol import Asked

T = TypeVar("T")

TABLES: tuple[Table, ...] = GENERAL_TABLES

MOST_READ = 0xFFFF
"""Bytes that one answer counts."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a request: its result, or the sentence of the refusal, and whether a key could help."""

    result: Any = None
    refused: str | None = None
    needs_key: bool = False


Steps = Generator[Asked, Outcome, T]
"""Requests to carry out, one by one, and at the end what they come to."""


class _Refused(Exception):
    """A request of the meter's was refused."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.refused)
        self.outcome = outcome


def carry_out(steps: Steps[T], ask: Callable[[Asked], Outcome]) -> T:
    """Carry out every request of some steps by `ask`, and give what they come to."""
    try:
        asked = next(steps)
        while True:
            asked = steps.send(ask(asked))
    except StopIteration as stop:
        found: T = stop.value
        return found


class TableDevice:
    """A meter's tables, for one session of one port; `software` is the rig's own version."""

    def __init__(self, software: str) -> None:
        self._reader = FactsReader(software)
        self._tables = {table.number: table for table in TABLES}

    def end_session(self) -> None:
        """Forget what belongs to a session: a procedure's result, a program that was not written whole."""

    def read(
        self, number: int, *, level: int, offset: int = 0, count: int | None = None
    ) -> Steps[bytes | ResponseCode]:
        """Read a table, whole or `count` bytes from `offset` on; what is beyond its end is left out.

        INAPPROPRIATE for a table that the meter does not have, or an offset beyond it; INSUFFICIENT_SECURITY below its
        level, and for what nobody may read; NOT_POSSIBLE for more than one answer can have.
        """
        table = self._tables.get(number)
        least = read_level(number)
        if table is None:
            return ResponseCode.INSUFFICIENT_SECURITY if least is None else ResponseCode.INAPPROPRIATE
        if table.layout is None or least is None or level < least:
            return ResponseCode.INSUFFICIENT_SECURITY
        try:
            facts = yield from self._facts(table)
        except _Refused as refused:
            return ResponseCode.INSUFFICIENT_SECURITY if refused.outcome.needs_key else ResponseCode.NOT_POSSIBLE
        if not table.there(facts):
            return ResponseCode.INAPPROPRIATE
        data = self._encoded(table, facts)
        if offset and offset >= len(data):
            return ResponseCode.INAPPROPRIATE
        part = data[offset:] if count is None else data[offset : offset + count]
        return part if len(part) <= MOST_READ else ResponseCode.NOT_POSSIBLE

    def write(self, number: int, data: bytes, *, level: int, offset: int | None = None) -> Steps[ResponseCode | None]:
        """Write a table, whole or from `offset` on; None: it is written."""
        return ResponseCode.INSUFFICIENT_SECURITY if number in self._tables else ResponseCode.INAPPROPRIATE
        yield

    # --- of the meter -----------------------------------------------------------------------------------------

    def _facts(self, table: Table) -> Steps[MeterFacts]:
        """Ask for all that a table and its limits need."""
        needs = {need for each in self._with_limits(table) for need in each.needs}
        results = {}
        for need in Need:
            if need in needs:
                outcome = yield REQUESTS[need]
                if outcome.refused is not None:
                    raise _Refused(outcome)
                results[need] = outcome.result
        return self._reader.facts(results)

    def _with_limits(self, table: Table) -> Iterable[Table]:
        for number in table.limits:
            yield from self._with_limits(self._tables[number])
        yield table

    def _encoded(self, table: Table, facts: MeterFacts) -> bytes:
        assert table.layout is not None
        scope = Scope(self._limits_of(table, facts))
        return table.layout.encode(table.layout.gather(TableContents(facts, self._use(facts)), scope), scope)

    def _limits_of(self, table: Table, facts: MeterFacts) -> dict[int, Values]:
        found = {}
        for number in table.limits:
            limit = self._tables[number]
            assert limit.layout is not None
            scope = Scope(self._limits_of(limit, facts))
            found[number] = decode_table(limit.layout, self._encoded(limit, facts), scope)
        return found

    def _use(self, facts: MeterFacts) -> TableUse:
        there = [table.number for table in self._tables.values() if table.there(facts)]
        return TableUse(
            standard=frozenset(number for number in there if number < MANUFACTURER),
            manufacturer=frozenset(number - MANUFACTURER for number in there if number >= MANUFACTURER),
        )
