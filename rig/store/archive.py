"""The history as the store has it: whatever becomes of the database, billing goes on.

| what happens                                        | what is done                                            |
|-----------------------------------------------------|---------------------------------------------------------|
| disk full, read-only, failing; database locked      | trouble; the items wait; tried again with every save    |
| file damaged, or of another program                 | moved aside under a new name, a new history begun; told |
| it is a link, a FIFO, a socket, a folder            | as before; what a link leads to is not touched          |
| its count of items cannot be                        | as a damaged one: the journal takes no number from it   |
| a file of it may not be written                     | trouble, which names that file; the items wait          |
| as before, and MOST_ASIDE files lie aside already   | trouble; the items wait: the disk is done for           |
| history made by a newer program                     | trouble; the items wait; the file is not touched        |
| history of another store                            | refused at the start; later as one by a newer program   |
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TypeVar

from rig.store.disk import Disk
from rig.store.history import NAME, ForeignHistory, History, NewerHistory, UnusableHistory
from rig.store.history_files import UnwritableFile, check_files
from rig.store.items import Numbered, RecordingItem
from rig.store.page_sums import SUMS
from rig.store.presence import file_fault

T = TypeVar("T")

MOST_ASIDE = 8
"""A disk that damages so many histories is not given more to fill itself with."""

_PASSING = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY)
_ASIDE = f"{NAME}.damaged-"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _believed(history: History, most: int) -> int:
    """The number of the last item taken, if it can be; the journal does not take over what would ruin it."""
    taken = history.taken
    if not 0 <= taken <= most:
        raise UnusableHistory(f"is damaged (it cannot have taken {taken} items)")
    return taken


def _sent_to_disk() -> int:
    """Bytes that this thread has caused to be written, as the kernel counts them (proc(5)); 0 where it does not."""
    try:
        lines = Path("/proc/thread-self/io").read_text()
        return next((int(line.split()[1]) for line in lines.splitlines() if line.startswith("write_bytes:")), 0)
    except OSError:
        return 0


class Archive:
    """Keeps a History open. `trouble` is a sentence as long as it cannot; `notes` are of what was damaged or moved
    aside; `foreign` says of which store the file is, if not of this one. With `moves_foreign` that one is moved aside.

    Methods raise nothing of SQLite's or the system's. `utc_ns` is for the name of a file that is moved aside. `written`
    counts the bytes that taking items has sent to the disk, where the kernel counts them.
    """

    def __init__(self, folder: Path, store: int, disk: Disk, *, moves_foreign: bool = False) -> None:
        self.trouble: str | None = None
        self.notes: list[str] = []
        self.foreign: str | None = None
        self._path = folder / NAME
        self._store = store
        self._disk = disk
        self._moved = (UnusableHistory, ForeignHistory) if moves_foreign else (UnusableHistory,)
        self._history: History | None = None
        self.written = 0

    def taken(self, utc_ns: int, most: int) -> int | None:
        """Number of the last item in the history; None if the history cannot be opened now.

        A number above `most`, or below 0, cannot be: a history that has it is damaged.
        """
        return self._attempt(lambda history: _believed(history, most), utc_ns)

    def take(self, items: Sequence[Numbered], recording: RecordingItem | None, utc_ns: int) -> bool:
        """Put items into the history; False if they are not in it, and then they may be given again at any time."""

        def takes(history: History) -> bool:
            if items:
                _believed(history, items[-1].number)
            history.take(items, recording)
            return True

        before = _sent_to_disk()
        try:
            return self._attempt(takes, utc_ns) is True
        finally:
            self.written += _sent_to_disk() - before

    def _attempt(self, action: Callable[[History], T], utc_ns: int) -> T | None:
        try:
            try:
                result = action(self._opened())
            except self._moved as error:
                self.close()
                self._move_aside(str(error), utc_ns)
                result = action(self._opened())
        except (UnusableHistory, NewerHistory, UnwritableFile) as error:
            self._fail(str(error))
        except ForeignHistory as error:
            self.foreign = f"{self._path} {error}"
            self._fail(str(error))
        except sqlite3.Error as error:
            self._fail(f"cannot be written ({error})", keep=getattr(error, "sqlite_errorcode", None) in _PASSING)
        except OSError as error:
            self._fail(f"cannot be used ({error.filename or self._path}: {error.strerror})")
        else:
            self.trouble = None
            return result
        return None

    def _opened(self) -> History:
        if self._history is None:
            check_files(self._path)
            self._history = History(self._path, self._store)
            self.notes += self._history.notes
        return self._history

    def _fail(self, what: str, keep: bool = False) -> None:
        """Unless the connection is fit to be kept, the next attempt begins with the file, and looks it over."""
        if not keep:
            self.close()
        self.trouble = f"{self._path} {what}; events, snapshots and profile wait in the journal"

    def _move_aside(self, fault: str, utc_ns: int) -> None:
        aside = {path.name for path in self._path.parent.glob(f"{_ASIDE}*") if not path.name.endswith("-wal")}
        if len(aside) >= MOST_ASIDE:
            raise UnusableHistory(f"{fault}, and {len(aside)} files lie aside already: look at the disk")
        stamp = (_EPOCH + timedelta(microseconds=utc_ns // 1000)).strftime("%Y%m%dT%H%M%SZ")
        name = next(n for k in count(1) if (n := f"{_ASIDE}{stamp}" + (f"-{k}" if k > 1 else "")) not in aside)
        # The log first: left behind alone, it would be taken for the new database's.
        for suffix in ("-wal", ""):
            with suppress(FileNotFoundError):
                self._disk.rename(self._path.with_name(NAME + suffix), self._path.with_name(name + suffix))
        with suppress(FileNotFoundError):
            os.unlink(self._path.with_name(NAME + "-shm"))
        with suppress(FileNotFoundError):
            os.unlink(self._path.with_name(SUMS))
        self._disk.sync_folder(self._path.parent)
        self.notes.append(f"{self._path} {fault}: it is now {name}, a new history is begun")

    def anew(self) -> Archive:
        """A history to be begun in place of this one, with its notes."""
        archive = Archive(self._path.parent, self._store, self._disk)
        archive.notes, archive.written = self.notes, self.written
        return archive

    def fault(self) -> str:
        """Say what became of the file, in words that go on from its path; "" while its name stands for what is open."""
        return "" if self._history is None else file_fault(self._path, self._history.opened)

    def log_is_there(self) -> bool:
        """Return whether SQLite's log is at its name, as it is while a history is open."""
        return self._history is None or self._path.with_name(NAME + "-wal").exists()

    def recover(self) -> None:
        """Bring what a log without a name holds into the history, and let it go: the next attempt opens it anew."""
        if self._history is not None:
            with suppress(FileNotFoundError):
                os.unlink(self._path.with_name(SUMS))  # what the log held is not known any more
            self._history.flush_log()
        self.close()

    def close(self) -> None:
        if self._history is not None:
            self._history.close()
            self._history = None
