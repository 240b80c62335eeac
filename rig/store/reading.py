"""Reading the history: by any program, at any time, without disturbing the one that writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from rig.store.digests import ROWS, Value, columns_of, row_digest, row_name
from rig.store.errors import StoreError
from rig.store.history import (
    APPLICATION,
    BUSY_S,
    DIGESTED,
    NAME,
    SCHEMA,
    decode_words,
    defined_by,
    definitions_of,
    text_of,
)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A line of the log. `number` is its place among all items; `details` is JSON text."""

    number: int
    utc_ns: int
    code: int
    name: str
    details: str


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """Registers at an instant. `number` is its place among all items; `registers` is JSON text."""

    number: int
    utc_ns: int
    kind: str
    registers: str


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """A load profile: when it began, how many of its words are kept, its settings as JSON text."""

    id: int
    utc_ns: int
    capacity: int
    settings: str


@dataclass(frozen=True, slots=True)
class Run:
    """Words of the profile without a gap; the first has absolute index `first`."""

    first: int
    words: tuple[int, ...]


MOST_VALUE_BYTES = 1 << 20
"""No text or blob of a store is longer: an item has at most a quarter of what waits in a journal record."""

MOST_WORDS = 1 << 22
"""Of a profile as it is read; a meter's memory holds far fewer."""

MOST_DAMAGED = 100
"""So many damaged rows are named; of more it is said how many."""


