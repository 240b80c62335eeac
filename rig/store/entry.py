"""An entry of the log, byte by byte: a save as what it is beside the last whole one.

    | bytes | what                                                                      |
    |-------|---------------------------------------------------------------------------|
    | 8     | "AE0764L\\n"                                                               |
    | 2     | version of the record's format                                            |
    | 2     | 0                                                                         |
    | 4     | length of the body                                                        |
    | 4     | CRC-32 of the base, the whole record that it goes on from                 |
    | 8     | number of the store                                                       |
    | 8     | sequence of the base                                                      |
    | 8     | sequence of this save                                                     |
    | 4     | CRC-32 (IEEE 802.3) of these 44 bytes and the body                        |
    | ...   | body: the whole record (rig/store/record.py) as a delta (rig/store/delta.py) |

Integers are little-endian.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from rig.store.delta import apply_delta, delta_of
from rig.store.record import FORMAT, DamagedRecord, Format, JournalRecord, decode, raw

MAGIC = b"AE0764L\n"
_HEAD = struct.Struct("<8sHHIIQQQ")
_CRC = struct.Struct("<I")
OVERHEAD = _HEAD.size + _CRC.size


@dataclass(frozen=True)
class Entry:
    """A whole entry, as it was found. `base` is the sequence of the record that it goes on from."""

    version: int
    store: int
    base: int
    base_crc: int
    sequence: int
    body: bytes

    @property
    def end(self) -> int:
        """Bytes that it takes; in a slot zeros follow."""
        return OVERHEAD + len(self.body)


def encode_entry(
    record: JournalRecord, whole: bytes, base: JournalRecord, base_whole: bytes, version: int = FORMAT.version
) -> bytes:
    """Write `record`, of which `whole` is the encoding, beside a base."""
    body = delta_of(whole, base_whole)
    numbers = zlib.crc32(base_whole), record.store, base.sequence, record.sequence
    head = _HEAD.pack(MAGIC, version, 0, len(body), *numbers)
    return head + _CRC.pack(zlib.crc32(body, zlib.crc32(head))) + body


def decode_entry(data: bytes) -> Entry | None:
    """Read the entry at the beginning of a slot. None where none is whole."""
    if len(data) < OVERHEAD or not data.startswith(MAGIC):
        return None
    _, version, _, length, base_crc, store, base, sequence = _HEAD.unpack_from(data)
    (crc,) = _CRC.unpack_from(data, _HEAD.size)
    body = data[OVERHEAD : OVERHEAD + length]
    if len(body) < length or crc != zlib.crc32(body, zlib.crc32(data[: _HEAD.size])):
        return None
    return Entry(version, store, base, base_crc, sequence, body)


def record_of(entry: Entry, base_whole: bytes, most: int, fmt: Format = FORMAT) -> JournalRecord:
    """Make the record of an entry from its base. DamagedRecord if that is another; NewerRecord as `decode`."""
    if entry.base_crc != zlib.crc32(base_whole):
        raise DamagedRecord("continues from a whole save that no longer exists")
    try:
        whole = apply_delta(entry.body, base_whole, most)
    except ValueError as error:
        raise DamagedRecord(str(error)) from None
    record = decode(raw(whole), fmt)
    if (record.store, record.sequence) != (entry.store, entry.sequence):
        raise DamagedRecord("is not the save that it says it is")
    return record
