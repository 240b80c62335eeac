"""A reading that broke off, beside the file that it will be: what has come, line by line, and is not asked for again.

Each line is JSON behind its CRC-32. A line that was cut off, and all that follows it, is as if it had not come. A table
longer than a part has its parts; they are one table only if the meter still has the same, which `reading.py` asks.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from rig.errors import RigError
from rig.files.bounded import TooLongError, read_bounded
from rig.files.claim import Claim, ClaimError, ClaimHeld
from rig.files.own import check_own
from rig.reader.reading_file import MOST_FILE_BYTES, VERSION, BlockRead, TableRead


class PartialError(RigError):
    """A partial file that cannot be used: one sentence naming it, and what would be right."""


class SessionBegun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="session"):
    """The beginning of a session: when, and how the meter is spoken to."""

    utc: str
    file_version: int
    protocol: str
    address: int


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="part"):
    """A part of a table from `offset` on, as hexadecimal; one from 0 on begins the table anew."""

    table: int
    read_utc: str
    offset: int
    data: str


class WholeTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="table"):
    """A table that is whole."""

    table: TableRead


class WholeBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="block"):
    """A block that is whole."""

    block: BlockRead


Line = SessionBegun | Part | WholeTable | WholeBlock


class Parts:
    """Parts of one table that have come, from its beginning on without a gap."""

    def __init__(self, read_utc: str) -> None:
        self.read_utc = read_utc
        self.data = bytearray()


class PartialReading:
    """Parts of a reading that have come; with a `path`, noted there as it comes, so that it outlives us."""

    def __init__(self, path: Path | None) -> None:
        """Take up what is at the path. Raises PartialError."""
        self.path = path
        self.sessions: list[SessionBegun] = []
        self.tables: dict[int, TableRead] = {}
        self.blocks: dict[int, BlockRead] = {}
        self.parts: dict[int, Parts] = {}
        self._file: BinaryIO | None = None
        self._claim: Claim | None = None
        if path is not None:
            self._open(path)

    @property
    def begun(self) -> bool:
        """True if something has come before."""
        return bool(self.tables or self.blocks or self.parts)

    def add(self, line: Line) -> None:
        """Take what has come, and note it. Raises PartialError."""
        self._take(line)
        if self._file is not None:
            try:
                self._file.write(_written(line))
                self._file.flush()
                if not isinstance(line, Part):
                    os.fsync(self._file.fileno())
            except OSError as error:
                raise PartialError(
                    f"{self.path} cannot be written ({error.strerror}): make room, and give the same command again"
                ) from None

    def begin_anew(self) -> None:
        """Drop all that has come but the sessions in which it did. Raises PartialError."""
        self.tables.clear()
        self.blocks.clear()
        self.parts.clear()
        if self._file is not None:
            try:
                self._file.truncate(0)
                for session in self.sessions:
                    self._file.write(_written(session))
                self._file.flush()
            except OSError as error:
                raise PartialError(f"{self.path} cannot be written ({error.strerror}): delete it") from None

    def close(self) -> None:
        """Leave it as it is, for the next time."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
                if self.path is not None and not self.path.stat().st_size:
                    self.path.unlink()
        if self._claim is not None:
            self._claim.close()

    def remove(self) -> None:
        """Remove it: what it had is in its file now."""
        if self.path is not None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
        self.close()

    def _open(self, path: Path) -> None:
        try:
            self._claim = Claim(path.with_name(f"{path.name}.lock"), "rig read", passing=True)
        except ClaimHeld as error:
            raise PartialError(f"{path}: {error}: wait for it, or give another --out") from None
        except ClaimError as error:
            raise PartialError(f"{error}: give --out in a folder with room that is yours") from None
        try:
            self._take_up(path)
        except BaseException:
            self.close()
            raise

    def _take_up(self, path: Path) -> None:
        """Take what the file has, and go on behind it. Raises PartialError."""
        try:
            data = b""
            if os.path.lexists(path):
                check_own(path, path.lstat(), write=True)
                data = read_bounded(path, MOST_FILE_BYTES)
            size = 0
            for end, line in _lines(data):
                self._take(line)
                size = end
            if data and not size:
                raise PartialError(f"{path} is no reading that broke off: delete it, or give another --out")
            if any(session.file_version != VERSION for session in self.sessions):
                raise PartialError(f"{path} is of another version of rig: delete it to begin anew")
            self._file = path.open("ab")
            self._file.truncate(size)
        except TooLongError as error:
            raise PartialError(f"{path} {error}: delete it to begin anew") from None
        except OSError as error:
            raise PartialError(
                f"{path} cannot be written ({error.strerror}): give --out in a folder with room that is yours"
            ) from None

    def _take(self, line: Line) -> None:
        match line:
            case SessionBegun():
                self.sessions.append(line)
            case WholeTable(table):
                self.tables[table.table] = table
                self.parts.pop(table.table, None)
            case WholeBlock(block):
                self.blocks[block.opcode] = block
            case Part(table, read_utc, offset, data):
                if not offset:
                    self.parts[table] = Parts(read_utc)
                parts = self.parts.get(table)
                if parts is not None and len(parts.data) == offset:
                    parts.data += bytes.fromhex(data)


def _written(line: Line) -> bytes:
    body = msgspec.json.encode(line)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _lines(data: bytes) -> Iterator[tuple[int, Line]]:
    """Give each whole line and where it ends, up to the first that is not."""
    at = 0
    while (end := data.find(b"\n", at)) >= 0:
        check, _, body = data[at:end].partition(b" ")
        try:
            if check != b"%08x" % zlib.crc32(body):
                return
            line = msgspec.json.decode(body, type=Line)
            if isinstance(line, Part):
                bytes.fromhex(line.data)
        except (msgspec.DecodeError, ValueError):
            return
        at = end + 1
        yield at, line
