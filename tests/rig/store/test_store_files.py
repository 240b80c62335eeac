"""What stands where a file of the store should: links, FIFOs, sockets, devices; and that the real disk's calls happen
(review H-6, I-1)."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from meter_of_counts import SECOND_NS, assert_history, items, payload, restored_count

from rig.files.own import ForeignFile
from rig.store import disk as disk_module
from rig.store.archive import Archive
from rig.store.check import check
from rig.store.disk import Disk
from rig.store.errors import StoreError
from rig.store.history import NAME
from rig.store.journal import NAMES
from rig.store.journal_reading import read_journal
from rig.store.log import NAME as LOG
from rig.store.page_sums import SUMS
from rig.store.reading import HistoryReader
from rig.store.store import Store

PATIENCE_S = 20


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """Whatever waits for ever is a failure."""

    def expired(*_: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(PATIENCE_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def advance(store: Store, first: int, last: int) -> None:
    for k in range(first, last + 1):
        store.append(*items(k))
        store.save(payload(k), k * SECOND_NS)
        store.drain()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """States 1 to 9, all of them in both copies."""
    folder = tmp_path_factory.mktemp("sound") / "s"
    store = Store.open(folder)
    advance(store, 1, 9)
    store.settle()
    store.close()
    return folder


TARGET = b"somebody else's, and precious"


def symlink(path: Path, target: Path) -> None:
    path.symlink_to(target)


def fifo(path: Path, target: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path, target: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # its name may be too long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)


def hard_link(path: Path, target: Path) -> None:
    os.link(target, path)


def device(path: Path, target: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("only the superuser makes devices")


Thing = Callable[[Path, Path], None]
THINGS: dict[str, tuple[Thing, str]] = {
    "symlink": (symlink, "a symbolic link, which is not followed"),
    "fifo": (fifo, "a FIFO"),
    "socket": (unix_socket, "a socket"),
    "hard link": (hard_link, "one file with 2 names (hard links)"),
    "device": (device, "a device"),
}


def put(thing: Thing, path: Path) -> Path:
    """Something foreign in place of a file; what a link leads to."""
    target = path.parent.parent / "target"
    target.write_bytes(TARGET)
    path.unlink(missing_ok=True)
    thing(path, target)
    return target


@pytest.mark.parametrize("name", [*NAMES, LOG, NAME])
@pytest.mark.parametrize("kind", THINGS)
def test_what_is_no_file_of_ours_is_replaced_told_and_left_alone(
    tmp_path: Path, sound: Path, name: str, kind: str
) -> None:
    folder = shutil.copytree(sound, tmp_path / "s")
    thing, said = THINGS[kind]
    target = put(thing, folder / name)
    part = {NAME: "history"}.get(name, name)
    found = {finding.part: finding.found for finding in check(folder) if not finding.holds}
    assert part in found
    store = Store.open(folder)
    assert restored_count(store) == 9
    notes = [note for note in store.notes if said in note]
    assert len(notes) == 1
    assert str(folder / name) in notes[0]
    advance(store, 10, 12)
    assert store.trouble is None
    store.close()
    assert target.read_bytes() == TARGET
    assert stat.S_ISREG((folder / name).lstat().st_mode)
    assert (folder / name).lstat().st_nlink == 1
    if name != NAME:
        assert_history(folder, 12)


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
@pytest.mark.parametrize("kind", ["symlink", "fifo", "socket"])
def test_what_stands_beside_the_history(tmp_path: Path, sound: Path, suffix: str, kind: str) -> None:
    folder = shutil.copytree(sound, tmp_path / "s")
    target = put(THINGS[kind][0], folder / (NAME + suffix))
    store = Store.open(folder)
    assert restored_count(store) == 9
    assert any(f"its {NAME}{suffix} is {THINGS[kind][1]}" in note for note in store.notes)
    advance(store, 10, 11)
    assert store.trouble is None
    store.close()
    assert target.read_bytes() == TARGET


@pytest.mark.parametrize("kind", THINGS)
def test_what_stands_where_a_new_file_is_made(tmp_path: Path, sound: Path, kind: str) -> None:
    folder = shutil.copytree(sound, tmp_path / "s")
    for name in (NAMES[0], LOG):
        (folder / name).unlink()
        target = put(THINGS[kind][0], folder / f"{name}.new")
    store = Store.open(folder)
    assert restored_count(store) == 9
    store.close()
    assert target.read_bytes() == TARGET


def test_both_copies_are_links(tmp_path: Path, sound: Path) -> None:
    folder = shutil.copytree(sound, tmp_path / "s")
    for name in NAMES:
        put(symlink, folder / name)
    with pytest.raises(
        StoreError, match=r"billing\.a is not a store's file: it is a symbolic link.*not restarted at zero"
    ):
        Store.open(folder)


@pytest.mark.parametrize("name", [NAMES[0], LOG])
def test_a_folder_is_in_the_way(tmp_path: Path, sound: Path, name: str) -> None:
    folder = shutil.copytree(sound, tmp_path / "s")
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(StoreError, match=rf"{name} cannot be written: .*(Is a|it is a )"):
        Store.open(folder)


def test_files_of_another_user_are_read_and_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"x")
    monkeypatch.setattr(disk_module.os, "geteuid", lambda: file.stat().st_uid + 1)
    disk = Disk()
    assert disk.read(file, 9) == b"x"
    with pytest.raises(ForeignFile, match=r"it belongs to user \d+, and this is user \d+"):
        disk.open(file)


@pytest.mark.parametrize(
    ("size", "said"), [(0, "was cut off and has its size again"), (None, "was missing and has been recreated")]
)
def test_a_log_that_lost_saves_is_told(tmp_path: Path, sound: Path, size: int | None, said: str) -> None:
    folder = shutil.copytree(sound, tmp_path / "s")
    if size is None:
        (folder / LOG).unlink()
    else:
        os.truncate(folder / LOG, size)
    store = Store.open(folder)
    assert any(f"{LOG} {said}" in note and "the last saves may have been in it" in note for note in store.notes)
    store.close()
    store = Store.open(folder)
    assert store.notes == ()
    store.close()


@pytest.mark.parametrize("taken", [2**63 - 1, 2**62, -1, -(2**63)])
def test_no_count_of_items_in_the_history_ruins_the_journal(tmp_path: Path, sound: Path, taken: int) -> None:
    folder = shutil.copytree(sound, tmp_path / "s")
    database = sqlite3.connect(folder / NAME)
    database.execute("UPDATE meta SET value = ? WHERE key = 'taken'", (taken,))
    database.commit()
    database.close()
    for k in (10, 11):
        store = Store.open(folder)
        assert restored_count(store) == k - 1
        assert store.trouble is None
        assert any(f"it cannot have taken {taken} items" in note for note in store.notes) == (k == 10)
        advance(store, k, k)
        store.close()
    with HistoryReader(folder) as history:
        assert [e.code for e in history.events()] == [9, 10, 11], "those of the last save are in the journal still"


def test_a_count_that_goes_wrong_while_the_meter_runs_loses_no_item(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    advance(store, 1, 3)
    other = sqlite3.connect(tmp_path / NAME)
    other.execute(f"UPDATE meta SET value = {2**63 - 1} WHERE key = 'taken'")
    other.commit()
    other.close()
    advance(store, 4, 6)
    assert store.trouble is None
    assert store.waiting == 0
    store.close()
    with HistoryReader(tmp_path) as history:
        assert [e.code for e in history.events()] == [4, 5, 6]


def test_a_save_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    advance(store, 1, 2)
    store._outbox.next_number = 2**63
    with pytest.raises(StoreError, match="cannot be written, it could not be read back"):
        store.save(payload(3), 3)
    store.close()
    store = Store.open(tmp_path)
    assert restored_count(store) == 2
    store.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write what nobody may")
def test_an_index_that_may_not_be_written_is_named(tmp_path: Path, sound: Path) -> None:
    folder = shutil.copytree(sound, tmp_path / "s")
    (folder / f"{NAME}-shm").touch(0o444)
    store = Store.open(folder)
    assert f"this user may not write {folder / NAME}-shm" in (store.trouble or "")
    store.close()


def test_an_index_that_may_not_be_written_is_named_for_whoever_may_not(
    tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same where the tests run as the superuser: the system's word is that of another user."""
    folder = shutil.copytree(sound, tmp_path / "s")
    (folder / f"{NAME}-shm").touch(0o444)
    real = os.access
    monkeypatch.setattr(
        "rig.store.history_files.os.access",
        lambda path, mode, **words: bool(Path(path).stat().st_mode & 0o200) and real(path, mode),
    )
    store = Store.open(folder)
    assert f"this user may not write {folder / NAME}-shm" in (store.trouble or "")
    assert restored_count(store) == 9
    store.close()


