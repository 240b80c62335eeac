"""The command line as a user meets it: what commands print, and one sentence for each mistake."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from rig.hardware import doctor
from rig.results.summary import Summary


def write_csv(path: Path, seconds: float = 0.5, volts: float = 120.0, amperes: float = 5.0, rate: int = 6000) -> Path:
    t = (np.arange(round(seconds * rate)) + 0.5) / rate
    columns = []
    for k in range(3):
        turn = 2 * np.pi * (60 * t - k / 3)
        columns += [volts * np.sqrt(2) * np.sin(turn), amperes * np.sqrt(2) * np.sin(turn - np.pi / 6)]
    rows = "\n".join(",".join(f"{v:.6f}" for v in row) for row in np.stack(columns, axis=1))
    path.write_text("va,ia,vb,ib,vc,ic\n" + rows + "\n")
    return path


def test_replay_prints_its_json(command_line, tmp_path: Path) -> None:
    write_csv(tmp_path / "load.csv")
    done = command_line("replay", "load.csv", "--rate", "6000", "--json")
    assert done.status == 0, done.err
    summary = msgspec.json.decode(done.out.encode(), type=Summary)
    assert summary.simulated
    assert summary.fidelity == "exact"
    assert summary.form == "9S"
    assert list(summary.phases) == ["a", "b", "c"]
    for k, phase in enumerate(summary.phases.values()):
        assert abs((phase.angle_deg - 120 * k + 180) % 360 - 180) < 0.01
        assert abs((phase.i_angle_deg - 120 * k - 30 + 180) % 360 - 180) < 0.01
        # Typical sensors' noise, −100 dB of 850 V and 70.7 A, is the largest part of what is left.
        assert phase.v_rms == pytest.approx(120, rel=1e-4)
        assert phase.i_rms == pytest.approx(5, rel=1e-4)
        assert phase.p_w == pytest.approx(600 * np.cos(np.pi / 6), rel=1e-4)
        assert phase.pf == pytest.approx(np.cos(np.pi / 6), rel=1e-4)
        # The voltage a quarter cycle before the recording is its mirror image: for b and c that is no sine.
        assert phase.q_var == pytest.approx(300, rel=0.02 if k else 5e-4)
        assert phase.q1_var == pytest.approx(300, rel=5e-4)
        assert phase.p1_w == pytest.approx(phase.p_w, rel=5e-4)
    assert summary.energy_wh.delivered == pytest.approx(3 * 600 * np.cos(np.pi / 6) * 0.5 / 3600, rel=2e-4)
    assert summary.neutral_a < 0.01
    assert summary.energy_wh.received == 0
    assert summary.registers.kwh_delivered == pytest.approx(summary.energy_wh.delivered / 1000, abs=1e-12)
    assert summary.frequency_hz == pytest.approx(60, abs=2e-3)


def test_replay_for_people(command_line, tmp_path: Path) -> None:
    write_csv(tmp_path / "load.csv")
    done = command_line("replay", "load.csv", "--rate", "6000")
    assert done.status == 0, done.err
    assert "SIMULATED (exact)" in done.out
    assert re.search(r"delivered\s+0\.216\d+ Wh", done.out)


def test_ratios_come_back_out(command_line, tmp_path: Path) -> None:
    write_csv(tmp_path / "primary.csv", volts=7200.0, amperes=250.0)
    done = command_line("replay", "primary.csv", "--rate", "6000", "--vt-ratio", "60", "--ct-ratio", "50", "--json")
    assert done.status == 0, done.err
    summary = msgspec.json.decode(done.out.encode(), type=Summary)
    assert summary.phases["a"].v_rms == pytest.approx(7200, rel=1e-4)
    assert summary.phases["a"].i_rms == pytest.approx(250, rel=1e-4)
    assert summary.constants.multiplier == 3000


def test_run_at_full_speed(command_line) -> None:
    done = command_line("run", "--for", "3", "--speed", "max", "--json")
    assert done.status == 0, done.err
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["type"] for line in lines] == ["reading"] * 3 + ["summary"]
    assert all(line["simulated"] for line in lines)
    assert lines[0]["phases"]["a"]["v_rms"] == pytest.approx(120, abs=2)
    summary = lines[-1]
    assert summary["faults"] == {}
    delivered = summary["energy_wh"]["delivered"]
    assert 0 <= delivered - summary["pulses"]["kyz1"] * summary["constants"]["kp1_wh"] < summary["constants"]["kp1_wh"]


def test_doctor(command_line) -> None:
    done = command_line("doctor", "--json")
    assert done.status == 0, done.err
    checks = json.loads(done.out)
    assert {"base", "sim", "rtl", "pi", "lcd", "time"} == {check["part"] for check in checks}
    assert all(check["remedy"] for check in checks if not check["holds"])
    assert all(not check["remedy"] for check in checks if check["holds"])
    assert command_line("doctor").status == 0


def test_doctor_prints_brackets_as_they_are(command_line, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = [doctor.Check("lcd", "luma.lcd", False, "not installed", 'pip install ".[lcd]"')]
    monkeypatch.setattr(doctor, "examine", lambda: lacking)
    monkeypatch.setattr(doctor, "able", lambda checks, config: True)
    assert 'pip install ".[lcd]"' in command_line("doctor").out


def test_priority_is_found_out_by_asking_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No system grants a priority of 1000."""
    monkeypatch.setattr(doctor, "PRIORITY", 1000)
    (check,) = (check for check in doctor.examine() if check.part == "time")
    assert (check.holds, check.found) == (False, "refused")
    assert "LimitRTPRIO=1000" in check.remedy


