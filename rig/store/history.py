"""The history in SQLite: event log, snapshots, recordings and the words of the load profile (T-3, T-4).

It follows the journal: an item comes here once a journal record has it on the disk, and each is taken once, in the
order of the numbers. `taken` is the number of the last one, changed in the same transaction, so what comes again after
a crash is known. Numbers that never came stand in `gaps`.

Each row has a digest (rig/store/digests.py), each page of the file a sum (rig/store/page_sums.py), each frame of
SQLite's log SQLite's own checksum. What does not hold when the history is opened is a note; content that cannot be read
as a database makes it unusable.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path

from rig.store.digests import ROWS, Value, columns_of, damaged_rows, row_digest
from rig.store.items import EventItem, Numbered, RecordingItem, SnapshotItem, WordsItem
from rig.store.older import has_written, without_written
from rig.store.page_sums import SUMS, PageSums, check_pages, log_of, read_sums, sums_after, sums_of, write_sums
from rig.store.wal_file import read_wal

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
    "".join(
        f"""
    ALTER TABLE {table} ADD COLUMN digest BLOB NOT NULL DEFAULT x'';
    UPDATE {table} SET digest = row_digest('{table}', {", ".join(columns)});
    """
        for table, columns in ROWS.items()
    ),
    """
    UPDATE snapshots SET
        digest = CASE digest WHEN row_digest('snapshots', number, utc_ns, kind, registers)
            THEN row_digest('snapshots', number, utc_ns, kind, without_written(registers)) ELSE digest END,
        registers = without_written(registers)
    WHERE kind = 'programmed' AND has_written(CAST(registers AS BLOB));
    """,
)
"""What makes version n of the database out of version n − 1, from n = 1, which is made out of an empty file."""

DIGESTED = 2
"""The first version whose rows have digests."""

RUN = 512
"""Words of the profile in one row, about: a run is added to until it has so many."""

CHECKPOINT_BYTES = 4 << 20
"""SQLite's log grows to about this before its pages go into the database."""

MOST_NOTED = 8
"""So many damaged rows are named when a history is opened; `rig store check` names all."""

BUSY_S = 2.0
"""How long to wait for someone else's lock on the database; readers need none."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""SQLITE_ERROR: a statement that does not fit the tables. Ours fit, so the tables are not what they were."""


class UnusableHistory(Exception):
    """A file that is no history of this store, or a damaged one. The text says of the file what is wrong with it."""


class ForeignHistory(Exception):
    """A history of another store. The text says of the file which it is of."""


class NewerHistory(Exception):
    """A history that a newer program has made. The text says of the file what is wrong with it."""


def encode_words(words: Sequence[int]) -> bytes:
    """As they are in the database: 16 bits each, little-endian."""
    return struct.pack(f"<{len(words)}H", *words)


def decode_words(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 2}H", data)


def text_of(data: bytes) -> str:
    """Text as it is in the database, damaged or not: what is no UTF-8 stays apart from what is."""
    return data.decode("utf-8", "surrogateescape")


def _add_functions(database: sqlite3.Connection) -> None:
    """Give SQL what an older history is brought up to date by."""
    database.create_function("row_digest", -1, row_digest, deterministic=True)
    database.create_function("has_written", 1, has_written, deterministic=True)
    database.create_function("without_written", 1, without_written, deterministic=True)


def definitions_of(database: sqlite3.Connection) -> list[tuple[str, str]]:
    return database.execute("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL ORDER BY name").fetchall()


