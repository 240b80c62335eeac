"""`rig ask` as a person has it: a real daemon, the real command line, keys from a file, a variable and a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from rig.cli.app import main
from rig.cli.ask import AskError, key_given
from rig.daemon.client import MeterClient
from rig.daemon.launch import Launched
from rig.daemon.protocol import (
    ClearPending,
    LogOn,
    MoveSwitch,
    ReadContacts,
    Reading,
    ReadProgram,
    Stop,
    Topic,
    WritePending,
)
from rig.daemon.startup import Start
from rig.hardware.config import load
from rig.meter.front.switches import Switch
from rig.program.written import program_of_tables
from rig.terminal.pending_view import pending_lines

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-W", "error", "-c", "from rig.cli.app import main; main()"]
PROGRAM = """
[demand]
quantities = ["kW delivered"]
[[outputs]]
name = "KYZ2"
function = "eoi"
[security]
seal = true
level_1 = "111111"
level_2 = "222222"
level_3 = "333333"
level_4 = "444444"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("ask")
    (folder / "meter.toml").write_text(PROGRAM)
    (folder / "rig.toml").write_text("[meter]\nprogram = 'meter.toml'\nstore = 'store'\n[daemon]\nsocket = 'm.sock'\n")
    for level in (2, 3, 4):
        (folder / f"{level}.key").write_text(f"{level}" * 6 + "\n")
        (folder / f"{level}.key").chmod(0o600)
    launched = Launched(Start(load(folder / "rig.toml"), str(folder / "m.sock")))
    with MeterClient.connect(folder / "m.sock") as client:
        client.subscribe(Topic.READINGS)
        launched.begin()
        next(message for message in client.messages() if isinstance(message, Reading))
        yield folder
        client.ask(Stop())
    launched.wait()


class Ended(NamedTuple):
    """What a command left."""

    returncode: int | str | None
    stdout: str
    stderr: str


class Rig(Protocol):
    """The command line in a folder, with a key in the environment; nobody is there to type one."""

    def __call__(self, folder: Path, *arguments: str, key: str | None = None) -> Ended: ...


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Rig]:
    """In this process: a meter in real time waits for no interpreter to start, forty times."""

    def call(folder: Path, *arguments: str, key: str | None = None) -> Ended:
        monkeypatch.chdir(folder)
        monkeypatch.delenv("RIG_KEY", raising=False)
        if key is not None:
            monkeypatch.setenv("RIG_KEY", key)
        monkeypatch.setattr(sys, "argv", ["rig", *arguments])
        monkeypatch.setattr(sys, "stdin", nobody)
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer sets its own
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(ended.value.code, *capsys.readouterr())

    with open(os.devnull, encoding="utf-8") as nobody:
        yield call


def exact(rig: Rig, folder: Path) -> dict:
    return json.loads(rig(folder, "ask", "state").stdout)


@pytest.mark.parametrize(
    ("words", "level"),
    [
        (["demand-reset"], 2),
        (["self-read"], 2),
        (["set-clock"], 2),
        (["season-change"], 2),
        (["test-mode", "on"], 3),
        (["test-mode", "off"], 3),
        (["relay", "KYZ2", "closed", "--hold", "0.2"], 4),
    ],
)
def test_each_is_done_with_its_key_and_refused_without(rig: Rig, folder: Path, words: list[str], level: int) -> None:
    turn = ("ask", "test-mode", "--key-file", "3.key")
    if words == ["test-mode", "off"]:
        rig(folder, *turn, "on")
    refused = rig(folder, "ask", *words)
    assert refused.returncode == 1
    how = "log on with a key of that level, by --key-file or $RIG_KEY (the factory key is 000000)"
    assert how in refused.stderr or "in test mode" in refused.stderr
    done = rig(folder, "ask", *words, "--key-file", f"{level}.key")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "done\n")
    if words == ["test-mode", "on"]:
        assert exact(rig, folder)["test_mode"] is not None
        rig(folder, *turn, "off")


