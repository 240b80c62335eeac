"""Facts of a meter that its tables are made of, as it answered the requests for them (X-1).

Nothing is computed of them here but what several tables share: local time. A table says which facts it needs, and each
is had by requests of the meter's own interface (rig/daemon/protocol.py), so that a port can do nothing to a meter that
another client could not.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

import msgspec

from rig.communication.c1219.lists import ListMarks
from rig.communication.c1219.monitored import AUDITED_CODES
from rig.communication.c1219.outcome import Steps, request
from rig.communication.c1219.recording import Recording, recording_of, resumes_at
from rig.communication.c1219.telephone import ModemFacts
from rig.communication.c1219.types import TableError
from rig.daemon.protocol import (
    LogPage,
    NumberedEvent,
    PendingAnswer,
    ProfilePage,
    ProgramInForce,
    ReadIdentity,
    ReadLog,
    ReadPending,
    ReadProfile,
    ReadProgram,
    ReadSnapshots,
    ReadState,
    SnapshotsPage,
)
from rig.errors import RigError
from rig.meter.billing.calendar import Calendar
from rig.meter.billing.events import Cause
from rig.meter.billing.snapshot import Snapshot
from rig.meter.reading.meter_reading import MeterReading
from rig.program.build import Program
from rig.program.written import program_of_tables
from rig.results.exact import ExactReading
from rig.results.exact_decoding import reading_of

YEARS = range(2000, 2100)
"""Years that two digits stand for."""

LOG_LINES = 256
"""Lines of the log that ST74 has, and ST76 of its own, the newest."""

SELF_READS = 12
"""Self-reads that ST26 has, the newest."""


NONE_WAITS = PendingAnswer(None, None)


class Need(Enum):
    """Fact that a table can need."""

    IDENTITY = "what the meter is"
    READING = "the exact reading"
    PROGRAM = "the program in force"
    LOG = "the newest lines of the log"
    AUDITED = "the newest lines of the log that the event log has"
    PENDING = "the program that waits"
    SELF_READS = "the newest self-reads"
    LAST_RESET = "registers before the last demand reset"
    PROFILE = "the load profile"


@dataclass(frozen=True)
class PlacedSnapshot:
    """A snapshot and its place among all that the store was ever given."""

    number: int
    snapshot: Snapshot


@dataclass(frozen=True)
class MeterFacts:
    """Facts of one meter.

    `digest` is the program's as the display has it. `software` is the rig's own version, for a meter that emulates no
    firmware. What was not asked for is None or empty: no table needs it.
    """

    software: str
    marks: ListMarks
    state: MeterReading | None = None
    in_force: Program | None = None
    tables: dict[str, Any] | None = None
    digest: str = ""
    sealed: bool = False
    seal_broken: bool = False
    log: tuple[NumberedEvent, ...] = ()
    audited: tuple[NumberedEvent, ...] = ()
    pending: PendingAnswer = NONE_WAITS
    self_reads: tuple[PlacedSnapshot, ...] = ()
    last_reset: Snapshot | None = None
    recording: Recording | None = None
    modem: ModemFacts | None = None

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

    @property
    def has_recorder(self) -> bool:
        """True if the meter records a load profile."""
        return self.program.billing.recorder is not None

    @property
    def now(self) -> datetime:
        """The time of the reading as the meter's clock shows it, without its zone."""
        return self.calendar.local(self.reading.utc_ns).replace(tzinfo=None)

    def nearest_ns(self, local: datetime) -> int:
        """Give the instant at which the meter's clock shows a time, without its zone; of the two passes of a doubled
        hour the one that is nearer to now, so that a clock that is corrected stays in its pass."""
        passes = (self.calendar.instant_ns(local.replace(fold=fold)) for fold in (0, 1))
        return min(passes, key=lambda at_ns: abs(at_ns - self.reading.utc_ns))

    def local(self, utc_ns: int | None) -> datetime | None:
        """Give a time as the meter's clock shows it, without its zone; None for none, and for one in no year that two
        digits have."""
        if utc_ns is None:
            return None
        found = self.calendar.local(utc_ns).replace(tzinfo=None)
        return found if found.year in YEARS else None


