"""`rig calibrate`: what it refuses in a sentence before it measures, and one unit from the lot, simulated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rig.calibrate.errors import CalibrateError
from rig.cli.app import app
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
    from rig.failures import MENDABLE

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
    from calibration.errors import CalibrationError

    with pytest.raises(CalibrationError, match="crc32 is missing"):
        calibrate()
