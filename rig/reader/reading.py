"""A whole meter read: every table that ST0 names, in order, and again after a break where it broke off (X-2).

Tables that hold passwords or keys are never asked for. A table is of one instant as far as the meter makes it so: of
one that broke off in parts the rest is taken only if its beginning, and the state of its list, are as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from rig.communication.c1218.services import Code
from rig.communication.c1219.session_tables import STAGED_PROGRAM
from rig.communication.c1219.table import MANUFACTURER, PROCEDURES_ARE_ANSWERED_IN, PROCEDURES_ARE_WRITTEN_TO
from rig.communication.c1219.types import TableError
from rig.errors import RigError
from rig.reader.conversation import MOST_PIECE, Conversation, MeterSilent, ServiceRefused, SessionEndedByMeter, refusal
from rig.reader.decoded import CONFIGURATION, Decoded, tables_used
from rig.reader.dgcom_conversation import BLOCKS, PROFILE_BLOCK, BlockName, DgcomConversation, DgcomRefused
from rig.reader.partial import Part, PartialReading, Parts, SessionBegun, WholeBlock, WholeTable
from rig.reader.reading_file import VERSION, BlockRead, TableRead

IDENTIFICATION, DEVICE_IDENTIFICATION = 1, 5
WHOSE = (CONFIGURATION, IDENTIFICATION, DEVICE_IDENTIFICATION)
"""Tables that say whose reading it is, and in which formats: after a break they must be the same."""

MEANINGS = (6, 11, 12, 13, 15, 16, 21, 22, 61, 62)
"""Tables by which others are understood: a meter that was programmed meanwhile has others. Our ST6 has the program's
digest."""

WHOSE_BLOCKS = (0x08, 0x1F, 0x6F, 0x87, 0xC4)
"""The same of DGCOM: version, K, device identity, serial number, and which metrics there are."""

SECRETS = frozenset({42, 45})
"""Passwords and keys: what a meter gives of them must not come into a file."""

NOT_CONTENTS = frozenset({PROCEDURES_ARE_WRITTEN_TO, PROCEDURES_ARE_ANSWERED_IN})

PROGRAMMED = 6
PROGRAMMED_BYTES = 32
"""So many at the end of our ST6 have the program's digest."""

PROFILE_STATUS = 63
PROFILE_DATA = frozenset(range(64, 68))
RECORDER_MEMORY = MANUFACTURER + 5
LONG = PROFILE_DATA | {RECORDER_MEMORY}
"""Tables that are read in parts, and only where a load profile is wanted."""

MOST_TABLE_BYTES = 1 << 20
"""Bytes of a table; the longest that ours can have are half of it. A meter that gives more never comes to an end."""

COMPARED_BYTES = 64
"""So many at the end of what has come of a table must be the same, if it is to go on."""

MOST_COUNT = 0xFFFF
"""Bytes that one answer can count."""

Progress = Callable[[int, int, str], None]
"""Called with how many tables are done, of how many, and what is read."""


class OtherMeter(RigError):
    """Another meter than the one whose reading broke off, or another program in it."""


class ProgrammedMeanwhile(MeterSilent):
    """A meter that was programmed while it was read: what came is of two programs, and was dropped."""


@dataclass(frozen=True)
class Extent:
    """Extent of a reading: some tables, with those that limit them, or None for all; and whether the load profile is
    read."""

    tables: frozenset[int] | None = None
    profile: bool = False


def now_utc() -> str:
    """Give the time as readings have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def title_of(number: int) -> str:
    """Give a table's title, such as ST23 or MT1."""
    return f"ST{number}" if number < MANUFACTURER else f"MT{number - MANUFACTURER}"


