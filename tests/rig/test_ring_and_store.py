"""A ring of states that is newer than its store agrees with it on whose that is, and by which program (S-3, H-3)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest
from kept_meter import SECOND, KeptMeter

from rig.meter.billing.commands import Action, Command
from rig.meter.billing.source import Source
from rig.program.build import Program, load_program
from rig.service.persistence import Persistence, Resumed, follows, program_in_force
from rig.service.running import Running
from rig.store.adopt import adopt
from rig.store.errors import StoreError
from rig.store.owner import owner_of
from rig.store.ring import SLOT, StateRing, newest_state
from rig.store.saved_meter import last_saved
from rig.store.store import Store

T0 = 1_800_000_000 * SECOND
SELF_READ = '[self_read]\nschedule = "hours"\nhours = {}\n'


def program(folder: Path, more: str = "", serial: str = "1") -> Program:
    path = folder / f"meter{serial}.toml"
    path.write_text(f'[meter]\nserial = "{serial}"\n{more}')
    return load_program(path)


def running(meter: KeptMeter) -> Running:
    """What the meter's ring holds; only the meter in it is asked for here."""
    nothing = cast(Any, None)
    persistence = meter.persistence
    saved, items = persistence.saved_meter(meter.meter.state), persistence.undurable
    return Running(nothing, (0, 0), 0, {}, {}, saved, nothing, nothing, items, persistence.stored)


def killed_as_it_was_written(folder: Path, configured: Program, written: Program) -> Running:
    """A meter to which a program was written; the process died with that in the ring, and not in the store."""
    meter = KeptMeter(folder, configured, T0, flushes=True).meters(2)
    persistence = meter.persistence
    persistence._add(persistence.write_program(written, configured, meter.meter.state, Source.COMMAND_LINE))
    meter._build()
    found = running(meter)
    persistence.undurable.clear()
    meter.writer._store.close()
    return found


@pytest.fixture
def configured(tmp_path: Path) -> Program:
    return program(tmp_path)


def test_a_nameplate_written_just_before_a_kill_comes_along(tmp_path: Path, configured: Program) -> None:
    store, new = tmp_path / "store", program(tmp_path, serial="2")
    found = killed_as_it_was_written(store, configured, new)
    in_force, written = program_in_force(configured, store, found)
    assert in_force.nameplate.serial == "2"
    opened = Store.open(store)
    assert follows(found.saved, found.stored, opened.restored), "the board ran on"
    opened.close()
    opened = Store.open(store)
    went_on = Persistence(opened, in_force, "window", T0 + 7200 * SECOND, written)  # it has not
    assert went_on.saved_meter(found.saved.meter).owner == owner_of(new.nameplate)
    opened.close()


@pytest.mark.parametrize("more", ["[demand]\ninterval_minutes = 30\n", '[security]\nlevel_4 = "B1B2B3"\n'])
def test_a_program_written_just_before_a_kill_is_taken_over(tmp_path: Path, configured: Program, more: str) -> None:
    store, new = tmp_path / "store", program(tmp_path, more)
    found = killed_as_it_was_written(store, configured, new)
    assert last_saved(store)[1].written is None, "the store does not know of it"
    in_force, written = program_in_force(configured, store, found)
    assert (in_force.digest, in_force.security) == (new.digest, new.security)
    opened = Store.open(store)
    assert follows(found.saved, found.stored, opened.restored)
    went_on = Persistence(opened, in_force, "window", T0, written, resumed=Resumed(found.saved, found.items))
    assert went_on.saved_meter(found.saved.meter) == found.saved
    opened.close()


def test_where_the_board_has_not_run_on_it_is_in_force_from_the_last_save_also_under_the_seal(tmp_path: Path) -> None:
    """What the door allowed under the seal must not keep the meter from starting."""
    sealed = "[security]\nseal = true\nlevel_4 = 'A1A2A3'\n"
    store, configured = tmp_path / "store", program(tmp_path, sealed)
    new = program(tmp_path, sealed + SELF_READ.format(6))
    found = killed_as_it_was_written(store, configured, new)
    before = last_saved(store)[1]
    assert before.sealed
    in_force, written = program_in_force(configured, store, found)
    opened = Store.open(store)
    went_on = Persistence(opened, in_force, "window", T0 + 7200 * SECOND, written)
    assert in_force.digest == new.digest
    assert went_on.billing.registers.amounts()[0] == tuple(before.meter.billing.registers.energy)
    opened.close()
    with pytest.raises(StoreError, match="is of a sealed meter"):
        KeptMeter(store, program(tmp_path, sealed + SELF_READ.format(12)), T0 + 7200 * SECOND)


