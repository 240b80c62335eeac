"""`rig store` and the stored profile: on what a meter left, sound and damaged, from any year (S-3, T-4)."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from kept_meter import KWH, SECOND, KeptMeter

from rig.cli.app import main
from rig.meter.billing.commands import Action
from rig.meter.billing.profile import IntervalFlag, MarkKind
from rig.profile.stored import stored_profile
from rig.program.build import Program, load_program
from rig.store.digests import row_digest
from rig.store.disk import Disk
from rig.store.errors import StoreError
from rig.store.history import NAME
from rig.store.journal import NAMES, read_copy
from rig.store.log import NAME as LOG
from rig.store.saved_meter import decode_saved
from rig.store.store import Store

PROGRAM = """
[meter]
model = "RXRS4e"
[demand]
quantities = ["kW delivered"]
[recorder]
interval_minutes = {interval}
channels = [{{ metric = "kWh delivered", pulse = "1" }}]
"""


def program(folder: Path, interval: int = 15) -> Program:
    file = folder / f"program-{interval}.toml"
    file.write_text(PROGRAM.format(interval=interval))
    return load_program(file)


def ns(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp()) * SECOND  # type: ignore[misc]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of two hours, an hour without power between them, a demand reset in the first."""
    folder = tmp_path_factory.mktemp("store")
    settings = program(folder)
    KeptMeter(folder / "store", settings, ns(2026, 5, 1, 10)).meters(60).does(Action.RESET).meters(60).fails()
    KeptMeter(folder / "store", settings, ns(2026, 5, 1, 13), flushes=True).meters(120).fails()
    return folder / "store"


@pytest.fixture
def store(sound: Path, tmp_path: Path) -> Path:
    """One to damage."""
    return Path(shutil.copytree(sound, tmp_path / "store"))


def rig(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object
) -> tuple[int | str | None, str, str]:
    """Exit status, output and errors of a command as it is typed."""
    monkeypatch.setattr(sys, "argv", ["rig", *map(str, words)])
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


# --- what a meter left ----------------------------------------------------------------------------------------


def test_a_sound_store_checks(sound, monkeypatch, capsys):
    status, said, errors = rig(monkeypatch, capsys, "store", "check", sound)
    assert (status, errors) == (0, "")
    assert "✗" not in said
    status, said, _ = rig(monkeypatch, capsys, "store", "check", sound, "--json")
    assert status == 0
    findings = json.loads(said)
    parts = [*NAMES, LOG, "journal", "payload", NAME, "history", "rows", "items", "profile"]
    # Two hours in a second may come to a single save, which tells nothing of wear.
    assert [f["part"] for f in findings if f["part"] != "wear"] == parts
    assert all(f["holds"] for f in findings)


def test_show_has_registers_events_and_snapshots(sound, monkeypatch, capsys):
    status, said, errors = rig(monkeypatch, capsys, "store", "show", sound, "--json")
    assert (status, errors) == (0, "")
    shown = json.loads(said)
    assert shown["registers"]["kwh_delivered"] == 24
    assert (shown["simulated"], shown["fidelity"], shown["resets"]) == (True, "window", 1)
    assert shown["saved"] == "2026-05-01T15:00:00Z"
    assert [(e["time"][11:], e["event"], e["details"].get("seconds")) for e in shown["events"]] == [
        ("11:00:00Z", "demand reset", None),
        ("12:00:00Z", "power down", None),
        ("13:00:00Z", "power up", 3600),
    ]
    assert [(s["cause"], s["details"]["kWh delivered"]) for s in shown["snapshots"]] == [("communication", 6)]
    status, said, _ = rig(monkeypatch, capsys, "store", "show", sound, "--events", 1)
    assert status == 0
    assert "SIMULATED (window)" in said
    assert "24.000000" in said
    assert "power up" in said
    assert "power down" not in said


