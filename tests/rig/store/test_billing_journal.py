"""The billing journal: whatever is torn, damaged, missing or too new, the newest whole record or a refusal (S-3)."""

from __future__ import annotations

import errno
import itertools
import os
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

import msgspec
import pytest
from failing_disk import BROKEN, FULL, READ_ONLY, FailingDisk, Killed, PowerCut, torn
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rig.store import journal as journal_module
from rig.store.disk import Disk
from rig.store.errors import StoreError
from rig.store.items import EventItem, Numbered, RecordingItem
from rig.store.journal import CAPACITY, NAMES, Journal, read_copy
from rig.store.journal_reading import read_journal
from rig.store.log import NAME as LOG
from rig.store.record import FORMAT, OVERHEAD, Format, JournalRecord, decode, encode, raw

PAYLOAD = bytes(range(256)) * 4
FILES = sorted((*NAMES, LOG))


def record(sequence: int, payload: bytes = PAYLOAD, store: int = 7) -> JournalRecord:
    return JournalRecord(
        store=store,
        sequence=sequence,
        utc_ns=sequence * 10**10,
        payload=payload,
        next_item=3,
        items=[Numbered(2, EventItem(5, 20, "demand reset", '{"by":"switch"}'))],
        dropped={"event": 1},
        recording=RecordingItem(4, 5, 1000, "{}"),
    )


def begun(folder: Path, saves: int = 0) -> Path:
    """A closed journal with so many saves, each payload its own."""
    folder.mkdir(exist_ok=True)
    journal = Journal.open(folder, Disk())
    store = journal.record.store
    for k in range(1, saves + 1):
        journal.write(record(k, b"%d " % k * 300, store), whole=True)
    journal.close()
    return folder


def restored(folder: Path) -> JournalRecord:
    journal = Journal.open(folder, Disk())
    journal.close()
    return journal.record


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = begun(tmp_path / "s")
    journal = Journal.open(folder, Disk())
    assert journal.record.sequence == 0
    assert journal.record.payload == b""
    for k in range(1, 5):
        written = record(k, PAYLOAD[k:], journal.record.store)
        journal.write(written)
        assert read_journal(folder).record == written
    journal.close()
    assert restored(folder) == written
    assert not journal.notes
    assert sorted(path.name for path in folder.iterdir()) == FILES


class Recorder(Disk):
    """Which files were written and synced, in order, and how many bytes."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str, int, int]] = []

    def write(self, file: int, data: bytes, offset: int) -> None:
        super().write(file, data, offset)
        self.done.append(("write", self._name(file), offset, len(data)))

    def sync(self, file: int) -> None:
        super().sync(file)
        self.done.append(("sync", self._name(file), 0, 0))

    @staticmethod
    def _name(file: int) -> str:
        return Path(os.readlink(f"/proc/self/fd/{file}")).name


def test_a_small_save_is_one_block_and_one_sync_and_moves_nothing(tmp_path: Path) -> None:
    folder = begun(tmp_path / "s", 1)
    disk = Recorder()
    journal = Journal.open(folder, disk)
    inodes = {name: (folder / name).stat().st_ino for name in FILES}
    sizes = {name: (folder / name).stat().st_size for name in FILES}
    before = {name: (folder / name).read_bytes() for name in NAMES}
    slots = []
    for k in range(2, 85):
        disk.done.clear()
        journal.write(record(k, b"x" * 17 * k, journal.record.store))
        (written, synced) = disk.done
        assert written[::3] == ("write", 4096)
        assert synced == ("sync", LOG, 0, 0)
        slots.append(written[2] // 4096)
    assert len(set(slots)) == 64
    assert all(a != b for a, b in pairwise(slots)), "the newest save is not written over"
    assert {name: (folder / name).read_bytes() for name in NAMES} == before
    assert {name: (folder / name).stat().st_ino for name in FILES} == inodes
    assert {name: (folder / name).stat().st_size for name in FILES} == sizes
    journal.close()


def test_a_whole_save_is_synced_in_one_copy_before_it_goes_into_the_other(tmp_path: Path) -> None:
    disk = Recorder()
    journal = Journal.open(begun(tmp_path / "s", 1), disk)
    for k in range(2, 8):
        disk.done.clear()
        journal.write(record(k, b"x" * 100 * k, journal.record.store), whole=True)
        assert [what for what, *_ in disk.done] == ["write", "sync", "write", "sync"]
        names = [name for _, name, *_ in disk.done]
        assert names[0] == names[1] != names[2] == names[3]
        assert set(names) == set(NAMES)
    journal.close()


def test_when_a_save_is_whole(tmp_path: Path) -> None:
    """Each quarter of an hour of the meter's time, forwards or backwards; what is asked for; what fits no slot."""
    disk = Recorder()
    journal = Journal.open(tmp_path, disk)
    store, rng = journal.record.store, Random(1)

    def is_whole(utc_ns: int, payload: bytes = b"small", whole: bool = False) -> bool:
        disk.done.clear()
        journal.write(replace(record(journal.next_sequence, payload, store), utc_ns=utc_ns), whole)
        return disk.done[0][1] in NAMES

    minute = 60 * 10**9
    assert is_whole(15 * minute)  # the base is of 1970
    assert not is_whole(15 * minute + 1)
    assert not is_whole(30 * minute - 1)
    assert is_whole(30 * minute)
    assert not is_whole(31 * minute, whole=False)
    assert is_whole(31 * minute, whole=True)
    assert not is_whole(16 * minute + 1)
    assert is_whole(16 * minute)
    assert is_whole(16 * minute, rng.randbytes(4096))
    assert not is_whole(16 * minute, b"small again")
    assert journal.trouble is None
    journal.close()


