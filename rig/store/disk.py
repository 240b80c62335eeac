"""The few operations on files of which the journal is made; tests put a failing disk in their place."""

from __future__ import annotations

import os
from pathlib import Path

_sync_content = getattr(os, "fdatasync", os.fsync)


class Disk:
    """Real files. Every operation raises OSError as the system has it; what is written holds once it is synced."""

    def read(self, path: Path, most: int) -> bytes:
        """The first `most` bytes, or as many as there are."""
        with path.open("rb") as file:
            return file.read(most)

    def open(self, path: Path) -> int:
        """A file that exists, to be overwritten in place."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def create(self, path: Path) -> int:
        """An empty file. Its name holds once the folder is synced."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)

    def write(self, file: int, data: bytes, offset: int) -> None:
        """All of `data`: the system may take it in parts."""
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
