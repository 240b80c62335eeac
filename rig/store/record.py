"""A record of the billing journal, byte by byte.

    | bytes | what                                                                |
    |-------|---------------------------------------------------------------------|
    | 8     | "AE0764\\r\\n"                                                        |
    | 2     | version of the format                                               |
    | 2     | which run of the meter wrote it, by the number of starts modulo 2¹⁶ |
    | 4     | length of the body                                                  |
    | 4     | CRC-32 (IEEE 802.3) of these 16 bytes and the body                  |
    | ...   | body: a JournalRecord in MessagePack, with names                    |

Integers are little-endian. The first 20 bytes are the same in every version, so that any program can tell a whole
record from a damaged one and a newer one from its own. Whoever changes JournalRecord raises the version in FORMAT and
adds there the way from the version before. Version 2 has the log beside it (rig/store/log.py): a program that knows
nothing of that would go on from the last whole save.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from rig.store.errors import StoreError
from rig.store.items import Index, Numbered, RecordingItem

MAGIC = b"AE0764\r\n"
_HEAD = struct.Struct("<8sHHI")
_CRC = struct.Struct("<I")
OVERHEAD = _HEAD.size + _CRC.size

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Format:
    """A version of the records, and how a body of an older version becomes one of the next, by the older's number."""

    version: int
    upgrades: Mapping[int, Upgrade]


ZEROED = 2
"""The first version with nothing but zeros behind a record in its copy."""

FORMAT = Format(2, {1: lambda body: body | {"marks": []}})


class DamagedRecord(ValueError):
    """No record, or not a whole one. The text says of the file what is wrong with it."""


class NewerRecord(ValueError):
    """A whole record, of a version that is not known yet."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Mark of wear: how many bytes the store had written when, by the meter's time."""

    utc_ns: int
    written: Index


class JournalRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that is to survive.

    `store` is the number that all files of one store share. `sequence` counts saves; 0 is a store in which nothing was
    saved yet. `payload` is the meter's state. `items` wait for the history; `next_item` is the number of the next.
    `dropped` counts those that never came there. `recording` is the newest, so that a new history has its settings.
    `marks` are of the present run, the last one of this save.
    """

    store: Index
    sequence: Index
    utc_ns: int
    payload: bytes
    next_item: Index
    items: list[Numbered]
    dropped: dict[str, int]
    recording: RecordingItem | None
    marks: list[Mark] = []


def encode(record: JournalRecord, version: int = FORMAT.version, run: int = 0) -> bytes:
    """The whole record as it is on the disk. StoreError for one that could not be read back: it must not be written."""
    try:
        body = msgspec.msgpack.encode(record)
        msgspec.msgpack.decode(body, type=type(record))
    except (msgspec.ValidationError, OverflowError, TypeError, ValueError) as error:
        raise StoreError(f"save {record.sequence} cannot be written, it could not be read back: {error}") from None
    head = _HEAD.pack(MAGIC, version, run, len(body))
    return head + _CRC.pack(zlib.crc32(body, zlib.crc32(head))) + body


def version_of(whole: bytes) -> int:
    """The version of a whole record's format."""
    return int(_HEAD.unpack_from(whole)[1])


def run_of(whole: bytes) -> int:
    """The run of the meter that wrote a whole record."""
    return int(_HEAD.unpack_from(whole)[2])


def raw(data: bytes) -> bytes:
    """The bytes of the whole record at the beginning of `data`, unread. DamagedRecord if there is none."""
    if not data:
        raise DamagedRecord("is empty")
    if len(data) < OVERHEAD or not data.startswith(MAGIC):
        raise DamagedRecord("does not begin with a journal record")
    _, _, _, length = _HEAD.unpack_from(data)
    (crc,) = _CRC.unpack_from(data, _HEAD.size)
    end = OVERHEAD + length
    if end > len(data):
        raise DamagedRecord("ends inside its record")
    if crc != zlib.crc32(memoryview(data)[OVERHEAD:end], zlib.crc32(data[: _HEAD.size])):
        raise DamagedRecord("is damaged, its checksum does not hold")
    return data[:end]


def decode(whole: bytes, fmt: Format = FORMAT) -> JournalRecord:
    """A whole record's content, brought up to date. NewerRecord or DamagedRecord if that cannot be done."""
    _, version, _, _ = _HEAD.unpack_from(whole)
    if version > fmt.version:
        raise NewerRecord(f"is of format {version}, this program knows up to {fmt.version}")
    body = whole[OVERHEAD:]
    try:
        if version < fmt.version:
            content = msgspec.msgpack.decode(body)
            for step in range(version, fmt.version):
                if step not in fmt.upgrades:
                    raise DamagedRecord(f"is of format {version}, which this program no longer reads")
                content = fmt.upgrades[step](content)
            body = msgspec.msgpack.encode(content)
        return msgspec.msgpack.decode(body, type=JournalRecord)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedRecord(f"cannot be understood: {error}") from None
