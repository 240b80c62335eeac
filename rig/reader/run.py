"""A reading carried out: sessions until all is read, and then its file (X-2)."""

from __future__ import annotations

from pathlib import Path

from rig.errors import RigError
from rig.files.whole import write_files
from rig.reader.conversation import Conversation, MeterSilent, SessionEndedByMeter
from rig.reader.dgcom_conversation import DgcomConversation
from rig.reader.line import MeterLineError
from rig.reader.meter import MeterAccess
from rig.reader.partial import PartialReading
from rig.reader.reading import (
    BlockReading,
    Extent,
    ProgrammedMeanwhile,
    Progress,
    TableReading,
    in_order,
    now_utc,
)
from rig.reader.reading_file import Identity, MeterReadout, encoded
from rig.results.provenance import commit, project_version

SESSIONS = 3
"""A line that breaks again and again is left after so many, each of which read something."""

AGAIN_S = 2.0
"""Pause before the next: the meter's own time-out is longer, and a session that is left is ended by terminate."""


class ReadingBroke(RigError):
    """A reading that broke off: how far it came, why, and how it goes on."""

    status = 1


class MeterRun:
    """A reading of one meter: `out` is its file, None for none."""

    def __init__(self, access: MeterAccess, out: Path | None) -> None:
        self._access, self._out = access, out
        self._password = self._simulated = False
        self._identity: Identity | None = None
        self._ended_at: set[int] = set()
        """Tables at which the meter ended a session."""
        self._ended = False
        """It ended the last one by itself."""

    def read(self, extent: Extent, progress: Progress) -> MeterReadout:
        """Read all of it, and write its file. Raises ReadingBroke, where the next time goes on from; other errors."""
        partial = PartialReading(None if self._out is None else partial_of(self._out))
        try:
            breaks = 0
            while True:
                before = self._amount(partial)
                try:
                    self._session(partial, extent, progress)
                    break
                except (MeterSilent, MeterLineError) as error:
                    if not partial.sessions:
                        raise
                    # A meter that ends sessions by itself is asked on as long as each brings something.
                    self._ended = isinstance(error, SessionEndedByMeter)
                    breaks += not self._ended
                    anew = isinstance(error, ProgrammedMeanwhile)
                    if breaks == SESSIONS or (self._amount(partial) == before and not anew):
                        raise ReadingBroke(self._left(partial, error)) from None
                self._access.pause(AGAIN_S)
            readout = self._readout(partial)
            if self._out is not None:
                write_files({self._out: encoded(readout)})
                partial.remove()
            return readout
        finally:
            partial.close()

    def _session(self, partial: PartialReading, extent: Extent, progress: Progress) -> None:
        with self._access.session() as meter:
            self._password, self._simulated = meter.password, meter.line.simulated
            self._identity = meter.talk.identity
            match meter.talk:
                case Conversation() as tables:
                    reading = TableReading(tables, partial, ended_at=self._ended_at, ended=self._ended)
                    reading.run(extent, progress)
                case DgcomConversation() as blocks:
                    BlockReading(blocks, partial).run(extent, progress)

    def _left(self, partial: PartialReading, error: RigError) -> str:
        read = len(partial.tables) + len(partial.blocks)
        if partial.path is None:
            return f"{error}; {read} tables had been read: with --out a reading goes on where it broke off"
        return f"{error}; {read} tables are in {partial.path}: give the same command again, and it goes on from there"

    def _amount(self, partial: PartialReading) -> int:
        """Give how much there is of a reading, to see whether a session brought something."""
        parts = sum(len(each.data) for each in partial.parts.values())
        return len(partial.tables) + len(partial.blocks) + parts + len(self._ended_at)

    def _readout(self, partial: PartialReading) -> MeterReadout:
        first = partial.sessions[0]
        return MeterReadout(
            version=project_version(),
            commit=commit(),
            begun_utc=first.utc,
            ended_utc=now_utc(),
            protocol=partial.sessions[-1].protocol,
            port=self._access.device,
            address=first.address,
            simulated=self._simulated,
            password=self._password,
            sessions=len(partial.sessions),
            identity=self._identity,
            tables=in_order(partial.tables.values()),
            blocks=[partial.blocks[opcode] for opcode in sorted(partial.blocks)],
        )


def partial_of(out: Path) -> Path:
    """Give where a reading that breaks off is kept, beside the file that it will be."""
    return out.with_name(f"{out.name}.part")
