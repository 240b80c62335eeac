"""The store as a whole: power, processes, full and damaged disks; state and items stay together (S-3)."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec
import pytest
from failing_disk import BROKEN, FailingDisk, Killed, PowerCut, torn
from hypothesis import given, settings
from hypothesis import strategies as st
from meter_of_counts import SECOND_NS, assert_history, items, payload, restored_count

from rig.store import journal as journal_module
from rig.store.archive import MOST_ASIDE
from rig.store.disk import Disk
from rig.store.errors import StoreError
from rig.store.history import NAME, SCHEMA
from rig.store.items import EventItem, RecordingItem, SnapshotItem, WordsItem
from rig.store.journal import NAMES, read_copy
from rig.store.journal_reading import read_journal
from rig.store.log import NAME as LOG
from rig.store.outbox import STRIDE
from rig.store.reading import HistoryReader
from rig.store.record import encode
from rig.store.store import MOST_PAYLOAD, MOST_WAITING, Store

ROOT = Path(__file__).parents[3]


def advance(store: Store, first: int, last: int, *, drain: bool = True) -> None:
    for k in range(first, last + 1):
        store.append(*items(k))
        store.save(payload(k), k * SECOND_NS)
        if drain:
            store.drain()


def test_a_new_store_has_nothing_and_keeps_what_it_is_given(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "store"
    store = Store.open(folder)
    assert store.restored is None
    assert store.trouble is None
    assert store.notes == ()
    advance(store, 1, 20)
    store.close()
    store = Store.open(folder)
    assert store.restored is not None
    assert (restored_count(store), store.restored.utc_ns, store.restored.sequence) == (20, 20 * SECOND_NS, 20)
    assert (store.waiting, store.dropped, store.trouble, store.notes) == (0, {}, None, ())
    store.close()
    assert_history(folder, 20)


def test_items_are_not_in_the_history_before_their_state_is_saved(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    advance(store, 1, 2)
    store.append(*items(3))
    store.drain()
    assert_history(tmp_path, 2)
    store.close()
    store = Store.open(tmp_path)
    assert restored_count(store) == 2
    assert store.waiting == 0
    store.close()


def test_items_wait_in_the_journal_for_the_history(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    advance(store, 1, 30, drain=False)
    store.close()
    store = Store.open(tmp_path)
    assert restored_count(store) == 30
    assert store.waiting == 65
    advance(store, 31, 31)
    store.close()
    assert_history(tmp_path, 31)


def test_nothing_is_dropped_as_long_as_the_history_can_be_written(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    filler = "x" * (MOST_WAITING // 8)
    for k in range(24):
        store.append(EventItem(k, k, "e", filler))
        store.save(b"{}", k)
        store.drain()
    store.close()
    assert store.dropped == {}
    with HistoryReader(tmp_path) as history:
        assert [e.code for e in history.events()] == list(range(24))


# Power and processes.

STEPS = st.one_of(
    st.tuples(st.sampled_from(["advance", "save", "reopen"]), st.integers(1, 3)),
    st.tuples(st.sampled_from(["cut", "kill", "fail"]), st.integers(1, 16)),
)


class Life:
    """A meter of counts through power cuts, kills and failures."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        rng = Random(seed)
        self.disk = FailingDisk(torn(rng), rng)
        self.returned = self.tried = 0
        self.store: Store | None = None

    def opened(self) -> Store:
        if self.store is None:
            self.store = Store.open(self.folder, self.disk)
            found = restored_count(self.store)
            assert self.returned <= found <= self.tried, "not the last state that was saved"
            self.returned = self.tried = found
            self.store.drain()
            assert not self.store.trouble or (self.disk.failures and "every save is a whole" in self.store.trouble)
            assert_history(self.folder, found)
        return self.store

    def step(self, what: str, number: int) -> None:
        if what == "reopen":
            self.opened().close()
            self.store = None
        elif what in ("advance", "save"):
            self._go_on(number, drain=what == "advance")
        else:
            at = self.disk.operations + number
            self.disk.cut_at, self.disk.kill_at = (at if what == "cut" else None), (at if what == "kill" else None)
            self.disk.failures = {at: BROKEN} if what == "fail" else {}
            try:
                self._go_on(8, drain=number % 2 == 0)
            except (PowerCut, Killed) as end:
                self._abandon()
                if isinstance(end, PowerCut):
                    self.disk.restore_power()
                else:
                    self.disk.let_go()
            except StoreError:
                if self.store is None:  # it was in opening
                    self.disk.let_go()
            self.disk.cut_at = self.disk.kill_at = None
            self.disk.failures = {}

    def _go_on(self, count: int, drain: bool) -> None:
        store = self.opened()
        for _ in range(count):
            if self.tried > self.returned:  # that save failed; its items are appended
                store.save(payload(self.tried), self.tried * SECOND_NS)
            else:
                self.tried += 1
                store.append(*items(self.tried))
                store.save(payload(self.tried), self.tried * SECOND_NS)
            self.returned = self.tried
            if drain:
                store.drain()

    def _abandon(self) -> None:
        if self.store is not None:
            self.store._archive.close()
            self.store._files.lock.close()
            self.store = None