def test_the_journal_needs_no_history_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("no SQLite today")

    monkeypatch.setattr("rig.store.archive.History", broken)
    store = Store.open(tmp_path)
    for k in range(1, 30):
        store.append(*items(k))
        store.save(payload(k), k * SECOND_NS)
        store.drain()
    assert "no SQLite today" in (store.trouble or "")
    store.close()
    assert read_journal(tmp_path).record.sequence == 29  # type: ignore[union-attr]


# --- the real disk's calls ------------------------------------------------------------------------------------


class Calls:
    """A layer under `os` that notes every call that makes something durable, and on what, and lets it happen."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[str, str]] = []
        for name in ("fsync", "fdatasync", "pwrite", "rename"):
            monkeypatch.setattr(disk_module.os, name, self._noting(name, getattr(os, name)))
        monkeypatch.setattr(disk_module, "_sync_content", disk_module.os.fdatasync)

    def _noting(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(first: object, *rest: object) -> object:
            where = os.readlink(f"/proc/self/fd/{first}") if isinstance(first, int) else str(rest[0])
            result = real(first, *rest)
            self.made.append((name, Path(where).name))
            return result

        return call


def test_a_new_store_is_durable_file_by_file_and_name_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch)
    store = Store.open(tmp_path / "above" / "store")
    store.close()
    made = [call for call in calls.made if not call[1].startswith(NAME) and not call[1].endswith("lock")]
    expected = [("fsync", tmp_path.name), ("fsync", "above")]
    for name in (*NAMES, LOG, SUMS, SUMS):  # sums: as the history begins, and when it is closed
        expected += [("pwrite", f"{name}.new"), ("fdatasync", f"{name}.new"), ("rename", name), ("fsync", "store")]
    assert made == expected


def test_each_save_is_synced_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(tmp_path)
    store.save(payload(1), SECOND_NS)
    calls = Calls(monkeypatch)
    store.save(payload(2), 2 * SECOND_NS)
    assert calls.made == [("pwrite", LOG), ("fdatasync", LOG)]
    calls.made.clear()
    store.save(payload(3), 3600 * SECOND_NS)
    first = calls.made[0][1]
    assert calls.made == [(what, name) for name in (first, *({*NAMES} - {first})) for what in ("pwrite", "fdatasync")]
    store.close()


def test_opening_syncs_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(tmp_path)
    for k in (1, 2, 3):
        store.save(payload(k), k * SECOND_NS)
    store.close()
    calls = Calls(monkeypatch)
    Store.open(tmp_path).close()
    synced = [name for what, name in calls.made if what != "pwrite"]
    journal = (LOG, *NAMES, tmp_path.name, NAMES[0])
    sums = (f"{SUMS}.new", SUMS, tmp_path.name)
    assert sorted(synced) == sorted((*journal, *sums)), "the log, both copies, the folder; the sums of the history"


def test_a_history_moved_aside_has_its_name_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / NAME).write_bytes(b"no database" * 100)
    calls = Calls(monkeypatch)
    archive = Archive(tmp_path, 1, Disk())
    assert archive.taken(0, 1 << 40) == 0
    archive.close()
    assert [call[0] for call in calls.made[:2]] == ["rename", "fsync"]
    assert calls.made[1][1] == tmp_path.name


def test_sqlite_waits_for_the_disk(tmp_path: Path) -> None:
    """FULL, read back: in WAL mode each transaction is synced (sqlite.org/pragma.html#pragma_synchronous)."""
    store = Store.open(tmp_path)
    database = store._archive._opened()._database
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_the_real_disk_syncs(tmp_path: Path) -> None:
    """What `fdatasync` and `fsync` are asked of: the system refuses them for a pipe, so they do reach it."""
    reader, writer = os.pipe()
    with pytest.raises(OSError, match="Invalid argument"):
        Disk().sync(writer)
    os.close(reader)
    os.close(writer)
    with pytest.raises(FileNotFoundError):
        Disk().sync_folder(tmp_path / "nowhere")


def test_blocks_are_counted_as_a_card_sees_them(tmp_path: Path) -> None:
    """A block of 4096 bytes for each that a write touches, wherever it begins."""
    disk = Disk()
    file = disk.create(tmp_path / "f")
    for offset, length, blocks in ((0, 0, 0), (0, 1, 1), (4095, 2, 2), (4096, 8192, 2), (0, 4097, 2)):
        before = disk.blocks
        disk.write(file, bytes(length), offset)
        disk.sync(file)
        assert disk.blocks - before == blocks
    disk.close(file)
