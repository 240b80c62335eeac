"""A meter in its store: goes on after anything, saves in time, and what a new program finds (S-3)."""

from __future__ import annotations

import errno
import itertools
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from random import Random

import msgspec
import pytest
from kept_meter import KWH, MINUTE, SECOND, KeptMeter

from rig.meter.billing.commands import Action
from rig.meter.billing.profile_reading import read_profile
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.source import Source
from rig.meter.clock import STEP_NS
from rig.meter.contacts.outputs import OutputId
from rig.program.build import Program, load_program
from rig.results.provenance import BOARD
from rig.service.persistence import SAVE_NS
from rig.store.disk import Disk
from rig.store.errors import StoreError
from rig.store.reading import HistoryReader, StoredEvent, StoredSnapshot
from rig.store.recording_settings import settings_of
from rig.store.saved_meter import REPROGRAMMED, SavedMeter, decode_saved, last_saved
from rig.store.store import Restored, Store
from tests.rig.store.failing_disk import FailingDisk, PowerCut, torn

ROOT = Path(__file__).parents[2]
T0 = int(datetime(2026, 5, 1, 10, tzinfo=UTC).timestamp()) * SECOND
YEAR = 365 * 86_400 * SECOND

OLD = """
[meter]
model = "RXRS4e"  # one of ten
form = "9S"
[demand]
quantities = ["kW delivered"]
[recorder]
interval_minutes = 15
channels = [{ metric = "kWh delivered", pulse = "1" }]
[[outputs]]
name = "KYZ1"
function = "pulses"
quantity = "kWh delivered"
kp_wh = "1.8"
"""
REORDERED = """
# The same, said in another order.
[recorder]
channels = [{ pulse = "1", metric = "kWh delivered" }]
interval_minutes = 15
[[outputs]]
kp_wh = "1.8"
function = "pulses"
name = "KYZ1"
quantity = "kWh delivered"
[demand]
quantities = ["kW delivered"]
[meter]
form = "9S"
model = "RXRS4e"
"""
NEW = OLD.replace("interval_minutes = 15", "interval_minutes = 30").replace('"kW delivered"]', '"kVA"]')
WITHOUT_RECORDER = OLD[: OLD.index("[recorder]")]


def program(folder: Path, text: str = OLD) -> Program:
    file = folder / "meter.toml"
    file.write_text(text)
    return load_program(file)


def saved(folder: Path) -> tuple[Restored, SavedMeter]:
    store = Store.open(folder)
    restored = store.restored
    store.close()
    assert restored is not None
    return restored, decode_saved(restored.payload)


def history(folder: Path) -> tuple[list[StoredEvent], list[StoredSnapshot]]:
    with HistoryReader(folder) as reader:
        return list(reader.events()), list(reader.snapshots())


def kwh(meter: KeptMeter) -> Fraction:
    billing = meter.meter.billing
    billing.settle()
    return Fraction(billing.registers.energy(Quantity.KWH_DELIVERED), KWH)