def test_which_program_waits_until_when_and_who_wrote_it(rig: Rig, folder: Path) -> None:
    def said(*more: str) -> str:
        done = rig(folder, "ask", "pending", *more)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert said() == "no program waits\n"
    assert json.loads(said("--json")) == {"type": "done", "result": {"waiting": None, "activated_utc_ns": None}}
    at = datetime(2031, 7, 1, 4, tzinfo=UTC)
    with MeterClient.connect(folder / "m.sock", "command line", "test") as client:
        client.ask(LogOn("333333"))
        client.ask(WritePending(PROGRAM + "[self_read]\nschedule = 'daily'\n", at_utc_ns=int(at.timestamp()) * 10**9))
        lines = said().splitlines()
        digest = json.loads(said("--json"))["result"]["waiting"]["digest"]
        assert lines[0] == f"program {digest} waits until 2031-07-01 04:00:00"
        written, _, who = lines[1].removeprefix("written ").partition(" from ")
        assert abs(datetime.fromisoformat(f"{written}+00:00") - datetime.now(UTC)) < timedelta(minutes=10)
        assert who == "command line, at level 3"
        client.ask(ClearPending())
        client.ask(WritePending(PROGRAM))
        assert said().splitlines()[0].endswith(" waits until its activation is asked for")
        client.ask(ClearPending())
    assert said() == "no program waits\n"


def test_times_of_what_waits_are_the_meters_own() -> None:
    calendar = program_of_tables({"clock": {"zone": "America/Toronto"}}).billing.calendar
    at_ns = int(datetime(2027, 1, 1, 5, tzinfo=UTC).timestamp()) * 10**9
    waiting = {"digest": "d1", "at_utc_ns": at_ns, "written_utc_ns": at_ns, "source": "optical port", "level": 4}
    assert list(pending_lines({"waiting": waiting, "activated_utc_ns": at_ns}, calendar)) == [
        "program d1 waits until 2027-01-01 00:00:00",
        "written 2027-01-01 00:00:00 from optical port, at level 4",
        "one was activated 2027-01-01 00:00:00",
    ]


def test_what_the_seal_holds_and_that_hands_break_it(rig: Rig, folder: Path) -> None:
    cold = rig(folder, "ask", "cold-start", key="444444")
    assert (cold.returncode, cold.stderr) == (1, "rig: Cold Start failed\n")
    for words in (["clear"], ["master-reset"], ["write-program", "other.toml"]):
        (folder / "other.toml").write_text(PROGRAM + '[[outputs]]\nname = "KYZ1"\nfunction = "pulses"\nkp_wh = "0.3"\n')
        assert "refused while the meter is sealed" in rig(folder, "ask", *words, key="444444").stderr
    broken = rig(folder, "ask", "break-seal")
    assert (broken.returncode, broken.stderr) == (0, "done: the seal is broken, the cover is off\n")
    done = rig(folder, "ask", "write-program", "other.toml", "--key-file", "4.key", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"type": "done", "result": None})
    assert [output["name"] for output in exact(rig, folder)["outputs"]] == ["test_led", "kyz1"]
    assert rig(folder, "ask", "cold-start", key="444444").stderr == "rig: Cold Start failed\n"


def test_without_a_seal_nothing_is_moved(rig: Rig, folder: Path) -> None:
    (folder / "open.toml").write_text(PROGRAM.replace("seal = true", "seal = false"))
    with MeterClient.connect(folder / "m.sock") as client:
        client.ask(MoveSwitch(Switch.COVER, False))
        sealed = client.ask(ReadProgram())["sealed"]
        if sealed:
            assert rig(folder, "ask", "break-seal").returncode == 0
            client.ask(MoveSwitch(Switch.COVER, False))
        assert rig(folder, "ask", "write-program", "open.toml", key="444444").returncode == 0
        refused = rig(folder, "ask", "break-seal")
        assert (refused.returncode, refused.stderr) == (
            2, "rig: the meter is not sealed: there is no seal to break\n"
        )  # fmt: skip
        assert client.ask(ReadContacts())["closed"] == []
        assert rig(folder, "ask", "write-program", "meter.toml", key="444444").returncode == 0


