"""The history in SQLite: each item once, the profile by absolute index, read while it is written (T-3, T-4)."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.store.errors import StoreError
from rig.store.history import (
    NAME,
    RUN,
    SCHEMA,
    ForeignHistory,
    History,
    NewerHistory,
    UnusableHistory,
    decode_words,
    encode_words,
)
from rig.store.items import EventItem, Item, Numbered, RecordingItem, SnapshotItem, WordsItem
from rig.store.page_sums import SUMS
from rig.store.reading import HistoryReader, Run, StoredEvent, StoredRecording, StoredSnapshot

STORE = 77
PROFILE = RecordingItem(3, 1000, 4000, '{"interval_min":15}')


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    history = History(tmp_path / NAME, STORE)
    yield history
    history.close()


def numbered(*items: Item, first: int = 1) -> list[Numbered]:
    return [Numbered(number, item) for number, item in enumerate(items, first)]


def event(k: int) -> EventItem:
    return EventItem(k * 100, 20 + k % 3, f"event {k % 3}", f'{{"k":{k}}}')


def test_items_come_back_as_they_went_in(tmp_path: Path, history: History) -> None:
    snapshot = SnapshotItem(7, "demand reset", '{"energy":[123456789012345678901234567890]}')
    history.take(numbered(event(1), snapshot, PROFILE, WordsItem(3, 0, (1, 65535, 0)), event(2)))
    assert history.taken == 5
    with HistoryReader(tmp_path) as reader:
        assert list(reader.events()) == [
            StoredEvent(1, 100, 21, "event 1", '{"k":1}'),
            StoredEvent(5, 200, 22, "event 2", '{"k":2}'),
        ]
        assert list(reader.snapshots()) == [StoredSnapshot(2, 7, "demand reset", snapshot.registers)]
        assert reader.recordings() == [StoredRecording(3, 1000, 4000, PROFILE.settings)]
        assert reader.words(3) == [Run(0, (1, 65535, 0))]
        assert reader.gaps() == []
        assert (reader.taken(), reader.store(), reader.faults()) == (5, STORE, [])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), min_size=1, max_size=12))
def test_whatever_is_given_again_is_taken_once(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[int, int]]
) -> None:
    """Batches of new items, each after some that have been given before; the database opened anew now and then."""
    folder = tmp_path_factory.mktemp("h")
    history = History(folder / NAME, STORE)
    given_: list[Numbered] = []
    for new, again in batches:
        first = len(given_) + 1
        batch = [
            Numbered(k, event(k) if k % 2 else WordsItem(3, 5 * k, (k, k + 1, 0, 1, 2)))
            for k in range(first, first + new)
        ]
        history.take(given_[len(given_) - again :] + batch if again else batch, PROFILE)
        given_ += batch
        if new % 4 == 0:
            history.close()
            history = History(folder / NAME, STORE)
    history.close()
    with HistoryReader(folder) as reader:
        assert [e.number for e in reader.events()] == [n.number for n in given_ if n.number % 2]
        words = [n.item for n in given_ if isinstance(n.item, WordsItem)]
        assert [(run.first + k, w) for run in reader.words(3) for k, w in enumerate(run.words)] == [
            (item.first + k, w) for item in words for k, w in enumerate(item.words)
        ]
        assert reader.gaps() == []
        assert reader.taken() == len(given_)


def test_numbers_that_never_came_are_known(tmp_path: Path, history: History) -> None:
    history.take(numbered(event(1), event(2), first=4))
    history.take(numbered(event(3), first=6))
    history.take([*numbered(event(4), first=9), *numbered(event(5), first=20)])
    with HistoryReader(tmp_path) as reader:
        assert reader.gaps() == [(1, 3), (7, 8), (10, 19)]


WORDS = st.lists(st.integers(0, 65535), max_size=400)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(-300, 60), WORDS), max_size=14),
    st.integers(1, 1500),
    st.integers(0, 1 << 40),
)
def test_profile_against_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[int, list[int]]], capacity: int, begin: int
) -> None:
    """Words mostly go on where those before ended; a jump ahead is a gap, one back is what was written since, anew."""
    folder = tmp_path_factory.mktemp("h")
    history = History(folder / NAME, STORE)
    expected: dict[int, int] = {}
    end = begin
    items: list[Item] = [RecordingItem(3, 0, capacity, "{}")]
    for jump, words in pieces:
        first = max(end + (jump if jump % 3 == 0 else 0), begin)
        items.append(WordsItem(3, first, tuple(words)))
        if words:
            expected = {k: w for k, w in expected.items() if k < first}
            end = first + len(words)
            expected = {k: w for k, w in expected.items() if k >= end - capacity}
            expected |= dict(enumerate(words, first))
            expected = {k: w for k, w in expected.items() if k >= end - capacity}
    history.take(numbered(*items))
    rows = history._database.execute("SELECT first, length(words) / 2 FROM profile ORDER BY first").fetchall()
    history.close()
    with HistoryReader(folder) as reader:
        runs = reader.words(3)
        assert {run.first + k: word for run in runs for k, word in enumerate(run.words)} == expected
        assert all(a.first + len(a.words) < b.first for a, b in itertools.pairwise(runs))
        middle = (begin + end) // 2
        part = {run.first + k: word for run in reader.words(3, middle, middle + 7) for k, word in enumerate(run.words)}
        assert part == {k: w for k, w in expected.items() if middle <= k < middle + 7}
        assert reader.words(4) == []
    # Old rows go: what is left beyond the capacity is less than a row.
    assert all(first + count > end - capacity for first, count in rows)
    assert all(a + m <= b for (a, m), (b, _) in itertools.pairwise(rows))


def test_a_year_of_minutes_is_compact(tmp_path: Path, history: History) -> None:
    """Words come one interval at a time, and still lie some 512 in a row."""
    history.take(numbered(PROFILE, *(WordsItem(3, 5 * k, (k, 1, 2, 3, 4)) for k in range(3000))))
    (count, most) = history._database.execute("SELECT count(*), max(length(words)) FROM profile").fetchone()
    assert count <= PROFILE.capacity // RUN + 2
    assert most < 2 * (RUN + 5)
    with HistoryReader(tmp_path) as reader:
        (run,) = reader.words(3)
        assert run.first + len(run.words) == 15000
        assert len(run.words) == PROFILE.capacity


def test_words_are_sixteen_bits_little_end_first() -> None:
    assert encode_words((1, 0x1234, 65535)) == b"\x01\x00\x34\x12\xff\xff"
    assert decode_words(encode_words((1, 0x1234, 65535))) == (1, 0x1234, 65535)


def test_a_history_begun_in_the_midst_of_a_recording_has_its_settings(tmp_path: Path, history: History) -> None:
    history.take(numbered(WordsItem(3, 900, (5,)), first=40), PROFILE)
    with HistoryReader(tmp_path) as reader:
        assert [r.id for r in reader.recordings()] == [3]
        assert reader.words(3) == [Run(900, (5,))]


def test_reading_by_time_kind_and_number(tmp_path: Path, history: History) -> None:
    kinds = ["demand reset", "self read", "season"]
    history.take(numbered(*(i for k in range(1, 31) for i in (event(k), SnapshotItem(k * 100, kinds[k % 3], "{}")))))
    with HistoryReader(tmp_path) as reader:
        everything = list(reader.events())
        assert list(reader.events(since_ns=500, until_ns=1000)) == [e for e in everything if 500 <= e.utc_ns < 1000]
        assert list(reader.events(codes={21, 22})) == [e for e in everything if e.code in (21, 22)]
        assert list(reader.events(codes=[20], last=3)) == [e for e in everything if e.code == 20][-3:]
        assert list(reader.events(codes=())) == []
        assert list(reader.events(last=100)) == everything
        snapshots = list(reader.snapshots())
        assert list(reader.snapshots(until_ns=1000, kinds=["season"])) == [
            s for s in snapshots if s.utc_ns < 1000 and s.kind == "season"
        ]


def test_reading_leaves_no_trace_and_disturbs_nobody(tmp_path: Path, history: History) -> None:
    history.take(numbered(event(1)))
    with HistoryReader(tmp_path) as reader:
        before = reader.events()
        assert next(before).number == 1
        history.take(numbered(event(2), first=2))
        assert [e.number for e in reader.events()] == [1, 2]
    history.close()
    assert {p.name for p in tmp_path.iterdir()} == {NAME, SUMS}
    with HistoryReader(tmp_path) as reader:
        assert [e.number for e in reader.events()] == [1, 2]
        assert {p.name for p in tmp_path.iterdir()} == {NAME, SUMS}


def test_what_is_no_history_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"history\.sqlite does not exist: nothing was stored"):
        HistoryReader(tmp_path)
    path = tmp_path / NAME
    path.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="cannot be read: file is not a database"):
        HistoryReader(tmp_path)
    path.unlink()
    other_database(path)
    with pytest.raises(StoreError, match="is not a meter's history: give the folder of a store"):
        HistoryReader(tmp_path)


def other_database(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE cats (name TEXT)")
    database.commit()
    database.close()


def test_what_cannot_be_used_says_why(tmp_path: Path) -> None:
    path = tmp_path / NAME
    other_database(path)
    with pytest.raises(UnusableHistory, match="is a database of another program"):
        History(path, STORE)
    path.write_bytes(b"no database" * 100)
    with pytest.raises(UnusableHistory, match="is damaged"):
        History(path, STORE)
    path.unlink()
    History(path, STORE).close()
    with pytest.raises(ForeignHistory, match=r"is of store 000000000000004d, and the journal is of store 0+4e$"):
        History(path, STORE + 1)


MORE = ("ALTER TABLE events ADD COLUMN severity INTEGER NOT NULL DEFAULT 3; CREATE TABLE reads (k INTEGER) STRICT;",)


def test_an_older_history_is_brought_up_to_date(tmp_path: Path, history: History) -> None:
    history.take(numbered(event(1)))
    history.close()
    path = tmp_path / NAME
    newer = History(path, STORE, SCHEMA + MORE)
    assert newer._database.execute("SELECT number, severity FROM events").fetchall() == [(1, 3)]
    assert newer.taken == 1
    newer.close()
    with pytest.raises(NewerHistory, match=r"is of version 4, this program knows up to 3: update the program"):
        History(path, STORE)
    with pytest.raises(StoreError, match=r"is of version 4, this program reads 3: update the program"):
        HistoryReader(tmp_path)
    History(path, STORE, SCHEMA + MORE).close()


def test_bringing_up_to_date_is_all_or_nothing(tmp_path: Path, history: History) -> None:
    history.take(numbered(event(1)))
    history.close()
    path = tmp_path / NAME
    with pytest.raises(UnusableHistory, match="no such table: elsewhere"):
        History(path, STORE, (*SCHEMA, MORE[0] + "INSERT INTO elsewhere VALUES (1);"))
    same = History(path, STORE)
    assert same.taken == 1
    tables = same._database.execute("SELECT name FROM sqlite_master WHERE name = 'reads'").fetchall()
    same.close()
    assert tables == []
