"""No key in any repr, JSON, message or event: of programs right and wrong, of the door, of the command line."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from rig.cli.app import app
from rig.files.strict_toml import ConfigError, convert
from rig.meter.access.access import Access
from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Asker, Conditions, Granted
from rig.meter.access.security import KeyProof
from rig.meter.billing.source import Source
from rig.program import schema
from rig.program.build import Program, build, load_program

EXAMPLES = sorted((Path(schema.__file__).parent / "examples").glob("*.toml"))
S = 10**9


def keys_of(path: Path) -> list[str]:
    table = tomllib.loads(path.read_text(encoding="utf-8")).get("security", {})
    return [key for name, key in table.items() if name.startswith("level")]


def forms(key: str) -> list[str]:
    """A key as something that prints it could have it."""
    raw = bytes.fromhex(key.rjust(6, "0"))
    escaped = "".join(f"\\x{byte:02x}" for byte in raw)
    return [key, key.lower(), repr(raw), escaped, str(int(key, 16)), str(list(raw)), str(tuple(raw))]


def assert_without(text: str, keys: list[str]) -> None:
    for key in keys:
        for form in forms(key):
            assert form not in text, form


def renderings(thing: object) -> Iterator[str]:
    yield repr(thing)
    yield str(thing)
    console = Console(file=io.StringIO(), width=10_000)
    console.print(thing)
    assert isinstance(console.file, io.StringIO)
    yield console.file.getvalue()


def test_some_examples_have_keys() -> None:
    assert sum(len(keys_of(path)) for path in EXAMPLES) >= 8


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_programs(path: Path) -> None:
    program = load_program(path)
    keys = keys_of(path)
    for thing in (program, program.file, program.file.security, program.security, [program.file]):
        for text in renderings(thing):
            assert_without(text, keys)
    assert keys == [] or msgspec.to_builtins(program.file)["security"]["level_4"] in keys


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_command_line(path: Path) -> None:
    for options in ([], ["--json"]):
        printed = CliRunner().invoke(app, ["program", "check", str(path), *options]).output
        assert printed
        assert_without(printed, keys_of(path))
        assert not options or set(json.loads(printed)["program"]["security"]) == {"seal"}


def test_the_digest_tells_no_key() -> None:
    text = '[security]\nseal = true\nlevel_{} = "{}"'
    plain = build(convert(tomllib.loads("[security]\nseal = true"), schema.ProgramFile)).digest
    for level in range(1, 5):
        assert build(convert(tomllib.loads(text.format(level, "ABCDEF")), schema.ProgramFile)).digest == plain


UGLY = [
    'level_4 = "4D5E6F0"',
    'level_4 = "4D5E6G"',
    'level_4 = "0x4D5E6F"',
    'level_4 = "4D5E6F "',
    'level_4 = "4D5E6F\\n"',
    'level_4 = ["4D5E6F"]',
    'level_4 = { key = "4D5E6F" }',
    "level_4 = 5070447",
    "level_4 = 5070447.0",
    'level_4 = 5070447\nlevel_3 = "4D5E6F"',
    'level_5 = "4D5E6F"',
    'level_4 = "４D5E6F"',
]
"""Keys that are wrong; 5070447 is 0x4D5E6F."""


@pytest.mark.parametrize("line", UGLY)
def test_messages_about_wrong_keys(line: str, tmp_path: Path) -> None:
    path = tmp_path / "meter.toml"
    path.write_text(f"[security]\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_program(path)
    said = str(caught.value)
    assert "security" in said
    for part in ("4D5E6", "D5E6", "5070447"):
        assert part not in said
    assert "level_" in said
    assert "level_5" in said or "it must be up to six hexadecimal digits in quotes" in said


def test_a_key_in_place_of_the_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        build(convert({"security": "4D5E6F"}, schema.ProgramFile))
    assert str(caught.value) == (
        "security is not valid (it is not shown here), it must be a table: [security] and its keys below"
    )


KNOWN = ["C1D2E3", "C2D3E4", "C3D4E5", "C4D5E6"]
WRONG = ["C4D5E7", "C4D5E6F7"]


@cache
def sealed_program() -> Program:
    lines = "".join(f'\nlevel_{level} = "{key}"' for level, key in enumerate(KNOWN, 1))
    return build(convert(tomllib.loads(f"[security]\nseal = true{lines}"), schema.ProgramFile))


@cache
def proof_of(key: str) -> KeyProof:
    return sealed_program().security.proof(bytes.fromhex(key))


@given(st.lists(st.tuples(st.sampled_from(Source), st.integers(0, 5), st.sampled_from(MeterAction)), max_size=12))
def test_the_door(steps: list[tuple[Source, int, MeterAction]]) -> None:
    """Neither its keys nor the wrong ones that came, which are often right for another meter."""
    known, wrong, program = KNOWN, WRONG, sealed_program()
    access = Access.begin(program.security, 1_800_000_000 * S)
    conditions = Conditions(cover_off=True, test_mode=False, demand=True, test_by_communication=True)
    said: list[object] = [program.security, access]
    proven: Granted | None = None
    for k, (source, key, action) in enumerate(steps):
        now_ns = 1_800_000_000 * S + k * 4000 * S
        try:
            answer = access.log_on_by(proof_of([*known, *wrong][key]), source, now_ns)
        except ValueError as error:
            said.append(error)
        else:
            said.append(answer)
            proven = answer if isinstance(answer, Granted) else proven
        asker = Asker(source, proven=proven)
        said += [asker, access.decide(action, asker, conditions, now_ns), access.state]
    events = access.take_events()
    text = " ".join(map(repr, [*said, *events]))
    text += msgspec.json.encode([*events, access.state]).decode()
    assert_without(text, [*known, *wrong])
    said = [proof_of(key) for key in (*known, *wrong)]
    assert_without(" ".join(map(repr, [*said, *program.security.keys])), [*known, *wrong])
    with pytest.raises(TypeError) as caught:
        access.log_on(Source.PANEL, known[3], 1_900_000_000 * S)  # type: ignore[arg-type]
    assert_without(str(caught.value), known)
