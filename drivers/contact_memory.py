"""Memory of each output's last position, and of the pulses it has shown, kept through the death of the process.

A small file: what is written there is in the kernel's page cache at once, so it outlives kill -9 and costs no write to
the card at 53 pulses a second. A power failure may lose what came since the last close(). It is written before the pin
is set, so after a kill it may be one change ahead of the pin, and never behind: whoever starts again sets the pins to
what it says, and nothing is shown twice or missed (drivers/gpio.py).
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.pins import GpioError

_MAGIC = b"contact2"
_OLDER_MAGIC = b"contacts"
_ENTRY = struct.Struct("<QQc3x")  # changes, pulses, level
_CRC_BYTES = 4
_REMOVED, _ELSE, _CUT = "was removed", "was moved, and something else is at its name", "was cut off"
_SLOT = _ENTRY.size + _CRC_BYTES

LEVELS = {"open": b"O", "K-Y": b"Y", "K-Z": b"Z", "lit": b"L", "dark": b"D"}
"""What an output can have been made to do last; open is one that never closed."""
_NAMES = {code: name for name, code in LEVELS.items()}


@dataclass(frozen=True)
class Remembered:
    """Last position of an output, of LEVELS, and how many pulses it has shown by then."""

    level: str
    pulses: int


class ContactMemory:
    """The outputs `names`, in `path`. The file and its folder are made where they lack.

    An output has two slots, written in turn, each with a count of changes and a CRC-32 over that and the output's name:
    what is torn, foreign or of other outputs is noticed; the newest whole slot counts, and without one nobody knows.
    One process at a time has the file, as it has the outputs. Raises GpioError if it cannot be had. A write that fails
    later is `trouble`, a sentence, and no error: edges go on.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.trouble: str | None = None
        self._path = path
        self._at = {name: len(_MAGIC) + 2 * k * _SLOT for k, name in enumerate(names)}
        self._size = size = len(_MAGIC) + 2 * len(names) * _SLOT
        self._disturbed = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
            try:
                if os.pread(self._file, len(_MAGIC), 0) != _MAGIC:
                    os.ftruncate(self._file, 0)
                    os.pwrite(self._file, _MAGIC, 0)
                os.ftruncate(self._file, size)
                os.posix_fallocate(self._file, 0, size)  # a disk that fills up later does not matter
                content = os.pread(self._file, size, 0)
            except BaseException:
                os.close(self._file)
                raise
        except OSError as error:
            raise GpioError(
                f"{path}, which remembers the contacts closed last, cannot be used ({error.strerror}): "
                "give the service a folder that it may write"
            ) from None
        found = {name: _newest(name, content[at : at + 2 * _SLOT]) for name, at in self._at.items()}
        self._changes = {name: entry[0] for name, entry in found.items()}
        self._known = {name: entry[1] for name, entry in found.items()}

    def last(self, name: str) -> Remembered | None:
        """Return this output's last position; None if nobody knows."""
        return self._known[name]

    def remember(self, name: str, level: str, pulses: int) -> None:
        """This output is about to be made to do this, and has then shown so many pulses. KeyError for no level."""
        self._changes[name] += 1
        self._known[name] = known = Remembered(level, pulses)
        try:
            self._write(name, known)
        except OSError as error:
            self._cannot(error)

    def _write(self, name: str, known: Remembered) -> None:
        changes = self._changes[name]
        entry = _ENTRY.pack(changes, known.pulses, LEVELS[known.level])
        os.pwrite(self._file, entry + _crc(name, entry), self._at[name] + changes % 2 * _SLOT)

    def _cannot(self, error: OSError) -> None:
        self.trouble = (
            f"{self._path}, which remembers the contacts closed last, cannot be written ({error.strerror}): "
            "after a crash a pulse may come twice or be missed"
        )

    def look(self) -> str | None:
        """Find whether the file's name still stands for it, and for all of it: otherwise it is written anew there.

            found at the name            what is done
            nothing                      a new file, with what is known
            the file, cut off            what is known is written in it
            something else               it stays, and what is remembered goes where the file is now

        Gives what was found, in a sentence, each state once; None where nothing is new.
        """
        found = self._found()
        fresh, self._disturbed = found != self._disturbed, found
        if not found or not fresh:
            return None
        try:
            if found == _ELSE:
                return f"{self._path} {found}: what contacts did last is remembered where the file is now; put it back"
            if found == _REMOVED:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
                file = os.open(self._path, flags, 0o644)
                os.close(self._file)
                self._file = file
            self._write_all()
        except OSError as error:
            self._disturbed = ""  # another look, another try
            self._cannot(error)
            return None
        self._disturbed, self.trouble = "", None
        return f"{self._path} {found}: it is written anew"

    def _found(self) -> str:
        opened = os.fstat(self._file)
        try:
            named = os.stat(self._path, follow_symlinks=False)
        except OSError:
            return _REMOVED
        if not os.path.samestat(opened, named):
            return _ELSE
        return _CUT if opened.st_size < self._size else ""

    def _write_all(self) -> None:
        os.ftruncate(self._file, self._size)
        os.posix_fallocate(self._file, 0, self._size)
        os.pwrite(self._file, _MAGIC, 0)
        for name, known in self._known.items():
            if known is not None:
                self._write(name, known)

    def close(self) -> None:
        """Write it to the disk and let it go."""
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)
            self._file = -1


def _crc(name: str, entry: bytes) -> bytes:
    return zlib.crc32(name.encode() + b"\0" + entry).to_bytes(_CRC_BYTES, "little")


def _newest(name: str, slots: bytes) -> tuple[int, Remembered | None]:
    """The count of changes, and what was remembered with the last."""
    found: list[tuple[int, Remembered]] = []
    for at in (0, _SLOT):
        entry, crc = slots[at : at + _ENTRY.size], slots[at + _ENTRY.size : at + _SLOT]
        if crc == _crc(name, entry):
            changes, pulses, code = _ENTRY.unpack(entry)
            if code in _NAMES:
                found.append((changes, Remembered(_NAMES[code], pulses)))
    return max(found, key=lambda each: each[0], default=(0, None))


def contact_faults(data: bytes, names: Sequence[str]) -> list[str]:
    """Say what does not hold in the content of a memory of these outputs: sentences that go on from its name.

    That of an older version holds as it is: it is not read any more.
    """
    if data.startswith(_OLDER_MAGIC):
        return []
    if not data.startswith(_MAGIC):
        return ["does not begin as a memory of contacts does: what each output did last is not known"]
    if len(data) != len(_MAGIC) + 2 * len(names) * _SLOT:
        return [f"has {len(data)} bytes, not those of {len(names)} outputs: what each did last is not known"]
    faults = []
    for k, name in enumerate(names):
        slots = data[len(_MAGIC) + 2 * k * _SLOT :][: 2 * _SLOT]
        for slot in (slots[:_SLOT], slots[_SLOT:]):
            entry, crc = slot[: _ENTRY.size], slot[_ENTRY.size :]
            if any(slot) and crc != _crc(name, entry):
                faults.append(f"is damaged at {name}: what it did last, or the time before, is not known")
    return faults
