"""A store that is removed, moved, emptied, replaced or linked while a meter runs (review H-4, S-3)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kept_meter import KeptMeter
from meter_of_counts import SECOND_NS, items, payload, restored_count

from drivers.fram import Fram
from drivers.sim.fram_chip import FramChip
from rig.program.build import default_program
from rig.store.check import check
from rig.store.errors import StoreError
from rig.store.fram_slots import FramSlots
from rig.store.history import NAME
from rig.store.journal import CAPACITY, NAMES
from rig.store.log import NAME as LOG
from rig.store.reading import HistoryReader
from rig.store.saved_meter import last_saved
from rig.store.store import Store

ROOT = Path(__file__).parents[3]
Change = Callable[[Path], object]


def advance(store: Store, first: int, last: int) -> None:
    for k in range(first, last + 1):
        store.append(*items(k))
        store.save(payload(k), k * SECOND_NS)
        store.drain()


def moved(folder: Path) -> Path:
    return folder.rename(folder.with_name("moved"))


def moved_and_linked(folder: Path) -> None:
    folder.symlink_to(moved(folder))


def moved_and_made(folder: Path) -> None:
    moved(folder)
    folder.mkdir()


def replaced_by_link(name: str) -> Change:
    def change(folder: Path) -> None:
        target = folder.with_name(f"{name}.elsewhere")
        target.write_bytes((folder / name).read_bytes())
        (folder / name).unlink()
        (folder / name).symlink_to(target)

    return change


def replaced(name: str) -> Change:
    """By another store's file."""

    def change(folder: Path) -> None:
        other = Store.open(folder.with_name("other"))
        advance(other, 1, 3)
        other.close()
        os.replace(folder.with_name("other") / name, folder / name)

    return change


def replaced_by_folder(name: str) -> Change:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return change


def linked(name: str) -> Change:
    return lambda folder: os.link(folder / name, folder.with_name("second name"))


def emptied(name: str) -> Change:
    return lambda folder: os.truncate(folder / name, 0)


def removed(*names: str) -> Change:
    return lambda folder: [(folder / name).unlink() for name in names]


A, B = NAMES

DISTURBED: dict[str, tuple[Change, str]] = {
    "folder removed": (shutil.rmtree, "was removed or moved: it is written anew there, with a new history"),
    "folder moved": (moved, "was removed or moved: it is written anew there"),
    "folder moved, another made": (moved_and_made, "an empty one is at its name: it is written anew there"),
    "folder moved, linked": (moved_and_linked, "a link is at its name: it is written where it is"),
    "all files removed": (lambda f: [path.unlink() for path in f.iterdir()], "was removed: it is written anew"),
    "copy removed": (removed(A), f"{A} was removed: it is written anew"),
    "both copies removed": (removed(A, B), f"{B} was removed: it is written anew"),
    "copy emptied": (emptied(A), f"{A} was cut off to 0 bytes: it is written anew"),
    "other copy emptied": (emptied(B), f"{B} was cut off to 0 bytes: it is written anew"),
    "copy replaced": (replaced(A), f"{A} was replaced: it is written anew; what was at its name is now {A}.strange-"),
    "copy replaced by a link": (replaced_by_link(B), f"{B} is a link now: it is written anew; what was at its name"),
    "copy replaced by a folder": (replaced_by_folder(B), f"{B} was replaced: it is written anew"),
    "copy linked": (linked(A), f"{A} has 2 names now: it is written anew"),
    "log removed": (removed(LOG), f"{LOG} was removed: it is written anew"),
    "log emptied": (emptied(LOG), f"{LOG} was cut off to 0 bytes: it is written anew"),
    "log replaced": (replaced(LOG), f"{LOG} was replaced: it is written anew; what was at its name is now {LOG}."),
    "log replaced by a link": (replaced_by_link(LOG), f"{LOG} is a link now: it is written anew"),
    "log replaced by a folder": (replaced_by_folder(LOG), f"{LOG} was replaced: it is written anew"),
    "log linked": (linked(LOG), f"{LOG} has 2 names now: it is written anew"),
    "whole journal removed": (removed(A, B, LOG), f"{LOG} was removed: it is written anew"),
    "history removed": (removed(NAME), f"{NAME} was removed: it is written anew"),
    "history replaced": (
        replaced(NAME),
        f"{NAME} was replaced: it is written anew; what was at its name is now {NAME}",
    ),
    "history's log removed": (removed(f"{NAME}-wal"), f"{NAME}-wal was removed: the history is opened anew"),
    "lock removed": (removed("lock"), "lock was removed: it is written anew"),
    "lock replaced by a link": (replaced_by_link("lock"), "lock is a link now: it is written anew"),
}