# What is found and what is done: the table of rig/store/journal.py, row by row, with either copy in either place.


def rows() -> Iterator[tuple[str, str, str]]:
    for line in (journal_module.__doc__ or "").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[0] in STATES:
            yield cells[0], cells[1], cells[2]


def no_file(path: Path, store: int) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)


STATES: dict[str, Callable[[Path, int], None]] = {
    "missing": lambda path, store: path.unlink(),
    "unused": lambda path, store: path.write_bytes(encode(record(0, b"", store)).ljust(CAPACITY, b"\0")),
    "valid": lambda path, store: path.write_bytes(encode(record(9, b"nine", store)).ljust(CAPACITY, b"\0")),
    "older": lambda path, store: path.write_bytes(encode(record(8, b"eight", store)).ljust(CAPACITY, b"\0")),
    "damaged": lambda path, store: flip(path, OVERHEAD + 3),
    "newer": lambda path, store: path.write_bytes(encode(record(9, b"nine", store), FORMAT.version + 1)),
    "no file": no_file,
    "foreign": lambda path, store: path.write_bytes(encode(record(9, b"nine", store + 1))),
}


def test_the_table_has_every_state() -> None:
    assert {state for row in rows() for state in row[:2]} == set(STATES)
    assert len(list(rows())) == 14


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(("one", "other", "done"), list(rows()))
def test_what_is_found_and_what_is_done(tmp_path: Path, one: str, other: str, done: str, place: int) -> None:
    folder = begun(tmp_path / "s", 2)
    store = restored(folder).store
    a, b = (folder / NAMES[place], folder / NAMES[1 - place])
    STATES[one](a, store)
    STATES[other](b, store)
    before = {path: path.read_bytes() for path in folder.iterdir() if not path.is_symlink()}
    if done.startswith("refuses"):
        with pytest.raises(StoreError) as error:
            Journal.open(folder, Disk())
        said = str(error.value)
        assert str(a) in said
        assert "newer" not in one or "update the program" in said
        assert "newer" in one or (str(b) in said and "put back" in said)
        assert {path: path.read_bytes() for path in folder.iterdir() if not path.is_symlink()} == before
        return
    journal = Journal.open(folder, Disk())
    expected = {"valid": (9, b"nine"), "unused": (0, b"")}
    if one == "missing":
        assert journal.record.sequence == 0
        assert journal.record.store != store
    else:
        assert (journal.record.sequence, journal.record.payload) == expected[one]
        assert journal.record.store == store
    assert bool(journal.notes) == ("says so" in done)
    assert all(b.name in note for note in journal.notes)
    # Both copies are whole again, and it goes on.
    if one != "missing":
        assert read_copy(a, Disk()).whole == read_copy(b, Disk()).whole
    after = record(journal.record.sequence + 1, b"after", journal.record.store)
    journal.write(after)
    journal.close()
    assert restored(folder) == after
    assert not b.is_symlink()
    assert all((folder / name).stat().st_size == CAPACITY for name in NAMES)


@pytest.mark.parametrize("content", [b"", bytes(CAPACITY), b"AE0764\r\n", encode(record(3))[:-1], b"\xff" * 5000])
def test_an_empty_file_is_no_beginning(tmp_path: Path, content: bytes) -> None:
    folder = begun(tmp_path / "s", 3)
    for name in NAMES:
        (folder / name).write_bytes(content)
    with pytest.raises(StoreError, match="not restarted at zero unasked; put back a copy"):
        Journal.open(folder, Disk())
    (folder / NAMES[1]).unlink()
    with pytest.raises(StoreError, match="is missing"):
        Journal.open(folder, Disk())


