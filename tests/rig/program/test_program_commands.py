"""`rig program` as a user meets it: exit statuses, one sentence for each mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rig.cli.program import app
from rig.program import schema
from rig.program.build import load_program
from rig.program.new import new_program
from rig.program.reference import tables

EXAMPLES = Path(schema.__file__).parent / "examples"


def in_process(*arguments: str) -> str:
    """What a command prints that goes well."""
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"})
    assert done.exit_code == 0, done.output
    return done.stdout


def test_new_then_check(command_line, tmp_path: Path) -> None:
    written = command_line(
        "program", "new", "--form", "45S", "--model", "rxs4", "--current-class", "200", "--out", "m.toml"
    )
    assert (written.status, written.err) == (0, "")
    checked = command_line("program", "check", "m.toml")
    assert (checked.status, checked.err) == (0, "")
    for said in (
        "m.toml: no errors",
        "FM 45S",
        "14.4 (inferred)",
        "block interval of 15 min",
        "KYZ1",
        "note: the seal is off",
    ):
        assert said in checked.out
    again = command_line("program", "new", "--out", "m.toml")
    assert again.status == 2
    assert "m.toml exists: choose another name, or overwrite it with --force" in again.err
    assert load_program(tmp_path / "m.toml").nameplate.form == "45S"
    in_process("new", "--out", str(tmp_path / "m.toml"), "--force")
    assert load_program(tmp_path / "m.toml").nameplate.form == "9S"


def test_new_prints_what_it_would_write() -> None:
    assert in_process("new", "--model", "AXLS4", "--form", "2S", "--current-class", "200") == new_program(
        "AXLS4", "2S", 200
    )


def test_check_prints_json_without_keys() -> None:
    printed = in_process("check", str(EXAMPLES / "industrial-9s.toml"), "--json")
    told = json.loads(printed)
    assert list(told) == ["file", "digest", "nameplate", "markings", "summary", "notes", "program"]
    assert told["digest"] == load_program(EXAMPLES / "industrial-9s.toml").digest
    assert told["nameplate"]["Ks"] == "1.8 (inferred)"
    assert told["markings"]["relay_board"]["outputs"][1] == {"number": 2, "kp": "0.3", "function": "kvarh lagging"}
    assert told["summary"]["IN2"] == "forces rate D"
    assert told["program"]["demand"]["method"] == "thermal"
    assert told["program"]["security"] == {"seal": True}
    assert "4D5E6F" not in printed


def test_schema_prints_every_key() -> None:
    lines = in_process("schema").splitlines()
    for table in tables():
        assert table.heading in (line.strip() for line in lines)
        for key in table.keys:
            assert any(line.split()[:1] == [key.name] for line in lines)
    assert "RecorderTable" in json.loads(in_process("schema", "--json"))["$defs"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("check", "bad.toml"), "bad.toml: meter.current_class is 30, it must be 10 or 20 or 200 or 320"),
        (("new", "--form", "7S"), 'meter.form: form "7S" is not known'),
        (("check",), "Missing argument"),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(
    command_line, arguments: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text("[meter]\ncurrent_class = 30", encoding="utf-8")
    done = command_line("program", *arguments)
    assert done.status == 2
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
