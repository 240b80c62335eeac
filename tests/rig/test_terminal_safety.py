"""Nothing that comes from a file, a name, an environment variable or a peer controls a terminal (review H-10).

Every command is given hostile names and hostile content, and what it printed is looked at sign by sign.
"""

from __future__ import annotations

import ast
import io
import json
import shutil
import socket
import sqlite3
import unicodedata
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hostile_peer import hostile_peer, sends
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from rig.cli.app import app
from rig.daemon.frames import frame
from rig.daemon.protocol import VERSION, Closed, Done, Ended, RequestRefused, Welcome
from rig.plain_text import json_text, printable
from rig.results.provenance import Provenance
from rig.store.digests import row_digest
from rig.store.history import NAME
from rig.terminal import console as console_module
from rig.terminal.console import CommandConsole

ROOT = Path(__file__).parents[2]

TITLE = "\x1b]0;owned\x07"
"""Sets a terminal's title."""

HOSTILE = f"{TITLE}\x1b[31m\x9b2J\x08\x0d\x7f\u202e\u2066\u200f{{0}}"
"""ESC sequences of C0 and C1, backspace, carriage return, DEL, marks of direction, and what a template fills in."""


def controls(text: str) -> list[str]:
    """What in a text is no sign to be seen: all but newlines of Unicode's categories C and the separators of lines."""
    return [c for c in text if c != "\n" and (unicodedata.category(c)[0] == "C" or c in "\u2028\u2029")]


def test_what_controls_is_known_here() -> None:
    assert len(controls(HOSTILE)) == len(TITLE) - len("]0;owned") + 9 - 1


# --- the one function -----------------------------------------------------------------------------------------


@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_text_becomes_one_line_without_controls(text: str) -> None:
    assert controls(printable(text)) == []
    assert "\n" not in printable(text)
    if text.isprintable():
        assert printable(text) == text


@given(st.recursive(st.text(alphabet=st.characters(), max_size=20), lambda inner: st.lists(inner, max_size=4)))
def test_json_is_the_same_value_without_controls(value: object) -> None:
    """But for half a pair of UTF-16, which is no text: it is spelt out."""
    text = json_text(value)
    assert controls(text) == []
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    assert json.loads(text) == value


