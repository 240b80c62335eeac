"""Something that one process at a time may have: a lock on a file that says which process that is."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from rig.errors import RigError

_WIDTH = 11


class ClaimError(RigError):
    """Something that another process has, which is named, or a file that cannot be written."""


class Claim:
    """A lock held from construction to `close`, or until the process ends, however it ends.

    `what` is for the sentence of the ClaimError that names the process which has it. A file that is a link, or was
    replaced meanwhile, is not taken. With `passing` the file goes at `close`.
    """

    def __init__(self, path: Path, what: str, *, passing: bool = False) -> None:
        self._path, self._passing = path, passing
        while True:
            self._file = self._locked(path, what)
            with suppress(OSError):
                if os.fstat(self._file).st_ino == path.lstat().st_ino:
                    break
            os.close(self._file)  # whoever had it took the file away as it left: a new one is there, or is made
        with suppress(OSError):  # on a full disk whoever comes next is not told who holds it, but held it is
            os.pwrite(self._file, f"{os.getpid():<{_WIDTH - 1}}\n".encode(), 0)

    @staticmethod
    def _locked(path: Path, what: str) -> int:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise ClaimError(
                f"{path} cannot be written: {error.strerror}; it must be in a folder that this user may write"
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(file, _WIDTH, 0).decode("ascii", "replace").strip() or "another program"
            os.close(file)
            raise ClaimError(f"{what} is in use by process {holder}: end it first, or use another") from None
        return file

    def close(self) -> None:
        """Let go; what was closed before stays so."""
        file, self._file = self._file, -1
        if file >= 0:
            if self._passing:
                self._path.unlink(missing_ok=True)
            os.close(file)
