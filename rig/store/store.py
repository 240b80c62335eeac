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

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rig.store.archive import Archive
from rig.store.disk import BLOCK, Disk
from rig.store.errors import StoreError
from rig.store.history import NAME
from rig.store.items import Item, RecordingItem, SnapshotItem
from rig.store.journal import CAPACITY, NAMES, Journal
from rig.store.lock import FolderLock
from rig.store.log import NAME as LOG
from rig.store.outbox import STRIDE, Outbox
from rig.store.record import Mark
from rig.store.renewal import StoreFiles, make_folder
from rig.store.slots import Slots

MOST_PAYLOAD = 1 << 17
"""Bytes of the meter's state. Typical are 3000 to 10 000; 81 000 with three demands that slide by the minute."""

MOST_WAITING = CAPACITY - MOST_PAYLOAD - 36 * 1024
"""Bytes of items in a record; what is left is for its own fields, the settings of a recording among them."""


MOST_AHEAD = 1 << 48
"""How many items a history may be ahead of a journal that was put back: more than a meter ever has."""

MARK_NS = 15 * 60 * 10**9
MARKS = 4
"""How often, by the meter's time, a save tells what was written so far, and how many of these stay."""


@dataclass(frozen=True)
class Restored:
    """Restored save: the meter's state, its UTC in ns, and the number of the save."""

    payload: bytes
    utc_ns: int
    sequence: int


class Store:
    """A folder with a journal and a history, held by one program and used by one thread.

    `folder` is where it is. `restored` is None if nothing was ever saved. `notes` are sentences on what was damaged or
    missing and has been repaired. `trouble` says in a sentence what cannot be written at present, or was disturbed
    since it was opened.
    """

    def __init__(self, files: StoreFiles, disk: Disk) -> None:
        self.folder = files.folder
        self._disk = disk
        self._marks: list[Mark] = []
        self._closes = False
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
    def open(
        cls, folder: Path, disk: Disk | None = None, fast: Slots | None = None, *, foreign_history: bool = False
    ) -> Store:
        """Open a store, or begin one in a new or empty folder. `fast`, an FRAM, has each save; it is closed with it.
        `foreign_history`: a history of another store is moved aside.

        StoreError: in use by another program, not writable, its billing state cannot be trusted
        (rig/store/journal.py), or its history is another store's. A history that cannot be opened is
        `trouble`, no error.
        """
        disk = disk or Disk()
        make_folder(folder, disk)
        lock = FolderLock(folder)
        try:
            _refuse_history_alone(folder)
            journal = Journal.open(folder, disk, fast=fast)
            try:
                lock.claim(journal.record.store)
                archive = Archive(folder, journal.record.store, disk, moves_foreign=foreign_history)
                return cls(StoreFiles(folder, disk, lock, journal, archive), disk)
            except BaseException:
                journal.close()
                raise
        except BaseException:
            lock.close()
            raise

    @property
    def fast(self) -> bool:
        """True if an FRAM has each save: one may be made at each record then."""
        return self._journal.fast

    @property
    def trouble(self) -> str | None:
        journal = self._journal_trouble or self._journal.trouble
        return "; ".join(t for t in (journal, self._archive.trouble, *self._files.told) if t) or None

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
            self._closes |= isinstance(item, SnapshotItem | RecordingItem)
            if isinstance(item, RecordingItem):
                self._recording = item

    def miss(self, dropped: dict[str, int]) -> None:
        """Items, by kind, that had to be dropped before they could be appended."""
        self._outbox.miss(dropped)

    def save(self, payload: bytes, utc_ns: int) -> None:
        """Make the state of `utc_ns` and all items appended so far durable; they are when this returns.

        It is a whole save where registers were closed (a demand reset, a self-read, a season) or a profile begins.
        StoreError if that cannot be done. The save before then still stands, and the next one may succeed.
        """
        if len(payload) > MOST_PAYLOAD:
            raise StoreError(f"a state of {len(payload)} bytes cannot be saved, it must have at most {MOST_PAYLOAD}")
        if not -(1 << 63) <= utc_ns < 1 << 63:
            raise StoreError(f"a state of utc_ns {utc_ns} cannot be saved, it must be a time in ns since 1970")
        record = msgspec.structs.replace(
            self._journal.record,
            sequence=self._journal.next_sequence,
            utc_ns=utc_ns,
            payload=payload,
            next_item=self._outbox.next_number,
            items=self._outbox.items,
            dropped=self.dropped,
            recording=self._recording,
            marks=[*self._marks, self._mark(utc_ns)],
        )
        try:
            self._files.look(utc_ns)
            self._journal.write(record, self._closes)
        except StoreError as error:
            self._journal_trouble = str(error)
            raise
        self._journal_trouble = None
        self._closes = False
        if not self._marks or abs(utc_ns - self._marks[-1].utc_ns) >= MARK_NS:
            self._marks = [*self._marks, record.marks[-1]][-MARKS:]
        self._durable = record.next_item

    def settle(self) -> None:
        """Make the last save a whole one, which a meter leaves that ends in good order. StoreError as in `save`."""
        self._journal.settle()

    def drain(self) -> None:
        """Move the items that are durable into the history. If it cannot be written they wait: see `trouble`."""
        items = [numbered for numbered in self._outbox.items if numbered.number < self._durable]
        if (items or self._archive.trouble) and self._archive.take(items, self._recording, self._utc_ns):
            self._outbox.forget(self._durable)

    def _mark(self, utc_ns: int) -> Mark:
        return Mark(utc_ns, self._disk.blocks * BLOCK + self._archive.written)

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
        outbox = self._outbox
        taken = self._archive.taken(self._utc_ns, outbox.next_number + MOST_AHEAD)
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
    there = next((name for name in (NAME, LOG) if os.path.lexists(folder / name)), None)
    if there and not any(os.path.lexists(folder / name) for name in NAMES):
        raise StoreError(
            f"{folder} has {there}, but neither {NAMES[0]} nor {NAMES[1]}: the registers are not restarted "
            "at zero unasked; put one of the two back, or move the folder away to begin a new meter"
        )
