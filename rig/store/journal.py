"""The billing journal: the newest record in one of two files, overwritten in turn and in place.

A save goes into the copy that is not the newest one, and the newest stays untouched until the save is on the disk: no
cut of power can tear both. Nothing is allocated, so a full disk stops nothing. What is found when a journal is opened:

    | one copy  | the other | what is done                                            |
    |-----------|-----------|---------------------------------------------------------|
    | missing   | missing   | a new journal is begun                                  |
    | unused    | missing   | goes on: its beginning was cut short                    |
    | unused    | unused    | goes on: nothing was ever saved                         |
    | unused    | damaged   | goes on, and says so: its first save was cut short      |
    | valid     | older     | goes on from the newer one                              |
    | valid     | damaged   | goes on from the valid one, and says so                 |
    | valid     | missing   | goes on from the valid one, makes the other, says so    |
    | damaged   | damaged   | refuses                                                 |
    | damaged   | missing   | refuses                                                 |
    | newer     | valid     | refuses: written by a newer program                     |
    | newer     | damaged   | refuses: written by a newer program                     |
    | foreign   | valid     | refuses: of two meters                                  |

A copy gets its name only once it is whole on the disk, with a record of sequence 0 in it. So an empty file, or one of
zeros, is never a beginning: it is damage.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig.store.disk import Disk
from rig.store.errors import StoreError
from rig.store.record import (
    FORMAT,
    ZEROED,
    DamagedRecord,
    Format,
    JournalRecord,
    NewerRecord,
    decode,
    encode,
    raw,
    version_of,
)

NAMES = ("billing.a", "billing.b")

CAPACITY = 1 << 19
"""Size of a copy in bytes, written once when it is made. A save writes only what its record needs."""


@dataclass(frozen=True)
class Copy:
    """What is in one file of the journal: a record, or what is wrong with it. `size` is at most CAPACITY.

    `stray` is the place of the first byte behind the record that is not zero; None: all are, or what wrote it left what
    had been there.
    """

    path: Path
    size: int = 0
    whole: bytes = b""
    record: JournalRecord | None = None
    fault: str = ""
    newer: bool = False
    missing: bool = False
    stray: int | None = None


def read_copy(path: Path, disk: Disk, fmt: Format = FORMAT) -> Copy:
    """Look at one copy; raises nothing."""
    try:
        data = disk.read(path, CAPACITY)
    except FileNotFoundError:
        return Copy(path, fault="is missing", missing=True)
    except OSError as error:
        return Copy(path, fault=f"cannot be read ({error.strerror})")
    try:
        whole = raw(data)
        return Copy(path, len(data), whole, decode(whole, fmt), stray=_stray(data, whole))
    except DamagedRecord as error:
        return Copy(path, len(data), fault=str(error))
    except NewerRecord as error:
        return Copy(path, len(data), fault=str(error), newer=True)


def _stray(data: bytes, whole: bytes) -> int | None:
    rest = data[len(whole) :]
    if version_of(whole) < ZEROED or not (found := rest.lstrip(b"\0")):
        return None
    return len(data) - len(found)


def newest_of(copies: list[Copy]) -> tuple[Copy, JournalRecord]:
    """The copy to go on from. StoreError if there is none that one may go on from."""
    for copy in copies:
        if copy.newer:
            raise StoreError(f"{copy.path} {copy.fault}: update the program; going back would lose what it saved since")
    valid = [(copy, copy.record) for copy in copies if copy.record is not None]
    if not valid:
        a, b = copies
        raise StoreError(
            f"{a.path} {a.fault} and {b.path} {b.fault}: the registers are not begun at zero without being told; "
            f"put back a copy of one of the two files, or move the folder {a.path.parent} away to begin a new meter"
        )
    if len({record.store for _, record in valid}) > 1:
        a, b = copies
        raise StoreError(f"{a.path} and {b.path} are of two different meters: put back the file that belongs here")
    return max(valid, key=lambda found: found[1].sequence)


class Journal:
    """An open journal. `record` is the newest one; `notes` are sentences on what was mended. Used by one thread.

    `open` writes the newest record once more where it stands, and waits for it and for the folder: a process that was
    killed before its save had reached the disk leaves a record, or a name, that looks whole, but only in the system's
    memory, and so does a sync that failed. Left as it is, the next save could be torn with no whole one beside it.
    """

    def __init__(self, disk: Disk, fmt: Format) -> None:
        self.notes: list[str] = []
        self.record: JournalRecord
        self._disk = disk
        self._format = fmt
        self._paths: list[Path] = []
        self._files: list[int] = []
        self._used = [CAPACITY, CAPACITY]
        self._newest = 0

    @classmethod
    def open(cls, folder: Path, disk: Disk, fmt: Format = FORMAT) -> Journal:
        """Open or begin the journal in a folder. StoreError: refused as above, or cannot be written."""
        journal = cls(disk, fmt)
        try:
            journal._open(folder)
        except BaseException:
            journal.close()
            raise
        return journal

    def write(self, record: JournalRecord) -> None:
        """Make `record` the newest; it survives whatever happens once this returns.

        StoreError if it does not fit or cannot be written; then the one before is still the newest, untouched.
        """
        whole = encode(record, self._format.version)
        if len(whole) > CAPACITY:
            raise StoreError(f"a record of {len(whole)} bytes does not fit the journal, it holds {CAPACITY}")
        target = 1 - self._newest
        with _writing(self._paths[target]):
            # Zeros over what is left of a longer record: so every byte of a copy has a value that can be checked.
            self._disk.write(self._files[target], whole.ljust(self._used[target], b"\0"), 0)
            self._used[target] = max(len(whole), self._used[target])
            self._disk.sync(self._files[target])
        self._used[target] = len(whole)
        self._newest = target
        self.record = record

    @property
    def files(self) -> list[tuple[Path, int, os.stat_result]]:
        """Each copy's path, the bytes that it must have, and which file is open."""
        return [(path, CAPACITY, os.fstat(file)) for path, file in zip(self._paths, self._files, strict=True)]

    def renewed(self, folder: Path) -> Journal:
        """Make both copies anew from the newest record, over whatever is at their names. StoreError."""
        journal = Journal(self._disk, self._format)
        journal.notes, journal.record = self.notes, self.record
        journal._paths = [folder / name for name in NAMES]
        whole = encode(self.record, self._format.version)
        journal._used = [len(whole), len(whole)]
        try:
            for path in journal._paths:
                journal._files.append(journal._make(path, whole))
        except BaseException:
            journal.close()
            raise
        return journal

    def close(self) -> None:
        while self._files:
            self._disk.close(self._files.pop())

    def _open(self, folder: Path) -> None:
        self._paths = [folder / name for name in NAMES]
        copies = [read_copy(path, self._disk, self._format) for path in self._paths]
        if all(copy.missing for copy in copies):
            self.record = _unused()
            whole = encode(self.record, self._format.version)
            self._files = [self._make(path, whole) for path in self._paths]
            self._used = [len(whole), len(whole)]
            return
        newest, self.record = newest_of(copies)
        self._newest = copies.index(newest)
        other = copies[1 - self._newest]
        self._files.append(self._reopen(newest))
        self._files.insert(
            1 - self._newest, self._make(other.path, newest.whole) if other.missing else self._reopen(other)
        )
        if newest.stray is None and version_of(newest.whole) >= ZEROED:
            self._used[self._newest] = len(newest.whole)
        with _writing(folder):
            self._disk.sync_folder(folder)
        if other.missing and self.record.sequence > 0:
            self.notes.append(f"{other.path} was missing and has been made anew from {newest.path.name}")
        elif other.fault and not other.missing:
            self.notes.append(f"{other.path} {other.fault}: the meter goes on from {newest.path.name}")

    def _make(self, path: Path, whole: bytes) -> int:
        """A new copy at its full size, under its name only once all of it is on the disk."""
        unnamed = path.with_name(path.name + ".new")
        with _writing(path):
            file = self._disk.create(unnamed)
            try:
                self._disk.write(file, whole + bytes(CAPACITY - len(whole)), 0)
                self._disk.sync(file)
                self._disk.rename(unnamed, path)
                self._disk.sync_folder(path.parent)
            except BaseException:
                self._disk.close(file)
                raise
        return file

    def _reopen(self, copy: Copy) -> int:
        """A copy that is there: at its full size again if it was cut off; if it is the newest, surely on the disk."""
        with _writing(copy.path):
            file = self._disk.open(copy.path)
            try:
                if copy.size < CAPACITY:
                    self._disk.write(file, bytes(CAPACITY - copy.size), copy.size)
                if copy.record is self.record:
                    self._disk.write(file, copy.whole, 0)
                self._disk.sync(file)
            except BaseException:
                self._disk.close(file)
                raise
        return file


def _unused() -> JournalRecord:
    return JournalRecord(
        store=secrets.randbits(63),
        sequence=0,
        utc_ns=0,
        payload=b"",
        next_item=1,
        items=[],
        dropped={},
        recording=None,
    )


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from None
