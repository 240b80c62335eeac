"""One program at a time has a store, whatever becomes of the names of its files (review H-4).

    | what another program does while a meter runs                | what refuses it                           |
    |-------------------------------------------------------------|-------------------------------------------|
    | opens the folder, by whatever path                          | a lock on the folder itself               |
    | opens it after `lock` was removed, or the folder was moved  | the same: it is on the inode, not a name  |
    | opens a copy of the folder                                  | a claim of the store's number             |
    | opens it where the file system locks no folders             | the lock on the file `lock`               |

All are let go when the process ends, however it ends. The claim of the number is a file in the system's folder of
locks; where that cannot be written, copies are not told apart.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from rig.files.claim import Claim, ClaimError, ClaimHeld, holder_of, machine_folder
from rig.store.errors import StoreError
from rig.store.presence import file_fault

LOCK = "lock"
"""The file of a store that names the process which has it."""


class FolderLock:
    """Held from construction to close(). `folder_file` is the open folder. StoreError names the process that has it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number: Claim | None = None
        self.folder_file = _locked(folder)
        try:
            self._name = _named(folder)
        except BaseException:
            os.close(self.folder_file)
            raise

    def claim(self, store: int) -> None:
        """Claim the number that all files of the store share. StoreError: another process has a copy of this store."""
        path = machine_folder() / f"ae0764-store-{store:016x}.lock"
        try:
            self._number = Claim(path, f"a copy of the store {self._folder}", passing=True)
        except ClaimHeld as error:
            raise StoreError(str(error)) from None
        except ClaimError:
            self._number = None  # no folder of locks to write in

    def name_fault(self) -> str:
        """Say what became of the file `lock`, in words that go on from its path; "" while it is there."""
        return file_fault(self._folder / LOCK, self._name.opened)

    def renew(self) -> None:
        """Take the folder and the file that stand at the names now; the claim of the number goes on. StoreError."""
        file, name = self.folder_file, self._name
        if not os.path.samestat(os.fstat(file), self._folder.stat()):
            self.folder_file = _locked(self._folder)
            os.close(file)
        self._name = _named(self._folder)
        name.close()

    def close(self) -> None:
        """Let go; what was closed before stays so."""
        file, self.folder_file = self.folder_file, -1
        self._name.close()
        if self._number is not None:
            self._number.close()
        if file >= 0:
            os.close(file)


def _locked(folder: Path) -> int:
    try:
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(
            f"the store {folder} cannot be opened: {error.strerror}; it must be a folder that this user may use"
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        inode = os.fstat(file).st_ino
        os.close(file)
        raise StoreError(
            f"the store {folder} is in use by {_holder(folder, inode)}: end it first, or use another"
        ) from None
    except OSError:
        pass  # a file system that locks no folders, such as some on a network
    return file


def _named(folder: Path) -> Claim:
    try:
        return Claim(folder / LOCK, f"the store {folder}")
    except ClaimError as error:
        raise StoreError(str(error)) from None


def _holder(folder: Path, inode: int) -> str:
    """Name the process that has the folder: by the kernel's list, where it can be seen, else by the file in it."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[5].endswith(f":{inode}") and int(words[4]) > 0:
                return f"process {int(words[4])}"
    with suppress(OSError):
        if holder := holder_of((folder / LOCK).read_bytes()[:64]):
            return holder
    return "another program"