class HistoryReader:
    """An open history, to be read only. Times are UTC in ns, `until_ns` not included.

    A row whose digest does not hold is left out, and `damaged` names it once it was come across. `digested` is False
    for a history of an older version, whose rows have none. StoreError if there is none, or one that cannot be read.
    sqlite3.DatabaseError if it turns out damaged on the way; no value is read that is longer than MOST_VALUE_BYTES.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / NAME
        self.digested = True
        self._damaged: dict[str, None] = {}
        if not path.is_file():
            raise StoreError(f"{path} does not exist: nothing was stored in this folder yet")
        # A database that nobody has open has no log beside it, and SQLite would make one only to read. The folder may
        # be read-only, and reading is to leave no trace.
        logged = path.with_name(NAME + "-wal").exists()
        try:
            self._database = sqlite3.connect(
                f"{path.absolute().as_uri()}?{'mode=ro' if logged else 'immutable=1'}",
                timeout=BUSY_S,
                isolation_level=None,
                uri=True,
            )
        except sqlite3.Error as error:
            raise StoreError(f"{path} cannot be read: {error}") from None
        self._database.text_factory = text_of
        self._database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_VALUE_BYTES)
        try:
            self._look(path)
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> HistoryReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()

    def events(
        self,
        since_ns: int | None = None,
        until_ns: int | None = None,
        codes: Collection[int] | None = None,
        last: int | None = None,
        before: int | None = None,
    ) -> Iterator[StoredEvent]:
        """In the order in which they came. `codes`: only these; `last`: only so many, the newest; `before`: only of a
        smaller number."""
        where, values = _where(since_ns, until_ns, "code", codes, before)
        if last is None:
            rows = self._rows("events", f"{where} ORDER BY number", values)
        else:
            newest = f"{where} ORDER BY number DESC LIMIT ?"
            rows = reversed(list(self._rows("events", newest, [*values, last])))
        return (StoredEvent(*row) for row in rows)

    def snapshots(
        self,
        since_ns: int | None = None,
        until_ns: int | None = None,
        kinds: Collection[str] | None = None,
        last: int | None = None,
    ) -> Iterator[StoredSnapshot]:
        """In the order in which they came. `kinds`: only these; `last`: only so many, the newest."""
        where, values = _where(since_ns, until_ns, "kind", kinds)
        if last is None:
            rows = self._rows("snapshots", f"{where} ORDER BY number", values)
        else:
            newest = f"{where} ORDER BY number DESC LIMIT ?"
            rows = reversed(list(self._rows("snapshots", newest, [*values, last])))
        return (StoredSnapshot(*row) for row in rows)

    def recordings(self) -> list[StoredRecording]:
        """In order of their beginning."""
        return [StoredRecording(*row) for row in self._rows("recordings", " ORDER BY utc_ns, id")]

    def words(self, recording: int, first: int = 0, end: int | None = None) -> list[Run]:
        """The profile's words with index `first` ≤ index < `end`: one run if none are missing, none if there are none.

        No more than the recording's capacity and MOST_WORDS, the newest.
        """
        kept = [row[2] for row in self._rows("recordings", " WHERE id = ?", [recording])]
        most = min([MOST_WORDS, *kept])
        runs: list[tuple[int, list[int]]] = []  # the newest first, each with its words backwards
        for _, begin, data in self._rows("profile", " WHERE recording = ? ORDER BY first DESC", [recording]):
            if not isinstance(data, bytes) or len(data) % 2:
                self._damaged[row_name("profile", (recording, begin, data))] = None
                continue
            words = decode_words(data)[::-1]
            if runs and begin + len(words) == runs[-1][0]:
                runs[-1] = begin, runs[-1][1]
                runs[-1][1].extend(words)
            elif words:
                runs.append((begin, list(words)))
            if runs and runs[0][0] + len(runs[0][1]) - begin >= most:
                break
        newest = runs[0][0] + len(runs[0][1]) if runs else 0
        first = max(first, newest - most)
        end = newest if end is None else end
        cut = (
            Run(max(begin, first), tuple(words[::-1][max(first - begin, 0) : max(end - begin, 0)]))
            for begin, words in reversed(runs)
        )
        return [run for run in cut if run.words]

    def gaps(self) -> list[tuple[int, int]]:
        """First and last number of items that never came, in order."""
        return [(first, last) for first, last in self._rows("gaps", " ORDER BY first")]

    def taken(self) -> int:
        """Number of the last item that came."""
        return self._meta("taken")

    def store(self) -> int:
        """The number that the files of one store share."""
        return self._meta("store")

    def faults(self) -> list[str]:
        """Return what SQLite finds wrong with the file, if anything; reads all of it."""
        return [text for (text,) in self._database.execute("PRAGMA integrity_check") if text != "ok"]

    def _look(self, path: Path) -> None:
        try:
            (application,) = self._database.execute("PRAGMA application_id").fetchone()
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as error:
            raise StoreError(f"{path} cannot be read: {error}") from None
        if application != APPLICATION:
            raise StoreError(f"{path} is not a meter's history: give the folder of a store")
        if version > len(SCHEMA):
            raise StoreError(f"{path} is of version {version}, this program reads {len(SCHEMA)}: update the program")
        self.digested = version >= DIGESTED
        try:
            definitions = definitions_of(self._database)
        except sqlite3.Error as error:
            raise StoreError(f"{path} cannot be read: {error}") from None
        if definitions != defined_by(SCHEMA[:version]):
            raise StoreError(f"{path} is damaged (its tables are not what they were): rig store check says more")

    def damaged_rows(self) -> list[str]:
        """Read every row of every table; what `damaged` is then."""
        for table in ROWS:
            for _ in self._rows(table):
                pass
        return self.damaged

    @property
    def damaged(self) -> list[str]:
        """The rows come across that were left out, such as "event 17", in the order in which they were found."""
        return list(self._damaged)

    def _rows(self, table: str, rest: str = "", values: Sequence[int | str] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a table whose digest holds, without it; `rest` is what follows in the statement."""
        if not self.digested:
            columns = ", ".join(ROWS[table])
            for row in self._database.execute(f"SELECT {columns} FROM {table}{rest}", values):
                yield tuple(_printed(value) for value in row)
            return
        for *row, digest in self._database.execute(f"SELECT {columns_of(table)} FROM {table}{rest}", values):
            if digest == row_digest(table, *row):
                yield tuple(row)
            elif len(self._damaged) < MOST_DAMAGED:
                self._damaged[row_name(table, row)] = None
            else:
                self._damaged["and more"] = None

    def _meta(self, key: str) -> int:
        rows = list(self._rows("meta", " WHERE key = ?", [key]))
        if not rows:
            raise sqlite3.DatabaseError(f"the entry {key} does not hold")
        return int(rows[0][1])


def _printed(value: Value) -> Value:
    """Text of a row without a digest, which may be damaged, so that it can be encoded again."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if isinstance(value, str) else value


def _where(
    since_ns: int | None,
    until_ns: int | None,
    column: str,
    values: Collection[int] | Collection[str] | None,
    before: int | None = None,
) -> tuple[str, list[int | str]]:
    terms: list[str] = []
    given: list[int | str] = []
    if since_ns is not None:
        terms.append("utc_ns >= ?")
        given.append(since_ns)
    if until_ns is not None:
        terms.append("utc_ns < ?")
        given.append(until_ns)
    if before is not None:
        terms.append("number < ?")
        given.append(before)
    if values is not None:
        terms.append(f"{column} IN ({', '.join('?' * len(values))})")
        given.extend(values)
    return (" WHERE " + " AND ".join(terms) if terms else ""), given
