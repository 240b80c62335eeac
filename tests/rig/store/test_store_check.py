"""Looking over a store: what it tells of sound, damaged, foreign and incomplete ones, and that it changes nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from meter_of_counts import SECOND_NS, items, payload

from rig.store import check as check_module
from rig.store.check import Finding, check
from rig.store.history import NAME
from rig.store.items import RecordingItem, WordsItem
from rig.store.journal import NAMES
from rig.store.journal_reading import JournalLook
from rig.store.log import NAME as LOG
from rig.store.page_sums import SUMS
from rig.store.store import Store

A, B = NAMES
SECOND = "1970-01-01T00:00:"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """States 1 to 9 saved, all in the history; the newest in billing.b."""
    return stored(tmp_path_factory.mktemp("sound") / "s", 9)


def stored(folder: Path, last: int, first: int = 1) -> Path:
    store = Store.open(folder)
    for k in range(first, last + 1):
        store.append(*items(k))
        store.save(payload(k), k * SECOND_NS)
        store.drain()
    store.close()
    return folder


def fails(findings: list[Finding]) -> dict[str, str]:
    return {finding.part: finding.found for finding in findings if not finding.holds}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_sound_store(sound: Path) -> None:
    before = contents(sound)
    findings = check(sound)
    assert all(finding.holds for finding in findings)
    parts = [A, B, LOG, "journal", "payload", NAME, "history", "rows", "items", "profile"]
    assert [finding.part for finding in findings] == parts
    found = {finding.part: finding.found for finding in findings}
    assert found[A].startswith(f"save 7 of {SECOND}07Z, ")  # with it came a snapshot
    assert found[B].startswith(f"save 7 of {SECOND}07Z, ")
    assert found[LOG] == f"save 9 of {SECOND}09Z is the newest of 7"
    assert found["journal"] == "goes on from save 9, 2 items wait for the history"
    assert found["payload"] == f"the meter's state, {len(payload(9))} bytes"
    assert re.fullmatch(r"\d+ pages as they were written", found[NAME])
    assert found["history"] == "sound, up to item 20"
    assert found["rows"] == "every row has its digest"
    assert found["items"] == "20 without a gap"
    assert found["profile"] == f"recording 1 of {SECOND}00Z: 9 words"
    assert contents(sound) == before


def test_a_new_store(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert fails(check(tmp_path)) == {}
    store.close()
    assert fails(check(tmp_path)) == {}
    (tmp_path / NAME).unlink()
    assert check(tmp_path)[-1] == Finding("history", True, "not begun yet")


def test_no_store(tmp_path: Path) -> None:
    assert fails(check(tmp_path / "x")) == {"journal": f"there is no folder {tmp_path / 'x'}"}
    found = fails(check(tmp_path))
    assert found[A] == found[B] == "is missing"
    assert "does not exist" in found["history"]
    assert list(tmp_path.iterdir()) == []


Change = Callable[[Path], None]


def _flip(name: str, place: int) -> Change:
    def change(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[place] ^= 0xFF
        (folder / name).write_bytes(data)

    return change


def _put_back(folder: Path) -> None:
    """The older copy as it was long before."""
    before = (folder / A).read_bytes()
    stored(folder, 11, 10)
    stored(folder, 13, 12)
    (folder / A).write_bytes(before)


def _both_put_back(folder: Path) -> None:
    before = {name: (folder / name).read_bytes() for name in (*NAMES, LOG)}
    stored(folder, 11, 10)
    for name, content in before.items():
        (folder / name).write_bytes(content)


def _history_put_back(folder: Path) -> None:
    before = {name: (folder / name).read_bytes() for name in (NAME, SUMS)}
    stored(folder, 14, 10)
    for name, content in before.items():
        (folder / name).write_bytes(content)


def _foreign(folder: Path) -> None:
    other = stored(folder.with_name("other"), 9)
    for name in (NAME, SUMS):
        shutil.copy(other / name, folder / name)


def _row_changed(folder: Path) -> None:
    """One bit of an event's details, which no check of SQLite's sees."""
    data = (folder / NAME).read_bytes()
    place = data.index(b"count{}") + 5
    (folder / NAME).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])


def _words_missing(folder: Path) -> None:
    store = Store.open(folder)
    store.append(WordsItem(1, 15, (5,)), WordsItem(1, 20, (5, 6)), RecordingItem(2, 0, 5, "{}"))
    store.save(payload(10), 10)
    store.drain()
    store.close()


def _not_a_state(folder: Path) -> None:
    store = Store.open(folder)
    store.save(b"no JSON", 10)
    store.close()


DAMAGE: dict[str, tuple[Change, dict[str, str]]] = {
    "older copy": (_flip(A, 50), {A: "is damaged, its checksum does not hold"}),
    "newest copy": (
        _flip(B, 50),
        {B: "is damaged, its checksum does not hold"},
    ),
    "byte after a copy's record": (_flip(B, 400_000), {B: "byte 400000, behind them, is not zero: no figure is in it"}),
    "newest save in the log": (
        _flip(LOG, 7 * 4096 + 50),
        {LOG: "no whole save in slot 7: torn", "items": "the history goes on to 20, the journal only to 18"},
    ),
    "older save in the log": (_flip(LOG, 4096 + 50), {LOG: "no whole save in slot 1: torn"}),
    "byte after a save in the log": (_flip(LOG, 3 * 4096 - 1), {LOG: "no whole save in slot 2: torn"}),
    "byte of the log that was never used": (_flip(LOG, 60 * 4096), {LOG: "no whole save in slot 60: torn"}),
    "log emptied": (
        lambda folder: os.truncate(folder / LOG, 0),
        {LOG: "is cut off: 0 bytes of 262144", "items": "the history goes on to 20, the journal only to 16"},
    ),
    "log cut off": (
        lambda folder: os.truncate(folder / LOG, 40000),
        {LOG: "is cut off: 40000 bytes of 262144"},
    ),
    "log missing": (
        lambda folder: (folder / LOG).unlink(),
        {LOG: "is missing", "items": "the history goes on to 20, the journal only to 16"},
    ),
    "copy put back": (_put_back, {"journal": "the other copy is 4 saves older: a file was put back"}),
    "journal put back": (_both_put_back, {"items": "the history goes on to 24, the journal only to 20"}),
    "history put back": (_history_put_back, {"items": "missing: 21 to 28"}),
    "history missing": (lambda folder: (folder / NAME).unlink(), {"history": "does not exist"}),
    "history of another store": (
        _foreign,
        {SUMS: "is of store ", "history": "put back the file that belongs here"},
    ),
    "history damaged": (
        _flip(NAME, 3),
        {NAME: "is damaged in page 1, bytes 0 to 4095", "history": "file is not a database"},
    ),
    "page of the history damaged": (
        _flip(NAME, 4096),
        {NAME: "is damaged in page 2, bytes 4096 to 8191", "history": "is damaged"},
    ),
    "sums of the history damaged": (_flip(SUMS, 20), {SUMS: "is damaged, its checksum does not hold"}),
    "sums of the history missing": (lambda folder: (folder / SUMS).unlink(), {SUMS: "is missing"}),
    "a row of the history changed": (
        _row_changed,
        {NAME: "is damaged in page", "rows": "not as they were written: event "},
    ),
    "words missing": (_words_missing, {"profile": "12 words, missing: 10 to 14, 16 to 19"}),
    "no state": (_not_a_state, {"payload": "the meter's state cannot be read: Expecting value"}),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found(tmp_path: Path, sound: Path, name: str) -> None:
    folder = shutil.copytree(sound, tmp_path / "s")
    change, expected = DAMAGE[name]
    change(folder)
    before = contents(folder)
    found = fails(check(folder))
    assert set(found) == set(expected)
    for part, text in expected.items():
        assert text in found[part]
    assert contents(folder) == before


def test_both_copies_damaged(tmp_path: Path, sound: Path) -> None:
    folder = shutil.copytree(sound, tmp_path / "s")
    _flip(A, 50)(folder)
    _flip(B, 50)(folder)
    found = fails(check(folder))
    assert set(found) == {A, B, "journal"}
    assert "not restarted at zero unasked" in found["journal"]


def test_the_state_is_read_as_the_meter_reads_it(sound: Path) -> None:
    def decode(state: bytes) -> object:
        raise ValueError(f"k is {json.loads(state)['k']}, it must be 10")

    assert fails(check(sound, decode)) == {"payload": "the meter's state cannot be read: k is 9, it must be 10"}


def test_dropped_items_are_told(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.append(*items(1))
    store.miss({"event": 3, "words": 1})
    store.append(*items(2))
    store.save(payload(2), 2)
    store.drain()
    store.close()
    findings = check(tmp_path)
    assert fails(findings) == {"items": "missing: 4 to 7"}
    assert findings[3].found.endswith("dropped so far: 3 event, 1 words")


def test_a_store_in_use(tmp_path: Path) -> None:
    """Looked over again and again while a meter saves."""
    store = Store.open(tmp_path)
    ended = threading.Event()

    def meter() -> None:
        k = 0
        while not ended.is_set():
            k += 1
            store.append(*items(k))
            store.save(payload(k), k * SECOND_NS)
            if k % 3:
                store.drain()
            ended.wait(0.1)

    thread = threading.Thread(target=meter)
    thread.start()
    try:
        found = [fails(check(tmp_path)) for _ in range(30)]
    finally:
        ended.set()
        thread.join()
        store.close()
    assert found == [{}] * 30


def test_a_store_that_is_saved_faster_than_it_is_looked_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large history takes longer than the second between two saves, at every look."""
    store, read, saves = Store.open(tmp_path), check_module.read_journal, count(1)

    def save() -> None:
        k = next(saves)
        store.append(*items(k))
        store.save(payload(k), k * SECOND_NS)
        store.drain()

    def read_and_save(folder: Path) -> JournalLook:
        found = read(folder)
        for _ in range(3):
            save()
        return found

    save()
    monkeypatch.setattr(check_module, "read_journal", read_and_save)
    assert fails(check(tmp_path)) == {}
    store.close()
