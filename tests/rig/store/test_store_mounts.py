"""Real file systems that are full, read-only or gone, and what the kernel counts of a save's blocks (S-3)."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from meter_of_counts import SECOND_NS, items, payload, restored_count

from rig.store.errors import StoreError
from rig.store.journal import NAMES
from rig.store.log import NAME as LOG
from rig.store.store import Store

CLONE_NEWNS = 0x00020000


@cache
def private_mounts() -> bool:
    """Have mounts that nobody else sees, and that end with this process however it ends; False where it may not."""
    if os.geteuid() != 0 or ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0:
        return False
    return subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, check=False).returncode == 0


def mounted(where: Path, *options: str) -> bool:
    """Mount something; False where this process may not."""
    where.mkdir(exist_ok=True)
    if not private_mounts():
        return False
    return subprocess.run(["mount", *options, str(where)], capture_output=True, check=False).returncode == 0


def unmounted(where: Path) -> None:
    subprocess.run(["umount", str(where)], capture_output=True, check=False)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 3 MB."""
    where = tmp_path / "small"
    if not mounted(where, "-t", "tmpfs", "-o", "size=3m", "tmpfs"):
        pytest.skip("only the superuser mounts a file system")
    yield where
    unmounted(where)


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Path]:
    """An ext4 of 24 MB on a loop device."""
    where, image = tmp_path / "card", tmp_path / "card.img"
    if not private_mounts() or shutil.which("mkfs.ext4") is None:
        pytest.skip("needs the superuser and mkfs.ext4")
    with image.open("wb") as file:
        file.truncate(24 << 20)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, capture_output=True)
    if not mounted(where, "-o", "loop", str(image)):
        pytest.skip("no loop device to be had")
    yield where
    unmounted(where)


def advance(store: Store, first: int, last: int) -> None:
    for k in range(first, last + 1):
        store.append(*items(k))
        store.save(payload(k), k * SECOND_NS)
        store.drain()


def fill(folder: Path) -> Path:
    """Leave no byte."""
    file = folder / "filler"
    with file.open("wb", buffering=0) as filler:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    filler.write(bytes(size))
            except OSError:
                pass
    return file


@pytest.mark.parametrize("kind", ["small", "card"])
def test_a_disk_that_fills_up_stops_only_the_history(kind: str, request: pytest.FixtureRequest) -> None:
    where = request.getfixturevalue(kind)
    store = Store.open(where / "s")
    advance(store, 1, 3)
    filler = fill(where)
    advance(store, 4, 90)
    assert "history.sqlite cannot be written" in (store.trouble or "")
    assert "billing" not in (store.trouble or "")
    waiting = store.waiting
    assert waiting > 20
    store.close()
    store = Store.open(where / "s")
    assert (restored_count(store), store.waiting) == (90, waiting)
    filler.unlink()
    advance(store, 91, 91)
    assert (store.trouble, store.waiting) == (None, 0)
    store.close()


def test_a_disk_that_is_full_at_the_start(small: Path) -> None:
    filler = fill(small)
    with pytest.raises(StoreError, match=r"(billing\.a|lock) cannot be written: No space left|cannot be made"):
        Store.open(small / "s")
    filler.unlink()
    Store.open(small / "s").close()


def test_a_disk_with_room_for_no_log_has_whole_saves_and_the_log_once_there_is_room(small: Path) -> None:
    store = Store.open(small / "s")
    advance(store, 1, 3)
    store.settle()
    store.close()
    (small / "s" / LOG).unlink()
    filler = fill(small)
    store = Store.open(small / "s")
    assert f"{LOG} cannot be written: No space left on device; until then every save is a whole one" in (
        store.trouble or ""
    )
    for k in range(4, 9):
        store.save(payload(k), k * SECOND_NS)
    assert LOG in (store.trouble or "")
    filler.unlink()
    store.save(payload(9), 3600 * SECOND_NS)
    store.drain()
    assert store.trouble is None
    assert (small / "s" / LOG).stat().st_size == 64 * 4096
    store.close()
    store = Store.open(small / "s")
    assert restored_count(store) == 9
    store.close()


def test_a_disk_that_becomes_read_only(card: Path) -> None:
    store = Store.open(card / "s")
    advance(store, 1, 3)
    done = subprocess.run(["mount", "-o", "remount,ro", str(card)], capture_output=True, check=False)
    if done.returncode == 0:  # the kernel refuses while files are open to be written
        with pytest.raises(StoreError, match=r"billing\.(log|a|b) cannot be written: Read-only file system"):
            store.save(payload(4), 4 * SECOND_NS)
        subprocess.run(["mount", "-o", "remount,rw", str(card)], capture_output=True, check=True)
        store.save(payload(4), 4 * SECOND_NS)
        assert store.trouble is None
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(card)], capture_output=True, check=True)
    with pytest.raises(StoreError, match=r"cannot be written: Read-only file system"):
        Store.open(card / "s")


def test_a_disk_whose_size_a_process_may_not_grow(tmp_path: Path) -> None:
    """Everywhere, without the superuser: a log that cannot be made, and saves that go on."""
    store = Store.open(tmp_path)
    advance(store, 1, 3)
    store.settle()
    store.close()
    (tmp_path / LOG).unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        store = Store.open(tmp_path)
        assert f"{LOG} cannot be written: File too large" in (store.trouble or "")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    for k in (4, 5):
        store.save(payload(k), k * SECOND_NS)
    store.close()
    store = Store.open(tmp_path)
    assert restored_count(store) == 5
    store.close()


def test_a_file_cut_off_while_the_meter_runs_is_no_signal(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    for k in range(1, 30):
        os.truncate(tmp_path / (NAMES[0], NAMES[1], LOG)[k % 3], 0)
        store.save(payload(k), k * SECOND_NS)
    told = [f"{tmp_path / name} was cut off to 0 bytes: it is written anew" for name in (*NAMES, LOG)]
    assert sorted((store.trouble or "").split("; ")) == told
    store.settle()
    store.close()
    store = Store.open(tmp_path)
    assert restored_count(store) == 29
    store.close()


def test_a_save_is_a_block_on_the_device(card: Path) -> None:
    """The device's own count (/sys/block/…/stat, field 7, sectors of 512 bytes), which nobody of ours makes."""
    table = Path("/proc/self/mountinfo").read_text()
    device = re.search(rf"^\d+ \d+ (\d+:\d+) .* {card} ", table, re.MULTILINE)
    assert device is not None
    stat = Path(f"/sys/dev/block/{device[1]}/stat")
    store = Store.open(card / "s")
    store.save(payload(1), SECOND_NS)
    os.sync()
    before = int(stat.read_text().split()[6])
    saves = 300
    for k in range(2, 2 + saves):
        store.save(payload(k), k * SECOND_NS)
    written = (int(stat.read_text().split()[6]) - before) * 512
    store.close()
    # The file system's own journal comes on top each 5 to 30 s: some ten blocks in so short a time.
    assert saves * 4096 <= written <= saves * 4096 + 60 * 4096
