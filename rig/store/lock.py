"""One program at a time has a store."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from rig.store.errors import StoreError

_WIDTH = 11


class FolderLock:
    """Held from construction to close(), or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        path = folder / "lock"
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(
                f"{path} cannot be written: {error.strerror}; the store must be in a folder that this user may write"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._file, _WIDTH, 0).decode("ascii", "replace").strip() or "another program"
            os.close(self._file)
            raise StoreError(
                f"the store {folder} is in use by process {holder}: end it first, or use another folder"
            ) from None
        with suppress(OSError):  # On a full disk whoever comes next is not told who holds it, but held it is.
            os.pwrite(self._file, f"{os.getpid():<{_WIDTH - 1}}\n".encode(), 0)

    def close(self) -> None:
        """Let go; what was closed before stays so."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
