"""The meter's newest state in memory that outlives the process: what kill -9 must not take (S-3, P-2, P-5).

A file of two slots, written in turn, each with a number, its length and a CRC-32: what a kill cuts short is noticed,
and the slot before counts. It belongs on a tmpfs: written after each record, it would wear a card out, and it need not
outlive power, for which there is the store. Nothing of it is mapped into memory, so a file that someone cuts short is
an error and no signal.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path

from rig.files.own import open_to_read
from rig.store.errors import StoreError

SLOT = 1 << 18
"""Bytes of a slot: a state of 128 kB, the most that a store takes, what else goes on, and what waits for the disk."""

LOOK = 64
"""Every so many states, a second at 60 windows, it is looked whether the file is still there."""

_HEAD = struct.Struct("<8sQII")  # magic, number, length, CRC
_MAGIC = b"rigring1"


class StateRing:
    """The ring at `path`, used by one process. `newest` is the last state in it, None without one.

    Raises StoreError for a path that cannot be had. A write that fails later is `fault`, a sentence, and no error.
    """

    def __init__(self, path: Path) -> None:
        self.fault: str | None = None
        self._path = path
        self._file = self._open()
        slots = [self._read(k) for k in (0, 1)]
        self.number, self.newest = max(slots, key=lambda slot: slot[0])

    def _open(self) -> int:
        path = self._path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            file = os.open(path, flags, 0o600)
        except OSError as error:
            raise StoreError(f"{path} cannot be the ring of states ({error.strerror}): {_REMEDY}") from None
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink != 1:
                raise StoreError(
                    f"{path} cannot be the ring of states (it is not a plain file of this user's): {_REMEDY}"
                )
            if found.st_size > 2 * SLOT:
                os.ftruncate(file, 2 * SLOT)
            os.posix_fallocate(file, 0, 2 * SLOT)  # room now: a memory that fills up later does not matter
        except OSError as error:
            os.close(file)
            raise StoreError(f"{path} cannot be the ring of states ({error.strerror}): {_REMEDY}") from None
        except BaseException:
            os.close(file)
            raise
        self._inode = found.st_ino
        return file

    def _read(self, slot: int) -> tuple[int, bytes | None]:
        return _state_in(os.pread(self._file, SLOT, slot * SLOT), slot)

    def write(self, state: bytes) -> bool:
        """Put a state in the older slot; whether it is there when this returns."""
        if len(state) > SLOT - _HEAD.size:
            self.fault = f"a state of {len(state)} bytes is too long for the ring {self._path}"
            return False
        number = self.number + 1
        if number % LOOK == 0:
            self._look()
        head = _HEAD.pack(_MAGIC, number, len(state), _crc(number, state))
        try:
            if os.pwritev(self._file, (head, state), number % 2 * SLOT) != len(head) + len(state):
                raise OSError(0, "it was cut short")
        except OSError as error:
            self.fault = (
                f"the ring of states {self._path} cannot be written ({error.strerror}): "
                "a crash may cost what came since the last save"
            )
            return False
        self.number, self.fault = number, None
        return True

    def _look(self) -> None:
        """A file that someone took away is made again: a system may clear its shared memory when a user logs out."""
        try:
            if os.stat(self._path, follow_symlinks=False).st_ino == self._inode:
                return
        except OSError:
            pass
        with suppress(StoreError):
            file = self._open()
            os.close(self._file)
            self._file = file

    def close(self) -> None:
        """Let the file go; what is in it stays."""
        os.close(self._file)


_REMEDY = "set meter.ring to a file in a folder of this user's in memory, such as /dev/shm"


def _state_in(data: bytes, slot: int) -> tuple[int, bytes | None]:
    """The number and state of a slot; 0 for one that is none."""
    if len(data) < _HEAD.size:
        return 0, None
    magic, number, length, crc = _HEAD.unpack_from(data)
    state = data[_HEAD.size : _HEAD.size + length]
    whole = magic == _MAGIC and len(state) == length and number % 2 == slot and crc == _crc(number, state)
    return (number, state) if whole else (0, None)


def newest_state(path: Path) -> bytes | None:
    """Read the last state of a ring, and leave it as it is, also while a meter writes it; None where there is none."""
    try:
        with open_to_read(path) as file:
            slots = [_state_in(file.read(SLOT), slot) for slot in (0, 1)]
    except OSError:
        return None
    return max(slots, key=lambda slot: slot[0])[1]


def _crc(number: int, state: bytes) -> int:
    return zlib.crc32(state, zlib.crc32(number.to_bytes(8, "little")))


def default_ring(store: Path) -> Path:
    """Give the ring of a store: in memory that outlives processes, where the system has some, named from the store."""
    uid = os.geteuid()
    digest = hashlib.sha256(os.fsencode(store.resolve())).hexdigest()[:16]
    name = f"ring-{digest}"
    if (own := Path(f"/run/user/{uid}")).is_dir() and os.access(own, os.W_OK):
        return own / "ae0764-rig" / name
    shared = Path("/dev/shm")
    folder = shared if shared.is_dir() and os.access(shared, os.W_OK) else Path(tempfile.gettempdir())
    return folder / f"ae0764-rig-{uid}" / name