class TableReading:
    """Tables read into a partial reading, one session of it."""

    def __init__(
        self,
        conversation: Conversation,
        partial: PartialReading,
        ended_at: set[int] | None = None,
        *,
        ended: bool = False,
    ) -> None:
        """`ended_at` has the tables at which the meter ended a session before, and gets those at which it does.

        `ended`: it has just ended one, so that nobody programmed it meanwhile; it may end this one after few requests.
        """
        self._conversation, self._partial = conversation, partial
        self._ended_at = set() if ended_at is None else ended_at
        self._again = WHOSE if ended else (*WHOSE, *MEANINGS)
        self._fresh: set[int] = set()
        """Tables that were read in this session."""

    def run(self, extent: Extent, progress: Progress) -> None:
        """Read what the extent has and is not there yet.

        Raises MeterSilent, of it ProgrammedMeanwhile, MeterLineError, OtherMeter, PartialError.
        """
        partial = self._partial
        if partial.blocks:
            raise OtherMeter(_other(partial))
        before = {number: there for number, there in partial.tables.items() if number in self._again}
        partial.add(SessionBegun(now_utc(), VERSION, self._conversation.protocol, self._conversation.settings.address))
        self._check_whose(before)
        numbers = self._numbers(extent)
        for done, number in enumerate(numbers):
            progress(done, len(numbers), title_of(number))
            there = partial.tables.get(number)
            given_up = there is not None and number in self._ended_at
            if number not in self._fresh and not given_up and (there is None or there.data is None):
                self._read(
                    number,
                    lambda extra, number=number, done=done: progress(  # type: ignore[misc]
                        done, len(numbers), f"{title_of(number)}, {extra} bytes"
                    ),
                )
        self._check_program()
        progress(len(numbers), len(numbers), "")

    def _check_program(self) -> None:
        """Ask a meter of ours whether it still has the program of the beginning. Raises ProgrammedMeanwhile."""
        there = self._partial.tables.get(PROGRAMMED)
        configuration = self._partial.tables[CONFIGURATION].bytes
        data = None if there is None else there.bytes
        if data is None or configuration is None or not Decoded({CONFIGURATION: configuration}).ours:
            return
        at = max(0, len(data) - PROGRAMMED_BYTES)
        try:
            now = self._part(PROGRAMMED, at, len(data) - at)
        except ServiceRefused:
            return
        if now != data[at:]:
            self._partial.begin_anew()
            raise ProgrammedMeanwhile("the meter was programmed while it was read, so what came is dropped")

    def _check_whose(self, before: dict[int, TableRead]) -> None:
        """Read who it is, and again by what its tables are understood. Raises OtherMeter."""
        for number in self._again:
            there = before.get(number)
            if there is None if number in MEANINGS else number != CONFIGURATION and number not in self._used():
                continue
            found = self._fetched(number, lambda extra: None)
            data = None if there is None else there.data
            if None not in (data, found.data) and data != found.data:
                raise OtherMeter(_other(self._partial))  # before anything of it is in the partial reading
            if data is None or found.data is not None:  # without the password of before, what came by it stays
                self._partial.add(WholeTable(found))
            self._fresh.add(number)

    def _used(self) -> list[int]:
        data = self._partial.tables[CONFIGURATION].bytes
        if data is None:
            raise MeterSilent("the meter does not give ST0, without which nothing can be read: give its password")
        try:
            return list(tables_used(Decoded({CONFIGURATION: data}).values(CONFIGURATION)))
        except TableError as error:
            raise MeterSilent(f"the meter's ST0 cannot be decoded: {error}") from None

    def _numbers(self, extent: Extent) -> list[int]:
        used = self._used()
        decoded = Decoded({CONFIGURATION: self._partial.tables[CONFIGURATION].bytes or b""})
        if extent.tables is not None:
            limits = {limit for number in extent.tables for limit in decoded.limits_of(number)}
            return sorted((extent.tables | limits | {CONFIGURATION}) - SECRETS)
        ours = decoded.ours
        left_out = SECRETS | NOT_CONTENTS | ({STAGED_PROGRAM} if ours else set())
        if not extent.profile:
            left_out |= PROFILE_DATA | ({RECORDER_MEMORY} if ours else set())
        return [number for number in used if number not in left_out]

    def _read(self, number: int, progress: Callable[[int], None]) -> None:
        self._partial.add(WholeTable(self._fetched(number, progress)))
        self._fresh.add(number)

    def _fetched(self, number: int, progress: Callable[[int], None]) -> TableRead:
        """Give a table as the meter has it now, or its refusal."""
        utc = now_utc()
        if number in PROFILE_DATA and PROFILE_STATUS not in self._fresh and PROFILE_STATUS in self._used():
            self._renew_status(progress)
        try:
            if number in LONG:
                utc, data = self._in_parts(number, progress)
            else:
                data = self._whole(number, progress)
        except ServiceRefused as error:
            return TableRead(number, title_of(number), utc, None, refusal(error.code))
        except SessionEndedByMeter:
            if number in self._ended_at:  # it does so each time, and all the others come without this one
                self._partial.add(WholeTable(TableRead(number, title_of(number), utc, None, refusal(Code.ISSS))))
            self._ended_at.add(number)
            raise
        return TableRead(number, title_of(number), utc, data.hex())

    def _renew_status(self, progress: Callable[[int], None]) -> None:
        """Read a load profile's state again: its parts go on only if it is the same."""
        before = self._partial.tables.get(PROFILE_STATUS)
        self._read(PROFILE_STATUS, progress)
        if before is None or before.data != self._partial.tables[PROFILE_STATUS].data:
            for number in PROFILE_DATA:
                self._partial.parts.pop(number, None)

    def _whole(self, number: int, progress: Callable[[int], None]) -> bytes:
        try:
            data = self._conversation.read(number)
        except ServiceRefused as error:
            if error.code is not Code.ONP:
                raise
            return self._in_parts(number, progress)[1]
        if len(data) < MOST_COUNT:
            return data
        return self._in_parts(number, progress)[1]  # a longer one cannot come whole

    def _in_parts(self, number: int, progress: Callable[[int], None]) -> tuple[str, bytes]:
        """Read a table part by part, from where it broke off; its instant, and its bytes."""
        size = min(MOST_PIECE, self._conversation.piece)
        parts = self._partial.parts.get(number)
        begin = now_utc()
        try:
            first = self._conversation.read_part(number, 0, size)
        except ServiceRefused as error:
            # Without reads by offset it says so, or anything else: what it says of the whole table counts.
            if error.code is Code.ISC:
                raise
            return begin, self._conversation.read(number)
        if parts is None or not self._goes_on(number, parts, first, size):
            parts = self._add(number, begin, 0, first)
        last = first
        while len(last) == size or len(parts.data) > len(first):
            progress(len(parts.data))
            last = self._part(number, len(parts.data), size)
            if len(parts.data) + len(last) > MOST_TABLE_BYTES:
                raise MeterSilent(f"{title_of(number)} has more than {MOST_TABLE_BYTES} bytes: no table is so long")
            if last:
                self._add(number, parts.read_utc, len(parts.data), last)
            if len(last) < size:
                break
        return parts.read_utc, bytes(parts.data)

    def _goes_on(self, number: int, parts: Parts, first: bytes, size: int) -> bool:
        """Say whether what there is of a table is of the one that the meter has now, by its beginning and its end."""
        there = bytes(parts.data)
        if not there or there[:size] != first[: len(there)]:
            return False
        at = max(0, len(there) - COMPARED_BYTES)
        return self._part(number, at, len(there) - at) == there[at:]

    def _part(self, number: int, offset: int, size: int) -> bytes:
        """Read a part; nothing beyond the end."""
        try:
            return self._conversation.read_part(number, offset, size)
        except ServiceRefused as error:
            if error.code is not Code.IAR:
                raise
        return b""

    def _add(self, number: int, utc: str, offset: int, data: bytes) -> Parts:
        self._partial.add(Part(number, utc, offset, data.hex()))
        return self._partial.parts[number]