def test_show_has_all_of_it_exactly(sound, monkeypatch, capsys):
    """6 kW for four hours: after the reset in the first two, one maximum of six; pulses to the part of one."""
    shown = json.loads(rig(monkeypatch, capsys, "store", "show", sound, "--json")[1])
    exact = shown["exact"]
    assert exact["registers"]["energy"]["q1"] == {"nwh": 24 * KWH, "nvarh": 0, "nvah_rms": 0, "nvah_td": 0}
    (demand,) = exact["registers"]["demand"]
    assert (demand["quantity"], demand["total"]["maximum"]["value_nw"]) == ("kW delivered", 6 * KWH)
    assert demand["total"]["maximum"]["at_utc_ns"] == ns(2026, 5, 1, 11, 15)
    assert demand["total"]["cumulative_nw"] == 6 * KWH
    assert exact["averaging"] == {"method": "block", "subinterval_s": 900, "subintervals": 1}
    assert exact["recorder"]["channels"][0]["written_pulses"] == 24_000
    assert exact["recorder"]["channels"][0]["pulse"] == "1"
    assert [(o["name"], o["constant_wh"]) for o in exact["outputs"]] == [("test_led", "9/5"), ("kyz1", "3/20")]
    said = rig(monkeypatch, capsys, "store", "show", sound)[1]
    assert "present 0.0000, previous 6.0000, maximum 6.0000 at 2026-05-01T11:15:00Z" in said
    assert "kWh delivered 6.000000, kWh received 0.000000" in said, "of the snapshot at the reset"


def test_a_save_of_an_older_version_shows_and_goes_on(store, tmp_path, monkeypatch, capsys):
    """It does not say what its demand and its pulses are of; its energies are all there, in the closed season too."""
    opened = Store.open(store)
    assert opened.restored is not None
    old = json.loads(opened.restored.payload)
    assert old.pop("settings")["demand"]["quantities"] == ["kWh delivered"]
    opened.save(json.dumps(old).encode(), ns(2026, 5, 1, 15))
    opened.close()
    assert rig(monkeypatch, capsys, "store", "check", store)[0] == 0
    shown = json.loads(rig(monkeypatch, capsys, "store", "show", store, "--json")[1])
    assert (shown["registers"]["kwh_delivered"], shown["resets"]) == (24, 1)
    assert shown["exact"]["registers"]["energy"]["q1"]["nwh"] == 24 * KWH
    assert (shown["exact"]["registers"]["demand"], shown["exact"]["outputs"]) == ([], [])
    assert shown["exact"]["averaging"] is None
    status, said, errors = rig(monkeypatch, capsys, "store", "show", store)
    assert (status, errors) == (0, "")
    assert "not told by this save, which is of an older version" in said
    KeptMeter(store, program(tmp_path), ns(2026, 5, 1, 16)).meters(30).fails()
    shown = json.loads(rig(monkeypatch, capsys, "store", "show", store, "--json")[1])
    assert shown["registers"]["kwh_delivered"] == 27
    assert shown["exact"]["registers"]["demand"][0]["total"]["maximum"]["value_nw"] == 6 * KWH
    assert "older version" not in rig(monkeypatch, capsys, "store", "show", store)[1]


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("demand", {"kind": "thermal", "subinterval_s": 900, "quantities": ["kWh delivered"]}, "does not continue as"),
        ("outputs", {"kyz1": {"quantity": "kWh delivered", "constant_wh": "1/0"}}, "is inconsistent"),
        ("outputs", {"kyz1": {"quantity": "kWh delivered", "constant_wh": "much"}}, "is inconsistent"),
        ("outputs", {"kyz1": {"quantity": "kWh", "constant_wh": "1"}}, "is not this program's"),
        ("demand", {"kind": "block", "subinterval_s": 7, "quantities": ["kWh delivered"]}, "is not this program's"),
    ],
)
def test_settings_that_do_not_fit_their_state(store, key, value, sentence, monkeypatch, capsys):
    opened = Store.open(store)
    assert opened.restored is not None
    forged = json.loads(opened.restored.payload)
    forged["settings"][key] = value
    opened.save(json.dumps(forged).encode(), ns(2026, 5, 1, 15))
    opened.close()
    status, out, errors = rig(monkeypatch, capsys, "store", "show", store)
    assert (status, out, errors.count("\n")) == (2, "", 1)
    assert sentence in errors


