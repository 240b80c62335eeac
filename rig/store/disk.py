"""The few operations on files of which the journal is made; tests put a failing disk in their place.

A store's files are regular files of this user with one name each. Nothing else is opened: a link would lead the meter
to write somewhere else, and a FIFO or a device could hold up its start for ever.

    | what stands at the path        | read      | opened to be written | created                          |
    |--------------------------------|-----------|----------------------|----------------------------------|
    | nothing                        | not there | not there            | made                             |
    | a regular file                 | read      | opened               | taken away, a new one made       |
    | a symbolic link                | refused   | refused              | taken away, a new one made       |
    | a FIFO                         | refused   | refused              | taken away, a new one made       |
    | a socket                       | refused   | refused              | taken away, a new one made       |
    | a folder                       | refused   | refused              | refused                          |
    | a file with two names          | refused   | refused              | that name taken away, a new one  |
    | a file of another user         | read      | refused              | as the system lets               |
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from rig.files.own import open_own, open_to_read

_sync_content = getattr(os, "fdatasync", os.fsync)

BLOCK = 4096
"""What file systems and cards write at least, whatever is changed of it."""


class Disk:
    """Real files. Every operation raises OSError as the system has it; what is written holds once it is synced.

    `blocks` counts blocks of BLOCK bytes that were written, as a card sees them.
    """

    blocks = 0

    def read(self, path: Path, most: int) -> bytes:
        """The first `most` bytes, or as many as there are."""
        with open_to_read(path) as file:
            return file.read(most)

    def open(self, path: Path) -> int:
        """A file that exists, to be overwritten in place."""
        return open_own(path, write=True)

    def create(self, path: Path) -> int:
        """An empty file in place of whatever is there, but a folder. Its name holds once the folder is synced."""
        with suppress(FileNotFoundError):
            os.unlink(path)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)

    def make(self, path: Path, data: bytes) -> int:
        """A new file of this content, in place of whatever is there, under its name only once all of it is on the
        disk."""
        unnamed = path.with_name(path.name + ".new")
        file = self.create(unnamed)
        try:
            self.write(file, data, 0)
            self.sync(file)
            self.rename(unnamed, path)
            self.sync_folder(path.parent)
        except BaseException:
            self.close(file)
            raise
        return file

    def write(self, file: int, data: bytes, offset: int) -> None:
        """All of `data`: the system may take it in parts."""
        self.blocks += (offset + len(data) + BLOCK - 1) // BLOCK - offset // BLOCK if data else 0
        rest = memoryview(data)
        while rest:
            done = os.pwrite(file, rest, offset)
            rest = rest[done:]
            offset += done

    def sync(self, file: int) -> None:
        """Content and size are on the disk. The time of change need not be: it would double what a save writes."""
        _sync_content(file)

    def rename(self, old: Path, new: Path) -> None:
        os.rename(old, new)

    def sync_folder(self, folder: Path) -> None:
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)

    def close(self, file: int) -> None:
        os.close(file)
