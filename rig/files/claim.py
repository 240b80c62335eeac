"""Something that one process at a time may have: a lock on a file that says which process that is."""

from __future__ import annotations

import fcntl
import os
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path

from rig.errors import RigError
from rig.files.own import open_to_read

_WIDTH = 20
"""A line of a process's number, and its CRC-32 in hexadecimal digits."""

_OLDER_WIDTH = 11


class ClaimError(RigError):
    """Something that another process has, which is named, or a file that cannot be written."""


class ClaimHeld(ClaimError):
    """Something that another process has, which is named."""


def machine_folder() -> Path:
    """Give the folder of the system's locks, which every user may write."""
    return next(path for path in (Path("/run/lock"), Path(tempfile.gettempdir())) if path.is_dir())


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
                if os.path.samestat(os.fstat(self._file), path.lstat()):
                    break
            os.close(self._file)  # whoever had it took the file away as it left: a new one is there, or is made
        with suppress(OSError):  # on a full disk whoever comes next is not told who holds it, but held it is
            os.pwrite(self._file, _line(os.getpid()), 0)

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
            holder = holder_of(os.pread(file, _WIDTH, 0)) or "another program"
            os.close(file)
            raise ClaimHeld(f"{what} is in use by {holder}: end it first, or use another") from None
        return file

    @property
    def opened(self) -> os.stat_result:
        """The file that is held, whatever its name is now."""
        return os.fstat(self._file)

    def close(self) -> None:
        """Let go; what was closed before stays so. A file that is another one by now is left where it is."""
        file, self._file = self._file, -1
        if file >= 0:
            if self._passing:
                with suppress(OSError):
                    if os.path.samestat(os.fstat(file), self._path.lstat()):
                        self._path.unlink()
            os.close(file)


def _line(process: int) -> bytes:
    number = f"{process:<10}"
    return f"{number} {zlib.crc32(number.encode()):08x}\n".encode()


def holder_of(line: bytes) -> str | None:
    """Name the process that a claim's file names: "process 123". None for a line that none has written."""
    number = line[:10].strip()
    return f"process {int(number)}" if number.isdigit() and line[:_WIDTH] == _line(int(number)) else None


def claim_fault(path: Path) -> str:
    """Say what is wrong with a claim's file, "" for nothing. Raises OSError."""
    with open_to_read(path) as file:
        line = file.read(_WIDTH + 1)
    older = len(line) == _OLDER_WIDTH and line[:-1].strip().isdigit()  # without the CRC
    holds = not line or older or (len(line) == _WIDTH and holder_of(line))
    return "" if holds else "does not name a process as it was written"