def defined_by(schema: Sequence[str]) -> list[tuple[str, str]]:
    """Return the definitions of a sound history's tables."""
    with closing(sqlite3.connect(":memory:")) as database:
        _add_functions(database)
        for script in schema:
            database.executescript(script)
        return definitions_of(database)


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

    The constructor makes an empty file a history, and an older one a present one. `opened` tells which file it is.
    `notes` are sentences on what does not hold but can be gone on with. Raises UnusableHistory, ForeignHistory,
    NewerHistory, OSError, and sqlite3.Error for what may be better next time (a full disk).
    """

    def __init__(self, path: Path, store: int, schema: Sequence[str] = SCHEMA) -> None:
        self.notes: list[str] = []
        self._path = path
        self._sums = PageSums(store, 0, ())
        self._database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        self._database.text_factory = text_of
        _add_functions(self._database)
        try:
            with telling_damage():
                version = self._prepare(store, schema)
                self.opened = path.lstat()
                self._look_over(version)
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
                self._insert("recordings", recording, otherwise="OR IGNORE")
            for numbered in items:
                if numbered.number <= taken:
                    continue
                if numbered.number > taken + 1:
                    self._put("gaps", (taken + 1, numbered.number - 1))
                self._take(numbered)
                taken = numbered.number
            self._put("meta", ("taken", taken), "OR REPLACE")
        with suppress(OSError):
            if self._path.with_name(NAME + "-wal").stat().st_size >= CHECKPOINT_BYTES:
                self.checkpoint()

    def checkpoint(self) -> None:
        """Bring the log into the database, write its pages' sums, empty the log, as rig/store/page_sums.py has it.

        What cannot be done now, as somebody reads or the disk is full, is left for the next time.
        """
        with suppress(sqlite3.Error, OSError):
            if not os.path.samestat(self._path.lstat(), self.opened):
                return  # the name is another file's by now
            if not os.path.lexists(self._path.with_name(NAME + "-wal")):
                return  # nor is the log's
            wal = read_wal(log_of(self._path), summed=False)
            _, frames, done = self._database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if frames != done:
                return
            sums = PageSums(self._sums.store, self._sums.page_bytes, sums_after(self._sums.sums, wal))
            write_sums(self._path.with_name(SUMS), sums)
            self._sums = sums
            self._database.execute("PRAGMA busy_timeout = 0")
            try:
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self._database.execute(f"PRAGMA busy_timeout = {round(BUSY_S * 1000)}")

    def flush_log(self) -> None:
        """Bring the log into the database as far as can be, without sums."""
        with suppress(sqlite3.Error):
            self._database.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Bring the log into the database and let it go."""
        self.checkpoint()
        self._database.close()

    def _look_over(self, version: int) -> None:
        """Note what is not as it was written; from then on it counts as it is. `version` is what the file was of."""
        (page_bytes,) = self._database.execute("PRAGMA page_size").fetchone()
        sums_path = self._path.with_name(SUMS)
        if version >= DIGESTED:
            report = check_pages(self._path, summed=False)
            faults = report.faults if report.known or report.faults else ((SUMS, "is missing"),)
            if not faults:
                self._sums = read_sums(sums_path) or self._sums
                return
            rows = list(islice(damaged_rows(self._database), MOST_NOTED))
            what = f"not as they were written: {', '.join(rows)}" if rows else "every row has its digest"
            self.notes += [f"{self._path.with_name(name)} {fault}: {what}" for name, fault in faults[:MOST_NOTED]]
        else:
            sums_path.unlink(missing_ok=True)
        self._sums = PageSums(self._sums.store, page_bytes, sums_of(self._path, page_bytes))
        self.checkpoint()

    def _prepare(self, store: int, schema: Sequence[str]) -> int:
        """Make it a present history; the version that it was of."""
        execute = self._database.execute
        (application,) = execute("PRAGMA application_id").fetchone()
        (version,) = execute("PRAGMA user_version").fetchone()
        (tables,) = execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application != APPLICATION and (application or version or tables):
            raise UnusableHistory("is a database of another program")
        if version > len(schema):
            raise NewerHistory(f"is of version {version}, this program knows up to {len(schema)}: update the program")
        if version and (found := self._meta("store")) != store:
            raise ForeignHistory(f"is of store {found:016x}, and the journal is of store {store:016x}")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        execute("PRAGMA wal_autocheckpoint = 0")
        (sound,) = execute("PRAGMA quick_check(1)").fetchone()
        if sound != "ok":
            raise UnusableHistory(f"is damaged ({sound})")
        execute("PRAGMA secure_delete = ON")  # of what is taken out nothing stays in the file
        for number, script in enumerate(schema[version:], version + 1):
            self._advance(number, script, store)
        if definitions_of(self._database) != defined_by(schema):
            raise UnusableHistory("is damaged (its tables are not what they were)")
        return int(version)

    def _meta(self, key: str) -> int:
        row = self._database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise UnusableHistory(f"is damaged (no {key} in it)")
        return int(row[0])

    def _advance(self, version: int, script: str, store: int) -> None:
        """To the next version of the database, in one transaction."""
        first = (
            f"INSERT INTO meta (key, value) VALUES ('store', {store}), ('taken', 0);"
            f"PRAGMA application_id = {APPLICATION};"
        )
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
                self._insert("events", item, numbered.number)
            case SnapshotItem():
                self._insert("snapshots", item, numbered.number)
            case RecordingItem():
                self._insert("recordings", item, otherwise="OR REPLACE")
            case WordsItem():
                self._take_words(item)

    def _insert(
        self, table: str, item: EventItem | SnapshotItem | RecordingItem, *number: int, otherwise: str = ""
    ) -> None:
        self._put(table, (*number, *(getattr(item, name) for name in item.__struct_fields__)), otherwise)

    def _put(self, table: str, values: Sequence[Value], otherwise: str = "") -> None:
        """Write a row with its digest; `otherwise` is SQL for where its key is there already."""
        places = ", ".join("?" * (len(values) + 1))
        self._database.execute(
            f"INSERT {otherwise} INTO {table} ({columns_of(table)}) VALUES ({places})",
            (*values, row_digest(table, *values)),
        )

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
            run, before = last[0], last[1][: 2 * min(first - last[0], len(last[1]) // 2)]
            if run + len(before) // 2 == first and len(before) < 2 * RUN:
                first, words = run, before + words
            elif before != last[1]:
                self._put("profile", (recording, run, before), "OR REPLACE")
        self._put("profile", (recording, first, words), "OR REPLACE")
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
