"""Which contact each form-C output closed last, kept through the death of the process.

A small file mapped into memory: what is written there is the kernel's at once, so it outlives kill -9 and costs no
write to the card at 53 pulses a second. It belongs in a file system of memory alone: on a disk the kernel writes the
page back now and then, and whoever changes it meanwhile waits for that, up to 95 ms here beside a busy disk. So a cut
of power loses it; close() leaves a copy on the disk.
"""

from __future__ import annotations

import mmap
import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from drivers.gpio import Position
from drivers.pins import GpioError

_MAGIC = b"contacts"
_SLOT = 8
_CODES = {Position.KY: b"Y", Position.KZ: b"Z"}


class ContactMemory:
    """The last contacts of the outputs `names`, in `path`, and between runs in `kept`. What lacks is made.

    An output has 8 bytes: its contact, three zeros, and the CRC-32 of its name and contact, so that what is torn,
    foreign or of other outputs is noticed and taken as unknown. One process at a time has the file, as it has the
    outputs. Raises GpioError if it cannot be had.
    """

    def __init__(self, path: Path, names: Sequence[str], kept: Path | None = None) -> None:
        self._path, self._kept = path, kept
        self._at = {name: len(_MAGIC) + k * _SLOT for k, name in enumerate(names)}
        size = len(_MAGIC) + len(names) * _SLOT
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if kept is not None and kept.exists() and not path.exists():
                path.write_bytes(kept.read_bytes()[:size])
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                if os.pread(descriptor, len(_MAGIC), 0) != _MAGIC:
                    os.ftruncate(descriptor, 0)
                os.ftruncate(descriptor, size)
                # Blocks now: a full disk must not be found by a write to the mapping, which would be a signal.
                os.posix_fallocate(descriptor, 0, size)
                self._map = mmap.mmap(descriptor, size)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise GpioError(
                f"{path}, which remembers the contacts closed last, cannot be used ({error.strerror}): "
                "give the service a folder that it may write"
            ) from None
        self._map[: len(_MAGIC)] = _MAGIC

    def last(self, name: str) -> Position | None:
        """The contact that this output closed last; None if nobody knows."""
        at = self._at[name]
        return next((p for p in _CODES if self._map[at : at + _SLOT] == _slot(name, p)), None)

    def remember(self, name: str, position: Position) -> None:
        """This output has closed a contact. ValueError for OPEN."""
        at = self._at[name]
        self._map[at : at + _SLOT] = _slot(name, position)

    def close(self) -> None:
        """Let it go; with `kept`, what it holds is there from then on."""
        if self._map.closed:
            return
        held = bytes(self._map)
        self._map.flush()
        self._map.close()
        if self._kept is not None:
            with suppress(OSError):  # on a full disk it stays where it is
                self._kept.write_bytes(held)
                self._path.unlink()


def _slot(name: str, position: Position) -> bytes:
    if position not in _CODES:
        raise ValueError(f"{name}: the contact closed last is K-Y or K-Z")
    code = _CODES[position] + bytes(3)
    return code + zlib.crc32(name.encode() + code).to_bytes(4, "little")
