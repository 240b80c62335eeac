"""Sums of the history's pages: which byte of the file is not what was written, free space and all.

SQLite has checksums in its log but none in the database. `history.sums`, written anew after each checkpoint, has them:

    | bytes | what                                     |
    |-------|------------------------------------------|
    | 8     | "AE0764S\\n"                              |
    | 8     | number of the store                      |
    | 4     | size of a page                           |
    | 4     | how many pages                           |
    | 4 × n | CRC-32 of each                           |
    | 4     | CRC-32 of all before                     |

Integers are little-endian. Between two checkpoints only the log grows. So a page of the database is sound if it has its
sum, or is as one of its frames in the log: a checkpoint may have been cut short. The order of a checkpoint keeps that
true whenever the process is killed:

    1. the pages of the log go into the database, and are synced
    2. the new sums, made from the old ones and the log, get their name
    3. the log is emptied
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.files.own import open_to_read
from rig.store.disk import Disk
from rig.store.wal_file import WalFile, read_wal

SUMS = "history.sums"

MAGIC = b"AE0764S\n"
_HEAD = struct.Struct("<8sQII")
_CRC = struct.Struct("<I")
MOST_PAGES = 1 << 22
"""A history of 16 GB."""

MOST_LOG_BYTES = 1 << 28
"""SQLite's log is some 4 MB; only while somebody reads for hours does it grow further."""

_MOST_NAMED = 8


@dataclass(frozen=True)
class PageSums:
    """Checksums of a history's pages: CRC-32 of each, in order."""

    store: int
    page_bytes: int
    sums: tuple[int, ...]


@dataclass(frozen=True)
class PageReport:
    """Result of checking a history's pages: `faults` are sentences that go on from a file's name, by that name.

    `pages` is how many hold. `known` is False where there are no sums to hold them against.
    """

    pages: int
    faults: tuple[tuple[str, str], ...]
    known: bool = True


class DamagedSums(ValueError):
    """No sums, or not whole ones. The text says of the file what is wrong with it."""


def read_sums(path: Path) -> PageSums | None:
    """Read the sums beside a history; None where there are none. Raises OSError, DamagedSums."""
    try:
        with open_to_read(path) as file:
            data = file.read(_HEAD.size + _CRC.size * (MOST_PAGES + 1))
    except FileNotFoundError:
        return None
    if len(data) < _HEAD.size + _CRC.size or not data.startswith(MAGIC):
        raise DamagedSums("does not begin with sums of a history")
    if _CRC.unpack_from(data, len(data) - _CRC.size)[0] != zlib.crc32(data[: -_CRC.size]):
        raise DamagedSums("is damaged, its checksum does not hold")
    _, store, page_bytes, count = _HEAD.unpack_from(data)
    if len(data) != _HEAD.size + _CRC.size * (count + 1):
        raise DamagedSums("has not as many sums as it says")
    return PageSums(store, page_bytes, struct.unpack_from(f"<{count}I", data, _HEAD.size))


def write_sums(path: Path, sums: PageSums) -> None:
    """Write them whole or not at all. Raises OSError."""
    data = _HEAD.pack(MAGIC, sums.store, sums.page_bytes, len(sums.sums)) + struct.pack(
        f"<{len(sums.sums)}I", *sums.sums
    )
    disk = Disk()
    disk.close(disk.make(path, data + _CRC.pack(zlib.crc32(data))))


def sums_after(before: Sequence[int], wal: WalFile) -> tuple[int, ...]:
    """Give the sums of all pages once the log is in the database; pages that are not in it keep theirs."""
    if wal.count is None:
        return tuple(before)
    sums = [*before[: wal.count], *[0] * (wal.count - len(before))]
    for page, written in wal.pages.items():
        if page <= wal.count:
            sums[page - 1] = zlib.crc32(written[-1])
    return tuple(sums)


def sums_of(path: Path, page_bytes: int) -> tuple[int, ...]:
    """Sum up the pages of a file as they are. Raises OSError."""
    found = []
    with open_to_read(path) as file:
        while data := file.read(page_bytes):
            found.append(zlib.crc32(data))
    return tuple(found)


def log_of(path: Path) -> bytes:
    """Read the log beside a history; nothing where there is none. Raises OSError."""
    try:
        with open_to_read(path.with_name(path.name + "-wal")) as file:
            return file.read(MOST_LOG_BYTES)
    except FileNotFoundError:
        return b""


def check_pages(path: Path, *, summed: bool = True) -> PageReport:
    """Hold every byte of a history, its log and its sums against each other. Reads only. Raises OSError.

    `summed` as `read_wal` has it.
    """
    wal = read_wal(log_of(path), summed=summed)
    log_faults = ((path.name + "-wal", wal.fault),) if wal.fault else ()
    try:
        known = read_sums(path.with_name(SUMS))
    except DamagedSums as error:
        return PageReport(0, (*log_faults, (SUMS, str(error))), known=False)
    if known is None:
        return PageReport(0, log_faults, known=False)
    found = sums_of(path, known.page_bytes)
    wrong = [
        page
        for page, crc in enumerate(found, 1)
        if not (page <= len(known.sums) and crc == known.sums[page - 1])
        and crc not in map(zlib.crc32, wal.pages.get(page, ()))
    ]
    faults = [(path.name, _damage(wrong, known.page_bytes))] if wrong else []
    if len(found) < len(known.sums) and (wal.count is None or len(found) < min(len(known.sums), wal.count)):
        faults.append((path.name, f"has {len(found)} pages of {len(known.sums)}: its end is missing"))
    return PageReport(len(found) - len(wrong), (*log_faults, *faults))


def _damage(pages: Sequence[int], page_bytes: int) -> str:
    if len(pages) == 1:
        return f"is damaged in page {pages[0]}, bytes {(pages[0] - 1) * page_bytes} to {pages[0] * page_bytes - 1}"
    named = ", ".join(map(str, pages[:_MOST_NAMED])) + (" and others" if len(pages) > _MOST_NAMED else "")
    return f"is damaged in {len(pages)} pages of {page_bytes} bytes: {named}"
