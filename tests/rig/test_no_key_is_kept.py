"""Bytes that a meter keeps are searched for its keys: store, history, ring; also of a store that once had them (S-1).

tests/rig/store/older/keys-in-clear.tar.gz is the store of a meter of the version before keys were hashed: programmed
with keys B81B8, B82B8, …, started again with another file, whose keys are C91C9, …, and programmed with D61D6, ….
"""

from __future__ import annotations

import base64
import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from kept_meter import SECOND, KeptMeter

from rig.meter.access.hashed_key import COST
from rig.program.build import Program, load_program
from rig.service.persistence import program_in_force
from rig.store.check import check
from rig.store.ring import StateRing
from rig.store.saved_meter import last_saved

T0 = 1_800_000_000 * SECOND
OLDER = Path(__file__).parent / "store" / "older" / "keys-in-clear.tar.gz"


def keys(two: str) -> list[str]:
    return [f"{two}{level}{two}" for level in range(1, 5)]


def program(folder: Path, two: str, more: str = "", seal: bool = False) -> Program:
    path = folder / f"{two}.toml"
    levels = "".join(f'level_{level} = "{key}"\n' for level, key in enumerate(keys(two), 1))
    path.write_text(f'[meter]\nserial = "1"\n{more}[security]\nseal = {str(seal).lower()}\n{levels}')
    return load_program(path)


def forms(key: str) -> Iterator[bytes]:
    """Give the bytes that would have a key, or a digest of it that is quick to compute."""
    raw = bytes.fromhex(key.rjust(6, "0"))
    for text in {key, key.lower(), key.rjust(6, "0"), key.rjust(6, "0").lower()}:
        yield text.encode()
        yield text.encode("utf-16-le")
        yield text.encode("utf-16-be")
    yield raw
    yield base64.b64encode(raw)
    for quick in (hashlib.sha256, hashlib.sha1, hashlib.md5):
        for data in (raw, key.encode(), key.rjust(6, "0").encode()):
            yield quick(data).digest()[:6]
            yield quick(data).hexdigest()[:12].encode()


def found_in(folder: Path, twos: str) -> set[str]:
    """Give which keys any file under a folder has in any form."""
    data = {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    assert data
    return {
        f"{key} in {name}"
        for two in twos.split()
        for key in keys(two)
        for form in forms(key)
        for name, held in data.items()
        if form in held
    }


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    for number, form in enumerate(forms("B81B8")):
        (tmp_path / "one").write_bytes(b"x" * number + form + b"y")
        assert found_in(tmp_path, "A7 B8") == {"B81B8 in one"}


def test_a_meter_keeps_no_key_of_any_program(tmp_path: Path) -> None:
    """Configured, written, written again with keys alone, and put in place of another at a start."""
    store = tmp_path / "meter" / "store"
    store.parent.mkdir()
    configured = program(tmp_path, "A7")
    meter = KeptMeter(store, configured, T0, flushes=True).meters(2)
    for new in (
        program(tmp_path, "B8", '[self_read]\nschedule = "daily"\n'),
        program(tmp_path, "D6", '[self_read]\nschedule = "daily"\n'),
    ):
        meter.writes(new)
        meter.meters(2)
    ring = StateRing(tmp_path / "meter" / "ring")
    ring.write(msgspec.json.encode(meter.persistence.saved_meter(meter.meter.state)))
    ring.close()
    meter.fails()
    saved = last_saved(store)[1]
    kept = saved.written
    assert kept is not None
    assert kept.keys is not None
    assert [key is not None and key.cost for key in kept.keys] == [COST] * 4
    assert len({key.salt for key in (*kept.keys, *(kept.instead_of_keys or ())) if key is not None}) == 8
    for key in kept.keys:
        assert key is not None
        assert repr(key.digest) not in repr(saved)
        assert repr(key.salt) not in repr(saved)
    again = KeptMeter(store, program(tmp_path, "C9"), T0 + 3600 * SECOND, flushes=True).meters(2)
    assert again.program.security.proof(bytes.fromhex("0C94C9")).chosen == 4
    again.fails()
    assert found_in(tmp_path / "meter", "A7 B8 C9 D6") == set()


@pytest.fixture
def older(tmp_path: Path) -> Path:
    with tarfile.open(OLDER) as file:
        for member in file.getmembers():  # Debian 12's tarfile has no filter yet, and later ones want one
            if (content := file.extractfile(member)) is not None:
                path = tmp_path / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())
    assert {line.split(" in ")[1] for line in found_in(tmp_path / "store", "B8 D6")} == {
        "billing.a", "billing.b", "history.sqlite"
    }  # fmt: skip
    return tmp_path / "store"


def test_a_store_that_has_keys_has_none_once_its_meter_has_run(older: Path, tmp_path: Path) -> None:
    configured = program(tmp_path, "C9")
    in_force, written = program_in_force(configured, older)
    assert [in_force.security.proof(bytes.fromhex(f"0{key}")).chosen for key in keys("D6")] == [1, 2, 3, 4]
    assert in_force.security.proof(bytes.fromhex("0C94C9")).chosen == 0
    assert written is not None
    meter = KeptMeter(older, configured, T0 + 7200 * SECOND, flushes=True).meters(40)
    meter.fails()
    assert found_in(older, "A7 B8 C9 D6") == set()
    assert all(finding.holds for finding in check(older)), check(older)
    again = program_in_force(configured, older)[0]
    assert [again.security.proof(bytes.fromhex(f"0{key}")).chosen for key in keys("D6")] == [1, 2, 3, 4]


def test_an_edited_file_is_meant_also_against_an_older_store(older: Path, tmp_path: Path) -> None:
    edited = program(tmp_path, "E5")
    in_force, written = program_in_force(edited, older)
    assert written is None
    assert in_force.security.proof(bytes.fromhex("0E54E5")).chosen == 4