@given(st.data())
def test_a_record_with_any_byte_changed_is_none(data: st.DataObject) -> None:
    whole = encode(record(3, data.draw(st.binary(max_size=300))))
    assert decode(raw(whole)) == decode(whole)
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match=r"does not begin|is damaged|ends inside"):
        raw(bytes(damaged))


@settings(max_examples=60)
@given(st.sampled_from(NAMES), st.data())
def test_with_any_byte_of_a_copy_changed_the_other_one_serves(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("j")
    for k, n in enumerate(NAMES):
        (folder / n).write_bytes(encode(record(5 + k)).ljust(CAPACITY, b"\0"))
    copies = {n: read_copy(folder / n, Disk()) for n in NAMES}
    path = folder / name
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(copies[name].whole) - 1))] ^= data.draw(st.integers(1, 255))
    changed = content != path.read_bytes()
    path.write_bytes(content)
    found = restored(folder)
    other = copies[NAMES[1 - NAMES.index(name)]].record
    assert found == (other if changed else max((c.record for c in copies.values() if c.record), key=_sequence))


def _sequence(r: JournalRecord) -> int:
    return r.sequence


def test_cut_off_copies_get_their_size_back(tmp_path: Path) -> None:
    folder = begun(tmp_path / "s", 4)
    wholes = [read_copy(folder / name, Disk()).whole for name in NAMES]
    for name, whole in zip(NAMES, wholes, strict=True):
        (folder / name).write_bytes(whole)
    os.truncate(folder / LOG, 5000)
    assert restored(folder).sequence == 4
    for name in NAMES:
        assert (folder / name).read_bytes() == read_copy(folder / name, Disk()).whole.ljust(CAPACITY, b"\0")
    assert (folder / LOG).stat().st_size == 64 * 4096


# Power.


@pytest.fixture(scope="class")
def small() -> Iterator[None]:
    """Copies of 8 KiB and a log of four slots, so that thousands of them are soon made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_module, "CAPACITY", 1 << 13)
        patch.setattr(journal_module, "SLOTS", 4)
        yield


class Session:
    """A journal on a failing disk, saved to again and again; what may be found afterwards."""

    def __init__(self, folder: Path, disk: FailingDisk) -> None:
        self.folder, self.disk = folder, disk
        self.returned = 0
        """The newest save that returned."""
        self.tried: list[bytes] = [b""]
        """All payloads, by save."""

    def run(self, saves: int) -> None:
        journal = Journal.open(self.folder, self.disk)
        self.check(journal)
        for _ in range(saves):
            payload = b"%d " % len(self.tried) * (200 + 31 * len(self.tried) % 97)
            self.tried.append(payload)
            sequence = journal.next_sequence
            journal.write(record(sequence, payload, journal.record.store), whole=len(self.tried) % 3 == 0)
            self.returned = len(self.tried) - 1
        journal.close()

    def twice(self) -> None:
        self.run(3)
        self.run(3)

    def check(self, journal: Journal) -> None:
        found = self.tried.index(journal.record.payload)
        assert found >= self.returned, "a save that returned is gone"
        del self.tried[found + 1 :]
        self.returned = found


def operations(folder: Path) -> int:
    disk = FailingDisk(lambda n: [])
    session = Session(folder, disk)
    session.twice()
    return disk.operations


def tears() -> list[Callable[[int], list[tuple[int, int]]]]:
    """Beginnings and ends of a write, from nothing to all: in steps, and byte by byte around the record's head."""

    def beginning(k: int) -> Callable[[int], list[tuple[int, int]]]:
        return lambda n: [(0, min(k, n))]

    def end(k: int) -> Callable[[int], list[tuple[int, int]]]:
        return lambda n: [(min(k, n), n)]

    places = [*range(0, 24), 25, 60, 200, 511, 512, 513, 700, 900, 1024, 4096, 1 << 13]
    return [make(k) for k in places for make in (beginning, end)]


STEPS = st.one_of(
    st.tuples(st.just("run"), st.integers(0, 3)),
    st.tuples(st.sampled_from(["cut", "kill", "fail"]), st.integers(1, 14)),
)


