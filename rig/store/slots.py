"""Slots of fixed size for small saves, written over and over, that can be read and written one by one.

A file on the disk is one such place; an FRAM chip is another (rig/store/fram_slots.py).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from rig.files.own import ForeignFile
from rig.store.disk import BLOCK, Disk
from rig.store.errors import StoreError


class Slots(Protocol):
    """A place for small saves. Methods raise StoreError, in a sentence that names it.

    `name` is for sentences, `count` is how many slots there are, `size` the bytes that one holds. `padded`: zeros
    follow what is in a slot.
    """

    name: str
    count: int
    size: int
    padded: bool

    def read(self) -> list[bytes]:
        """All slots as they are now, each of `size` bytes or less."""
        ...

    def write(self, slot: int, data: bytes) -> None:
        """Put `data` into a slot; it is there for good when this returns, and no other is touched. b"": it is empty."""
        ...

    def close(self) -> None: ...


class CannotMake(StoreError):
    """A file of slots that is not there, and cannot be made: nothing can have been in it."""


class FileSlots:
    """Slots in a file of fixed size, overwritten in place: nothing is allocated, and what is synced is content alone.

    A slot is one block of the disk, so a save writes one. The file is made, full of zeros, where it lacks: zeros are
    written, as space that is only reserved would have to be entered in the file system at its first use.

    `made`: it was missing. `cut_off`: it was shorter. `replaced` says what stood in its place; `anew`: whatever does is
    replaced. Raises CannotMake, or StoreError for a file that is there.
    """

    padded = True

    def __init__(self, path: Path, count: int, disk: Disk, *, anew: bool = False) -> None:
        self.name = str(path)
        self.count, self.size = count, BLOCK
        self.made = anew
        self.replaced = ""
        self.cut_off = False
        self._disk = disk
        try:
            self._open(path)
        except OSError as error:
            kind = CannotMake if self.made or self.replaced else StoreError
            raise kind(f"{path} cannot be written: {error.strerror}") from None

    def _open(self, path: Path) -> None:
        try:
            if not self.made:
                self._file = self._disk.open(path)
        except FileNotFoundError:
            self.made = True
        except ForeignFile as error:
            if not error.replaceable:
                raise
            self.replaced = str(error.strerror)
        if self.made or self.replaced:
            self._file = self._disk.make(path, bytes(self.count * self.size))
        else:
            self._fill(path)

    @property
    def opened(self) -> os.stat_result:
        """Status of the open file, which identifies it."""
        return os.fstat(self._file)

    def read(self) -> list[bytes]:
        """Read all slots anew."""
        return read_slots(Path(self.name), self.count, self._disk)

    def write(self, slot: int, data: bytes) -> None:
        """Overwrite a slot with `data` and zeros, and wait until it is on the disk."""
        try:
            self._disk.write(self._file, data.ljust(self.size, b"\0"), slot * self.size)
            self._disk.sync(self._file)
        except OSError as error:
            raise StoreError(f"{self.name} cannot be written: {error.strerror}") from None

    def close(self) -> None:
        """Let go of the file."""
        self._disk.close(self._file)

    def _fill(self, path: Path) -> None:
        """Give a file that was cut off its size back."""
        try:
            size = len(self._disk.read(path, self.count * self.size))
            if size < self.count * self.size:
                self.cut_off = True
                self._disk.write(self._file, bytes(self.count * self.size - size), size)
                self._disk.sync(self._file)
        except BaseException:
            self._disk.close(self._file)
            raise


def read_slots(path: Path, count: int, disk: Disk) -> list[bytes]:
    """Read the slots of a file; none where there is none. StoreError if it cannot be read."""
    try:
        data = disk.read(path, count * BLOCK)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    return [data[begin : begin + BLOCK] for begin in range(0, len(data), BLOCK)]