def test_a_store_that_was_handed_over_follows_no_ring_of_before(tmp_path: Path, configured: Program) -> None:
    store, other = tmp_path / "store", program(tmp_path, serial="2")
    found = killed_as_it_was_written(store, configured, program(tmp_path, "[demand]\ninterval_minutes = 30\n"))
    adopt(store, owner_of(other.nameplate), T0 + 600 * SECOND)
    assert program_in_force(other, store, found) == (other, None)
    opened = Store.open(store)
    assert not follows(found.saved, found.stored, opened.restored)
    opened.close()
    with pytest.raises(StoreError, match="is of the meter with serial number '2'"):
        program_in_force(configured, store, found)


def test_a_ring_older_than_the_store_says_nothing_of_the_program(tmp_path: Path, configured: Program) -> None:
    store = tmp_path / "store"
    found = killed_as_it_was_written(store, configured, program(tmp_path, "[demand]\ninterval_minutes = 30\n"))
    for day in (1, 2):
        KeptMeter(store, configured, T0 + day * 86_400 * SECOND).meters(3).fails()
    assert program_in_force(configured, store, found) == (configured, None)


def test_a_ring_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "ring"
    assert newest_state(path) is None
    assert not path.parent.exists(), "nothing is made"
    ring = StateRing(path)
    assert newest_state(path) is None
    for number in range(1, 6):
        ring.write(b"state %d" % number)
        assert newest_state(path) == b"state %d" % number
    with path.open("r+b") as file:  # the newest is torn
        file.seek(SLOT + 30)
        file.write(b"?")
    assert newest_state(path) == b"state 4"
    ring.close()
    path.write_bytes(path.read_bytes()[:10])
    assert newest_state(path) is None
    path.unlink()
    os.mkfifo(path)
    assert newest_state(path) is None, "and it waits for nobody"


def test_a_ring_that_missed_saves_is_not_gone_on_from(tmp_path: Path, configured: Program) -> None:
    """The store may be one batch ahead: that was saved, and the process died before the ring had it. Two it is not."""
    store = tmp_path / "store"
    meter = KeptMeter(store, configured, T0, flushes=True).meters(2)
    found = running(meter)
    for goes_on in (True, False):
        meter.does(Action.SELF_READ)
        assert follows(found.saved, found.stored, last_saved(store)[0]) is goes_on
    meter.fails()


def test_what_the_disk_has_by_now_is_not_stored_again(tmp_path: Path, configured: Program) -> None:
    """The process died between the save and its next state, which would not have had the self-read any more."""
    store = tmp_path / "store"
    meter = KeptMeter(store, configured, T0, flushes=True).meters(2)
    persistence = meter.persistence
    command = Command(meter.now_ns, Action.SELF_READ, Source.COMMAND_LINE)
    persistence.add(meter.meter.billing.command(command))
    found = running(meter)
    assert [batch for batch, _ in found.items] == [last_saved(store)[1].batch + 1]
    persistence.keep(meter.meter)
    assert meter.writer.flush(60)
    meter.writer._store.close()
    opened = Store.open(store)
    went_on = Persistence(opened, configured, "window", T0, resumed=Resumed(found.saved, found.items))
    assert went_on.undurable == []
    opened.close()


def test_what_the_disk_has_not_is_stored_after_a_kill(tmp_path: Path, configured: Program) -> None:
    store = tmp_path / "store"
    meter = KeptMeter(store, configured, T0, flushes=True).meters(2)
    command = Command(meter.now_ns, Action.SELF_READ, Source.COMMAND_LINE)
    meter.persistence.add(meter.meter.billing.command(command))
    found = running(meter)
    meter.persistence.undurable.clear()
    meter.writer._store.close()
    opened = Store.open(store)
    went_on = Persistence(opened, configured, "window", T0, resumed=Resumed(found.saved, found.items))
    assert [items for _, items in went_on.undurable] == [items for _, items in found.items]
    opened.close()
