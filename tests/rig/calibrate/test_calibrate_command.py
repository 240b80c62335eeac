"""`rig calibrate`: what it refuses in a sentence before it measures, and one unit from the lot, simulated."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from calibration.constants_file import read_calibration
from calibration.errors import CalibrationError
from rig.calibrate.errors import CalibrateError
from rig.calibrate.result import CalibrationResult
from rig.cli.app import app
from rig.failures import MENDABLE
from rig.files.claim import Claim, ClaimError

RIG = '[simulation]\nlot = {{ seed = 7, meter = 12, fault = "{fault}" }}\n[meter]\ncalibration = "constants.toml"\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rig.toml").write_text(RIG.format(fault="none"))
    return tmp_path


def calibrate(*words: str) -> object:
    return CliRunner().invoke(app, ["calibrate", *words], catch_exceptions=False)


@pytest.mark.parametrize(
    ("toml", "words", "said"),
    [
        ("", [], r"rig.toml names no file for the constants: give it meter.calibration"),
        (None, ["--sensors", "coils"], r"--sensors is 'coils', it must be transformers or shunts"),
        (None, ["--truth", "faith"], r"--truth is 'faith'|no meter runs"),
        ('[hardware]\nkind = "pi"\n[meter]\ncalibration = "c.toml"\n', [], r"--truth waveform is of the simulated rig"),
    ],
)
def test_what_cannot_be_is_said_first(here: Path, toml: str | None, words: list[str], said: str) -> None:
    if toml is not None:
        (here / "rig.toml").write_text(toml)
    with pytest.raises(MENDABLE, match=said):
        calibrate(*words, "--dry-run")
    assert {path.name for path in here.iterdir()} <= {"rig.toml"}


def test_a_form_of_one_phase_is_refused(here: Path) -> None:
    (here / "meter.toml").write_text('[meter]\nform = "1S"\n')
    (here / "rig.toml").write_text(RIG.format(fault="none") + 'program = "meter.toml"\n')
    with pytest.raises(CalibrateError, match="form 1S is not calibrated: give the bench a 4-wire wye, form 9S"):
        calibrate()


def test_two_runs_at_once_are_one(here: Path) -> None:
    claim = Claim(here / "constants.toml.lock", "the calibration", passing=True)
    with pytest.raises(ClaimError, match=rf"the calibration of .*constants.toml is in use by process {os.getpid()}"):
        calibrate()
    claim.close()


def test_constants_of_another_board_are_not_begun_with(here: Path) -> None:
    (here / "constants.toml").write_text("version = 2\n")
    with pytest.raises(CalibrationError, match="crc32 is missing"):
        calibrate()


@pytest.mark.slow
def test_a_command_that_is_killed_goes_on_and_its_constants_are_whole(here: Path) -> None:
    """kill -9 after the third point, then Ctrl-C after a few more, then to the end, written through the door."""
    environment = os.environ | {"RIG_KEY": "000000"}
    command = [str(Path(sys.executable).with_name("rig")), "calibrate", "--sensors", "shunts"]
    (here / "rig.toml").write_text(RIG.format(fault="none").replace("meter = 12", 'meter = 12, currents = "shunts"'))
    session, constants = here / "constants.toml.session", here / "constants.toml"
    for points, number, status in ((3, signal.SIGKILL, -9), (5, signal.SIGINT, 130)):
        run = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while not session.exists() or session.read_bytes().count(b'"purpose"') < points:
            assert run.poll() is None, run.communicate()
            time.sleep(0.02)
        nominal = constants.read_bytes()
        run.send_signal(number)
        _, said = run.communicate()
        assert run.returncode == status
        assert "Traceback" not in said
        assert constants.read_bytes() == nominal, "nothing is written before the end"
        assert {path.name for path in here.iterdir()} <= {
            "rig.toml",
            constants.name,
            session.name,
            "constants.toml.lock",
        }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("measured before") >= 5
    assert "passed: the meter has the constants" in done.stdout
    calibration = read_calibration(constants)
    assert calibration.calibrated
    assert calibration.board == "lot 7, meter 12, shunts"
    assert not session.exists()
    result = msgspec.json.decode((here / f"constants.{calibration.digest}.json").read_bytes(), type=CalibrationResult)
    assert result.passed
    assert result.written
