"""Files beside the store that are written whole: content on the disk before the name, and what syncs it (review I-1).

A layer under `os` notes the calls and lets them happen; that of the store's own disk is in
tests/rig/store/test_store_files.py.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import pytest

from calibration.constants import nominal
from calibration.constants_file import write_calibration
from drivers.contact_memory import ContactMemory
from rig.files.whole import write_files
from rig.hardware.hands_file import HandsWriter


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is synced, and the names that files are given, in order."""
    made: list[tuple[str, str]] = []
    sync, replace = os.fsync, Path.replace

    def noting_sync(file: int) -> None:
        sync(file)
        made.append(("synced", Path(os.readlink(f"/proc/self/fd/{file}")).name))

    def noting_name(path: Path, target: Path) -> Path:
        result = replace(path, target)
        made.append(("named", Path(target).name))
        return result

    monkeypatch.setattr(os, "fsync", noting_sync)
    monkeypatch.setattr(Path, "replace", noting_name)
    return made


def test_a_calibration_and_its_name(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    write_calibration(tmp_path / "constants.toml", nominal(Fraction(600), Fraction(20)))
    assert calls == [("synced", ".constants.toml.new"), ("named", "constants.toml"), ("synced", tmp_path.name)]


def test_a_memory_of_contacts_that_is_closed(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    memory = ContactMemory(tmp_path / "contacts", ("kyz1",))
    memory.remember("kyz1", "K-Y", 1)
    calls.clear()
    memory.close()
    assert calls == [("synced", "contacts")]


def test_several_files_at_once(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    """None has its name before the content of all is there: half a pair of COMTRADE files is none."""
    write_files({tmp_path / "a.dat": b"1", tmp_path / "a.cfg": b"2"})
    assert calls == [("synced", ".a.dat.new"), ("synced", ".a.cfg.new"), ("named", "a.dat"), ("named", "a.cfg")]


def test_recorded_hands(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    with HandsWriter(tmp_path / "hands.csv") as writer:
        writer.begin({}, [])
        assert calls == []
    assert calls == [("synced", "hands.csv.part"), ("named", "hands.csv")]
