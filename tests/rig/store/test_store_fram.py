"""A store with an FRAM beside its disk: each save there, the disk's log rarely; failing, foreign and absent chips."""

from __future__ import annotations

from pathlib import Path

import pytest
from meter_of_counts import SECOND_NS, assert_history, items, payload, restored_count

from drivers.fram import SIZE, Fram
from drivers.sim.fram_chip import FramChip
from rig.store.disk import Disk
from rig.store.errors import StoreError
from rig.store.fram_slots import FramSlots
from rig.store.journal_reading import read_journal
from rig.store.store import Store


class Chip(FramChip):
    """One that can be unplugged."""

    there = True

    def xfer2(self, data: list[int]) -> list[int]:
        return super().xfer2(data) if self.there else [0xFF] * len(data)


def opened(folder: Path, chip: FramChip, disk: Disk | None = None) -> Store:
    return Store.open(folder, disk, FramSlots("bus", lambda: Fram(chip, "bus")))


def save(store: Store, k: int, utc_ns: int | None = None) -> None:
    store.save(payload(k), k * SECOND_NS if utc_ns is None else utc_ns)


def test_each_save_is_in_the_fram_and_one_a_minute_on_the_disk(tmp_path: Path) -> None:
    chip, disk = Chip(), Disk()
    store = opened(tmp_path, chip, disk)
    assert store.fast
    save(store, 1, 0)
    begun, saves, on_disk = disk.blocks, 0, 0
    for k in range(2, 10 * 50 * 60, 50):  # ten minutes, each second
        before = disk.blocks
        save(store, k, k * SECOND_NS // 50)
        saves += 1
        on_disk += disk.blocks > before
    assert saves == 600
    assert on_disk == 9
    assert disk.blocks - begun == 9
    assert read_journal(tmp_path).record.utc_ns < store._journal.record.utc_ns  # type: ignore[union-attr]
    store._archive.close()
    store._files.lock.close()  # power fails
    store = opened(tmp_path, chip)
    assert restored_count(store) == k
    assert (store.notes, store.trouble) == ((), None)
    store.close()


def test_items_for_the_history_are_on_the_disk_before_they_are_in_it(tmp_path: Path) -> None:
    store = opened(tmp_path, Chip())
    for k in range(1, 20):
        store.append(*items(k))
        save(store, k)
        store.drain()
        saved = read_journal(tmp_path).record
        assert saved is not None
        assert saved.sequence == k
    store.close()
    assert_history(tmp_path, 19)


def test_an_fram_that_fails_is_told_the_disk_has_the_saves_and_it_comes_back(tmp_path: Path) -> None:
    chip, disk = Chip(), Disk()
    store = opened(tmp_path, chip, disk)
    save(store, 1)
    save(store, 2)
    chip.there = False
    for k in (3, 4, 5):
        before = disk.blocks
        save(store, k)
        assert disk.blocks == before + 1
        assert not store.fast
        assert "the FRAM on bus" in (store.trouble or "")
        assert restored_of(tmp_path) == k
    chip.there = True
    save(store, 6)
    assert (store.fast, store.trouble) == (True, None)
    store.close()


def restored_of(folder: Path) -> int:
    record = read_journal(folder).record
    assert record is not None
    return record.sequence


def test_an_absent_fram_at_the_start_is_told_and_what_it_has_is_not_believed_later(tmp_path: Path) -> None:
    chip = Chip()
    store = opened(tmp_path, chip)
    for k in range(1, 50):
        save(store, k)
    store._archive.close()
    store._files.lock.close()  # power fails; the newest on the disk is the first
    chip.there = False
    store = opened(tmp_path, chip)
    assert restored_count(store) == 1
    assert "bus is not there: nothing answers" in (store.trouble or "")
    assert "saves go to the disk" in (store.trouble or "")
    for k in (2, 3):
        save(store, k)
    assert "nothing answers" in (store.trouble or "")
    chip.there = True
    store._archive.close()
    store._files.lock.close()
    store = opened(tmp_path, chip)
    assert restored_count(store) == 3, "its saves go on from a whole one that was given up"
    assert any("continues from a whole save that no longer exists" in note for note in store.notes)
    for k in range(4, 80):
        save(store, k)
    store.close()
    store = opened(tmp_path, chip)
    assert restored_count(store) == 79
    store.close()


def test_an_fram_of_another_meter_is_refused_and_untouched_until_it_is_emptied(tmp_path: Path) -> None:
    chip = Chip()
    store = opened(tmp_path / "one", chip)
    save(store, 1)
    save(store, 2)
    store.close()
    before = bytes(chip.memory)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"the FRAM on bus holds saves of another store.*rig store clear-fram"):
            opened(tmp_path / "two", chip)
    assert bytes(chip.memory) == before
    FramSlots("bus", lambda: Fram(chip, "bus")).clear()
    assert not any(chip.memory)
    opened(tmp_path / "two", chip).close()


@pytest.mark.parametrize("content", [b"", b"\xff" * SIZE, b"AE0764L\n" * (SIZE // 8)])
def test_whatever_is_in_a_new_chip_is_no_save(tmp_path: Path, content: bytes) -> None:
    chip = Chip()
    chip.memory[: len(content)] = content
    store = opened(tmp_path, chip)
    assert store.restored is None
    for k in range(1, 200):
        save(store, k)
    store._archive.close()
    store._files.lock.close()
    store = opened(tmp_path, chip)
    assert restored_count(store) == 199
    store.close()


def test_a_chip_that_failed_is_asked_anew_who_it_is() -> None:
    """In between it may have been changed for another, and one that lost its power has forgotten its protection."""
    chip = Chip()
    chips: list[Fram] = []

    def open_chip() -> Fram:
        chips.append(Fram(chip, "bus"))
        return chips[-1]

    slots = FramSlots("bus", open_chip)
    slots.write(0, b"first")
    chip.there = False
    with pytest.raises(StoreError, match="FRAM on bus"):
        slots.write(1, b"second")
    with pytest.raises(StoreError, match="is not there: nothing answers"):
        slots.read()
    chip.there = True
    assert slots.read()[0].startswith(b"first")
    assert len(chips) == 2
    slots.close()