class BlockReading:
    """Blocks of DGCOM read into a partial reading."""

    def __init__(self, conversation: DgcomConversation, partial: PartialReading) -> None:
        self._conversation, self._partial = conversation, partial

    def run(self, extent: Extent, progress: Progress) -> None:
        """Read every block that is described, and not there yet; the load profile if it is wanted."""
        partial = self._partial
        if partial.tables:
            raise OtherMeter(_other(partial))
        before = dict(partial.blocks)
        partial.add(SessionBegun(now_utc(), VERSION, self._conversation.protocol, 0))
        blocks = [*BLOCKS, *([PROFILE_BLOCK] if extent.profile else [])]
        for block in BLOCKS:
            if block.opcode in WHOSE_BLOCKS and block.opcode in before:
                self._check(block, before[block.opcode])
        for done, block in enumerate(blocks):
            progress(done, len(blocks), block.name)
            there = partial.blocks.get(block.opcode)
            if there is None or there.data is None:
                partial.add(WholeBlock(self._read(block)))
        progress(len(blocks), len(blocks), "")

    def _check(self, block: BlockName, there: BlockRead) -> None:
        """Ask again for a block that must be as before. Raises OtherMeter."""
        found = self._read(block)
        if None not in (found.data, there.data) and found.data != there.data:
            raise OtherMeter(_other(self._partial))

    def _read(self, block: BlockName) -> BlockRead:
        utc, data = now_utc(), None
        with suppress(DgcomRefused):
            profile = block is PROFILE_BLOCK
            data = (self._conversation.read_profile() if profile else self._conversation.read(block)).hex()
        return BlockRead(block.opcode, block.name, utc, data)


def _other(partial: PartialReading) -> str:
    what = "the reading that broke off is of another meter, or of another program"
    if partial.path is None:
        return f"{what} than the meter has now: read it again"
    return f"{what}: delete {partial.path}, or give another --out"


def in_order(found: Iterable[TableRead]) -> list[TableRead]:
    """Give tables in the order of their numbers."""
    return sorted(found, key=lambda table: table.table)