FILES = {
    "nan.csv": "va,ia\n1,2\n3,nan\n",
    "empty_column.csv": "va,ia\n1,\n3,\n",
    "text.csv": "va,ia\n1,2\n3,x\n",
    "no_rate.csv": "va,ia\n1,2\n3,4\n",
    "empty.csv": "",
    "semicolon.csv": "va;ia\n1;2\n3;4\n",
    "quote.csv": 'va,ia\n1,"2\n3,4\n',
    "one.csv": "va,ia\n" + "1,2\n" * 600,
    "rig_bad.toml": "[hardware]\nkidn = 'sim'\n",
    "pi.toml": "[hardware]\nkind = 'pi'\nspi_path = '/dev/spidev_none'\n",
    "uncalibrated.toml": "[meter]\ncalibration = 'none.toml'\n",
    "nodat.cfg": "S,D,1999\n2,2A,0D\n1,va,A,,V,1,0,0,-9,9,1,1,P\n2,ia,A,,A,1,0,0,-9,9,1,1,P\n60\n1\n960,200\n"
    "01/01/2020,00:00:00.000000\n01/01/2020,00:00:00.000000\nASCII\n1\n",
}
FILES["short.cfg"] = FILES["nodat.cfg"]
FILES["short.dat"] = "\n".join(f"{k + 1},{k * 1000},{k % 9},{k % 7}" for k in range(150)) + "\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay", "nodat.cfg"], r"nodat\.dat: no such file"),
        (["replay", "short.cfg"], r"short\.dat: truncated, .* 200 samples .* 150"),
        (["replay", "none.cfg"], r"none\.cfg: no such file"),
        (["replay", "good.csv", "--rate", "6000", "--channels", "va=VX,ia=ia"], r"no channel VX; it has va, ia"),
        (["replay", "nan.csv", "--rate", "1000"], r"column ia is not a finite number at line 3 \('nan'\)"),
        (["replay", "text.csv", "--rate", "1000"], r"column ia is not a finite number at line 3 \('x'\)"),
        (["replay", "empty_column.csv", "--rate", "1000"], r"column ia is empty"),
        (["replay", "empty.csv", "--rate", "1000"], r"empty\.csv: empty"),
        (["replay", "no_rate.csv"], r"no sampling rate; give it with --rate"),
        (["replay", "high.csv", "--rate", "6000"], r"times the front end's 84\d\.\d V; --vt-ratio 20 would fit"),
        (["replay", "good.csv", "--rate", "6000", "--seconds", "0.005"], r"5 ms to play are less than one window"),
        (["replay", "good.csv", "--rate", "6000", "--start", "9"], r"no samples from 9 s on, it lasts 0\.1 s"),
        (["replay", "good.csv", "--rate", "6000", "--form", "7X"], r'form "7X" is not known: choose 1S'),
        (
            ["replay", "good.csv", "--rate", "6000", "--vt-ratio", "0"],
            r"--vt-ratio is '0', it must be a positive number up to 1000000000, such as 60, 0.5 or 69000/115",
        ),
        (["replay", "good.csv", "--rate", "fast"], r"--rate is 'fast'"),
        (["replay", "good.csv", "--rate", "1e9"], r"a rate of 1e\+09 Hz cannot be played, up to 1e\+07 Hz can"),
        (["replay", "good.csv", "--rate", "6000", "--vt-ratio", "1e999999999"], r"--vt-ratio is '1e999999999'"),
        (["replay", "good.csv", "--rate", "6000", "--loop", "--seconds", "0.001"], r"1 ms to play are less than one"),
        (["replay", "semicolon.csv"], r"semicolon\.csv: no sampling rate; give it with --rate"),
        (["replay", "quote.csv", "--rate", "1000"], r"quote\.csv: "),
        (
            ["replay", "one.csv", "--rate", "6000", "--form", "2S"],
            r"form 2S meters vb, which is not among the channels",
        ),
        (["run", "--config", "rig_bad.toml"], r"rig_bad\.toml: unknown key kidn in \[hardware\]; did you mean kind\?"),
        (["run", "--config", "gone.toml"], r"gone\.toml does not exist"),
        (["run", "--config", "pi.toml"], r"spidev is missing: sudo apt|/dev/spidev_none does not exist: give"),
        (["run", "--config", "pi.toml", "--speed", "max"], r"--speed max needs the simulated rig"),
        (["run", "--config", "uncalibrated.toml"], r"none\.toml cannot be read"),
    ],
)
def test_mistakes_get_one_sentence(command_line, tmp_path: Path, arguments: list[str], said: str) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    write_csv(tmp_path / "good.csv", seconds=0.1)
    write_csv(tmp_path / "high.csv", seconds=0.1, volts=12_000.0)
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}
    done = command_line(*arguments)
    assert done.status == 2
    assert re.search(said, done.err), done.err
    assert done.err.count("\n") == 1
    assert done.out == ""
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("command", ["run", "record", "watch", "replay", "bill", "scope", "doctor", "program new"])
def test_help_carries_an_example(command_line, command: str) -> None:
    done = command_line(*command.split(), "--help")
    assert done.status == 0
    assert f"Example: rig {command}" in done.out
