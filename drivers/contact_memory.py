"""Which contact each form-C output closed last, kept through the death of the process.

A small file mapped into memory: what is written there is in the kernel's page cache at once, so it outlives kill -9
and costs no write to the card at 53 pulses a second. A cut of power may lose what came since the last close().
"""

from __future__ import annotations

import mmap
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

from drivers.gpio import Position
from drivers.pins import GpioError

_MAGIC = b"contacts"
_SLOT = 8
_CODES = {Position.KY: b"Y", Position.KZ: b"Z"}


class ContactMemory:
    """The last contacts of the outputs `names`, in `path`. The file and its folder are made where they lack.

    An output has 8 bytes: its contact, three zeros, and the CRC-32 of its name and contact, so that what is torn,
    foreign or of other outputs is noticed and taken as unknown. One process at a time has the file, as it has the
    outputs. Raises GpioError if it cannot be had.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self._at = {name: len(_MAGIC) + k * _SLOT for k, name in enumerate(names)}
        size = len(_MAGIC) + len(names) * _SLOT
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
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
        """Write it to the disk and let it go."""
        if not self._map.closed:
            self._map.flush()
            self._map.close()


def _slot(name: str, position: Position) -> bytes:
    if position not in _CODES:
        raise ValueError(f"{name}: the contact closed last is K-Y or K-Z")
    code = _CODES[position] + bytes(3)
    return code + zlib.crc32(name.encode() + code).to_bytes(4, "little")


def contact_faults(data: bytes, names: Sequence[str]) -> list[str]:
    """Say what does not hold in the content of a memory of these outputs: sentences that go on from its name."""
    if not data.startswith(_MAGIC):
        return ["does not begin as a memory of contacts does: no contact closed last is known"]
    if len(data) != len(_MAGIC) + len(names) * _SLOT:
        return [f"has {len(data)} bytes, not those of {len(names)} outputs: no contact closed last is known"]
    known = {name: {bytes(_SLOT), *(_slot(name, p) for p in _CODES)} for name in names}
    slots = {name: data[len(_MAGIC) + k * _SLOT :][:_SLOT] for k, name in enumerate(names)}
    return [
        f"is damaged at {name}: which contact it closed last is not known"
        for name in names
        if slots[name] not in known[name]
    ]
