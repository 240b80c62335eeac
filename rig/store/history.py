"""The history in SQLite: event log, snapshots, recordings and the words of the load profile (T-3, T-4).

It follows the journal: an item comes here once a journal record has it on the disk, and each is taken once, in the
order of the numbers. `taken` is the number of the last one, changed in the same transaction, so what comes again after
a crash is known. Numbers that never came stand in `gaps`.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from rig.store.items import EventItem, Numbered, RecordingItem, SnapshotItem, WordsItem

NAME = "history.sqlite"

APPLICATION = 0x0AE0764
"""SQLite's application_id: what makes a database a history of ours."""

SCHEMA = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE gaps (first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
    CREATE TABLE events (
        number INTEGER PRIMARY KEY,
        utc_ns INTEGER NOT NULL,
        code INTEGER NOT NULL,
        name TEXT NOT NULL,
        details TEXT NOT NULL
    ) STRICT;
    CREATE INDEX events_by_time ON events (utc_ns);
    CREATE TABLE snapshots (
        number INTEGER PRIMARY KEY,
        utc_ns INTEGER NOT NULL,
        kind TEXT NOT NULL,
        registers TEXT NOT NULL
    ) STRICT;
    CREATE TABLE recordings (
        id INTEGER PRIMARY KEY,
        utc_ns INTEGER NOT NULL,
        capacity INTEGER NOT NULL,
        settings TEXT NOT NULL
    ) STRICT;
    CREATE TABLE profile (
        recording INTEGER NOT NULL,
        first INTEGER NOT NULL,
        words BLOB NOT NULL,
        PRIMARY KEY (recording, first)
    ) STRICT;
    """,
)
"""What makes version n of the database out of version n − 1, from n = 1, which is made out of an empty file."""

RUN = 512
"""Words of the profile in one row, about: a run is added to until it has so many."""

BUSY_S = 2.0
"""How long to wait for someone else's lock on the database; readers need none."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""SQLITE_ERROR: a statement that does not fit the tables. Ours fit, so the tables are not what they were."""


class UnusableHistory(Exception):
    """A file that is no history of this store, or a damaged one. The text says of the file what is wrong with it."""


class NewerHistory(Exception):
    """A history that a newer program has made. The text says of the file what is wrong with it."""


def encode_words(words: Sequence[int]) -> bytes:
    """As they are in the database: 16 bits each, little-endian."""
    return struct.pack(f"<{len(words)}H", *words)


def decode_words(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 2}H", data)


def text_of(data: bytes) -> str:
    """Text as it is in the database, damaged or not."""
    return data.decode("utf-8", "replace")


def _definitions(database: sqlite3.Connection) -> list[tuple[str, str]]:
    return database.execute("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL ORDER BY name").fetchall()


def _defined(schema: Sequence[str]) -> list[tuple[str, str]]:
    """What the tables of a sound history are."""
    with closing(sqlite3.connect(":memory:")) as database:
        for script in schema:
            database.executescript(script)
        return _definitions(database)


@contextmanager
def telling_damage() -> Iterator[None]:
    """SQLite's word for a damaged file becomes UnusableHistory; other errors of SQLite pass."""
    try:
        yield
    except UnicodeDecodeError as error:  # a text in it, or a name that SQLite tells of
        raise UnusableHistory(f"is damaged ({error.reason})") from None
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF in _DAMAGED:
            raise UnusableHistory(f"is damaged ({error})") from None
        raise


class History:
    """The database, open for writing by one thread.

    The constructor makes an empty file a history, and an older one a present one. Raises UnusableHistory, NewerHistory,
    and sqlite3.Error for what may be better next time (a full disk).
    """

    def __init__(self, path: Path, store: int, schema: Sequence[str] = SCHEMA) -> None:
        self._database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        self._database.text_factory = text_of
        try:
            with telling_damage():
                self._prepare(store, schema)
        except BaseException:
            self._database.close()
            raise

    @property
    def taken(self) -> int:
        """Number of the last item that was taken, 0 if none."""
        return self._meta("taken")

    def take(self, items: Sequence[Numbered], recording: RecordingItem | None = None) -> None:
        """Items in order, all or none; those that it has are passed over. They are on the disk when this returns.

        `recording` is the one that runs: a history begun in the midst of it has its settings from here.
        Raises UnusableHistory or sqlite3.Error; the history is then as it was.
        """
        with telling_damage(), self._transaction():
            taken = self.taken
            if recording is not None:
                self._insert("INSERT OR IGNORE INTO recordings VALUES (?, ?, ?, ?)", recording)
            for numbered in items:
                if numbered.number <= taken:
                    continue
                if numbered.number > taken + 1:
                    self._database.execute("INSERT INTO gaps VALUES (?, ?)", (taken + 1, numbered.number - 1))
                self._take(numbered)
                taken = numbered.number
            self._database.execute("UPDATE meta SET value = ? WHERE key = 'taken'", (taken,))

    def close(self) -> None:
        self._database.close()

    def _prepare(self, store: int, schema: Sequence[str]) -> None:
        execute = self._database.execute
        (application,) = execute("PRAGMA application_id").fetchone()
        (version,) = execute("PRAGMA user_version").fetchone()
        (tables,) = execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application != APPLICATION and (application or version or tables):
            raise UnusableHistory("is a database of another program")
        if version > len(schema):
            raise NewerHistory(f"is of version {version}, this program knows up to {len(schema)}: update the program")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        (sound,) = execute("PRAGMA quick_check(1)").fetchone()
        if sound != "ok":
            raise UnusableHistory(f"is damaged ({sound})")
        for number, script in enumerate(schema[version:], version + 1):
            self._advance(number, script, store)
        if _definitions(self._database) != _defined(schema):
            raise UnusableHistory("is damaged (its tables are not what they were)")
        if self._meta("store") != store:
            raise UnusableHistory("is of another meter")

    def _meta(self, key: str) -> int:
        row = self._database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise UnusableHistory(f"is damaged (no {key} in it)")
        return int(row[0])

    def _advance(self, version: int, script: str, store: int) -> None:
        """To the next version of the database, in one transaction."""
        first = f"INSERT INTO meta VALUES ('store', {store}), ('taken', 0); PRAGMA application_id = {APPLICATION};"
        try:
            self._database.executescript(
                f"BEGIN IMMEDIATE; {script} {first if version == 1 else ''} PRAGMA user_version = {version}; COMMIT;"
            )
        except BaseException:
            self._roll_back()
            raise

    def _take(self, numbered: Numbered) -> None:
        item = numbered.item
        match item:
            case EventItem():
                self._insert("INSERT INTO events VALUES (?, ?, ?, ?, ?)", item, numbered.number)
            case SnapshotItem():
                self._insert("INSERT INTO snapshots VALUES (?, ?, ?, ?)", item, numbered.number)
            case RecordingItem():
                self._insert("INSERT OR REPLACE INTO recordings VALUES (?, ?, ?, ?)", item)
            case WordsItem():
                self._take_words(item)

    def _insert(self, statement: str, item: EventItem | SnapshotItem | RecordingItem, *number: int) -> None:
        values = [getattr(item, name) for name in item.__struct_fields__]
        self._database.execute(statement, (*number, *values))

    def _take_words(self, item: WordsItem) -> None:
        """At the end of the run before them, or as a new one. What they were before, in a state that was lost, goes."""
        execute = self._database.execute
        recording, first = item.recording, item.first
        if not item.words:
            return
        execute("DELETE FROM profile WHERE recording = ? AND first >= ?", (recording, first))
        words = encode_words(item.words)
        last = execute(
            "SELECT first, words FROM profile WHERE recording = ? ORDER BY first DESC LIMIT 1", (recording,)
        ).fetchone()
        if last is not None:
            run, before = last[0], last[1][: 2 * (first - last[0])]
            if run + len(before) // 2 == first and len(before) < 2 * RUN:
                first, words = run, before + words
            elif before != last[1]:
                execute("UPDATE profile SET words = ? WHERE recording = ? AND first = ?", (before, recording, run))
        execute("INSERT OR REPLACE INTO profile VALUES (?, ?, ?)", (recording, first, words))
        kept = execute("SELECT capacity FROM recordings WHERE id = ?", (recording,)).fetchone()
        if kept is not None:
            oldest = first + len(words) // 2 - kept[0]
            execute(
                "DELETE FROM profile WHERE recording = ? AND first < ? AND first + length(words) / 2 <= ?",
                (recording, oldest, oldest),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")