@pytest.mark.usefixtures("small")
class TestPower:
    def test_power_may_be_cut_at_every_operation_and_tear_anywhere(self, tmp_path: Path) -> None:
        count = operations(tmp_path)
        assert count > 20
        number = itertools.count()
        for cut_at, tear in itertools.product(range(1, count + 1), tears()):
            folder = tmp_path / str(next(number))
            folder.mkdir()
            disk = FailingDisk(tear, Random(cut_at))
            disk.cut_at = cut_at
            session = Session(folder, disk)
            with pytest.raises(PowerCut):
                session.twice()
            disk.restore_power()
            session.run(1)
            for path in folder.iterdir():
                path.unlink()

    @settings(max_examples=500)
    @given(st.lists(STEPS, min_size=3, max_size=10), st.integers(0, 1 << 32))
    def test_histories_of_cuts_kills_and_failing_syncs(
        self, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], seed: int
    ) -> None:
        folder = tmp_path_factory.mktemp("h")
        rng = Random(seed)
        disk = FailingDisk(torn(rng), rng)
        session = Session(folder, disk)
        for what, number in steps:
            if what == "run":
                session.run(number)
                continue
            at = disk.operations + number
            disk.cut_at, disk.kill_at = (at if what == "cut" else None), (at if what == "kill" else None)
            disk.failures = {at: BROKEN} if what == "fail" else {}
            try:
                session.run(6)
            except PowerCut:
                disk.restore_power()
            except (Killed, StoreError):
                disk.let_go()
            disk.cut_at = disk.kill_at = None
        disk.failures = {}
        disk.cut_at = disk.operations + 1
        with pytest.raises(PowerCut):
            session.run(1)
        disk.restore_power()
        session.run(1)
        for path in folder.iterdir():
            path.unlink()


def test_a_record_that_only_the_system_has_is_written_before_the_next_save(tmp_path: Path) -> None:
    """Killed before the sync of a save; started again; power cut in the next one, which leaves nothing of it whole."""
    disk = FailingDisk(lambda n: [(0, 30)])
    session = Session(tmp_path, disk)
    session.run(1)
    # The log: open, write, sync; copies: open, write, sync, folder, open, write, sync, write, sync. Then a whole save.
    disk.kill_at = disk.operations + 12 + 2
    with pytest.raises(Killed):
        session.run(1)
    disk.let_go()
    assert session.returned == 1
    assert read_journal(tmp_path).record.payload == session.tried[2], "the system has the save that was not synced"
    # The log: open; the copies: open, write, sync, folder, open, write, sync. Then a small save.
    disk.cut_at = disk.operations + 8 + 2
    with pytest.raises(PowerCut):
        session.run(1)
    disk.restore_power()
    session.run(0)
    assert session.returned == 2