def test_show_knows_the_snapshot_of_a_new_program(store, tmp_path, monkeypatch, capsys):
    KeptMeter(store, program(tmp_path, 30), ns(2026, 5, 1, 16)).meters(60).fails()
    shown = json.loads(rig(monkeypatch, capsys, "store", "show", store, "--json")[1])
    assert [(s["cause"], s["details"]["kWh delivered"]) for s in shown["snapshots"]] == [
        ("communication", 6),
        ("programmed", 24),
    ]
    assert shown["registers"]["kwh_delivered"] == 30


def test_looking_leaves_no_trace(store, monkeypatch, capsys):
    before = {path.name: path.read_bytes() for path in store.iterdir()}
    for words in (("check", store), ("show", store)):
        assert rig(monkeypatch, capsys, "store", *words)[0] == 0
    assert {path.name: path.read_bytes() for path in store.iterdir()} == before


def test_both_work_beside_the_meter(store, tmp_path, monkeypatch, capsys):
    run = KeptMeter(store, program(tmp_path), ns(2026, 5, 1, 16)).meters(30)
    for command in ("check", "show"):
        assert rig(monkeypatch, capsys, "store", command, store)[0] == 0
    run.fails()


# --- what is damaged ------------------------------------------------------------------------------------------


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def copies(store: Path) -> list[Path]:
    """The older one, then the newer."""
    records = {name: read_copy(store / name, Disk()).record for name in NAMES}
    return [store / name for name, _ in sorted(records.items(), key=lambda found: found[1].sequence if found[1] else 0)]


def damage_the_older(store: Path) -> None:
    overwrite(copies(store)[0], 100, bytes(50))


def damage_the_newer(store: Path) -> None:
    overwrite(copies(store)[1], 100, bytes(50))


def damage_both(store: Path) -> None:
    for name in NAMES:
        overwrite(store / name, 100, bytes(50))


def lose_both(store: Path) -> None:
    for name in NAMES:
        (store / name).unlink()


def damage_history(store: Path) -> None:
    size = (store / NAME).stat().st_size
    overwrite(store / NAME, 4096, b"\xff" * (size - 4096))


def lose_history(store: Path) -> None:
    (store / NAME).unlink()


def put_in_another_state(store: Path) -> None:
    """Of a meter that is none of ours."""
    opened = Store.open(store)
    opened.save(b'{"volts": 120}', ns(2026, 6, 1))
    opened.save(b'{"volts": 120}', ns(2026, 6, 1))
    opened.close()


