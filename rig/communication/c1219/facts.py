"""Facts of a meter that its tables are made of, as it answered the requests for them (X-1).

Nothing is computed of them here but what several tables share: local time. A table says which facts it needs, and each
is had by a request of the meter's own interface (rig/daemon/protocol.py), so that a port can do nothing to a meter that
another client could not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import msgspec

from rig.communication.c1219.types import TableError
from rig.daemon.protocol import Asked, ProgramInForce, ReadProgram, ReadState
from rig.errors import RigError
from rig.meter.billing.calendar import Calendar
from rig.meter.reading.meter_reading import MeterReading
from rig.program.build import Program
from rig.program.written import program_of_tables
from rig.results.exact import ExactReading
from rig.results.exact_decoding import reading_of


class Need(Enum):
    """A fact that a table can need."""

    READING = "the exact reading"
    PROGRAM = "the program in force"


REQUESTS: Mapping[Need, Asked] = {
    Need.READING: ReadState(),
    Need.PROGRAM: ReadProgram(),
}
"""The request by which each is had."""


@dataclass(frozen=True)
class MeterFacts:
    """Facts of one meter at one instant.

    `digest` is the program's as the display has it. `software` is the rig's own version, for a meter that emulates no
    firmware. What is None was not asked for: a table that needs it says so.
    """

    software: str
    state: MeterReading | None = None
    in_force: Program | None = None
    digest: str = ""
    sealed: bool = False
    seal_broken: bool = False

    @property
    def reading(self) -> MeterReading:
        """The exact reading."""
        assert self.state is not None
        return self.state

    @property
    def program(self) -> Program:
        """The program in force."""
        assert self.in_force is not None
        return self.in_force

    @property
    def calendar(self) -> Calendar:
        """The calendar of the program, which makes times local."""
        return self.program.billing.calendar

    @property
    def has_demand(self) -> bool:
        """True if the meter has demand registers."""
        return self.program.billing.demand is not None

    def local(self, utc_ns: int | None) -> datetime | None:
        """Give a time as the meter's clock shows it, without its zone; None for none."""
        return None if utc_ns is None else self.calendar.local(utc_ns).replace(tzinfo=None)


class FactsReader:
    """Facts from the results of requests; a program is built once for each digest."""

    def __init__(self, software: str) -> None:
        self._software = software
        self._digest: str | None = None
        self._program: Program | None = None

    def facts(self, results: Mapping[Need, Any]) -> MeterFacts:
        """Make facts of the results that came. Raises TableError for what a meter of this version does not answer."""
        found: dict[str, Any] = {}
        try:
            if Need.READING in results:
                found["state"] = reading_of(msgspec.convert(results[Need.READING], ExactReading))
            if Need.PROGRAM in results:
                found |= self._in_force(msgspec.convert(results[Need.PROGRAM], ProgramInForce))
        except (msgspec.ValidationError, RigError) as error:
            raise TableError(f"what the meter answered is not understood: {error}") from None
        return MeterFacts(self._software, **found)

    def _in_force(self, answer: ProgramInForce) -> dict[str, Any]:
        if answer.digest != self._digest or self._program is None:
            # The seal goes by what the meter says of itself; to build a sealed program takes keys, which nobody gives.
            tables = {name: table for name, table in answer.file.items() if name != "security"}
            self._program, self._digest = program_of_tables(tables), answer.digest
        return {
            "in_force": self._program,
            "digest": answer.digest,
            "sealed": answer.sealed,
            "seal_broken": answer.seal_broken,
        }
