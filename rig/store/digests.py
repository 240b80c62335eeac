"""A digest for each row of the history, so that a row that is not as it was written is known by its number.

A digest is BLAKE2b, 8 bytes, over the name of the table and the row's values in order: so a row that was put into
another table, or whose text became bytes of the same content, does not hold either. It guards against faults of disks
and cards, not against somebody who may write the file: whoever can do that can compute a digest as well.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence

Value = int | str | bytes | float | None

ROWS: Mapping[str, tuple[str, ...]] = {
    "meta": ("key", "value"),
    "gaps": ("first", "last"),
    "events": ("number", "utc_ns", "code", "name", "details"),
    "snapshots": ("number", "utc_ns", "kind", "registers"),
    "recordings": ("id", "utc_ns", "capacity", "settings"),
    "profile": ("recording", "first", "words"),
}
"""The tables of the history, and the columns that a digest is over."""

_KEYS: Mapping[str, tuple[str, ...]] = {
    "meta": ("key",),
    "gaps": ("first",),
    "events": ("number",),
    "snapshots": ("number",),
    "recordings": ("id",),
    "profile": ("recording", "first"),
}

_NAMES = {
    "meta": "the entry {}",
    "gaps": "the gap from item {}",
    "events": "event {}",
    "snapshots": "snapshot {}",
    "recordings": "recording {}",
    "profile": "the profile of recording {} from word {}",
}


def row_digest(table: str, *values: Value) -> bytes:
    """Give the digest of a row of `table`, 8 bytes, from its values in the order of ROWS."""
    digest = hashlib.blake2b(table.encode(), digest_size=8)
    for value in values:
        match value:
            case None:
                part = b"n"
            case int():
                part = b"i%d" % value
            case float():
                part = b"f" + value.hex().encode()
            case str():
                part = b"t" + value.encode("utf-8", "surrogateescape")
            case bytes():
                part = b"b" + value
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()


def row_name(table: str, values: Sequence[Value]) -> str:
    """Name a row for a sentence: "event 17"."""
    columns = ROWS[table]
    return _NAMES[table].format(*(values[columns.index(key)] for key in _KEYS[table]))


def columns_of(table: str) -> str:
    """Give the columns of a row and its digest, for SELECT."""
    return ", ".join((*ROWS[table], "digest"))


def damaged_rows(database: sqlite3.Connection) -> Iterator[str]:
    """Give the names of all rows whose digest does not hold, in the order of the tables. Raises sqlite3.Error."""
    for table in ROWS:
        for *values, digest in database.execute(f"SELECT {columns_of(table)} FROM {table}"):
            if digest != row_digest(table, *values):
                yield row_name(table, values)
