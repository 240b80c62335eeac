"""A bit that flips anywhere in a store is found, and told with the file that it is in (review H-7, S-3)."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from meter_of_counts import SECOND_NS, items, payload

from drivers.contact_memory import ContactMemory
from rig.meter.contacts.outputs import KYZ_OUTPUTS, OutputId
from rig.store.check import Finding, check
from rig.store.history import NAME, SCHEMA
from rig.store.items import SnapshotItem
from rig.store.log import NAME as LOG
from rig.store.page_sums import SUMS
from rig.store.reading import HistoryReader
from rig.store.store import Store

HISTORY_LOG = f"{NAME}-wal"
SCRATCH = f"{NAME}-shm"


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as `kill -9` leaves it: 40 states, pages in the database and in the log, free pages, an item waiting."""
    folder = tmp_path_factory.mktemp("flips") / "s"
    store = Store.open(folder)
    for k in range(1, 31):
        store.append(*items(k), SnapshotItem(k * SECOND_NS, "count", "x" * (k * 331 % 5000)))
        store.save(payload(k), k * SECOND_NS)
        store.drain()
    store.close()
    with closing(sqlite3.connect(folder / NAME)) as database:
        assert database.execute("PRAGMA page_count").fetchone()[0] > 10
    store = Store.open(folder)
    memory = ContactMemory(folder / "contacts", [output.value for output in (OutputId.TEST_LED, *KYZ_OUTPUTS)])
    for pulses in range(1, 4):
        memory.remember("kyz2", "K-Z", pulses)
    memory.close()
    for k in range(31, 41):
        store.append(*items(k))
        store.save(payload(k), k * SECOND_NS)
        if k < 40:
            store.drain()
    copy = folder.with_name("killed")
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(SCRATCH))
    store.close()
    return copy


def faults(folder: Path) -> list[Finding]:
    return [finding for finding in check(folder) if not finding.holds]


def flip(path: Path, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(bit // 8)
        (byte,) = file.read(1)
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


def flips(store: Path, count: int, seed: int) -> None:
    """Flip one bit at a time, of each file as many, and see that a finding names the file."""
    rng = Random(seed)
    names = sorted(path.name for path in store.iterdir())
    assert names == ["billing.a", "billing.b", LOG, "contacts", NAME, HISTORY_LOG, SUMS, "lock"]
    assert faults(store) == []
    for number in range(count):
        path = store / names[number % len(names)]
        bit = rng.randrange(path.stat().st_size * 8)
        flip(path, bit)
        found = faults(store)
        flip(path, bit)
        assert any(finding.part == path.name for finding in found), f"bit {bit} of {path.name}: {found}"
    assert faults(store) == []


def test_every_flip_is_found(killed: Path) -> None:
    flips(killed, 84, 1)


@pytest.mark.slow
def test_two_thousand_flips_are_found(killed: Path) -> None:
    flips(killed, 2000, 2)


def test_a_row_that_changed_is_named_and_left_out(killed: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(killed, tmp_path / "s"))
    store = Store.open(folder)
    store.drain()
    store.close()
    with closing(sqlite3.connect(folder / NAME, isolation_level=None)) as database:
        (number,) = database.execute("SELECT number FROM events WHERE code = 17").fetchone()
        database.execute("UPDATE events SET details = '{\"a\": 1}' WHERE code = 17")
        database.execute("UPDATE profile SET words = CAST(x'0102' || substr(words, 3) AS BLOB)")
    found = {finding.part: finding.found for finding in faults(folder)}
    assert f"event {number}, the profile of recording 1 from word 1" in found["rows"]
    with HistoryReader(folder) as history:
        assert [event.code for event in history.events()] == [k for k in range(1, 41) if k != 17]
        assert history.words(1) == []
        assert history.damaged == [f"event {number}", "the profile of recording 1 from word 1"]
    store = Store.open(folder)
    assert any(f"not as they were written: event {number}, the profile" in note for note in store.notes)
    store.close()


def test_a_row_of_odd_length_breaks_nothing(tmp_path: Path) -> None:
    """In a history of an older version, which no digest guards."""
    folder = older(tmp_path, 9)
    with closing(sqlite3.connect(folder / NAME, isolation_level=None)) as database:
        database.execute("UPDATE profile SET words = x'010203'")
    check(folder)
    with HistoryReader(folder) as history:
        assert history.words(1) == []
        assert history.damaged == ["the profile of recording 1 from word 1"]


def older(folder: Path, last: int) -> Path:
    """A store with a history of version 1, as the program before digests wrote it."""
    store = Store.open(folder)
    for k in range(1, last + 1):
        store.append(*items(k))
        store.save(payload(k), k * SECOND_NS)
        store.drain()
    store.close()
    with closing(sqlite3.connect(folder / NAME, isolation_level=None)) as database:
        for table in ("meta", "gaps", "events", "snapshots", "recordings", "profile"):
            database.execute(f"ALTER TABLE {table} DROP COLUMN digest")
        database.execute("PRAGMA writable_schema = ON")
        with closing(sqlite3.connect(":memory:")) as other:
            other.executescript(SCHEMA[0])
            for name, sql in other.execute("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL"):
                database.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (sql, name))
        database.execute("PRAGMA user_version = 1")
    (folder / SUMS).unlink()
    return folder


@pytest.mark.parametrize("name", [SUMS, "contacts", "lock", LOG, HISTORY_LOG])
@pytest.mark.parametrize("kind", ["fifo", "folder", "link to /dev/zero"])
def test_what_is_no_file_is_told_and_waited_for_by_nobody(killed: Path, tmp_path: Path, name: str, kind: str) -> None:
    folder = Path(shutil.copytree(killed, tmp_path / "s"))
    path = folder / name
    path.unlink()
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case _:
            path.symlink_to("/dev/zero")
    assert any("cannot be read" in finding.found for finding in faults(folder))


def test_an_older_history_is_read_said_so_and_upgraded(tmp_path: Path) -> None:
    folder = older(tmp_path, 9)
    with HistoryReader(folder) as history:
        assert not history.digested
        assert [event.code for event in history.events()] == list(range(1, 10))
    findings = {finding.part: finding for finding in check(folder)}
    assert all(finding.holds for finding in findings.values())
    assert "without digests, as an older version wrote them" in findings["rows"].found
    store = Store.open(folder)
    assert store.notes == ()
    store.close()
    findings = {finding.part: finding for finding in check(folder)}
    assert all(finding.holds for finding in findings.values())
    assert findings["rows"].found == "every row has its digest"
    assert NAME in findings