class FactsReader:
    """Facts, asked of a meter. A program is built once for each digest; a load profile stays as it was read until it is
    read anew, so that it can be had in parts."""

    def __init__(self, software: str, modem: Callable[[], ModemFacts | None] = lambda: None) -> None:
        """`modem` gives the facts of the port's modem, None: it has none."""
        self._modem = modem
        self._none = MeterFacts(software, ListMarks())
        self._program: Program | None = None
        self._digest: str | None = None
        self._recording: Recording | None = None
        self._renew = True

    @property
    def marks(self) -> ListMarks:
        """Marks of what was read of lists."""
        return self._none.marks

    def forget(self) -> None:
        """Read the load profile anew when it is needed next."""
        self._renew = True

    def facts(self, needs: Iterable[Need]) -> Steps[MeterFacts]:
        """Ask for facts of the meter. Raises RefusedRequest, and TableError for an answer that is not understood."""
        wanted = set(needs)
        if Need.PROGRAM in wanted:
            wanted.discard(Need.IDENTITY)  # it has all of it
        facts = replace(self._none, modem=self._modem())
        try:
            for need in Need:
                if need in wanted:
                    facts = yield from self._add(need, facts)
        except (msgspec.MsgspecError, RigError, LookupError, ValueError, ArithmeticError, struct.error) as error:
            raise TableError(f"the meter's answer is not understood: {error}") from None
        return facts

    def _add(self, need: Need, facts: MeterFacts) -> Steps[MeterFacts]:
        match need:
            case Need.IDENTITY:
                return self._in_force(msgspec.convert((yield from request(ReadIdentity())), ProgramInForce), facts)
            case Need.READING:
                exact = msgspec.convert((yield from request(ReadState())), ExactReading)
                return replace(facts, state=reading_of(exact))
            case Need.PROGRAM:
                return self._in_force(msgspec.convert((yield from request(ReadProgram())), ProgramInForce), facts)
            case Need.LOG:
                lines = msgspec.convert((yield from request(ReadLog(LOG_LINES))), LogPage)
                return replace(facts, log=tuple(lines.events))
            case Need.AUDITED:
                lines = msgspec.convert((yield from request(ReadLog(LOG_LINES, codes=sorted(AUDITED_CODES)))), LogPage)
                return replace(facts, audited=tuple(lines.events))
            case Need.PENDING:
                return replace(facts, pending=msgspec.convert((yield from request(ReadPending())), PendingAnswer))
            case Need.SELF_READS:
                found = yield from self._snapshots([Cause.SELF_READ], SELF_READS)
                return replace(facts, self_reads=found)
            case Need.LAST_RESET:
                found = yield from self._snapshots(_resetting(facts.program), 1)
                return replace(facts, last_reset=found[-1].snapshot if found else None)
            case Need.PROFILE:
                if self._recording is None or self._renew:
                    self._recording = yield from self._profile(facts)
                    self._renew = False
                return replace(facts, recording=self._recording)

    def _in_force(self, answer: ProgramInForce, facts: MeterFacts) -> MeterFacts:
        if answer.digest != self._digest or self._program is None:
            # The seal goes by what the meter says of itself; to build a sealed program takes keys, which nobody gives.
            tables = {name: table for name, table in answer.file.items() if name != "security"}
            self._program, self._digest = program_of_tables(tables), answer.digest
        return replace(
            facts,
            in_force=self._program,
            tables=answer.file,
            digest=answer.digest,
            sealed=answer.sealed,
            seal_broken=answer.seal_broken,
        )

    def _snapshots(self, causes: list[Cause], most: int) -> Steps[tuple[PlacedSnapshot, ...]]:
        asked = ReadSnapshots([cause.value for cause in causes], most)
        found = msgspec.convert((yield from request(asked)), SnapshotsPage)
        return tuple(
            PlacedSnapshot(each.number, msgspec.json.decode(each.registers, type=Snapshot)) for each in found.snapshots
        )

    def _profile(self, facts: MeterFacts) -> Steps[Recording]:
        """Ask for the load profile; of one that is known for what has come since."""
        now_ns = facts.reading.utc_ns
        known = self._recording
        if known is not None:
            found = recording_of((yield from self._pages(resumes_at(known))), now_ns, known)
            if found is not None:
                return found
        found = recording_of((yield from self._pages(0)), now_ns)
        assert found is not None  # of a recording from its beginning there is always one
        return found

    def _pages(self, first: int) -> Steps[list[ProfilePage]]:
        pages: list[ProfilePage] = []
        following: int | None = first
        while following is not None:
            number = pages[0].recording if pages else None
            pages.append(msgspec.convert((yield from request(ReadProfile(number, following))), ProfilePage))
            following = pages[-1].next
        return pages


def _resetting(program: Program) -> list[Cause]:
    """Give the causes of snapshots that were demand resets too."""
    billing = program.billing
    found = [Cause.SWITCH, Cause.COMMUNICATION]
    if billing.self_reads.resets_demand:
        found.append(Cause.SELF_READ)
    if billing.season_change_resets_demand:
        found.append(Cause.SEASON)
    return found
