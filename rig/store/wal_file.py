"""SQLite's write-ahead log beside the history, frame by frame as its format has it (sqlite.org/fileformat2, 4).

    | bytes | the header                            | bytes | a frame                                       |
    |-------|---------------------------------------|-------|-----------------------------------------------|
    | 4     | 0x377f0682, or ..83: which end first  | 4     | number of the page                            |
    | 4     | 3007000                               | 4     | pages of the database if it commits, else 0   |
    | 4     | size of a page                        | 8     | the header's salts                            |
    | 4     | number of the checkpoint              | 8     | checksum of the header, all frames up to here |
    | 8     | salts                                 | ...   | the page                                      |
    | 8     | checksum of these 24 bytes            |       |                                               |

Numbers are big-endian; the checksum reads words of the end that the first number tells.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_HEADER = struct.Struct(">IIIIIIII")
_FRAME = struct.Struct(">IIIIII")
_MAGIC = 0x377F0682
_VERSION = 3007000
_PAGE_SIZES = frozenset(1 << k for k in range(9, 17))


@dataclass
class WalFile:
    """Committed pages of SQLite's log, each with all that was written of it, in order.

    `count` is how many pages the database has with them, None where nothing is committed. `fault` says what is wrong
    with the file, "" where every byte is accounted for.
    """

    pages: dict[int, list[bytes]] = field(default_factory=dict)
    count: int | None = None
    frames: int = 0
    fault: str = ""


def read_wal(data: bytes, *, summed: bool = True) -> WalFile:
    """Take a log apart. `summed`: hold every frame against its checksum, which takes about 0.3 s for 4 MB.

    A frame that is not whole at the end was being written as the process ended, and is no fault; SQLite passes over it.
    """
    wal = WalFile()
    if not data:
        return wal
    if len(data) < _HEADER.size:
        return wal
    magic, version, size, _, *salts, sum_0, sum_1 = _HEADER.unpack_from(data)
    if magic & ~1 != _MAGIC or version != _VERSION or size not in _PAGE_SIZES:
        wal.fault = "does not begin with the header of SQLite's log"
        return wal
    order = ">" if magic & 1 else "<"
    sums = _summed((0, 0), data[:24], order)
    if summed and sums != (sum_0, sum_1):
        wal.fault = "is damaged in its header: the checksum does not hold"
        return wal
    waiting: list[tuple[int, bytes]] = []
    for number, begin in enumerate(_frames(len(data), size), 1):
        page, count, *found_salts, sum_0, sum_1 = _FRAME.unpack_from(data, begin)
        content = data[begin + _FRAME.size : begin + _FRAME.size + size]
        if found_salts != salts or not page:
            wal.fault = f"is damaged: frame {number} is not of this log"
            return wal
        if summed:
            sums = _summed(_summed(sums, data[begin : begin + 8], order), content, order)
            if sums != (sum_0, sum_1):
                wal.fault = f"is damaged: the checksum of frame {number} does not hold, SQLite drops what follows"
                return wal
        waiting.append((page, content))
        if count:
            for each, written in waiting:
                wal.pages.setdefault(each, []).append(written)
            waiting.clear()
            wal.count = count
        wal.frames = number
    return wal


def _frames(length: int, size: int) -> Iterator[int]:
    whole = _FRAME.size + size
    return iter(range(_HEADER.size, length - whole + 1, whole))


def _summed(sums: tuple[int, int], data: bytes, order: str) -> tuple[int, int]:
    s0, s1 = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for k in range(0, len(words), 2):
        s0 = (s0 + words[k] + s1) & 0xFFFFFFFF
        s1 = (s1 + words[k + 1] + s0) & 0xFFFFFFFF
    return s0, s1
