"""Meters of counts that are killed: one process after the other on one store, each going on from what it finds.

Run as a program, so that the processes are forked from one without threads:

    python killed_meters.py FOLDER KILLS SEED

A meter tells each state it saved through a pipe, then saves the next. The parent kills it after a random time, or it
kills itself at a chosen operation on the journal's files or statement of SQLite. Then the parent opens the store: the
state must be the last one told or the one after it, the history must be that of the state, item by item, once each.
Prints what happened, for the test to judge.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from meter_of_counts import SECOND_NS, assert_history, items, payload, restored_count

from rig.store.disk import Disk
from rig.store.store import Store
from rig.store.writer import StoreWriter

TOLD = struct.Struct("<q")
AFTER_MS = 25


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class SuicidalDisk(Disk):
    """Kills the process at an operation: a write when half of it is done, a sync before it."""

    def __init__(self, at: int) -> None:
        self._left = at

    def write(self, file: int, data: bytes, offset: int) -> None:
        self._left -= 1
        if self._left == 0:
            super().write(file, data[: len(data.rstrip(b"\0")) // 2], offset)  # what follows in a slot is padding
            kill_self()
        super().write(file, data, offset)

    def sync(self, file: int) -> None:
        self._left -= 1
        if self._left == 0:
            kill_self()
        super().sync(file)


def suicidal_statements(store: Store, at: int) -> None:
    """The process ends before the statement `at` of the next drains."""
    left = at

    def count(statement: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            kill_self()

    store._archive._opened()._database.set_trace_callback(count)


def meter(folder: Path, pipe: int, how: str, at: int) -> None:
    """Go on from what is found, without end."""
    store = Store.open(folder, SuicidalDisk(at) if how == "operation" else Disk())
    k = restored_count(store)
    if how == "statement":
        suicidal_statements(store, at)
    if how == "thread":
        writer = StoreWriter(store)
        while True:
            k += 1
            writer.submit(payload(k), k * SECOND_NS, items(k))
            if k % 3 == 0 and writer.flush():
                os.write(pipe, TOLD.pack(k))
    while True:
        k += 1
        store.append(*items(k))
        store.save(payload(k), k * SECOND_NS)
        os.write(pipe, TOLD.pack(k))
        if k % 4:
            store.drain()


def main() -> None:
    folder, kills, rng = Path(sys.argv[1]), int(sys.argv[2]), Random(int(sys.argv[3]))
    outcomes: Counter[str] = Counter()
    known = 0
    for _ in range(kills):
        how = rng.choice(["time", "thread", "operation", "statement"])
        at = rng.randint(1, 30)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            try:
                meter(folder, writer, how, at)
            finally:
                os._exit(1)
        os.close(writer)
        if how in ("time", "thread"):
            time.sleep(rng.uniform(0, AFTER_MS / 1000))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"the meter ended by itself ({how}, {at})"
        with os.fdopen(reader, "rb") as pipe:
            told = pipe.read()
        if told:
            (known,) = TOLD.unpack(told[-TOLD.size :])

        store = Store.open(folder)
        found = restored_count(store)
        assert found >= known, f"state {known} was saved, {found} was found ({how}, {at})"
        assert how == "thread" or found <= known + 1, f"state {found} was found, {known} was told ({how}, {at})"
        outcomes[how] += 1
        outcomes["newer than told"] += found > known
        outcomes["items waited"] += store.waiting > 0
        outcomes["a copy was torn"] += any("damaged" in note for note in store.notes)
        store.drain()
        assert store.waiting == 0
        store.close()
        assert_history(folder, found)
        known = found
    print(json.dumps(outcomes | {"states": known}))


if __name__ == "__main__":
    main()
