"""A store that was disturbed while a meter runs, written anew so that nothing billed is lost (review H-4).

    | what is found (rig/store/presence.py)        | what is done                                                      |
    |----------------------------------------------|-------------------------------------------------------------------|
    | folder gone, or an empty one at its name     | made anew: journal from the meter's state, a new history          |
    | another folder with something in it there    | nothing is written there; the open files go on, wherever they are |
    | folder linked from its name                  | told; the open files go on                                        |
    | a copy of the journal removed, replaced, cut | both copies and their log anew                                    |
    | the journal's log removed, replaced, cut     | a whole save in both copies, and then the log anew                |
    | history removed, replaced, or linked         | a new one; what was durable before is missing in it, and counted  |
    | history's log removed                        | its pages go into the history, which is opened anew               |
    | `lock` removed or replaced                   | written anew: the folder itself is locked                         |

Whatever stands at a name that is not the file which is open is set aside under another name, and nothing is deleted.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rig.store.archive import Archive
from rig.store.disk import Disk
from rig.store.errors import StoreError
from rig.store.history import NAME
from rig.store.journal import Journal
from rig.store.lock import LOCK, FolderLock
from rig.store.log import NAME as LOG
from rig.store.page_sums import SUMS
from rig.store.presence import FolderPlace, file_fault, folder_place, set_aside

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HISTORY = (f"{NAME}-wal", f"{NAME}-shm", SUMS, NAME)


def make_folder(folder: Path, disk: Disk) -> None:
    """Make a store's folder and those above it, each synced. Raises StoreError."""
    try:
        for level in reversed((folder, *folder.parents)):
            if not level.exists():
                level.mkdir()
                disk.sync_folder(level.parent)
    except OSError as error:
        raise StoreError(f"the store {folder} cannot be made: {error.strerror}; give another folder") from None
    except ValueError:  # a NUL in it
        raise StoreError(f"the store {str(folder)!r} cannot be made: no file has such a name") from None
    if not folder.is_dir():
        raise StoreError(f"the store {folder} cannot be made: a file is there; give another folder")


class StoreFiles:
    """Files that one store has open: lock, journal and history. `told` are sentences on what was disturbed."""

    def __init__(self, folder: Path, disk: Disk, lock: FolderLock, journal: Journal, archive: Archive) -> None:
        self.folder = folder
        self.lock, self.journal, self.archive = lock, journal, archive
        self.told: dict[str, None] = {}
        self._disk = disk
        self._linked = folder.is_symlink()

    def close(self) -> None:
        """Let go of all."""
        self.archive.close()
        self.journal.close()
        self.lock.close()

    def look(self, utc_ns: int) -> None:
        """Find what was disturbed, and write it anew as the table has it. StoreError: it cannot be now.

        `utc_ns` is for the names of what is set aside. Costs some 30 µs where all is as it was.
        """
        place = folder_place(self.folder, self.lock.folder_file, linked=self._linked)
        try:
            match place:
                case FolderPlace.GONE:
                    self._begin_anew("was removed or moved", utc_ns)
                case FolderPlace.REPLACED if not any(self.folder.iterdir()):
                    self._begin_anew("was removed or moved, and an empty one is at its name", utc_ns)
                case FolderPlace.REPLACED:
                    self._tell(
                        f"the store {self.folder} was moved, and another folder is at its name: nothing is written "
                        "there, what is saved goes where the store's own folder is now; put it back"
                    )
                    if not os.fstat(self.lock.folder_file).st_nlink:
                        raise StoreError(f"the store {self.folder} was removed, and another folder is at its name")
                case FolderPlace.LINKED:
                    self._tell(
                        f"the store {self.folder} was moved, and a link is at its name: it is written where it is"
                    )
                    self._look_at_files(utc_ns)
                case FolderPlace.THERE:
                    self._look_at_files(utc_ns)
        except OSError as error:
            raise StoreError(f"{error.filename or self.folder} cannot be written anew: {error.strerror}") from None

    def _look_at_files(self, utc_ns: int) -> None:
        if found := self.lock.name_fault():
            self._aside([LOCK] if found != "was removed" else [], found, utc_ns, LOCK)
            self.lock.renew()
        faults = {path: fault for path, size, opened in self.journal.files if (fault := file_fault(path, opened, size))}
        if faults:
            for path, fault in faults.items():
                strange = fault in ("was replaced", "is a link now")
                self._aside([path.name] if strange else [], fault, utc_ns, path.name)
            if set(faults) == {self.folder / LOG}:
                self.journal.renew_log()
            else:
                self._renew_journal()
        if fault := self.archive.fault():
            self._aside(_HISTORY if fault != "was removed" else _HISTORY[:-1], fault, utc_ns, NAME)
            self._renew_archive()
        elif not self.archive.log_is_there():
            self._tell(f"{self.folder / NAME}-wal was removed: the history is opened anew")
            self.archive.recover()

    def _begin_anew(self, what: str, utc_ns: int) -> None:
        make_folder(self.folder, self._disk)
        self.lock.renew()
        self._renew_journal()
        self._renew_archive()
        self._tell(f"the store {self.folder} {what}: it is written anew there, with a new history")

    def _renew_journal(self) -> None:
        self.journal = self.journal.renewed(self.folder)

    def _renew_archive(self) -> None:
        self.archive.close()
        self.archive = self.archive.anew()

    def _aside(self, names: list[str] | tuple[str, ...], fault: str, utc_ns: int, name: str) -> None:
        stamp = (_EPOCH + timedelta(microseconds=utc_ns // 1000)).strftime("%Y%m%dT%H%M%SZ")
        moved = set_aside((self.folder / each for each in names), stamp)
        aside = f"; what was at its name is now {moved[-1]}" if moved else ""
        self._tell(f"{self.folder / name} {fault}: it is written anew{aside}")

    def _tell(self, sentence: str) -> None:
        self.told[sentence] = None
