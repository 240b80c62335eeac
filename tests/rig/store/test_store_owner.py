"""A store goes on with the meter that it is of, or by an explicit command with another (review H-3, S-3)."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from kept_meter import KWH, SECOND, KeptMeter

from drivers.fram import Fram
from drivers.sim.fram_chip import FramChip
from rig.cli.app import main
from rig.meter.access.state import PendingProgram
from rig.meter.billing.source import Source
from rig.program.build import Program, load_program
from rig.program.written import saved_text
from rig.store.adopt import adopt
from rig.store.errors import StoreError
from rig.store.fram_slots import FramSlots
from rig.store.history import NAME
from rig.store.journal import NAMES
from rig.store.owner import owner_of
from rig.store.reading import HistoryReader
from rig.store.saved_meter import last_saved
from rig.store.store import Store

START = 1_777_000_000 * SECOND


def meter(folder: Path, serial: str, form: str = "9S") -> Program:
    file = folder / f"{serial}-{form}.toml"
    file.write_text(f'[meter]\nserial = "{serial}"\nform = "{form}"\n')
    return load_program(file)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """The store of meter 111, which registered 12 kWh."""
    KeptMeter(tmp_path / "store", meter(tmp_path, "111"), START).meters(120).fails()
    return tmp_path / "store"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


@pytest.mark.parametrize(("serial", "form"), [("222", "9S"), ("111", "2S")])
def test_a_store_of_another_meter_is_refused_naming_both(theirs: Path, tmp_path: Path, serial: str, form: str) -> None:
    before = contents(theirs)
    with pytest.raises(StoreError) as refused:
        KeptMeter(theirs, meter(tmp_path, serial, form), START + 7200 * SECOND)
    assert str(refused.value) == (
        f"the store {theirs} is of the meter with serial number '111' (AE-0764, form 9S), and the program is of serial "
        f"number '{serial}' (AE-0764, form {form}): give this meter a store of its own, or hand that one over with "
        f"rig store adopt {theirs}"
    )
    assert contents(theirs) == before
    KeptMeter(theirs, meter(tmp_path, "111"), START + 7200 * SECOND).fails()


def test_another_meters_journal_beside_this_ones_history_moves_nothing(theirs: Path, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    KeptMeter(ours, meter(tmp_path, "222"), START).meters(60).fails()
    for name in NAMES:
        shutil.copy(theirs / name, ours / name)
    before, saved = contents(ours), last_saved(ours)
    with pytest.raises(StoreError, match=r"is of the meter with serial number '111' .* is of serial number '222'"):
        KeptMeter(ours, meter(tmp_path, "222"), START + 7200 * SECOND)
    assert contents(ours) == before
    with pytest.raises(StoreError, match=r"history\.sqlite is of store .*: put back the file that belongs here"):
        KeptMeter(ours, meter(tmp_path, "111"), START + 7200 * SECOND)
    assert contents(ours).keys() == before.keys()
    assert contents(ours)[NAME] == before[NAME]
    assert last_saved(ours) == saved, "it is whole in both copies now, and the same"


def rig(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> tuple[object, str, str]:
    monkeypatch.setattr(sys, "argv", ["rig", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return (ended.value.code, *capsys.readouterr())


def configured(folder: Path, serial: str) -> Path:
    meter(folder, serial)
    file = folder / "rig.toml"
    file.write_text(f'[meter]\nprogram = "{serial}-9S.toml"\nstore = "store"\n')
    return file


def test_a_store_is_handed_over_by_a_command_and_logged(
    theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, errors = rig(monkeypatch, capsys, "store", "adopt", theirs, "--config", configured(tmp_path, "222"))
    assert (status, out) == (0, "")
    assert errors.count("\n") == 1
    assert f"{theirs} was of serial number '111' (AE-0764, form 9S) and is now of serial number '222'" in errors
    with pytest.raises(StoreError, match="serial number '222'"):
        KeptMeter(theirs, meter(tmp_path, "111"), START + 7200 * SECOND)
    KeptMeter(theirs, meter(tmp_path, "222"), START + 7200 * SECOND).meters(60).fails()
    saved = last_saved(theirs)[1]
    assert max(saved.meter.billing.registers.energy) == 18 * KWH, "of both"
    with HistoryReader(theirs) as history:
        (event,) = [each for each in history.events() if each.name == "store adopted"]
    details = json.loads(event.details)
    assert (details["was_of"], details["is_of"]) == (
        "serial number '111' (AE-0764, form 9S)",
        "serial number '222' (AE-0764, form 9S)",
    )
    assert details["source"] == "command line"
    status, out, errors = rig(
        monkeypatch, capsys, "store", "adopt", theirs, "--config", tmp_path / "rig.toml", "--json"
    )
    assert (status, errors, json.loads(out)["done"]) == (0, "", [])


def test_a_program_that_waits_is_the_other_meters_and_goes(tmp_path: Path) -> None:
    first = KeptMeter(tmp_path / "store", meter(tmp_path, "111"), START)
    keys = first.program.security.keys
    first.persistence.access.state.pending = PendingProgram(
        "0a1b2c3d4e5f", None, START, Source.OPTICAL, "", 4, True, saved_text(first.program), keys, keys
    )
    first.meters(2).fails()
    assert last_saved(tmp_path / "store")[1].access.pending is not None
    adopt(tmp_path / "store", owner_of(meter(tmp_path, "222").nameplate), first.now_ns)
    assert last_saved(tmp_path / "store")[1].access.pending is None
    with HistoryReader(tmp_path / "store") as history:
        assert [event.code for event in history.events()][-2:] == [2083, 29]


def test_what_only_the_fram_has_is_handed_over_with_the_store(tmp_path: Path) -> None:
    chip = FramChip()
    fram = FramSlots("bus", lambda: Fram(chip, "bus"))
    folder, other = tmp_path / "store", owner_of(meter(tmp_path, "222").nameplate)
    first = KeptMeter(folder, meter(tmp_path, "111"), START, fast=fram, flushes=True).meters(1).meters(20, seconds=1)
    first.writer.close()
    saved_ns = first.now_ns
    assert last_saved(folder)[0].utc_ns == saved_ns, "whole at the end"
    first = KeptMeter(folder, meter(tmp_path, "111"), saved_ns, fast=fram, flushes=True).meters(20, seconds=1)
    copy = Path(shutil.copytree(folder, tmp_path / "killed"))
    content = bytes(chip.memory)
    first.writer.close()
    assert last_saved(copy)[0].utc_ns < first.now_ns, "the newest is in the FRAM alone"
    chip.memory[:] = content
    adopt(copy, other, first.now_ns, fast=fram)
    assert last_saved(copy)[0].utc_ns == first.now_ns
    assert last_saved(copy)[1].owner == other


def test_a_history_of_another_store_is_moved_aside_only_by_the_command(
    theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    KeptMeter(other, meter(tmp_path, "111"), START).meters(60).fails()
    foreign = (other / NAME).read_bytes()
    (theirs / NAME).write_bytes(foreign)
    assert rig(monkeypatch, capsys, "store", "adopt", theirs, "--config", configured(tmp_path, "111"))[0] == 0
    (aside,) = theirs.glob("history.sqlite.*Z")
    assert aside.read_bytes() == foreign
    with HistoryReader(theirs) as history:
        assert [event.name for event in history.events()] == ["store adopted"]
    KeptMeter(theirs, meter(tmp_path, "111"), START + 7200 * SECOND).fails()


def test_a_store_in_use_is_not_handed_over(
    theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(theirs)
    status, _, errors = rig(monkeypatch, capsys, "store", "adopt", theirs, "--config", configured(tmp_path, "222"))
    store.close()
    assert status == 2
    assert "is in use by process " in errors


def test_a_sealed_meters_store_is_not_handed_over(
    theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(theirs)
    assert store.restored is not None
    sealed = json.loads(store.restored.payload) | {"sealed": True}
    store.save(json.dumps(sealed).encode(), store.restored.utc_ns)
    store.close()
    before = contents(theirs)
    status, _, errors = rig(monkeypatch, capsys, "store", "adopt", theirs, "--config", configured(tmp_path, "222"))
    assert status == 2
    assert "is of a sealed meter with serial number '111'" in errors
    assert contents(theirs) == before


def test_a_save_of_before_stores_knew_is_taken_and_knows_from_then_on(theirs: Path, tmp_path: Path) -> None:
    store = Store.open(theirs)
    assert store.restored is not None
    older = json.loads(store.restored.payload)
    del older["owner"]
    store.save(json.dumps(older).encode(), store.restored.utc_ns)
    store.close()
    KeptMeter(theirs, meter(tmp_path, "222"), START + 7200 * SECOND).meters(1).fails()
    owner = last_saved(theirs)[1].owner
    assert owner is not None
    assert owner.serial == "222"
