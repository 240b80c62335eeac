"""A disk for the journal that loses power, is killed or fails at a chosen operation.

Real files are what the running system sees: its memory. Beside them this keeps what is on the disk for sure, and what
was written since. A power failure leaves of the latter any part: each write none, all, its beginning, its end, some
sectors, or any stretch of bytes, in no order; and of the names that were changed the first few, or any. A sync
that fails leaves any part, too, and the system takes the rest for written, as Linux does.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from rig.store.disk import Disk

Ranges = list[tuple[int, int]]
Tear = Callable[[int], Ranges]


class PowerCut(BaseException):
    """Everything stops; FailingDisk.restore_power() makes the files what is left of them."""


class Killed(BaseException):
    """The process stops; the system goes on with what it has."""


def torn(rng: Random) -> Tear:
    """Any part of a write of so many bytes; as often as not torn near its beginning, as much of a block is filler."""

    def ranges(length: int) -> Ranges:
        a, b = sorted(rng.choices(range(min(length, rng.choice([length, 400])) + 1), k=2))
        sectors = [(k, min(k + 512, length)) for k in range(0, length, 512)]
        choices: list[Ranges] = [[], [(0, length)], [(0, a)], [(a, length)], [(a, b)], [(0, a), (b, length)]]
        choices += [[s for s in sectors if rng.random() < 0.5] for _ in range(3)]
        return rng.choice(choices)

    return ranges


class _File:
    """What is on the disk, and what was written since the last sync."""

    def __init__(self) -> None:
        self.durable = bytearray()
        self.pending: list[tuple[int, bytes]] = []

    def settle(self, tear: Tear) -> None:
        for offset, data in self.pending:
            for begin, end in tear(len(data)):
                if len(self.durable) < offset + begin:
                    self.durable.extend(bytes(offset + begin - len(self.durable)))
                self.durable[offset + begin : offset + end] = data[begin:end]
        self.pending.clear()


class FailingDisk(Disk):
    """`cut_at` and `kill_at` are operations counted from 1; `failures` are errors by operation, or by `every` one."""

    def __init__(self, tear: Tear, rng: Random | None = None) -> None:
        self.operations = 0
        self.cut_at: int | None = None
        self.kill_at: int | None = None
        self.failures: dict[int, int] = {}
        self.every: int | None = None
        self._tear = tear
        self._rng = rng or Random(0)
        self._open: dict[int, _File] = {}
        self._names: dict[Path, _File] = {}
        self._durable_names: dict[Path, _File] = {}
        self._changes: list[tuple[Path | None, Path, _File]] = []

    def restore_power(self) -> None:
        """The files as the cut left them. What is open is of no use any more."""
        self.let_go()
        first = self._rng.randint(0, len(self._changes))
        any_of = [change for change in self._changes if self._rng.random() < 0.5]
        for old, new, file in self._rng.choice([self._changes[:first], any_of]):
            self._apply(old, new, file)
        for file in {id(f): f for f in (*self._names.values(), *self._durable_names.values())}.values():
            file.settle(self._tear)
        for path in {*self._names, *self._durable_names}:
            path.unlink(missing_ok=True)
        for path, file in self._durable_names.items():
            path.write_bytes(file.durable)
        self._names = dict(self._durable_names)
        self._changes.clear()
        self.cut_at = None

    def let_go(self) -> None:
        """What the end of a process does: close its files."""
        for handle in list(self._open):
            self.close(handle)
        self.kill_at = None

    def open(self, path: Path) -> int:
        self._step()
        handle = super().open(path)
        self._open[handle] = self._names[path]
        return handle

    def create(self, path: Path) -> int:
        file = _File()
        with self._naming(None, path, file):
            self._step()
        handle = super().create(path)
        self._open[handle] = file
        return handle

    def write(self, file: int, data: bytes, offset: int) -> None:
        there = self._open[file]
        try:
            self._step()
        except PowerCut:
            there.pending.append((offset, data))
            raise
        except (OSError, Killed):
            done = self._rng.randint(0, len(data))
            os.pwrite(file, data[:done], offset)
            there.pending.append((offset, data[:done]))
            raise
        super().write(file, data, offset)
        there.pending.append((offset, data))

    def sync(self, file: int) -> None:
        try:
            self._step()
        except OSError:
            self._open[file].settle(self._tear)
            raise
        self._open[file].settle(lambda length: [(0, length)])

    def rename(self, old: Path, new: Path) -> None:
        if old in self._names:
            with self._naming(old, new, self._names[old]):
                self._step()
        super().rename(old, new)  # of the history, too, which SQLite keeps by itself

    def sync_folder(self, folder: Path) -> None:
        self._step()
        for change in self._changes:
            self._apply(*change)
        self._changes.clear()

    def close(self, file: int) -> None:
        del self._open[file]
        super().close(file)

    @contextmanager
    def _naming(self, old: Path | None, new: Path, file: _File) -> Iterator[None]:
        """A change of names happens, or, if power is cut in it, may have happened."""
        try:
            yield
        except (OSError, Killed):
            raise
        except PowerCut:
            self._changes.append((old, new, file))
            raise
        self._changes.append((old, new, file))
        if old is not None:
            del self._names[old]
        self._names[new] = file

    def _apply(self, old: Path | None, new: Path, file: _File) -> None:
        if old is not None:
            self._durable_names.pop(old, None)
        self._durable_names[new] = file

    def _step(self) -> None:
        self.operations += 1
        if self.operations == self.cut_at:
            raise PowerCut
        if self.operations == self.kill_at:
            raise Killed
        code = self.failures.get(self.operations, self.every)
        if code is not None:
            raise OSError(code, os.strerror(code))


FULL, READ_ONLY, BROKEN = errno.ENOSPC, errno.EROFS, errno.EIO