def test_twenty_kills(tmp_path):
    """kill_bench.py says what is counted; tests/proof/test_kill.py kills five hundred times."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(Path(__file__).with_name("kill_bench.py")), str(tmp_path / "s"), "20", "1"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    wrong = ("registers off", "registers that fell", "states that differ", "items wrong", "saves lost", "findings")
    assert {what: found[what] for what in wrong} == dict.fromkeys(wrong, 0)
    assert found["lost s"] <= 10  # as docs/store.md has it
    assert found["outages"] > 10
    assert found["windows"] > 50


# --- when it is saved -----------------------------------------------------------------------------------------


def test_saved_at_the_beginning_every_second_and_when_anything_happens(tmp_path):
    """Records of 20 ms: 950 ms are over with the 48th, at 960 ms."""
    meter = KeptMeter(tmp_path / "s", program(tmp_path), T0, flushes=True)
    saves = []
    for _ in range(150):
        meter.meters(1, milliseconds=20)
        saves.append(meter.writer.saved_utc_ns)
    assert saves == [T0 + SECOND * (20 + k // 48 * 960) // 1000 for k in range(150)]
    meter.does(Action.RESET)
    assert meter.writer.saved_utc_ns == T0 + 3 * SECOND
    meter.meters(3, milliseconds=20).does(Action.TEST_BEGIN)
    assert meter.writer.saved_utc_ns == T0 + 306 * SECOND // 100
    meter.set_clock(T0 - YEAR)
    assert meter.writer.saved_utc_ns == T0 - YEAR
    meter.meters(1, seconds=1)  # and it does not wait until the old time comes again
    assert meter.writer.saved_utc_ns == T0 - YEAR + SECOND
    meter.fails()


def test_without_a_store_nothing_is_in_trouble(tmp_path):
    meter = KeptMeter(None, program(tmp_path), T0).meters(30)
    assert meter.persistence.trouble is None
    meter.fails()
    assert kwh(meter) == 3


# --- a disk that fails ----------------------------------------------------------------------------------------


class FailingWrites(Disk):
    """A disk on which nothing can be written while `code` says why."""

    code: int | None = None

    def write(self, file: int, data: bytes, offset: int) -> None:
        if self.code is not None:
            raise OSError(self.code, os.strerror(self.code))
        super().write(file, data, offset)


@pytest.mark.parametrize(
    ("code", "why"), [(errno.ENOSPC, "No space left on device"), (errno.EROFS, "Read-only file system")]
)
def test_metering_goes_on_while_the_disk_is_full_or_read_only(tmp_path, code, why):
    disk = FailingWrites()
    meter = KeptMeter(tmp_path / "s", program(tmp_path), T0, disk=disk, flushes=True).meters(30)
    assert meter.persistence.trouble is None
    disk.code = code
    meter.meters(30).does(Action.RESET)
    assert kwh(meter) == 6
    assert why in (meter.persistence.trouble or "")
    assert meter.writer.saved_utc_ns == T0 + 30 * MINUTE
    disk.code = None
    meter.meters(30)
    assert meter.persistence.trouble is None
    assert meter.writer.saved_utc_ns == T0 + 90 * MINUTE
    meter.fails()
    events, snapshots = history(tmp_path / "s")
    assert [(e.utc_ns, e.name) for e in events] == [(T0 + 60 * MINUTE, "demand reset")]
    assert [s.kind for s in snapshots] == ["communication"]
    with HistoryReader(tmp_path / "s") as reader:
        (run,) = reader.words(0)
    assert run.first == 0
    assert len(run.words) == 2 + 6  # the beginning's date and time, and each interval's count


def test_power_fails_while_the_disk_is_full(tmp_path):
    """What the disk had is what it goes on from; the time since then was without a meter, as far as anyone can tell."""
    disk = FailingWrites()
    meter = KeptMeter(tmp_path / "s", program(tmp_path), T0, disk=disk, flushes=True).meters(30)
    disk.code = errno.ENOSPC
    meter.meters(30).fails()
    meter = KeptMeter(tmp_path / "s", program(tmp_path), T0 + 61 * MINUTE).meters(10)
    assert kwh(meter) == 4
    meter.fails()
    assert [(e.utc_ns, e.name, json.loads(e.details)) for e in history(tmp_path / "s")[0]] == [
        (T0 + 30 * MINUTE, "power down", {}),
        (T0 + 61 * MINUTE, "power up", {"seconds": 31 * 60}),
    ]


def test_what_was_damaged_is_in_the_log_once(tmp_path):
    KeptMeter(tmp_path / "s", program(tmp_path), T0).meters(30).fails()
    (tmp_path / "s" / "billing.a").unlink()
    KeptMeter(tmp_path / "s", program(tmp_path), T0 + 31 * MINUTE).meters(30).fails()
    KeptMeter(tmp_path / "s", program(tmp_path), T0 + 90 * MINUTE).meters(30).fails()
    found = [json.loads(e.details)["found"] for e in history(tmp_path / "s")[0] if e.name == "memory error"]
    assert len(found) == len(set(found))
    (missing,) = [text for text in found if "was missing" in text]
    assert missing == f"{tmp_path}/s/billing.a was missing and has been recreated from billing.b"


def test_power_is_cut_at_any_operation_of_the_disk(tmp_path, monkeypatch):
    """What a cut leaves of the writes under way may be any part of them (failing_disk.py). Of 6 kW, all is there up to
    the instant gone on from, and that is what the meter had been told is saved, or later."""
    monkeypatch.setattr(threading, "excepthook", lambda ended: None)  # the writer's thread ends in the cut
    folder, settings, rng = tmp_path / "s", program(tmp_path), Random(3)
    disk = FailingDisk(torn(rng), rng)
    utc_ns, energy, resumed, outages, torn_writes = T0, 0, None, [], 0
    for _ in range(60):
        disk.cut_at = disk.operations + rng.randint(1, 30)
        reported_ns = saved_ns = resumed
        try:
            meter = KeptMeter(folder, settings, utc_ns, disk=disk)
        except PowerCut:
            disk.restore_power()
        else:
            torn_writes += bool(meter.writer.notes)
            while meter.meters(1, rng.choice([3, 9, 60])) and flushed(meter):
                reported_ns, saved_ns = meter.now_ns, meter.writer.saved_utc_ns
            meter.writer._store._archive.close()
            meter.writer._store._files.lock.close()
            disk.restore_power()
        try:
            restored, kept = last_saved(folder)
        except StoreError:
            assert saved_ns is None
            continue
        assert kept.meter.billing.registers is not None
        assert saved_ns is None or restored.utc_ns >= saved_ns
        assert reported_ns is None or reported_ns - restored.utc_ns <= SAVE_NS
        if restored.utc_ns > utc_ns:  # something of this run was saved
            outages += [(resumed, utc_ns)] if resumed else []
            energy += (restored.utc_ns - utc_ns) * KWH // (10 * MINUTE)
            resumed = restored.utc_ns
        assert restored.utc_ns == resumed
        assert kept.meter.billing.registers.energy[0] == energy
        utc_ns = resumed + rng.randrange(20 * MINUTE)
    disk.cut_at = None
    KeptMeter(folder, settings, utc_ns, disk=disk).meters(1).fails()
    events = [e for e in history(folder)[0] if e.name.startswith("power")]
    assert [(down.utc_ns, up.utc_ns) for down, up in zip(events[::2], events[1::2], strict=True)] == [
        *outages,
        (resumed, utc_ns),
    ]
    assert [json.loads(up.details)["seconds"] for up in events[1::2]] == [
        (up.utc_ns - down.utc_ns) // SECOND for down, up in zip(events[::2], events[1::2], strict=True)
    ]
    assert len(outages) > 10
    assert torn_writes > 3


def test_power_is_cut_at_every_operation_of_a_program_write(tmp_path, monkeypatch):
    """Either program is in force, whole, with its own settings and all energy; the new one if it was told as saved."""
    monkeypatch.setattr(threading, "excepthook", lambda ended: None)
    old, found = program(tmp_path), set()
    new = program(tmp_path, NEW)
    for cut in itertools.count(1):
        for seed in range(8):
            folder, rng = tmp_path / f"{cut}-{seed}", Random(seed)
            disk = FailingDisk(torn(rng) if seed else lambda length: [(0, length)], rng)
            meter = KeptMeter(folder, old, T0, disk=disk).meters(3)
            assert flushed(meter)
            disk.cut_at = disk.operations + cut
            ticket = meter.writes(new)
            told = flushed(meter) and meter.persistence.saved(ticket)
            meter.writer._store._archive.close()
            meter.writer._store._files.lock.close()
            disk.restore_power()
            disk.cut_at = None
            again = KeptMeter(folder, old, T0 + 10 * MINUTE, disk=disk)
            is_new = again.program.digest == new.digest
            assert is_new or (again.program.digest == old.digest and not told)
            assert kwh(again) == Fraction(3, 10)
            again.meters(45).fails()
            assert [json.loads(e.details)["program"] for e in history(folder)[0] if e.name == "programmed"] == (
                [new.digest] if is_new else []
            )
            found.add((is_new, told))
        if told:
            break
    assert found == {(False, False), (True, False), (True, True)}


def flushed(meter: KeptMeter) -> bool:
    """Waits for the disk; False when power was cut meanwhile."""
    while meter.writer._thread.is_alive():
        if meter.writer.flush(0.01):
            return True
    return False


# --- the clock after an outage --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later_ns", "outage_s", "set_by_s"),
    [
        (0, 0, None),
        (5 * SECOND, 5, None),
        (30 * YEAR, 30 * 365 * 86_400, None),
        (-1, 0, None),
        (-STEP_NS, 0, None),
        (-STEP_NS - 1, 0, -2),  # rounded down
        (-3600 * SECOND, 0, -3600),
        (-15 * YEAR, 0, -15 * 365 * 86_400),
    ],
)
def test_what_becomes_of_the_time_since_the_last_save(tmp_path, later_ns, outage_s, set_by_s):
    """The table of rig/service/persistence.py, row by row. Energy, of course, stays."""
    KeptMeter(tmp_path / "s", program(tmp_path), T0).meters(65).fails()
    end = T0 + 65 * MINUTE
    meter = KeptMeter(tmp_path / "s", program(tmp_path), end + later_ns)
    slewed = -STEP_NS <= later_ns < 0
    assert meter.now_ns == (end if slewed else end + later_ns)
    assert kwh(meter) == Fraction(65, 10)
    meter.meters(30).fails()
    events = [(e.utc_ns, e.name, json.loads(e.details)) for e in history(tmp_path / "s")[0]]
    up = max(end, end + later_ns)
    expected: list[object] = [(end, "power down", {}), (up, "power up", {"seconds": outage_s})]
    if set_by_s is not None:
        by = {"source": "service clock"}
        expected += [(end, "clock set from", by), (end + later_ns, "clock set to", {"seconds": set_by_s} | by)]
    assert events[: len(expected)] == expected
    _, kept = saved(tmp_path / "s")
    recorder = kept.meter.billing.recorder
    assert recorder is not None
    assert recorder.counted[0] + recorder.carried[0] // SECOND == 9500


@pytest.mark.parametrize("later_ns", [3600 * SECOND, 0, -3600 * SECOND])
def test_what_was_asked_for_as_power_failed_waits_for_no_clock(tmp_path, later_ns):
    """The closing of a contact that forces a rate, and the Test switch, 10 ms past the last record."""
    meter = KeptMeter(tmp_path / "s", program(tmp_path), T0).meters(65)
    meter.does(Action.FORCE_RATE, 2, after_ns=SECOND // 100).does(Action.TEST_BEGIN, after_ns=SECOND // 100).fails()
    billing = KeptMeter(tmp_path / "s", program(tmp_path), T0 + 65 * MINUTE + later_ns).meter.billing
    assert billing.state.waiting == []
    assert billing.rate_forced
    assert billing.test is None


# --- another program ------------------------------------------------------------------------------------------


def programmed(tmp_path: Path, text: str) -> KeptMeter:
    """A meter that has metered 6.5 kWh, counted pulses and was reset, programmed anew two minutes later."""
    meter = KeptMeter(tmp_path / "s", program(tmp_path), T0).meters(50).does(Action.RESET)
    meter.does(Action.INPUT_PULSES, 1, 7).does(Action.FORCE_RATE, 2).meters(15).fails()
    return KeptMeter(tmp_path / "s", program(tmp_path, text), T0 + 67 * MINUTE)


def test_comments_and_order_are_no_other_program(tmp_path):
    assert program(tmp_path, REORDERED).digest == program(tmp_path).digest
    meter = programmed(tmp_path, REORDERED)
    assert meter.meter.billing.recorder is not None
    assert len(meter.meter.billing.recorder.state.counted) == 1
    assert meter.meter.billing.registers.demand is not None
    meter.meters(5).fails()
    events, snapshots = history(tmp_path / "s")
    assert "programmed" not in [e.name for e in events]
    assert [s.kind for s in snapshots] == ["communication"]
    with HistoryReader(tmp_path / "s") as reader:
        assert [r.id for r in reader.recordings()] == [0]


@pytest.mark.parametrize("text", [NEW, WITHOUT_RECORDER])
def test_another_program_keeps_energy_inputs_and_resets(tmp_path, text):
    meter = programmed(tmp_path, text)
    billing = meter.meter.billing
    assert kwh(meter) == Fraction(65, 10)
    assert [Fraction(billing.registers.energy(Quantity.KWH_DELIVERED, rate), KWH) for rate in range(4)] == [
        5, 0, Fraction(3, 2), 0
    ]  # fmt: skip
    assert (billing.inputs, billing.resets, billing.last_reset_ns) == ((0, 7), 1, T0 + 50 * MINUTE)
    assert billing.registers.demand is not None
    assert billing.registers.demand.cumulative(0) == billing.registers.demand.maximum(0).value == 0
    meter.meters(33).fails()
    assert kwh(meter) == Fraction(98, 10)


def test_another_program_leaves_the_whole_old_state_and_begins_a_recording(tmp_path):
    meter = programmed(tmp_path, NEW)
    new = meter.persistence._program
    meter.meters(33).fails()
    events, snapshots = history(tmp_path / "s")
    (whole,) = [s for s in snapshots if s.kind == REPROGRAMMED]
    assert whole.utc_ns == T0 + 65 * MINUTE
    kept = decode_saved(whole.registers.encode())
    assert kept.program == program(tmp_path).digest
    assert kept.meter.billing.registers is not None
    assert kept.meter.billing.registers.energy[0] == 65 * KWH // 10
    assert kept.meter.outputs[OutputId.KYZ1].count == 0  # pulses are of records; none came
    assert [(e.name, e.utc_ns) for e in events][-3:] == [
        ("programmed", T0 + 65 * MINUTE),
        ("power down", T0 + 65 * MINUTE),
        ("power up", T0 + 67 * MINUTE),
    ]
    assert json.loads(events[-3].details) == {"program": new.digest}
    with HistoryReader(tmp_path / "s") as reader:
        recordings = reader.recordings()
        assert [r.id for r in recordings] == [0, 1]
        assert [settings_of(r.settings).interval_min for r in recordings] == [15, 30]
        assert [len(reader.words(n)) for n in (0, 1)] == [1, 1]
        assert reader.words(1)[0].first == 0
        assert reader.gaps() == []


def test_back_to_the_first_program_is_a_third_recording(tmp_path):
    programmed(tmp_path, NEW).meters(30).fails()
    meter = KeptMeter(tmp_path / "s", program(tmp_path, OLD), T0 + 100 * MINUTE).meters(20)
    assert kwh(meter) == Fraction(115, 10)
    meter.fails()
    with HistoryReader(tmp_path / "s") as reader:
        assert [settings_of(r.settings).interval_min for r in reader.recordings()] == [15, 30, 15]


# --- what is cleared ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [Action.CLEAR, Action.MASTER_RESET, Action.COLD_START])
def test_what_is_cleared_begins_a_recording_and_leaves_the_old_one_and_the_registers(tmp_path, action):
    """Over a power failure, too: who asked is in the log, and what there was in history and profile."""
    meter = KeptMeter(tmp_path / "s", program(tmp_path), T0).meters(50).does(action, source=Source.MODEM)
    assert kwh(meter) == 0
    meter.meters(40).fails()
    meter = KeptMeter(tmp_path / "s", program(tmp_path), T0 + 90 * MINUTE)
    assert kwh(meter) == 4
    meter.meters(30).fails()
    events, snapshots = history(tmp_path / "s")
    (line,) = [e for e in events if e.code in (2062, 2063, 2064)]
    assert (line.utc_ns, json.loads(line.details)) == (T0 + 50 * MINUTE, {"source": "modem"})
    (kept,) = snapshots
    assert (kept.utc_ns, kept.kind) == (T0 + 50 * MINUTE, action.value)
    assert json.loads(kept.registers)["energy"][0] == 5 * KWH
    with HistoryReader(tmp_path / "s") as reader:
        assert [(r.id, r.utc_ns) for r in reader.recordings()] == [(0, T0), (1, T0 + 50 * MINUTE)]
        assert reader.gaps() == []
        old, new = (reader.words(number) for number in (0, 1))
        assert (old[0].first, new[0].first) == (0, 0)
    settings = program(tmp_path).billing.recorder
    counts = [
        [interval.counts[0] for interval in read_profile(run.words, settings, datetime(2026, 5, 1)).intervals]
        for run in (*old, *new)
    ]
    assert counts == [[1500, 1500, 1500], [1000, 1500, 1500, 1500, 1500]]  # 6 kW; the first is from 10:50 to 11:00


def test_who_asked_is_in_the_log(tmp_path):
    meter = KeptMeter(tmp_path / "s", program(tmp_path), T0).meters(5)
    meter.does(Action.RESET, source=Source.OPTICAL).does(Action.RESET_BY_SWITCH, source=Source.FRONT)
    meter.does(Action.TEST_BEGIN, source=Source.RS485).does(Action.RESET, source=Source.PANEL).meters(1)
    meter.does(Action.TEST_END, source=Source.VERIFICATION).does(Action.SELF_READ, source=Source.MODULE)
    meter.does(Action.SEASON_CHANGE, source=Source.COMMAND_LINE).set_clock(meter.now_ns + 3600 * SECOND).fails()
    events, _ = history(tmp_path / "s")
    assert [(e.name, json.loads(e.details).get("source")) for e in events] == [
        ("demand reset", "optical port"),
        ("demand reset", "front"),
        ("test mode begin", "RS-485"),
        ("test demand reset", "panel"),
        ("test mode end", "verification"),
        ("self read", "module"),
        ("demand reset", "command line"),
        ("season change", "command line"),
        ("clock set from", "service clock"),
        ("clock set to", "service clock"),
    ]


# --- what is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "there"),
    [("window", BOARD, "on a simulated rig"), (BOARD, "window", "on hardware"), (BOARD, "", "on hardware")],
)
def test_a_simulated_meters_store_is_not_for_hardware_nor_the_other_way_round(tmp_path, first, second, there):
    KeptMeter(tmp_path / "s", program(tmp_path), T0, first).meters(1).fails()
    before = saved(tmp_path / "s")[0]
    with pytest.raises(StoreError, match=f"the store is of a meter {there}, and this one is not there"):
        KeptMeter(tmp_path / "s", program(tmp_path), T0 + MINUTE, second)
    assert saved(tmp_path / "s")[0] == before


def test_one_simulation_may_go_on_from_another(tmp_path):
    KeptMeter(tmp_path / "s", program(tmp_path), T0, "window").meters(10).fails()
    meter = KeptMeter(tmp_path / "s", program(tmp_path), T0 + 10 * MINUTE, "sample").meters(10)
    assert kwh(meter) == 2
    meter.fails()
    assert saved(tmp_path / "s")[1].fidelity == "sample"


def put(folder: Path, payload: bytes) -> None:
    store = Store.open(folder)
    store.save(payload, T0 + 10 * MINUTE)
    store.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda state: state | {"tariff": 5}, "it has tariff, which is not known here"),
        (lambda state: state["meter"]["billing"].update(volts=[1]) or state, "it has meter.billing.volts"),
        (lambda state: {k: v for k, v in state.items() if k != "program"}, "missing required field `program`"),
        (lambda state: state | {"recording": "first"}, r"Expected `int`, got `str` - at `\$.recording`"),
        (lambda state: [state], "Expected `object`, got `array`"),
    ],
)
def test_a_state_of_another_version_is_refused_in_a_sentence(tmp_path, change, reason):
    KeptMeter(tmp_path / "s", program(tmp_path), T0).meters(10).fails()
    payload = saved(tmp_path / "s")[0].payload
    put(tmp_path / "s", msgspec.json.encode(change(msgspec.json.decode(payload))))
    with pytest.raises(StoreError, match=rf"the stored state number \d+ is not this program's: .*{reason}") as refused:
        KeptMeter(tmp_path / "s", program(tmp_path), T0 + 10 * MINUTE)
    assert "use the version that wrote it, or move the store away" in str(refused.value)
    put(tmp_path / "s", payload)  # nothing is broken by that, and nobody holds the store
    meter = KeptMeter(tmp_path / "s", program(tmp_path), T0 + 10 * MINUTE)
    assert kwh(meter) == 1
    meter.fails()


def test_what_an_older_version_did_not_know_has_its_default(tmp_path):
    KeptMeter(tmp_path / "s", program(tmp_path), T0).meters(10).fails()
    state = msgspec.json.decode(saved(tmp_path / "s")[0].payload)
    del state["meter"]["billing"]["last_switch_reset_ns"]
    put(tmp_path / "s", msgspec.json.encode(state))
    meter = KeptMeter(tmp_path / "s", program(tmp_path), T0 + 10 * MINUTE)
    assert meter.meter.billing.state.last_switch_reset_ns is None
    meter.fails()