@pytest.mark.parametrize("terminal", [False, True])
def test_a_console_sends_no_controls_but_its_own(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is given: a string, a Text, a table, at any width."""
    out = io.StringIO()
    out.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr(console_module.sys, "stdout", out)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    console = CommandConsole()
    table = Table(HOSTILE)
    table.add_row(Text(HOSTILE))
    for each in (HOSTILE, Text(HOSTILE), table):
        console.print(each)
    plain = out.getvalue()
    for own in ("\x1b[1m", "\x1b[0m", "\x1b[3m"):  # bold, plain, italic: rich's
        plain = plain.replace(own, "") if terminal else plain
    assert controls(plain) == []
    assert "owned" in plain


def test_print_is_used_in_one_place() -> None:
    """And nothing else writes on standard output or error."""
    found = []
    for path in (ROOT / "rig").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in ("print", "sys.stdout.write", "sys.stderr.write", "sys.__stdout__.write", "typer.echo"):
                found.append(str(path.relative_to(ROOT)))
    assert set(found) == {"rig/plain_text.py"}


# --- every command --------------------------------------------------------------------------------------------

COMMANDS = {
    "run": ("run --config {}", "run --hands {} --for 0.2 --speed max", "run --socket {} --for 0.2 --speed max"),
    "record": ("record {} --for 0.2 --speed max", "record {}/x.csv"),
    "serve": ("serve --config {}",),
    "simulate": ("simulate --config {}",),
    "attach": ("attach --socket {}",),
    "watch": ("watch {}", "watch --json --socket {}"),
    "lcd": ("lcd --config {}",),
    "stop": ("stop --socket {}",),
    "replay": (
        "replay {}",
        "replay {}.csv",
        "replay {}.cfg",
        "replay wave.csv --channels {}",
        "replay wave.csv --rate {}",
    ),
    "accuracy": (
        "accuracy --standard {} --class 0.2S",
        "accuracy --standard iec62053-22 --class {}",
        "accuracy --standard iec62053-22 --class 0.2S --points {}",
        "accuracy --points {}.json --class 1 --standard x",
        "accuracy --standard iec62053-22 --class 0.2S --meter {}",
        "accuracy --standard iec62053-22 --class 1 --lot {}",
    ),
    "calibrate": ("calibrate --config {}", "calibrate --sensors {}", "calibrate --identity {}"),
    "bill": ("bill {}", "bill {}.csv", "bill load.csv --program {}", "bill load.csv --demand {}"),
    "scope": ("scope --trigger {}", "scope --comtrade {}", "scope --csv {}/x.csv"),
    "verify": (
        "verify --output {}",
        "verify --counter {}",
        "verify --counter visa:{}",
        "verify --load {}",
        "verify --from {}",
        "verify --series {}.toml",
        "verify --socket {}",
        "verify --report {}/x.html",
        "verify --constant {}",
    ),
    "read": ("read {}", "read --show {}", "read x --tables {}", "read x --protocol {}", "read x --out {}/x"),
    "write": ("write {} {}", "write {} {}.toml", "write x meter.toml --password-file {}", "write {} meter.toml"),
    "meter": ("meter {} reset", "meter x {}", "meter x test {}", "meter x clock {}", "meter {} status"),
    "doctor": ("doctor {}",),
    "ask state": ("ask state --socket {}",),
    "ask pending": ("ask pending --socket {}",),
    "ask demand-reset": ("ask demand-reset --socket {}", "ask demand-reset --key-file {}"),
    "ask self-read": ("ask self-read --socket {}",),
    "ask set-clock": ("ask set-clock {}",),
    "ask test-mode": ("ask test-mode {}",),
    "ask season-change": ("ask season-change --to {}",),
    "ask clear": ("ask clear --socket {}",),
    "ask relay": ("ask relay KYZ1 {}", "ask relay {} open --socket gone"),
    "ask write-program": ("ask write-program {}", "ask write-program {}.toml"),
    "ask master-reset": ("ask master-reset --socket {}",),
    "ask cold-start": ("ask cold-start --socket {}",),
    "ask break-seal": ("ask break-seal --socket {}",),
    "module": (
        "module {}",
        "module TS2 --socket {}",
        "module TS2 --ask {}",
        "module TS2 --read {} --socket {}",
        "module TS2 --external {}",
        "module TS2 --config {}",
    ),
    "poll": (
        "poll {} --addresses 1",
        "poll x --addresses {}",
        "poll x --addresses 1 --only {}",
        "poll x --addresses 1 --folder {}",
        "poll x --addresses 1 --password-file {}",
    ),
    "port serve": ("port serve {}", "port serve --config {}"),
    "port trace": ("port trace {}",),
    "publish mqtt": ("publish mqtt --config {}",),
    "publish prometheus": ("publish prometheus --config {}",),
    "selftest": ("selftest --config {}", "selftest --config {}.toml --json"),
    "report meter": ("report {}", "report meter {} --out {}.html", "report {} --channel {} --zone {}"),
    "report render": ("report render {} {}.html", "report render result.json {}/x.html"),
    "report compare": ("report compare {} {}", "report compare result.json {} --json"),
    "program check": ("program check {}", "program check {}.toml"),
    "program schema": ("program schema {}",),
    "program new": ("program new --form {}", "program new --model {}", "program new --out {}/x"),
    "store check": ("store check {}", "store check store", "store check store --json"),
    "store show": ("store show {}", "store show store", "store show store --json"),
    "store adopt": ("store adopt {}", "store adopt store --config {}.toml", "store adopt store"),
    "store clear-fram": ("store clear-fram --config {}.toml", "store clear-fram --yes --config {}"),
    "profile show": ("profile show {}", "profile show store --channel {}", "profile show store"),
    "profile plot": ("profile plot {}", "profile plot store --channel {}"),
    "profile export": ("profile export store {}", "profile export store {}.csv", "profile export store {}/x.csv"),
    "gateware build": ("gateware build --board {}",),
    "gateware flash": ("gateware flash --board {}",),
    "gateware report": ("gateware report --board {}",),
    "": ("{}", "--{}", "replay --intervals {}"),
}
"""Command lines by command; {} is the hostile name. As they are typed, but for what they are split at."""


def commands() -> set[str]:
    groups = [(app, ""), *((g.typer_instance, f"{g.name} ") for g in app.registered_groups)]
    return {
        prefix + (command.name or command.callback.__name__)
        for group, prefix in groups
        for command in group.registered_commands
        if command.callback is not None
    }


@pytest.fixture
def hostile_files(tmp_path: Path, command_line: Callable[..., object]) -> Path:
    """Files and folders with hostile names, and hostile content in those with usual ones."""
    t = (np.arange(1200) + 0.5) / 6000
    v = 170 * np.sin(2 * np.pi * 60 * t)
    wave = f"va,ia,{HOSTILE.replace(chr(13), '')}\n" + "".join(f"{x:.3f},{x / 40:.4f},0\n" for x in v)
    (tmp_path / "wave.csv").write_text(wave)
    load = f"time,kwh_delivered,{HOSTILE.replace(chr(13), '')}\n"
    (tmp_path / "load.csv").write_text(load + "".join(f"2026-03-01T{h:02}:00,{h},1\n" for h in range(1, 24)))
    (tmp_path / "meter.toml").write_text('[recorder]\nchannels = [{ metric = "kWh delivered", pulse = "1" }]\n')
    assert command_line("bill", "load.csv", "--program", "meter.toml", "--store", "store").status == 0  # type: ignore[attr-defined]
    shutil.copytree(tmp_path / "store", tmp_path / HOSTILE)
    with closing(sqlite3.connect(tmp_path / "store" / NAME, isolation_level=None)) as database:
        values = 9000, 10**18, 1, HOSTILE, json.dumps({HOSTILE: HOSTILE})
        row = (*values, row_digest("events", *values))
        database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", row)
        values = 9001, 10**18, HOSTILE, '{"energy": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]}'
        database.execute("INSERT INTO snapshots VALUES (?, ?, ?, ?, ?)", (*values, row_digest("snapshots", *values)))
    (tmp_path / f"{HOSTILE}.toml").write_text('"\\u001b]0;owned\\u0007" = 1\n[meter]\nserial = "\\u001b[2J"\n')
    (tmp_path / f"{HOSTILE}.csv").write_text(f"{HOSTILE},va\n1,{HOSTILE}\n")
    (tmp_path / f"{HOSTILE}.cfg").write_text(
        f"{HOSTILE},{HOSTILE},1999\n1,1A,0D\n1,{HOSTILE},A,,{HOSTILE},1,0,0,-1,1\n"
    )
    return tmp_path


def test_every_command_is_tried() -> None:
    assert set(COMMANDS) - {""} == commands()


def test_no_command_prints_what_controls_a_terminal(hostile_files: Path, command_line, monkeypatch) -> None:
    monkeypatch.setenv("RIG_KEY", HOSTILE)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(hostile_files / HOSTILE))
    for lines in COMMANDS.values():
        for line in lines:
            words = [word.replace("{}", HOSTILE) for word in line.split()]
            if words[0] == "serve" and "config" not in words[1]:
                continue
            done = command_line(*words)
            assert controls(done.out) == controls(done.err) == [], line
            assert "should not happen" not in done.err, (line, done.err)
            if done.status:
                assert sum(each.startswith("rig: ") for each in done.err.splitlines()) <= 1, (line, done.err)


def test_a_traceback_controls_nothing_either(command_line, monkeypatch, hostile_files: Path) -> None:
    monkeypatch.setenv("RIG_TRACEBACK", "1")
    monkeypatch.setattr("rig.cli.store.print_json", lambda value: (_ for _ in ()).throw(OSError(HOSTILE)))
    done = command_line("store", "show", "store", "--json")
    assert done.status == 1
    assert "Traceback" in done.err
    assert controls(done.err) == []


# --- peers ----------------------------------------------------------------------------------------------------

ORIGIN = Provenance(
    simulated=True, fidelity=HOSTILE, calibrated=True, version=HOSTILE, commit=HOSTILE, build=HOSTILE, program=HOSTILE,
    configuration=HOSTILE, calibration=HOSTILE, seed=1, begun_utc=HOSTILE,
)  # fmt: skip
WELCOME = frame(Welcome(VERSION, 1, 1, True, ORIGIN))

ANSWERS = {
    "closed": frame(Closed(HOSTILE)),
    "refused": WELCOME + frame(RequestRefused(1, HOSTILE)),
    "failed": WELCOME + frame(Done(1)) + frame(Ended(None, HOSTILE, 1)),
    "done": WELCOME + frame(Done(1, {HOSTILE: [HOSTILE]})),
    "no message": b"\x00\x00\x00\x10" + HOSTILE.encode()[:16],
    "long": WELCOME + frame(RequestRefused(1, HOSTILE * 1000)),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(
    "line", ["stop", "ask demand-reset", "ask state", "ask pending", "ask demand-reset --json", "attach", "watch"]
)
def test_a_peers_sentence_controls_nothing(tmp_path: Path, command_line, answer: str, line: str, monkeypatch) -> None:
    monkeypatch.setattr("rig.daemon.client.ANSWER_S", 1.0)
    monkeypatch.setattr("rig.daemon.client.PUBLICATION_S", 1.0)

    def hang_up(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_WR)

    with hostile_peer(tmp_path / "m.sock", sends(ANSWERS[answer], then=hang_up)):
        done = command_line(*line.split(), "--socket", tmp_path / "m.sock")
    assert controls(done.out) == controls(done.err) == []
    assert "should not happen" not in done.err
    assert len(done.err) < 8 * 4100
    assert msgspec.json.decode(done.out) if "--json" in line and done.out else True