@pytest.mark.parametrize("what", DISTURBED)
def test_it_is_noticed_at_the_next_save_told_and_written_anew(tmp_path: Path, what: str) -> None:
    change, told = DISTURBED[what]
    folder = tmp_path / "store"
    store = Store.open(folder)
    advance(store, 1, 9)
    assert store.trouble is None
    change(folder)
    advance(store, 10, 10)
    assert told in (store.trouble or "")
    assert any(told in note for note in store.notes)
    advance(store, 11, 12)
    store.close()
    assert all((folder / name).stat().st_size == CAPACITY for name in NAMES)
    findings = {finding.part: finding.found for finding in check(folder) if not finding.holds}
    assert set(findings) <= {"items"}, "what the lost history had is missing, and that is told"
    again = Store.open(folder)
    assert restored_count(again) == 12
    again.close()
    with HistoryReader(folder) as history:
        assert {event.code for event in history.events()} >= {10, 11, 12}


def test_an_fram_goes_on_with_the_store_that_was_written_anew(tmp_path: Path) -> None:
    chip, folder = FramChip(), tmp_path / "store"

    def opened() -> Store:
        return Store.open(folder, fast=FramSlots("bus", lambda: Fram(chip, "bus")))

    store = opened()
    advance(store, 1, 9)
    shutil.rmtree(folder)
    advance(store, 10, 10)
    store.save(payload(12), 12 * SECOND_NS)
    assert store.fast
    store._archive.close()
    store._files.lock.close()  # power fails
    again = opened()
    assert restored_count(again) == 12
    assert (again.notes, again.trouble) == ((), None)
    again.close()


def test_another_store_at_the_name_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    other = Store.open(tmp_path / "other")
    advance(other, 1, 3)
    other.close()
    before = {path.name: path.read_bytes() for path in (tmp_path / "other").iterdir()}
    store = Store.open(folder)
    advance(store, 1, 5)
    folder.rename(tmp_path / "moved")
    (tmp_path / "other").rename(folder)
    advance(store, 6, 7)
    assert "was moved, and another folder is at its name: nothing is written there" in (store.trouble or "")
    store.close()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    again = Store.open(tmp_path / "moved")
    assert restored_count(again) == 7
    again.close()


def test_another_store_at_the_name_of_one_removed(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = Store.open(folder)
    advance(store, 1, 5)
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "somebody's").write_text("")
    with pytest.raises(StoreError, match="was removed, and another folder is at its name"):
        advance(store, 6, 6)
    (folder / "somebody's").unlink()
    advance(store, 7, 7)
    store.close()
    again = Store.open(folder)
    assert restored_count(again) == 7
    again.close()


OPEN = "import sys; from pathlib import Path; from rig.store.store import Store; Store.open(Path(sys.argv[1]))"


def refusal(folder: Path) -> str:
    """What another process is told that opens a store."""
    words = [sys.executable, "-c", OPEN, str(folder)]
    done = subprocess.run(
        words, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    return done.stderr.splitlines()[-1] if done.returncode else ""


@pytest.mark.parametrize(
    "disturbed", ["lock removed", "folder moved", "folder linked", "folder copied", "lock changed"]
)
def test_no_second_process_has_it_whatever_became_of_its_names(tmp_path: Path, disturbed: str) -> None:
    folder = tmp_path / "store"
    store = Store.open(folder)
    advance(store, 1, 3)
    there = folder
    match disturbed:
        case "lock removed":
            (folder / "lock").unlink()
        case "lock changed":
            (folder / "lock").write_bytes(b"nobody")
        case "folder moved":
            there = folder.rename(tmp_path / "moved")
        case "folder linked":
            there = tmp_path / "link"
            there.symlink_to(folder)
        case "folder copied":
            there = Path(shutil.copytree(folder, tmp_path / "copy"))
    assert f"the store {there} is in use by process {os.getpid()}: end it first" in refusal(there)
    store.close()
    assert refusal(there) == ""


def test_it_is_in_the_meters_log_and_in_the_runs_trouble(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    meter = KeptMeter(folder, default_program(), 1_777_000_000 * SECOND_NS, flushes=True).meters(3)
    shutil.rmtree(folder)
    meter.meters(2)
    assert "was removed or moved: it is written anew there, with a new history" in (meter.persistence.trouble or "")
    meter.fails()
    assert "it is written anew there" in (meter.persistence.trouble or "")
    assert last_saved(folder)[0].utc_ns == meter.now_ns
    with HistoryReader(folder) as history:
        (event,) = [each for each in history.events() if each.name == "memory error"]
    assert "was removed or moved: it is written anew there" in event.details
