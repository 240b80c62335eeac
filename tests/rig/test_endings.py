"""How commands end: exit statuses of every command, done, failed, not run, interrupted, without a reader.

The table of statuses is in docs/json.md and in rig/cli/ending.py; both are compared with what is found here.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from rig.cli import ending
from rig.cli.app import main
from rig.hardware import doctor

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-c", "from rig.cli.app import main; main()"]
ENTRY = [sys.executable, "-W", "error", "-c", "from rig.cli.entry import main; main()"]
PATIENCE_S = 120
"""How long at most something is waited for that a test can see."""

LOAD = "time,kwh_delivered\n" + "".join(f"2026-03-01T{m // 60:02}:{m % 60:02},{m}\n" for m in range(15, 1440, 15))
PROGRAM = '[meter]\nmodel = "RXRS4e"\n[recorder]\nchannels = [{ metric = "kWh delivered", pulse = "1" }]\n'


@pytest.fixture
def files(tmp_path: Path, command_line) -> Path:
    """A recording, a load's record, a program and a store that it left."""
    t = (np.arange(1200) + 0.5) / 6000
    v = 120 * np.sqrt(2) * np.sin(2 * np.pi * 60 * t)
    (tmp_path / "wave.csv").write_text("va,ia\n" + "".join(f"{x:.4f},{x / 40:.5f}\n" for x in v))
    head, *rows = LOAD.splitlines()  # with a plausible load, of which nothing is noted
    plain = [f"{row.partition(',')[0]},{1 + k % 2}" for k, row in enumerate(rows)]
    (tmp_path / "load.csv").write_text("\n".join([head, *plain, ""]))
    (tmp_path / "meter.toml").write_text(PROGRAM)
    done = command_line("bill", "load.csv", "--program", "meter.toml", "--store", "store")
    assert done.status == 0, done.err
    return tmp_path


DONE = (
    "run --for 0.5 --speed max", "record session.csv --for 0.5 --speed max",
    "replay wave.csv --rate 6000", "bill load.csv", "scope --cycles 1", "doctor",
    "program check meter.toml", "program schema", "program new", "program new --out new.toml",
    "store check store", "store show store", "profile show store", "profile plot store",
    "profile export store out.csv", "--version", "--help", "run --help", "gateware --help",
)  # fmt: skip

NOT_RUN = (
    "run --config gone.toml", "record gone/session.csv --for 1", "watch gone.sock",
    "replay gone.csv", "replay", "bill gone.csv", "bill", "scope --trigger v9", "doctor --config rig.toml",
    "program check gone.toml", "program schema now", "program new --form 7S", "program new --out meter.toml",
    "store check gone", "store show gone", "profile show gone", "profile plot store --day 1999-01-01",
    "profile export store out.txt", "gateware build --board nexys", "gateware flash --board ulx3s", "gateware report",
    "jump", "--jump", "run --speed 7", "run --for -1", "run --for", "bill load.csv --form 9S",
    "replay wave.csv --demand block:15", "store",
)  # fmt: skip


def test_done_is_0(files: Path, command_line) -> None:
    for line in DONE:
        done = command_line(*line.split())
        assert done.status == 0, (line, done.err)
        assert done.out or line.startswith(("profile export", "program new --out")), line


def test_what_could_not_run_is_2_with_one_sentence(files: Path, command_line) -> None:
    before = {p: p.stat().st_mtime_ns for p in files.rglob("*")}
    for line in NOT_RUN:
        done = command_line(*line.split())
        assert (done.status, done.out) == (2, ""), line
        if line != "store":  # that prints the group's help
            assert re.fullmatch(r"rig: .+\n", done.err), (line, done.err)
        assert "Traceback" not in done.err
        assert "should not happen" not in done.err
    assert {p: p.stat().st_mtime_ns for p in files.rglob("*")} == before


def test_usage_mistakes_say_where_to_look(command_line) -> None:
    assert command_line("replay").err == "rig: Missing argument 'recording': see rig replay --help\n"
    assert command_line("bill", "x.csv", "--stamps", "middle").err == (
        "rig: Invalid value for '--stamps': 'middle' is not one of 'begin', 'end': see rig bill --help\n"
    )
    assert command_line("run", "--for").err == "rig: Option '--for' requires an argument: see rig --help\n"
    assert command_line("program", "chekc").err.endswith(": see rig program --help\n")


def test_no_command_is_2_with_the_help_on_standard_error(command_line) -> None:
    done = command_line()
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("Usage: rig ")


# --- 1: ran and failed ----------------------------------------------------------------------------------------


def test_a_trigger_that_does_not_come_is_1(command_line) -> None:
    done = command_line("scope", "--trigger", "v1:rising:800V", "--wait", "0.1")
    assert (done.status, done.out) == (1, "")
    assert re.fullmatch(r"rig: the trigger .+ did not come .+\n", done.err)


