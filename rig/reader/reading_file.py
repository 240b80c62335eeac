"""A reading of a meter as one file: the bytes of its tables as they came, with what they came from (X-2).

The file is JSON, one value a line, described in docs/reading.md. What the bytes mean is not in it: `Decoded`
(rig/reader/decoded.py) makes values of them by the descriptions of tables, so that there is one truth. `sha256` is of
the file's own bytes with its digits as zeros: a file that was damaged, cut off or edited is refused.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec

from rig.errors import RigError
from rig.files.bounded import TooLongError, read_bounded

FORMAT = "ae0764-reading"
VERSION = 1

MOST_FILE_BYTES = 1 << 25
"""A meter with the largest load profile, decoded tables and words both, has 2 MB."""

_NO_DIGEST = "0" * 64
_DIGEST = re.compile(rb'"sha256": "([0-9a-f]{64})"')
_HEAD_BYTES = 256


class ReadingFileError(RigError):
    """A file that is no reading, or damaged: one sentence naming it, and what would be right."""


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A meter's answer to identify: `standard` 0 C12.18, 2 C12.21, its version, and its features as hexadecimal."""

    standard: int
    version: int
    revision: int
    features: str


class TableRead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table as it was read: its number on the wire, its title such as ST23 or MT1, when its first byte was asked for
    (`read_utc`, ISO 8601 by the reader's clock), its bytes as hexadecimal; or None and what the meter answered."""

    table: int
    title: str
    read_utc: str
    data: str | None
    refused: str | None = None

    @property
    def bytes(self) -> bytes | None:
        """Its bytes; None where it was refused."""
        return None if self.data is None else bytes.fromhex(self.data)


class BlockRead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block of DGCOM as it was read: its opcode, what it is, when, and its bytes as hexadecimal; or None, refused."""

    opcode: int
    name: str
    read_utc: str
    data: str | None

    @property
    def bytes(self) -> bytes | None:
        """Its bytes; None where it was refused."""
        return None if self.data is None else bytes.fromhex(self.data)


class MeterReadout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A reading. `protocol` is C12.18, C12.21 or DGCOM; `port` the device, `address` the meter's on its line.

    `simulated`: the port was a pseudo-terminal, behind which there is no meter. `password`: a right one was given.
    `sessions`: 1, or one more for each time that the line broke. `version` and `commit` are the reader's.
    `tables` are in the order of their numbers, one of each; `blocks` likewise.
    """

    format: str = FORMAT
    file_version: int = VERSION
    sha256: str = _NO_DIGEST
    version: str
    commit: str
    begun_utc: str
    ended_utc: str
    protocol: str
    port: str
    address: int
    simulated: bool
    password: bool
    sessions: int
    identity: Identity | None
    tables: list[TableRead] = []
    blocks: list[BlockRead] = []

    def table(self, number: int) -> bytes | None:
        """Give the bytes of a table by its number on the wire; None for one that was not read."""
        return next((each.bytes for each in self.tables if each.table == number), None)


class _Head(msgspec.Struct):
    format: str = ""
    file_version: int = 0


def encoded(reading: MeterReadout) -> bytes:
    """Give the bytes of a reading's file, its digest made anew."""
    blank = msgspec.structs.replace(reading, sha256=_NO_DIGEST)
    data = msgspec.json.format(msgspec.json.encode(blank), indent=1) + b"\n"
    digest = hashlib.sha256(data).hexdigest()
    return data.replace(_NO_DIGEST.encode(), digest.encode(), 1)


def load_reading(path: Path) -> MeterReadout:
    """Read a file. Raises ReadingFileError for one that is no reading, of another version, or damaged."""
    try:
        data = read_bounded(path, MOST_FILE_BYTES)
    except TooLongError as error:
        raise ReadingFileError(f"{path} is no reading: it {error}") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no file can have that name"
        raise ReadingFileError(f"{path} cannot be read ({why}): give a file of rig read") from None
    return reading_of(data, path)


def reading_of(data: bytes, path: Path) -> MeterReadout:
    """Read what a file has. Raises ReadingFileError likewise."""
    try:
        head = msgspec.json.decode(data, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ReadingFileError(f"{path} is no whole reading: read the meter again with rig read --out") from None
    if head.format != FORMAT:
        raise ReadingFileError(f"{path} is JSON but no reading: give a file of rig read --out")
    if head.file_version != VERSION:
        raise ReadingFileError(
            f"{path} has file_version {head.file_version}, this rig reads {VERSION}: use the rig that wrote it"
        )
    found = _DIGEST.search(data, 0, _HEAD_BYTES)
    blank = b"" if found is None else data[: found.start(1)] + _NO_DIGEST.encode() + data[found.end(1) :]
    if found is None or hashlib.sha256(blank).hexdigest().encode() != found[1]:
        raise ReadingFileError(f"{path} was damaged or edited, its sha256 does not hold: read the meter again")
    try:
        reading = msgspec.json.decode(data, type=MeterReadout)
        for data_read in (*(each.data for each in reading.tables), *(each.data for each in reading.blocks)):
            bytes.fromhex(data_read or "")
    except (msgspec.ValidationError, ValueError) as error:
        raise ReadingFileError(f"{path} is no reading ({error}): use the rig that wrote it") from None
    return reading