DAMAGES = {
    "the older copy": (damage_the_older, 1, ["billing"], 0, ""),
    "the newer copy": (damage_the_newer, 1, ["billing"], 0, ""),
    "both copies": (damage_both, 1, ["billing", "billing", "journal"], 2, "the registers are not restarted at zero"),
    "no copy": (lose_both, 1, ["billing", "billing", "journal"], 2, "is not a meter's store"),
    "history": (damage_history, 1, ["history", "history"], 2, "the history in"),
    "no history": (lose_history, 1, ["history"], 2, "history.sqlite does not exist"),
    "payload": (put_in_another_state, 1, ["payload"], 2, "is not this program's: Object missing required field"),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_is_told_and_never_a_traceback(store, what, monkeypatch, capsys):
    damage, check_status, parts, show_status, sentence = DAMAGES[what]
    damage(store)
    status, said, errors = rig(monkeypatch, capsys, "store", "check", store, "--json")
    assert (status, errors) == (check_status, "")
    assert [f["part"].split(".")[0] for f in json.loads(said) if not f["holds"]] == parts
    assert rig(monkeypatch, capsys, "store", "check", store)[1].count("✗") == len(parts)
    for words in (("store", "show", store), ("profile", "show", store)):
        status, _, errors = rig(monkeypatch, capsys, *words)
        assert status == show_status, errors
        assert sentence in errors
        assert errors.count("\n") == (1 if show_status else 0)
        assert "this should not happen" not in errors


def test_folders_that_are_no_store(tmp_path, monkeypatch, capsys):
    none, empty = tmp_path / "none", tmp_path
    for words in (("check", none), ("check", none, "--json"), ("show", none), ("show", empty)):
        assert rig(monkeypatch, capsys, "store", *words) == (
            2, "", f"rig: {words[1]} is not a meter's store: give the folder that rig.toml has as store\n"
        )  # fmt: skip


def test_a_store_in_which_nothing_was_saved(tmp_path, monkeypatch, capsys):
    Store.open(tmp_path / "store").close()
    assert rig(monkeypatch, capsys, "store", "check", tmp_path / "store")[0] == 0
    for words in (("store", "show"), ("profile", "show")):
        status, _, errors = rig(monkeypatch, capsys, *words, tmp_path / "store")
        assert status == 2
        assert "nothing was saved" in errors


@pytest.mark.parametrize("settings", ["{}", "no JSON", '{"interval_minutes":15,"memory_bytes":9,"channels":[]}',
                                      '{"interval_minutes":15,"memory_bytes":131072,'
                                      '"channels":[{"metric":"sunshine","pulse":"1"}]}'])  # fmt: skip
def test_settings_of_a_recording_that_cannot_be_read(store, settings):
    database = sqlite3.connect(store / NAME)
    recording = database.execute("SELECT id, utc_ns, capacity FROM recordings").fetchone()
    digest = row_digest("recordings", *recording, settings)
    database.execute("UPDATE recordings SET settings = ?, digest = ?", (settings, digest))
    database.commit()
    database.close()
    with pytest.raises(StoreError, match=r"the settings of a recording in .* cannot be read"):
        stored_profile(store)


def test_a_row_that_is_not_as_it_was_written_is_left_out_and_told(store, monkeypatch, capsys):
    database = sqlite3.connect(store / NAME)
    database.execute("UPDATE events SET details = '{\"seconds\": 1}' WHERE name = 'power up'")
    database.commit()
    status, said, _ = rig(monkeypatch, capsys, "store", "show", store)
    assert status == 0
    assert "is not as it was written, and left out: rig store check says more" in said
    assert "power up" not in said
    (damaged,) = json.loads(rig(monkeypatch, capsys, "store", "show", store, "--json")[1])["damaged"]
    assert damaged in rig(monkeypatch, capsys, "store", "check", store)[1]
    database.execute("UPDATE profile SET words = x'0101'")
    database.commit()
    status, said, _ = rig(monkeypatch, capsys, "profile", "show", store)
    assert status == 0
    assert "the profile of recording 0 from word 0 is not as it was written: left out" in said
    database.execute("UPDATE recordings SET capacity = 7")
    database.commit()
    database.close()
    status, _, errors = rig(monkeypatch, capsys, "profile", "show", store)
    assert status == 2
    assert "recording 0 in " in errors
    assert "is not as it was written" in errors


# --- the load profile -----------------------------------------------------------------------------------------


def kwh(profile, pulse_wh: int = 1) -> Fraction:
    return Fraction(sum(count or 0 for interval in profile.intervals for count in interval.counts) * pulse_wh, 1000)


def ends(profile) -> Sequence[datetime]:
    return [interval.end for interval in profile.intervals]


def test_the_profile_has_the_energy_and_the_outage(sound):
    made, profile = stored_profile(sound)
    assert (made.fidelity, made.mark) == ("window", "SIMULATED (window)")
    assert kwh(profile) == 24
    assert not profile.faults
    assert [(m.kind, m.at, m.until) for m in profile.marks] == [
        (MarkKind.START, datetime(2026, 5, 1, 10), datetime(2026, 5, 1, 10)),
        (MarkKind.OUTAGE, datetime(2026, 5, 1, 12), datetime(2026, 5, 1, 13)),
    ]


@pytest.mark.parametrize("year", [1999, 2011, 2024, 2026, 2035, 2200])
@pytest.mark.parametrize("month", [1, 12])
def test_years_are_those_of_the_meters_clock_whatever_today_is(tmp_path, year, month):
    settings = program(tmp_path)
    begin = datetime(year, month, 31, 22)
    KeptMeter(tmp_path / "store", settings, ns(year, month, 31, 22)).meters(240).fails()
    _, profile = stored_profile(tmp_path / "store")
    assert ends(profile) == [begin + timedelta(minutes=15 * k) for k in range(1, 17)]
    assert kwh(profile) == 24


def test_each_of_two_recordings_by_its_own_settings_and_in_its_own_year(tmp_path):
    """The second began after nine years without power: the first is still of 2026."""
    KeptMeter(tmp_path / "store", program(tmp_path, 15), ns(2026, 5, 1, 10)).meters(120).fails()
    KeptMeter(tmp_path / "store", program(tmp_path, 30), ns(2035, 8, 1, 10)).meters(120).fails()
    _, first = stored_profile(tmp_path / "store", 0)
    assert ends(first) == [datetime(2026, 5, 1, 10) + timedelta(minutes=15 * k) for k in range(1, 9)]
    for number in (None, 1):
        _, second = stored_profile(tmp_path / "store", number)
        assert second.settings.interval_min == 30
        assert kwh(second) == 12
        assert ends(second)[-4:] == [datetime(2035, 8, 1, 10) + timedelta(minutes=30 * k) for k in range(1, 5)]
    with pytest.raises(StoreError, match="has no recording 2: give 0 or 1"):
        stored_profile(tmp_path / "store", 2)


def test_a_long_outage_at_the_end(tmp_path):
    """Eleven months, and then only a minute: intervals are where they were."""
    settings = program(tmp_path)
    KeptMeter(tmp_path / "store", settings, ns(2026, 1, 31, 10)).meters(50).fails()
    KeptMeter(tmp_path / "store", settings, ns(2026, 12, 31, 23, 59)).meters(1).fails()
    _, profile = stored_profile(tmp_path / "store")
    assert ends(profile)[:3] == [datetime(2026, 1, 31, 10) + timedelta(minutes=15 * k) for k in range(1, 4)]
    outage = profile.marks[-2]
    assert (outage.kind, outage.at, outage.until) == (
        MarkKind.OUTAGE,
        datetime(2026, 1, 31, 10, 50),
        datetime(2026, 12, 31, 23, 59),
    )
    assert kwh(profile) == Fraction(51, 10)


def test_a_clock_that_was_set_shows_in_the_profile(tmp_path):
    run = KeptMeter(tmp_path / "store", program(tmp_path), ns(2026, 5, 1, 10)).meters(50)
    run.set_clock(ns(2026, 7, 1, 9, 20)).meters(25).fails()
    _, profile = stored_profile(tmp_path / "store")
    (mark,) = [m for m in profile.marks if m.kind is MarkKind.CLOCK_SET]
    assert (mark.at, mark.until) == (datetime(2026, 5, 1, 10, 50), datetime(2026, 7, 1, 9, 20))
    assert ends(profile)[-2:] == [datetime(2026, 7, 1, 9, 30), datetime(2026, 7, 1, 9, 45)]
    assert any(i.flags & IntervalFlag.SHORT for i in profile.intervals)
    assert kwh(profile) == Fraction(75, 10)


def test_what_a_store_holds_is_what_was_metered(sound):
    """To the last nWh, in the state itself."""
    opened = Store.open(Path(shutil.copytree(sound, sound.parent / "copy")))
    assert opened.restored is not None
    kept = decode_saved(opened.restored.payload)
    opened.close()
    registers = kept.meter.billing.registers
    assert registers is not None
    assert registers.energy[0] == 24 * KWH
    assert msgspec.json.encode(kept) == opened.restored.payload