@pytest.mark.parametrize(
    ("words", "sentence", "status"),
    [
        (["set-clock", "yesterday"], "the time is 'yesterday', it must be host, or such as", 2),
        (["set-clock", "2026-12-01T08:00:00"], "with its offset", 2),
        (["set-clock", "1999-12-31T00:00:00+00:00"], "which no meter takes: give one from 2000 to 2099", 2),
        (["set-clock", "9999-12-31T23:59:59-12:00"], "which no meter takes: give one from 2000 to 2099", 2),
        (["set-clock", "0001-01-01T00:00:00+14:00"], "which no meter takes: give one from 2000 to 2099", 2),
        (["set-clock", "2100-01-01T00:00:00+00:00"], "which no meter takes: give one from 2000 to 2099", 2),
        (["test-mode", "maybe"], "test-mode is 'maybe', it must be on or off", 2),
        (["relay", "KYZ2", "ajar"], "the contact is 'ajar', it must be closed or open", 2),
        (["write-program", "gone.toml"], "gone.toml does not exist", 2),
        (["demand-reset", "--key-file", "gone.key"], "gone.key cannot be read (No such file or directory)", 2),
        (
            ["demand-reset", "--socket", "gone.sock"],
            "no meter runs at gone.sock: start one with rig run or rig serve",
            2,
        ),
    ],
)
def test_mistakes_get_one_sentence(rig: Rig, folder: Path, words: list[str], sentence: str, status: int) -> None:
    done = rig(folder, "ask", *words, key=None if "--key-file" in words else "444444")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert (done.returncode, done.stdout) == (status, "")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b"\r\n", "is empty"),
        (b"444444\n333333\n", "has more than one line"),
        (b"\xff4444", "cannot be read (it is no text)"),
        (b"4" * 2000, "cannot be read (has more than 1024 bytes, it must have at most so many)"),
    ],
)
def test_a_key_file_has_one_line(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "four.key"
    path.write_bytes(content)
    with pytest.raises(AskError) as caught:
        key_given(path)
    assert str(caught.value) == f"{path} {what}: give a file with a key of up to six hexadecimal digits"


@pytest.mark.parametrize("content", [b"44A444", b"44A444\n", b"\xef\xbb\xbf44A444\r\n", b" 44A444 \n"])
def test_what_editors_put_round_a_key_is_no_part_of_it(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "four.key"
    path.write_bytes(content)
    path.chmod(0o640)
    assert key_given(path) == "44A444"
    said = capsys.readouterr().err
    assert said.replace("\n", " ").split() == (
        f"note: {path} can be read or written by others than its owner: chmod 600 {path}".split()
    )
    path.chmod(0o600)
    assert key_given(path) == "44A444"
    assert capsys.readouterr().err == ""


def heard(master: int) -> bytes:
    """What the terminal has, or has within a tenth of a second."""
    if not select.select([master], [], [], 0.1)[0]:
        return b""
    try:
        return os.read(master, 1000)
    except OSError:  # the other end has closed
        return b""


CTRL_C = b"\x03"
AGAIN_S = 3
"""A signal in the instant before the terminal is read is seen by Python with the next one."""


def typed(folder: Path, key: bytes) -> tuple[int, bytes]:
    """Exit status and all that a terminal shows of a demand reset whose key is typed there."""
    master, slave = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm"}

    def take_terminal() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test run in the background has it ignored
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [*COMMAND, "ask", "demand-reset"], cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave,
        preexec_fn=take_terminal,
    )  # fmt: skip
    said = b""
    deadline = time.monotonic() + 30
    while (b"000000):" not in said or termios.tcgetattr(slave)[3] & termios.ECHO) and time.monotonic() < deadline:
        said += heard(master)
    os.write(master, key)
    again = time.monotonic() + AGAIN_S
    while process.poll() is None and time.monotonic() < deadline:
        said += heard(master)
        if key.endswith(CTRL_C) and time.monotonic() > again:
            os.write(master, CTRL_C)
            again += AGAIN_S
    said += heard(master)
    os.close(master)
    os.close(slave)
    return process.wait(1), said


def test_a_key_that_is_typed_is_not_seen(folder: Path) -> None:
    status, said = typed(folder, b"222222\n")
    assert status == 0, said
    assert b"done" in said
    assert b"222222" not in said


def test_ctrl_c_where_the_key_is_asked_for_is_130(rig: Rig, folder: Path) -> None:
    before = exact(rig, folder)["resets"]
    status, said = typed(folder, b"22\x03")
    assert status == 130, said
    assert b"Traceback" not in said
    assert b"22\x03" not in said
    assert exact(rig, folder)["resets"] == before