@pytest.mark.parametrize("json_too", [False, True])
@pytest.mark.parametrize("lacking", [("numba",), ("msgspec",)], ids=["sim", "base"])
def test_the_doctor_is_1_where_nothing_could_run(
    command_line, monkeypatch: pytest.MonkeyPatch, lacking: tuple[str, ...], json_too: bool
) -> None:
    """Of a machine without a part, its list of installed packages is all that is stood in for."""
    real = doctor.metadata.version

    def version(name: str) -> str:
        if name in lacking:
            raise doctor.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    done = command_line("doctor", *(["--json"] if json_too else []))
    assert done.status == 1
    assert done.err == ""
    if json_too:
        missing = [
            check["name"] for check in json.loads(done.out) if check["part"] in ("base", "sim") and not check["holds"]
        ]
        assert missing == list(lacking)


@pytest.mark.parametrize(
    ("base", "sim", "pi", "able"),
    [(1, 1, 1, True), (1, 1, 0, True), (1, 0, 1, True), (1, 0, 0, False), (0, 1, 1, False), (0, 1, 0, False)],
)
def test_able_is_the_base_with_simulation_or_hardware(base: int, sim: int, pi: int, able: bool) -> None:
    holds = {"base": base, "sim": sim, "pi": pi, "rtl": 0}
    checks = [doctor.Check(part, "x", bool(there), "") for part, there in holds.items()]
    assert doctor.able(checks) is able


# --- nobody takes the output ----------------------------------------------------------------------------------

SILENT = ("profile export", "program new --out", "run --for", "record")
"""They print no result, or are a run, which goes on until it can save."""


