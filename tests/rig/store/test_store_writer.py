"""Saving beside the metering thread: nothing waits, nothing is lost, state and items stay together (S-3)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from failing_disk import BROKEN, FailingDisk
from meter_of_counts import SECOND_NS, assert_history, count_of, items, payload, restored_count

from rig.store.disk import Disk
from rig.store.errors import StoreError
from rig.store.items import EventItem
from rig.store.journal import CAPACITY
from rig.store.reading import HistoryReader
from rig.store.record import decode, raw
from rig.store.store import MOST_PAYLOAD, MOST_WAITING, Store
from rig.store.writer import StoreWriter

PATIENCE_S = 120


class GatedDisk(Disk):
    """Its sync takes as long as the gate is shut. Keeps every record that was written."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.syncing = threading.Event()
        self.records: list[bytes] = []

    def write(self, file: int, data: bytes, offset: int) -> None:
        super().write(file, data, offset)
        if len(data) < CAPACITY:
            self.records.append(data)

    def sync(self, file: int) -> None:
        self.syncing.set()
        assert self.gate.wait(PATIENCE_S)
        super().sync(file)

    @contextmanager
    def shut(self) -> Iterator[None]:
        self.gate.clear()
        try:
            yield
        finally:
            self.gate.set()


def submit(writer: StoreWriter, first: int, last: int) -> None:
    for k in range(first, last + 1):
        writer.submit(payload(k), k * SECOND_NS, items(k))


def test_what_is_submitted_is_saved(tmp_path: Path) -> None:
    writer = StoreWriter(Store.open(tmp_path))
    assert writer.saved_utc_ns is None
    submit(writer, 1, 30)
    assert writer.flush(PATIENCE_S)
    assert writer.saved_utc_ns == 30 * SECOND_NS
    assert_history(tmp_path, 30)
    submit(writer, 31, 33)
    assert writer.close(PATIENCE_S)
    assert (writer.trouble, writer.notes, writer.dropped) == (None, (), {})
    store = Store.open(tmp_path)
    assert restored_count(store) == 33
    writer = StoreWriter(store)
    assert writer.saved_utc_ns == 33 * SECOND_NS
    assert writer.flush(PATIENCE_S)
    assert writer.close(PATIENCE_S)
    assert_history(tmp_path, 33)


def test_only_the_newest_state_is_saved_with_the_items_of_all(tmp_path: Path) -> None:
    disk = GatedDisk()
    writer = StoreWriter(Store.open(tmp_path, disk))
    disk.records.clear()
    disk.syncing.clear()
    with disk.shut():
        submit(writer, 1, 1)
        assert disk.syncing.wait(PATIENCE_S)
        submit(writer, 2, 100)  # nobody waits for the disk
        assert writer.saved_utc_ns is None
        assert not writer.flush(0.01)
    assert writer.close(PATIENCE_S)
    assert [count_of(decode(raw(record)).payload) for record in disk.records] == [1, 100]
    assert_history(tmp_path, 100)