@pytest.fixture(scope="class")
def small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_module, "CAPACITY", 1 << 13)
        patch.setattr(journal_module, "SLOTS", 4)
        yield


@pytest.mark.usefixtures("small")
class TestPower:
    @settings(max_examples=60)
    @given(st.lists(STEPS, min_size=2, max_size=8), st.integers(0, 1 << 32))
    def test_state_and_items_after_cuts_kills_and_failures(
        self, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], seed: int
    ) -> None:
        life = Life(tmp_path_factory.mktemp("life"), seed)
        for what, number in steps:
            life.step(what, number)
        life.step("reopen", 0)
        life.step("advance", 1)
        life.step("reopen", 0)


# The history fails: billing goes on.


def starve(store: Store, pages: int = 0) -> None:
    """A full disk, as SQLite sees it: no page more than it has, or than `pages`."""
    database = store._archive._opened()._database
    database.execute(f"PRAGMA max_page_count = {pages or 1}")


def test_a_full_disk_stops_only_the_history(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    advance(store, 1, 3)
    starve(store)
    filler = '{"filler":"%s"}' % ("x" * 1000)
    for k in range(4, 40):
        store.append(*items(k), EventItem(k, 5000, "filler", filler))
        store.save(payload(k), k * SECOND_NS)
        store.drain()
    assert "history.sqlite cannot be written (database or disk is full)" in (store.trouble or "")
    assert "wait in the journal" in (store.trouble or "")
    assert store.waiting > 20
    starve(store, 1 << 20)
    store.drain()
    assert store.trouble is None
    assert store.waiting == 0
    store.close()
    with HistoryReader(tmp_path) as history:
        assert [e.code for e in history.events() if e.code < 5000] == list(range(1, 40))
        assert history.gaps() == []


def test_a_process_that_may_write_no_more_goes_on_billing(tmp_path: Path) -> None:
    """The system itself refuses to let files grow; the journal does not have to."""
    store = Store.open(tmp_path)
    advance(store, 1, 3)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(path.stat().st_size for path in tmp_path.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        for k in range(4, 200):
            store.append(*items(k), SnapshotItem(k, "filler", "x" * 4000))
            store.save(payload(k), k * SECOND_NS)
            store.drain()
        assert "history.sqlite cannot be written" in (store.trouble or "")
        waiting = store.waiting
        store.close()
        store = Store.open(tmp_path)
        assert restored_count(store) == 199
        assert store.waiting == waiting
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    advance(store, 200, 200)
    assert store.trouble is None
    store.close()
    with HistoryReader(tmp_path) as history:
        assert [e.code for e in history.events()] == list(range(1, 201))


def test_a_read_only_history(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    advance(store, 1, 3)
    store._archive._opened()._database.execute("PRAGMA query_only = ON")
    store.append(*items(4))
    store.save(payload(4), 4)
    store.drain()
    assert "cannot be written (attempt to write a readonly database)" in (store.trouble or "")
    store.drain()  # opens it anew
    assert store.trouble is None
    store.close()
    assert_history(tmp_path, 4)


def test_a_locked_history_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.store.history.BUSY_S", 0.02)
    store = Store.open(tmp_path)
    advance(store, 1, 3)
    other = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    advance(store, 4, 6)
    assert "cannot be written (database is locked)" in (store.trouble or "")
    assert restored_count(store) == 0
    other.execute("ROLLBACK")
    other.close()
    store.drain()
    assert store.trouble is None
    store.close()
    assert_history(tmp_path, 6)


def test_what_no_longer_fits_goes_log_first_and_is_counted(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    advance(store, 1, 3)
    store._archive._opened()._database.execute("PRAGMA query_only = ON")
    store._archive._path = tmp_path / "nowhere" / NAME  # and it stays so
    filler = "x" * (MOST_WAITING // 160)
    for k in range(300):
        store.append(EventItem(k, 1000 + k, "e", filler))
        if k % 3 == 0:
            store.append(SnapshotItem(k, "s", filler), WordsItem(1, 4 + k // 3, (k,)))
        if k % 30 == 29:
            store.save(payload(4), 4)
            store.drain()
    dropped = store.dropped
    assert set(dropped) == {"event"}
    assert 200 < dropped["event"] < 300
    for k in range(100, 150):
        store.append(WordsItem(1, 4 + k, tuple(range(MOST_WAITING // 160))))
    assert store.dropped["event"] == 300
    assert set(store.dropped) == {"event", "words"}
    for k in range(300, 340):
        store.append(SnapshotItem(k, "s", filler * 4))
    store.save(payload(5), 5)
    assert set(store.dropped) == {"event", "words", "snapshot"}
    dropped = store.dropped
    store.close()

    store = Store.open(tmp_path)
    assert restored_count(store) == 5
    assert store.dropped == dropped
    store.drain()
    store.close()
    with HistoryReader(tmp_path) as history:
        assert sum(last - first + 1 for first, last in history.gaps()) == sum(dropped.values())
        assert sum(1 for _ in history.snapshots()) == 140 - dropped["snapshot"]
        assert [s.utc_ns for s in history.snapshots()][-30:] == list(range(310, 340))


@pytest.fixture(scope="module")
def twenty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with states 1 to 20."""
    folder = tmp_path_factory.mktemp("twenty")
    store = Store.open(folder)
    advance(store, 1, 20)
    store.close()
    return folder


@settings(max_examples=30)
@given(st.data())
def test_a_damaged_history_stops_nothing(
    tmp_path_factory: pytest.TempPathFactory, twenty: Path, data: st.DataObject
) -> None:
    """Any bytes of the database changed, or cut off: it is used, or moved aside, or waited for. Billing goes on."""
    folder = tmp_path_factory.mktemp("damaged")
    shutil.copytree(twenty, folder, dirs_exist_ok=True)
    path = folder / NAME
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        for _ in range(data.draw(st.integers(1, 20))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    else:
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    path.write_bytes(content)

    store = Store.open(folder)
    assert restored_count(store) == 20
    advance(store, 21, 22)
    trouble = store.trouble
    assert trouble or store.waiting == 0
    store.close()
    store = Store.open(folder)
    assert restored_count(store) == 22
    store.close()
    if not trouble:
        with HistoryReader(folder) as history:
            assert [e.code for e in history.events()][-2:] == [21, 22]


def test_a_damaged_history_is_moved_aside_and_told(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.append(RecordingItem(1, 5, 100, '{"interval_min":15}'))
    advance(store, 2, 10)
    store.close()
    damaged = b"x" * 5000
    (tmp_path / NAME).write_bytes(damaged)
    store = Store.open(tmp_path)
    name = "history.sqlite.damaged-19700101T000010Z"
    assert store.notes == (
        f"{tmp_path / NAME} is damaged (file is not a database): it is now {name}, a new history is begun",
        "the history ends with item 0: 1 to 18 are not in it",
    )
    assert (tmp_path / name).read_bytes() == damaged
    advance(store, 11, 12)
    assert store.trouble is None
    store.close()
    with HistoryReader(tmp_path) as history:
        assert [e.code for e in history.events()] == [10, 11, 12]
        assert history.gaps() == [(1, 18)]
        assert [r.settings for r in history.recordings()] == ['{"interval_min":15}']


def test_a_history_damaged_in_use_is_moved_aside_with_its_log(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    advance(store, 1, 10)
    for suffix in ("", "-wal"):  # the system's memory has it: SQLite sees it at once
        with (tmp_path / (NAME + suffix)).open("r+b") as file:
            file.write(b"\xff" * 20000)
    advance(store, 11, 30, drain=False)
    store._archive.close()
    store.drain()
    assert store.trouble is None
    assert len(store.notes) == 1
    store.close()
    with HistoryReader(tmp_path) as history:
        assert [e.code for e in history.events()] == list(range(11, 31))


def test_a_damaged_history_takes_its_log_with_it(tmp_path: Path) -> None:
    """Somebody reads it, so the log stays; left behind, SQLite would take it for the new database's."""
    store = Store.open(tmp_path)
    advance(store, 1, 10)
    reader = HistoryReader(tmp_path)
    assert len(list(reader.events())) == 10
    store.close()
    with (tmp_path / NAME).open("r+b") as file:
        file.write(b"no database any more" * 5)
    with (tmp_path / f"{NAME}-wal").open("r+b") as file:
        file.seek(32 + 24)
        file.write(b"and no page of one" * 10)
    store = Store.open(tmp_path)
    advance(store, 11, 11)
    aside = f"{NAME}.damaged-19700101T000010Z"
    assert {NAME, aside, f"{aside}-wal"} < {path.name for path in tmp_path.glob("history*")}
    store.close()
    reader.close()
    with HistoryReader(tmp_path) as history:
        assert [e.code for e in history.events()] == [10, 11]
        assert history.faults() == []


def test_a_disk_that_damages_every_history_is_not_filled(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    for k in range(MOST_ASIDE + 3):
        (tmp_path / NAME).write_bytes(b"x" * 100)
        store = Store.open(tmp_path)
        assert (store.trouble is None) == (k < MOST_ASIDE)
        advance(store, k + 1, k + 1)
        store.close()
    assert "8 files lie aside already: look at the disk" in (store.trouble or "")
    assert len(list(tmp_path.glob("history.sqlite.damaged-*"))) == MOST_ASIDE
    store = Store.open(tmp_path)
    assert restored_count(store) == MOST_ASIDE + 3
    store.close()


def test_a_newer_history_is_left_alone(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    advance(store, 1, 3)
    store.close()
    database = sqlite3.connect(tmp_path / NAME)
    database.execute("PRAGMA user_version = 9")
    database.close()
    before = (tmp_path / NAME).read_bytes()
    store = Store.open(tmp_path)
    advance(store, 4, 6)
    assert "is of version 9, this program knows up to 3: update the program" in (store.trouble or "")
    store.close()
    assert (tmp_path / NAME).read_bytes() == before
    database = sqlite3.connect(tmp_path / NAME)
    database.execute(f"PRAGMA user_version = {len(SCHEMA)}")
    database.close()
    store = Store.open(tmp_path)
    store.drain()
    store.close()
    with HistoryReader(tmp_path) as history:
        assert [e.code for e in history.events()] == [1, 2, 3, 4, 5, 6]
        # It was not known how far the history had come: numbers began anew, far off.
        assert history.taken() > STRIDE


# Journal and history that do not go together.


def test_a_state_older_than_the_history_loses_no_new_items(tmp_path: Path) -> None:
    """Both newest states are put back from a backup. What is appended from then on has numbers the history has not."""
    store = Store.open(tmp_path)
    advance(store, 1, 5)
    backup = {name: (tmp_path / name).read_bytes() for name in (*NAMES, LOG)}
    advance(store, 6, 9)
    store.close()
    for name, content in backup.items():
        (tmp_path / name).write_bytes(content)
    store = Store.open(tmp_path)
    assert restored_count(store) == 5
    assert store.notes == ("the state is old: it knows of 11 items, the history of 20",)
    advance(store, 6, 7)
    store.close()
    with HistoryReader(tmp_path) as history:
        assert [e.code for e in history.events()] == [*range(1, 10), 6, 7]
        assert [run.words for run in history.words(1)] == [(1, 2, 3, 4, 5, 6, 7)], "the profile is that of the state"
        assert history.gaps() == []


@pytest.mark.parametrize("moved", [(NAME,), NAMES])
def test_files_of_another_store_are_refused_and_nothing_is_moved(tmp_path: Path, moved: tuple[str, ...]) -> None:
    """A history, or both copies of the journal, of another meter (review H-3)."""
    for name in ("one", "two"):
        store = Store.open(tmp_path / name)
        advance(store, 1, 3)
        store.close()
    for name in moved:
        os.replace(tmp_path / "two" / name, tmp_path / "one" / name)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    history, record = (tmp_path / "one" / NAME).read_bytes(), read_journal(tmp_path / "one").record
    with pytest.raises(StoreError, match=r"history\.sqlite is of store [0-9a-f]{16}, and the journal is of store "):
        Store.open(tmp_path / "one")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == names
    assert (tmp_path / "one" / NAME).read_bytes() == history
    assert read_journal(tmp_path / "one").record == record, "its save is whole in both copies now, and the same"


def test_a_history_without_a_journal_is_refused(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    advance(store, 1, 3)
    store.close()
    for name in NAMES:
        (tmp_path / name).unlink()
    with pytest.raises(StoreError, match=r"neither billing\.a nor billing\.b: the registers are not restarted at zero"):
        Store.open(tmp_path)
    assert not any((tmp_path / name).exists() for name in NAMES)


# Folders.


def test_one_program_at_a_time(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with pytest.raises(StoreError, match=f"{tmp_path} is in use by process {os.getpid()}: end it first"):
        Store.open(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", f"from pathlib import Path; from rig.store.store import Store; Store.open({OPEN})"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"in use by process {os.getpid()}" in done.stderr
    store.close()
    Store.open(tmp_path).close()


OPEN = "Path(__import__('os').environ['FOLDER'])"


def test_a_refusal_lets_go_of_the_folder(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    contents = [(tmp_path / name).read_bytes() for name in NAMES]
    for name in NAMES:
        (tmp_path / name).write_bytes(b"")
    for _ in range(2):
        with pytest.raises(StoreError, match="is empty"):
            Store.open(tmp_path)
    for name, content in zip(NAMES, contents, strict=True):
        (tmp_path / name).write_bytes(content)
    Store.open(tmp_path).close()


def test_folders_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made: a file is there; give another folder"):
        Store.open(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot be made: Not a directory; give another folder"):
        Store.open(tmp_path / "file" / "inside")
    with pytest.raises(StoreError, match=r"/proc/store cannot be made: .*; give another folder"):
        Store.open(Path("/proc/store"))


@pytest.mark.parametrize("closed", [".", "lock"])
def test_a_folder_of_another_user(tmp_path: Path, closed: str) -> None:
    folder = tmp_path / "store"
    Store.open(folder).close()
    tmp_path.chmod(0o755)
    (folder / closed).chmod(0o500 if closed == "." else 0o400)
    if closed == ".":
        (folder / "lock").unlink()
    try:
        message = refused_as_somebody(folder)
    finally:
        folder.chmod(0o755)
    if closed == ".":
        assert f"{folder} cannot be opened: Permission denied; it must be a folder that this user may use" in message
    else:
        assert f"{folder / 'lock'} cannot be written: Permission denied; it must be in a folder that this" in message


def refused_as_somebody(folder: Path) -> str:
    """The refusal that a user gets who may not write here; the superuser may everywhere, so it must be another."""
    if os.geteuid() != 0:
        with pytest.raises(StoreError) as error:
            Store.open(folder)
        return str(error.value)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            for level in folder.parents:  # pytest's own folders are closed to others
                if level.stat().st_mode & 0o055 != 0o055:
                    level.chmod(0o755)
            os.setuid(65534)
            Store.open(folder)
        except StoreError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as pipe:
        return pipe.read()


def test_a_disk_that_is_full_at_the_start_is_told(tmp_path: Path) -> None:
    disk = FailingDisk(lambda n: [])
    disk.failures = {3: errno.ENOSPC}
    with pytest.raises(StoreError, match=r"billing\.a cannot be written: No space left on device"):
        Store.open(tmp_path / "s", disk)


def test_journal_trouble_is_told_and_goes(tmp_path: Path) -> None:
    disk = FailingDisk(lambda n: [(0, n)])
    store = Store.open(tmp_path, disk)
    advance(store, 1, 2)
    disk.every = BROKEN
    with pytest.raises(StoreError, match="cannot be written: Input/output error"):
        advance(store, 3, 3)
    assert "cannot be written: Input/output error" in (store.trouble or "")
    store.drain()
    assert_history(tmp_path, 2)
    disk.every = None
    store.save(payload(3), 3)
    assert store.trouble is None
    store.drain()
    store.close()
    assert_history(tmp_path, 3)


# What is given.


def test_what_no_record_can_hold_is_refused(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    advance(store, 1, 1)
    with pytest.raises(StoreError, match=f"a state of {MOST_PAYLOAD + 1} bytes cannot be saved"):
        store.save(bytes(MOST_PAYLOAD + 1), 0)
    with pytest.raises(StoreError, match=r"utc_ns .* cannot be saved"):
        store.save(b"", 1 << 63)
    for item in (
        EventItem(1 << 63, 1, "e"),
        EventItem(0, 1, "\ud800"),
        EventItem("now", 1, "e"),  # type: ignore[arg-type]
        WordsItem(1, 0, (65536,)),
        WordsItem(1, -1, ()),
        RecordingItem(1, 0, 0, "{}"),
        SnapshotItem(0, "s", "x" * MOST_WAITING),
    ):
        with pytest.raises(StoreError, match="cannot be stored"):
            store.append(EventItem(0, 9, "before"), item)
    advance(store, 2, 2)
    store.close()
    assert_history(tmp_path, 2)


def test_a_record_holds_the_most_there_may_be(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store._archive._path = tmp_path / "nowhere" / NAME
    store._archive.close()
    store.append(RecordingItem(1, 0, 1, "\U0001f600" * (1 << 13)))
    for k in range(200):
        store.append(SnapshotItem(k, "s", "x" * (MOST_WAITING // 100)))
    store.save(bytes(MOST_PAYLOAD), (1 << 63) - 1)
    assert store.dropped
    sizes = [len(encode(c.record)) for n in NAMES if (c := read_copy(tmp_path / n, Disk())).record]
    assert max(sizes) > 0.97 * journal_module.CAPACITY
    store.close()


def test_items_survive_their_encoding() -> None:
    for item in (*items(7), RecordingItem(-5, 3, 9, '{"ä":1}')):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(item), type=type(item)) == item