@pytest.mark.parametrize("code", [FULL, READ_ONLY, BROKEN])
def test_a_save_that_fails_leaves_the_one_before_and_the_next_may_succeed(tmp_path: Path, code: int) -> None:
    disk = FailingDisk(lambda n: [(0, n // 2)])
    journal = Journal.open(tmp_path, disk)
    store = journal.record.store
    journal.write(record(1, b"one", store))
    for k in range(8):  # small and whole saves, of which the write fails or the sync, and then the other way too
        disk.failures = {disk.operations + at: code for at in ((1, 2), (2, 3), (1, 3), (2, 4))[k % 4]}
        with pytest.raises(StoreError, match=rf"billing\.(a|b|log) cannot be written: {_words(code)}"):
            journal.write(record(journal.next_sequence, b"two %d" % k, store), whole=k > 3)
        assert journal.record.payload == b"one"
    disk.failures = {}
    journal.write(record(journal.next_sequence, b"two", store))
    journal.close()
    assert restored(tmp_path).payload == b"two"


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("fails", [1, 2])
def test_a_save_that_cannot_be_made_one_way_is_made_the_other_and_told(tmp_path: Path, whole: bool, fails: int) -> None:
    disk = FailingDisk(lambda n: [])
    journal = Journal.open(tmp_path, disk)
    journal.write(record(1, b"first", journal.record.store))
    for k in range(1, 5 if whole else 140):  # more than the log has slots
        disk.failures = {disk.operations + fails: BROKEN}
        journal.write(record(journal.next_sequence, b"%d" % k, journal.record.store), whole)
        assert re.search(rf"billing\.({'a|b' if whole else 'log'}) cannot be written: Input", journal.trouble or "")
        found = read_journal(tmp_path).record
        assert found is not None
        assert found.payload == b"%d" % k
    disk.failures = {}
    journal.write(record(journal.next_sequence, b"well", journal.record.store), whole)
    assert journal.trouble is None
    journal.close()


def test_a_copy_that_fails_after_the_other_is_trouble_and_the_next_whole_save_mends_it(tmp_path: Path) -> None:
    disk = FailingDisk(lambda n: [])
    journal = Journal.open(tmp_path, disk)
    disk.failures = {disk.operations + 4: BROKEN}  # write, sync, write, and this sync
    journal.write(record(1, b"one", journal.record.store), whole=True)
    assert "cannot be written: Input/output error" in (journal.trouble or "")
    journal.write(record(2, b"two", journal.record.store))
    journal.write(record(3, b"three", journal.record.store), whole=True)
    assert journal.trouble is None
    journal.close()
    assert {read_copy(tmp_path / name, Disk()).record.sequence for name in NAMES} == {3}  # type: ignore[union-attr]


def _words(code: int) -> str:
    return {errno.ENOSPC: "No space left", errno.EROFS: "Read-only file system", errno.EIO: "Input/output error"}[code]


@pytest.mark.parametrize("code", [FULL, READ_ONLY, BROKEN])
def test_a_disk_that_cannot_be_written_is_told_on_opening(tmp_path: Path, code: int) -> None:
    disk = FailingDisk(lambda n: [])
    disk.every = code
    with pytest.raises(StoreError, match=rf"billing\.a cannot be written: {_words(code)}"):
        Journal.open(tmp_path, disk)


def test_a_file_that_cannot_be_read_is_a_damaged_copy(tmp_path: Path) -> None:
    folder = begun(tmp_path / "s", 2)

    class Unreadable(Disk):
        def read(self, path: Path, most: int) -> bytes:
            if path.name == NAMES[0]:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(path, most)

    journal = Journal.open(folder, Unreadable())
    journal.close()
    assert journal.record.sequence == read_copy(folder / NAMES[1], Disk()).record.sequence  # type: ignore[union-attr]
    assert "cannot be read (Input/output error)" in journal.notes[0]


def test_a_record_larger_than_a_copy_is_refused(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, Disk())
    store = journal.record.store
    with pytest.raises(StoreError, match=f"does not fit the journal, it holds {CAPACITY}"):
        journal.write(record(1, bytes(CAPACITY)))
    fits = record(1, bytes(CAPACITY - len(encode(record(1, bytes(70000), store))) + 70000), store)
    journal.write(fits)
    journal.close()
    assert restored(tmp_path) == fits


# Formats.


def older_bytes(sequence: int, version: int) -> bytes:
    """A made format before the first: the state was called so, and nothing counted what was dropped."""
    whole = encode(record(sequence), version)
    body = msgspec.msgpack.decode(whole[OVERHEAD:])
    body["state"] = body.pop("payload")
    del body["dropped"]
    struct = msgspec.defstruct("Older", [(name, object) for name in body])
    return encode(struct(**body), version)


def renamed(body: dict[str, object]) -> dict[str, object]:
    return {("payload" if name == "state" else name): value for name, value in body.items()}


def counted(body: dict[str, object]) -> dict[str, object]:
    return body | {"dropped": {"event": 1}}


def test_an_older_journal_is_brought_up_to_date(tmp_path: Path) -> None:
    for name, sequence in zip(NAMES, (5, 6), strict=True):
        (tmp_path / name).write_bytes(older_bytes(sequence, 1))
    fmt = Format(3, {1: renamed, 2: counted})
    journal = Journal.open(tmp_path, Disk(), fmt)
    assert journal.record == record(6)
    assert not journal.notes
    journal.write(record(7))
    journal.close()
    for name in NAMES:
        assert decode(read_raw(tmp_path / name), fmt) == record(6)
        with pytest.raises(ValueError, match="is of format 3, this program knows up to 2"):
            decode(read_raw(tmp_path / name))
    journal = Journal.open(tmp_path, Disk(), fmt)
    assert journal.record == record(7)
    journal.close()
    with pytest.raises(StoreError, match="is of format 3, this program knows up to 2: update the program"):
        Journal.open(tmp_path, Disk())


def read_raw(path: Path) -> bytes:
    return raw(path.read_bytes())


def test_a_format_without_a_way_up_is_refused(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).write_bytes(older_bytes(5, 1))
    with pytest.raises(StoreError, match="is of format 1, which this program no longer reads"):
        Journal.open(tmp_path, Disk(), Format(3, {2: counted}))
    with pytest.raises(StoreError, match="cannot be understood"):
        Journal.open(tmp_path, Disk(), Format(2, {1: renamed}))