class Watched(StoreWriter):
    """State and items are touched only by the thread that holds the lock."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("_state", "_items"):
            assert self._changed._is_owned()  # type: ignore[attr-defined]
        return super().__getattribute__(name)


def test_no_item_is_saved_with_a_state_older_than_it(tmp_path: Path) -> None:
    disk = GatedDisk()
    writer = Watched(Store.open(tmp_path, disk))
    disk.records.clear()
    submit(writer, 1, 400)
    assert writer.close(PATIENCE_S)
    before, total = 0, 0
    for written in disk.records:
        record = decode(raw(written))
        k = count_of(record.payload)
        assert k > before
        total += sum(len(items(j)) for j in range(before + 1, k + 1))
        assert record.next_item == total + 1
        assert max(n.item.code for n in record.items if isinstance(n.item, EventItem)) == k
        before = k
    assert before == 400
    assert_history(tmp_path, 400)


def test_a_state_that_could_not_be_saved_is_tried_again(tmp_path: Path) -> None:
    disk = FailingDisk(lambda n: [(0, n)])
    writer = StoreWriter(Store.open(tmp_path, disk), retry_s=0.01)
    disk.every = BROKEN
    submit(writer, 1, 3)
    assert not writer.flush(PATIENCE_S)
    assert "cannot be written: Input/output error" in (writer.trouble or "")
    assert writer.saved_utc_ns is None
    disk.every = None
    for _ in range(PATIENCE_S * 100):  # nothing new is submitted
        if writer.saved_utc_ns is not None:
            break
        threading.Event().wait(0.01)
    assert writer.flush(PATIENCE_S)
    assert writer.trouble is None
    assert_history(tmp_path, 3)
    assert writer.close(PATIENCE_S)


def test_close_tells_what_was_not_saved(tmp_path: Path) -> None:
    disk = FailingDisk(lambda n: [(0, n)])
    writer = StoreWriter(Store.open(tmp_path, disk))
    submit(writer, 1, 1)
    assert writer.flush(PATIENCE_S)
    disk.every = BROKEN
    submit(writer, 2, 2)
    assert not writer.close(PATIENCE_S)
    disk.every = None
    store = Store.open(tmp_path, disk)
    assert restored_count(store) in (1, 2)
    store.close()


def test_no_failure_ends_the_thread(tmp_path: Path) -> None:
    class Absurd(Disk):
        wrong = False

        def sync(self, file: int) -> None:
            if self.wrong:
                raise RuntimeError("nobody expects this")
            super().sync(file)

    disk = Absurd()
    writer = StoreWriter(Store.open(tmp_path, disk), retry_s=100)
    disk.wrong = True
    submit(writer, 1, 1)
    assert not writer.flush(PATIENCE_S)
    assert writer.trouble == "the store failed: RuntimeError('nobody expects this')"
    disk.wrong = False
    submit(writer, 2, 2)
    assert writer.flush(PATIENCE_S)
    assert writer.trouble is None
    assert writer.close(PATIENCE_S)
    assert_history(tmp_path, 2)


def test_a_disk_that_hangs_does_not_fill_the_memory(tmp_path: Path) -> None:
    disk = GatedDisk()
    writer = StoreWriter(Store.open(tmp_path, disk))
    filler = "x" * (MOST_WAITING // 160)
    disk.syncing.clear()
    with disk.shut():
        submit(writer, 1, 1)
        assert disk.syncing.wait(PATIENCE_S)
        for k in range(2, 502):
            writer.submit(payload(k), k * SECOND_NS, [EventItem(k, k, "e", filler)])
        assert sum(len(filler) for _ in writer._items.items) <= MOST_WAITING
    assert writer.close(PATIENCE_S)
    assert 300 < writer.dropped["event"] < 500
    with HistoryReader(tmp_path) as history:
        codes = [e.code for e in history.events()]
        assert codes == [1, *range(502 - (500 - writer.dropped["event"]), 502)]
        assert sum(last - first + 1 for first, last in history.gaps()) == writer.dropped["event"]


def test_an_item_that_cannot_be_stored_is_refused_with_its_state(tmp_path: Path) -> None:
    writer = StoreWriter(Store.open(tmp_path))
    submit(writer, 1, 1)
    with pytest.raises(StoreError, match="cannot be stored"):
        writer.submit(payload(2), 2 * SECOND_NS, [*items(2), EventItem(1 << 70, 1, "e")])
    assert writer.close(PATIENCE_S)
    store = Store.open(tmp_path)
    assert restored_count(store) == 1
    store.close()
    assert_history(tmp_path, 1)


def test_a_state_that_is_too_large_is_trouble(tmp_path: Path) -> None:
    writer = StoreWriter(Store.open(tmp_path))
    writer.submit(bytes(MOST_PAYLOAD + 1), 5)
    assert not writer.flush(PATIENCE_S)
    assert "cannot be saved, it must have at most" in (writer.trouble or "")
    submit(writer, 1, 1)
    assert writer.close(PATIENCE_S)
    assert_history(tmp_path, 1)
