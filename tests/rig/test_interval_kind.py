"""A load record given to `rig replay`, and a recording of waveforms given to `rig bill`: each says whose it is."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest

from rig.cli.app import main
from tests.rig.espi_writer import Meter, Point, as_bytes, feed, hours

ROOT = Path(__file__).parents[2]
USAGE = as_bytes(feed([Point([Meter([hours(24)])])]))
QUARTERS = b"time,kwh_delivered\n2026-01-15T00:15,0.1\n2026-01-15T00:30,0.2\n"

LOADS = {
    "usage.xml": USAGE,
    "no-names.xml": USAGE.replace(b"espi:", b""),
    "wide.xml": as_bytes(feed([Point([Meter([hours(24)])])]), "utf-16"),
    "usage.xml.gz": gzip.compress(USAGE),
    "load.csv": QUARTERS,
    "old.csv": ("Zählpunkt\nDate;Time;Usage (kWh)\n15.01.2026;00:15;0,1\n").encode("cp1252"),
    "kw.txt": b"Timestamp\tActive power kW\n2026-01-15T00:15\t1\n",
    "two.csv": b"time,kWh,Usage (kWh)\n2026-01-15T00:15,1,1\n",
}

WAVES = {
    "plain.csv": b"time_s,va,ia\n0,1,2\n0.001,1,2\n",
    "units.csv": b"Time (s),va (V),ia (mA)\n0,1,2\n0.001,1,2\n",
    "channels.csv": b"Second;CH1 [V];CH2 [V]\n0;1;2\n",
    "x.cfg": b"STATION,1,1999\n2,2A,0D\n",
    "x.cff": b"--- file type: CFG ---\nSTATION,1,1999\n",
}

NEITHER = {
    "none.csv": b"a,b\n1,2\n",
    "page.xml": b"<html><body>sign in</body></html>",
    "phases.csv": b"when,Phase_A kWh,Phase_B kWh\n2026-01-15T00:15,1,2\n",
    "empty.csv": b"",
    "noise.csv": bytes(range(256)) * 40,
}


def said(folder: Path, command: str, name: str, content: bytes | None, monkeypatch: pytest.MonkeyPatch, capsys) -> str:
    path = folder / name
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["rig", command, str(path)])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code not in (0, None)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return " ".join(err.split())


@pytest.mark.parametrize("name", LOADS)
def test_a_load_record_is_for_rig_bill(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    err = said(tmp_path, "replay", name, LOADS[name], monkeypatch, capsys)
    assert "is a load record, of energies by interval, which is for rig bill" in err


@pytest.mark.parametrize("name", WAVES)
def test_a_recording_is_for_rig_replay(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    err = said(tmp_path, "bill", name, WAVES[name], monkeypatch, capsys)
    assert "is a recording of waveforms, which is for rig replay" in err


@pytest.mark.parametrize("name", NEITHER)
@pytest.mark.parametrize("command", ["bill", "replay"])
def test_what_is_neither_has_the_command_s_own_sentence(
    tmp_path: Path, command: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    err = said(tmp_path, command, name, NEITHER[name], monkeypatch, capsys)
    assert "which is for" not in err


@pytest.mark.parametrize("name", ["x.cfg", "usage.xml", "load.csv"])
@pytest.mark.parametrize("command", ["bill", "replay"])
def test_what_is_not_there_is_missed(
    tmp_path: Path, command: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    assert "which is for" not in said(tmp_path, command, name, None, monkeypatch, capsys)


def test_the_examples_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    for command, name in (("replay", "load.csv"), ("bill", "kettle.csv")):
        content = (ROOT / "docs" / "examples" / name).read_bytes()
        assert "which is for" in said(tmp_path, command, name, content, monkeypatch, capsys)
