"""Reading the history: by any program, at any time, without disturbing the one that writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType

from rig.store.errors import StoreError
from rig.store.history import APPLICATION, BUSY_S, NAME, SCHEMA, decode_words, text_of


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


_EVENT, _SNAPSHOT, _RECORDING = (
    ", ".join(field.name for field in fields(kind)) for kind in (StoredEvent, StoredSnapshot, StoredRecording)
)


class HistoryReader:
    """An open history, to be read only. Times are UTC in ns, `until_ns` not included.

    StoreError if there is none, or one that cannot be read. sqlite3.DatabaseError if it turns out damaged on the way.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / NAME
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
    ) -> Iterator[StoredEvent]:
        """In the order in which they came. `codes`: only these; `last`: only so many, the newest."""
        where, values = _where(since_ns, until_ns, "code", codes)
        if last is None:
            rows = self._database.execute(f"SELECT {_EVENT} FROM events{where} ORDER BY number", values)
        else:
            newest = f"SELECT {_EVENT} FROM events{where} ORDER BY number DESC LIMIT ?"
            rows = self._database.execute(f"SELECT * FROM ({newest}) ORDER BY number", [*values, last])
        return (StoredEvent(*row) for row in rows)

    def snapshots(
        self, since_ns: int | None = None, until_ns: int | None = None, kinds: Collection[str] | None = None
    ) -> Iterator[StoredSnapshot]:
        """In the order in which they came. `kinds`: only these."""
        where, values = _where(since_ns, until_ns, "kind", kinds)
        rows = self._database.execute(f"SELECT {_SNAPSHOT} FROM snapshots{where} ORDER BY number", values)
        return (StoredSnapshot(*row) for row in rows)

    def recordings(self) -> list[StoredRecording]:
        """In order of their beginning."""
        rows = self._database.execute(f"SELECT {_RECORDING} FROM recordings ORDER BY utc_ns, id")
        return [StoredRecording(*row) for row in rows]

    def words(self, recording: int, first: int = 0, end: int | None = None) -> list[Run]:
        """The profile's words with index `first` ≤ index < `end`: one run if none are missing, none if there are none.

        No more than the recording's capacity, the newest.
        """
        execute = self._database.execute
        rows = execute("SELECT first, words FROM profile WHERE recording = ? ORDER BY first", (recording,))
        runs: list[tuple[int, list[int]]] = []
        for begin, data in rows:
            words = decode_words(data)
            if runs and runs[-1][0] + len(runs[-1][1]) == begin:
                runs[-1][1].extend(words)
            else:
                runs.append((begin, list(words)))
        newest = runs[-1][0] + len(runs[-1][1]) if runs else 0
        kept = execute("SELECT capacity FROM recordings WHERE id = ?", (recording,)).fetchone()
        if kept is not None:
            first = max(first, newest - kept[0])
        end = newest if end is None else end
        cut = (
            Run(max(begin, first), tuple(words[max(first - begin, 0) : max(end - begin, 0)])) for begin, words in runs
        )
        return [run for run in cut if run.words]

    def gaps(self) -> list[tuple[int, int]]:
        """First and last number of items that never came, in order."""
        return list(self._database.execute("SELECT first, last FROM gaps ORDER BY first"))

    def taken(self) -> int:
        """Number of the last item that came."""
        return self._meta("taken")

    def store(self) -> int:
        """The number that the files of one store share."""
        return self._meta("store")

    def faults(self) -> list[str]:
        """What SQLite finds wrong with the file, if anything; reads all of it."""
        return [text for (text,) in self._database.execute("PRAGMA integrity_check") if text != "ok"]

    def _look(self, path: Path) -> None:
        try:
            (application,) = self._database.execute("PRAGMA application_id").fetchone()
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as error:
            raise StoreError(f"{path} cannot be read: {error}") from None
        if application != APPLICATION:
            raise StoreError(f"{path} is no history of a meter: give the folder of a store")
        if version != len(SCHEMA):
            remedy = "update the program" if version > len(SCHEMA) else "run the meter once, which brings it up to date"
            raise StoreError(f"{path} is of version {version}, this program reads {len(SCHEMA)}: {remedy}")

    def _meta(self, key: str) -> int:
        return int(self._database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0])


def _where(
    since_ns: int | None, until_ns: int | None, column: str, values: Collection[int] | Collection[str] | None
) -> tuple[str, list[int | str]]:
    terms: list[str] = []
    given: list[int | str] = []
    if since_ns is not None:
        terms.append("utc_ns >= ?")
        given.append(since_ns)
    if until_ns is not None:
        terms.append("utc_ns < ?")
        given.append(until_ns)
    if values is not None:
        terms.append(f"{column} IN ({', '.join('?' * len(values))})")
        given.extend(values)
    return (" WHERE " + " AND ".join(terms) if terms else ""), given
