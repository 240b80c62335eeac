"""The store: whatever happens, the meter goes on from the last save that returned, or from a later one (S-3).

The journal is the truth. Events, snapshots and words of the profile are numbered and travel in its records until SQLite
has them, so that state and items are saved by one write, all or nothing:

    | killed, or power lost                    | the state after it  | the items after it                         |
    |------------------------------------------|---------------------|--------------------------------------------|
    | before a save begins                     | of the save before  | appended since are lost, as their state is |
    | inside the save                          | before, or this one | with their state                           |
    | after the save, before or inside drain() | this one            | in the journal; the next drain() has them  |
    | after drain(), before the next save      | this one            | in both; known by number, taken once       |
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from rig.store.archive import Archive
from rig.store.disk import Disk
from rig.store.errors import StoreError
from rig.store.history import NAME
from rig.store.items import Item, RecordingItem
from rig.store.journal import CAPACITY, NAMES, Journal
from rig.store.lock import FolderLock
from rig.store.outbox import STRIDE, Outbox
from rig.store.renewal import StoreFiles, make_folder

MOST_PAYLOAD = 1 << 17
"""Bytes of the meter's state. Typical are 3000 to 10 000; 81 000 with three demands that slide by the minute."""

MOST_WAITING = CAPACITY - MOST_PAYLOAD - 36 * 1024
"""Bytes of items in a record; what is left is for its own fields, the settings of a recording among them."""


@dataclass(frozen=True)
class Restored:
    """What the last save left: the meter's state, its UTC in ns, and the number of the save."""

    payload: bytes
    utc_ns: int
    sequence: int


class Store:
    """A folder with a journal and a history, held by one program and used by one thread.

    `folder` is where it is. `restored` is None if nothing was ever saved. `notes` are sentences on what was damaged or
    missing and has been mended. `trouble` says in a sentence what cannot be written at present, and what was disturbed
    since it was opened.
    """

    def __init__(self, files: StoreFiles) -> None:
        self.folder = files.folder
        record = files.journal.record
        saved = record.sequence > 0
        self.restored = Restored(record.payload, record.utc_ns, record.sequence) if saved else None
        self._files = files
        self._outbox = Outbox(MOST_WAITING, record.items, record.next_item, record.dropped)
        self._recording = record.recording
        self._durable = record.next_item
        self._journal_trouble: str | None = None
        self._notes: list[str] = []
        self._follow_history()
        if files.archive.foreign is not None:
            raise StoreError(
                f"{files.archive.foreign}: put back the file that belongs here, or begin a new history with "
                f"rig store adopt {self.folder}"
            )

    @classmethod
    def open(cls, folder: Path, disk: Disk | None = None, *, foreign_history: bool = False) -> Store:
        """Open a store, or begin one in a new or empty folder. `foreign_history`: move one of another store aside.

        StoreError: in use by another program, not writable, its billing state cannot be trusted
        (rig/store/journal.py), or its history is another store's. A history that cannot be opened is
        `trouble`, no error.
        """
        disk = disk or Disk()
        make_folder(folder, disk)
        lock = FolderLock(folder)
        try:
            _refuse_history_alone(folder)
            journal = Journal.open(folder, disk)
            try:
                lock.claim(journal.record.store)
                archive = Archive(folder, journal.record.store, disk, moves_foreign=foreign_history)
                return cls(StoreFiles(folder, disk, lock, journal, archive))
            except BaseException:
                journal.close()
                raise
        except BaseException:
            lock.close()
            raise

    @property
    def trouble(self) -> str | None:
        return "; ".join(t for t in (self._journal_trouble, self._archive.trouble, *self._files.told) if t) or None

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self._journal.notes, *self._archive.notes, *self._notes, *self._files.told)

    @property
    def waiting(self) -> int:
        """Items that are not in the history yet."""
        return len(self._outbox)

    @property
    def dropped(self) -> dict[str, int]:
        """Items that will never be in the history, because it could not be written for too long; by kind."""
        return dict(self._outbox.dropped)

    def append(self, *items: Item) -> None:
        """Give them the next numbers; the next save makes them durable. StoreError for what no record can hold."""
        self._outbox.put(*items)
        for item in items:
            if isinstance(item, RecordingItem):
                self._recording = item

    def miss(self, dropped: dict[str, int]) -> None:
        """Items, by kind, that had to be dropped before they could be appended."""
        self._outbox.miss(dropped)

    def save(self, payload: bytes, utc_ns: int) -> None:
        """Make the state of `utc_ns` and all items appended so far durable; they are when this returns.

        StoreError if that cannot be done. The save before then still stands, and the next one may succeed.
        """
        if len(payload) > MOST_PAYLOAD:
            raise StoreError(f"a state of {len(payload)} bytes cannot be saved, it must have at most {MOST_PAYLOAD}")
        if not -(1 << 63) <= utc_ns < 1 << 63:
            raise StoreError(f"a state of utc_ns {utc_ns} cannot be saved, it must be a time in ns since 1970")
        record = msgspec.structs.replace(
            self._journal.record,
            sequence=self._journal.record.sequence + 1,
            utc_ns=utc_ns,
            payload=payload,
            next_item=self._outbox.next_number,
            items=self._outbox.items,
            dropped=self.dropped,
            recording=self._recording,
        )
        try:
            self._files.look(utc_ns)
            self._journal.write(record)
        except StoreError as error:
            self._journal_trouble = str(error)
            raise
        self._journal_trouble = None
        self._durable = record.next_item

    def drain(self) -> None:
        """Move the items that are durable into the history. If it cannot be written they wait: see `trouble`."""
        items = [numbered for numbered in self._outbox.items if numbered.number < self._durable]
        if (items or self._archive.trouble) and self._archive.take(items, self._recording, self._utc_ns):
            self._outbox.forget(self._durable)

    def close(self) -> None:
        """Let go of the folder. Saves nothing: what was appended since the last save is lost."""
        self._files.close()

    @property
    def _journal(self) -> Journal:
        return self._files.journal

    @property
    def _archive(self) -> Archive:
        return self._files.archive

    @property
    def _utc_ns(self) -> int:
        return self._journal.record.utc_ns

    def _follow_history(self) -> None:
        """The next number must be new to the history, even if the journal is older than it: a copy was damaged, say.

        Items of the journal that the history has already need not wait.
        """
        taken = self._archive.taken(self._utc_ns)
        outbox = self._outbox
        expected = outbox.items[0].number if outbox.items else outbox.next_number
        if taken is None:
            outbox.next_number = (outbox.next_number // STRIDE + 1) * STRIDE
            return
        outbox.forget(taken + 1)
        if taken >= outbox.next_number:
            self._notes.append(f"the state is old: it knows of {outbox.next_number - 1} items, the history of {taken}")
            outbox.next_number = taken + 1
        elif taken + 1 < expected and expected % STRIDE:
            self._notes.append(f"the history ends with item {taken}: {taken + 1} to {expected - 1} are not in it")


def _refuse_history_alone(folder: Path) -> None:
    if (folder / NAME).exists() and not any((folder / name).exists() for name in NAMES):
        raise StoreError(
            f"{folder} has a history, but neither {NAMES[0]} nor {NAMES[1]}: the registers are not begun at zero "
            "without being told; put one of the two back, or move the folder away to begin a new meter"
        )