def test_an_output_without_a_reader_is_1_without_a_word(files: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(files)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    for line in DONE:
        if line.startswith(SILENT):
            continue
        read, write = os.pipe()
        os.close(read)
        with suppress(BrokenPipeError), os.fdopen(write, "w") as stdout:
            monkeypatch.setattr(sys, "stdout", stdout)
            monkeypatch.setattr(sys, "argv", ["rig", *line.split()])
            with pytest.raises(SystemExit) as ended:
                main()
            monkeypatch.undo()
            monkeypatch.chdir(files)
        assert (ended.value.code, capsys.readouterr().err) == (1, ""), line


def start(words: str, folder: Path, command: list[str] = ENTRY, **how: object) -> subprocess.Popen[str]:
    """A process as a terminal's shell starts it: Ctrl-C reaches it."""
    defaults = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
    return subprocess.Popen(
        [*command, *words.split()],
        text=True,
        cwd=folder,
        env={"TERM": "xterm"} | os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        **defaults,  # type: ignore[call-overload]
    )


def test_a_real_pipe_whose_reader_has_left(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    process = start("program schema --json", tmp_path, stdout=write)
    os.close(write)
    assert (process.communicate(timeout=PATIENCE_S)[1], process.returncode) == ("", 1)


def test_at_full_speed_a_meter_ends_with_the_last_who_looks_on(tmp_path: Path) -> None:
    """As under `rig run --speed max --json | head -n 1`; else it would meter for ever, as fast as the computer can."""
    Path(tmp_path, "rig.toml").write_text('[meter]\nstore = "store"\n')
    process = start("run --speed max --json", tmp_path, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["type"] == "reading"
    process.stdout.close()
    assert process.wait(PATIENCE_S) == 1
    folder = os.open(tmp_path / "store", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # waits for the meter; one that goes on hangs here, until faulthandler's limit
    os.close(folder)


def test_an_output_that_takes_nothing_is_said(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        process = start("doctor", tmp_path, stdout=full)
        err = process.communicate(timeout=PATIENCE_S)[1]
    assert (process.returncode, err) == (1, "rig: the output cannot be written: no space left there\n")


def test_an_output_of_few_letters_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    process = start("doctor", tmp_path)
    err = process.communicate(timeout=PATIENCE_S)[1]
    assert process.returncode == 1
    assert re.fullmatch(r"rig: the output takes no .* \(its encoding is ascii\): set LC_ALL=C.UTF-8\n", err)


@pytest.mark.parametrize(
    ("redirection", "status", "out"),
    [(">&-", 2, ""), ("2>&-", 0, "SIMULATED"), (">&- 2>&-", 2, ""), ("<&-", 0, "SIMULATED")],
)
def test_closed_streams(files: Path, redirection: str, status: int, out: str) -> None:
    line = " ".join(f"'{word}'" for word in [*ENTRY, "store", "show", "store"]) + " " + redirection
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=False, cwd=files, timeout=PATIENCE_S,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert done.stdout.startswith(out)
    assert bool(done.stdout) == bool(out)
    assert done.stderr == ("" if "2>&-" in redirection or not status else
                           "rig: standard output is closed: give it a file, or /dev/null\n")  # fmt: skip


# --- 130: Ctrl-C ----------------------------------------------------------------------------------------------


def wait_for(there: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not there():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)


def interrupted(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it prints on Ctrl-C; pressed again where it came in the moment between Python's last look for signals and a
    read that waits: such a one is seen only once something wakes the read."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        process.send_signal(signal.SIGINT)
        try:
            return process.communicate(timeout=1)
        except subprocess.TimeoutExpired:
            pass
    raise AssertionError("Ctrl-C does not end it")


def held_open(fifo: Path, process: subprocess.Popen[str]) -> int:
    """A named pipe that has no end, once someone reads it: only then does it open for writing (else ENXIO). It is not
    closed in between: who reads it would see its end."""
    found: list[int] = []

    def opened() -> bool:
        try:
            found.append(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    wait_for(opened, process)
    return found[0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("bill fifo.csv", "rig: interrupted before the load's end: no result\n"),
        ("bill fifo.csv --store new", "rig: interrupted before the load's end: no result\n"),
        ("program check fifo.csv", ""),
        ("run --config fifo.csv", ""),
    ],
)
def test_ctrl_c_before_a_result_is_130(tmp_path: Path, words: str, sentence: str) -> None:
    """While it reads its file: a named pipe to which nobody writes, held open so that it has no end.

    Without -W error: Python itself warns of a file that a signal leaves half open.
    """
    os.mkfifo(tmp_path / "fifo.csv")
    process = start(words, tmp_path, [word for word in ENTRY if word not in ("-W", "error")])
    holder = held_open(tmp_path / "fifo.csv", process)
    out, err = interrupted(process)
    os.close(holder)
    assert (process.returncode, out, err) == (130, "", sentence)
    assert [path.name for path in tmp_path.iterdir()] == ["fifo.csv"]


def until_progress(terminal: int) -> str:
    """Read a terminal until a bar on it has come to 1 % or more."""
    seen = b""
    until = time.monotonic() + PATIENCE_S
    while not re.search(rb"[1-9]\d* %", seen):
        assert select.select([terminal], [], [], max(0.0, until - time.monotonic()))[0], seen
        seen += os.read(terminal, 4096)
    return seen.decode(errors="replace")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("replay long.csv --rate 6000", "interrupted before the recording's end: no result"),
        pytest.param(
            "bill long_load.csv --store new",
            "interrupted before the load's end: no result, and new has but a part",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["replay", "bill"],
)
def test_ctrl_c_in_the_middle_is_130(tmp_path: Path, words: str, said: str) -> None:
    """As soon as the bar on the terminal shows that something was done, and long before its end."""
    (tmp_path / "long.csv").write_text("va,ia\n" + "1.5,0.5\n-1.5,-0.5\n" * 60 * 6000)
    minutes = np.datetime64("2024-01-01T00:01") + np.arange(400_000)
    (tmp_path / "long_load.csv").write_text("time,kwh_delivered\n" + "".join(f"{m},0.1\n" for m in minutes))
    terminal, ours = pty.openpty()
    process = start(words, tmp_path, stderr=ours)
    os.close(ours)
    try:
        until_progress(terminal)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
        last = ""
        while chunk := read_rest(terminal):
            last += chunk
    finally:
        os.close(terminal)
    assert (process.returncode, out) == (130, "")
    assert said in last
    assert "Traceback" not in last


def read_rest(terminal: int) -> str:
    """What a terminal still holds; "" at its end, where Linux gives EIO."""
    try:
        return os.read(terminal, 4096).decode(errors="replace")
    except OSError:
        return ""


def test_ctrl_c_ends_a_run_as_it_should(tmp_path: Path) -> None:
    process = start("run --json", tmp_path)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["type"] == "reading"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out.splitlines()[-1])["type"] == "summary"


def test_ctrl_c_while_modules_load_says_nothing(tmp_path: Path) -> None:
    slow = "import sys, time, rig.cli.entry\nclass Slow:\n def find_spec(*_): print(flush=True); time.sleep(99)\n"
    process = start("", tmp_path, [sys.executable, "-c", f"{slow}sys.meta_path.insert(0, Slow)\nrig.cli.entry.main()"])
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert (process.communicate(timeout=5)[1], process.returncode) == ("", -signal.SIGINT)


def test_ctrl_c_that_a_command_does_not_take_is_130(tmp_path: Path) -> None:
    stop = "import rig.cli.app, rig.cli.entry\ndef stop(): raise KeyboardInterrupt\nrig.cli.app.main = stop\n"
    process = start("", tmp_path, [sys.executable, "-c", f"{stop}rig.cli.entry.main()"])
    assert (process.communicate(timeout=30), process.returncode) == (("", ""), 130)


def test_the_statuses_are_documented() -> None:
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    section = text.partition("\n## Exit status\n")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| (\d+) \|", section, re.MULTILINE)
    assert documented == re.findall(r"^\| (\d+) \|", ending.__doc__ or "", re.MULTILINE) == ["0", "1", "2", "130"]
