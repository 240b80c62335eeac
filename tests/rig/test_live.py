"""`rig run` as a person and other programs meet it: a real terminal, processes killed, stopped and not listened to."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.daemon.client import MeterClient
from rig.hardware.hands_file import read_hands
from rig.store.store import Store

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-c", "from rig.cli.app import main; main()"]
PATIENCE_S = 120
SOON_S = 10
"""What takes a moment, on a computer that has other things to do."""
CONTROL_C = "\x03"
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
FRAME = re.compile(r"╭[^╭]*?╰─+╯", re.DOTALL)
GLASS = slice(2, 68)
"""Columns of the glass in the face."""


def environment(columns: int = 80) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "RIG_TRACEBACK")}
    return plain | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": "1"}


def comes(that: Callable[[], bool], within_s: float = PATIENCE_S) -> bool:
    until = time.monotonic() + within_s
    while not (true := that()) and time.monotonic() < until:
        time.sleep(0.02)
    return true


class Terminal:
    """A `rig` command on a terminal of its own, 80 columns wide."""

    def __init__(self, *arguments: str, folder: Path, columns: int = 80) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self._slave = slave
        self.before = termios.tcgetattr(slave)

        def take_terminal() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [*COMMAND, *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=environment(),
            preexec_fn=take_terminal,
        )  # fmt: skip
        self._bytes = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                self._bytes += os.read(self._master, 1 << 16)
            except OSError:
                return

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    @property
    def text(self) -> str:
        return ANSI.sub("", self._bytes.decode("utf-8", "replace")).replace("\r", "")

    @property
    def frame(self) -> list[str]:
        """The newest whole face, line by line; empty before there is one."""
        frames = FRAME.findall(self.text)
        return frames[-1].splitlines() if frames else []

    @property
    def lit(self) -> set[str]:
        frame = self.frame
        return set(f"{frame[1][GLASS]} {frame[7][GLASS]}".split()) if frame else set()

    def beside(self, word: str) -> bool:
        """Whether the word stands beside the glass, among the switches that are operated."""
        return any(word in line[GLASS.stop :] for line in self.frame[1:8])

    def end(self) -> int:
        """The exit status, and the terminal as it was."""
        status = self.process.wait(PATIENCE_S)
        assert termios.tcgetattr(self._slave) == self.before
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._slave)
        os.close(self._master)
        self._reader.join(PATIENCE_S)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    made: list[Terminal] = []

    def make(*arguments: str, columns: int = 80) -> Terminal:
        made.append(Terminal(*arguments, folder=tmp_path, columns=columns))
        return made[-1]

    yield make
    for each in made:
        each.close()


def children(process: subprocess.Popen) -> list[int]:
    return children_of(process.pid)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A `rig` command without a terminal."""
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, cwd=folder, env=environment() | {"COLUMNS": "80"},
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def reading(folder: Path) -> dict[str, Any]:
    """What rig watch says of the meter of a folder's rig.toml."""
    done = command(folder, "watch", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def runs(pid: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# --- a person ---------------------------------------------------------------------------------------------------


def test_keys_move_switches_and_are_recorded(terminal, tmp_path: Path) -> None:
    run = terminal("record", "session.csv")
    assert comes(lambda: bool(run.frame))
    assert "SIMULATED (exact)" in run.frame[0]
    assert "m magnet   s SCROLL   r reset   t TEST   c cover   twice hold   Ctrl-C end" in run.frame[9]
    assert {len(line) for line in run.frame} == {80}
    unbroken = r"^\d+\.\d s   → \d+\.\d{4} Wh   ← \d+\.\d{4} Wh   \d+\.\d{3} Hz   neutral \d+\.\d{4} A *$"
    assert comes(lambda: re.search(unbroken, run.text, re.MULTILINE) is not None)
    run.type("\x1b[C\x1b[A\x1bOM")  # arrows and a function key: their letters are no keys
    time.sleep(0.7)
    assert not any(map(run.beside, ("COVER OFF", "MAGNET", "TEST")))
    run.type("c")
    assert comes(lambda: run.beside("COVER OFF"), SOON_S)
    run.type("t")
    assert comes(lambda: "TEST" in run.lit and run.beside("TEST"), SOON_S)
    run.type("t")
    assert comes(lambda: not run.beside("TEST") and "ERR" in run.lit, SOON_S), "the first item lights all segments"
    run.type("s")
    assert comes(lambda: not run.beside("SCROLL") and "ERR" not in run.lit, SOON_S), "a key alone is a short press"
    run.type("r")
    assert comes(lambda: "ERR" in run.lit, SOON_S), "an accepted reset shows all segments"
    time.sleep(3.2)
    run.type("s")  # over the first item
    assert comes(lambda: "ERR" not in run.lit, SOON_S)
    run.type("mm")
    held = time.monotonic()
    assert comes(lambda: run.beside("MAGNET"), SOON_S)
    assert comes(lambda: "ALT" in run.lit, SOON_S)
    assert time.monotonic() - held > 2.9
    time.sleep(1.2)  # so that a whole second is seen with it
    run.type("m")
    assert comes(lambda: not run.beside("MAGNET"), SOON_S)
    seconds = int(re.findall(r"^(\d+)\.\d s", run.text, re.MULTILINE)[-1])
    run.type(CONTROL_C)
    assert run.end() == 0, run.text[-2000:]
    assert re.search(r"metered +\d+\.?\d* s, \d+ samples", run.text), "the report"
    assert not list(tmp_path.glob("*.part"))

    hands = read_hands(tmp_path / "session.csv")
    assert re.search(rf"session\.csv: {len(hands.edges)} edges", run.text)
    counted = [(edge.switch, edge.operated) for edge in hands.edges if edge.accepted]
    pressed = [(switch, on) for switch in ("scroll", "reset", "scroll", "magnet") for on in (True, False)]
    assert counted == [("cover", True), ("test", True), ("test", False), *pressed]
    assert any(not edge.accepted for edge in hands.edges), "they bounced"
    again = subprocess.run(
        [*COMMAND, "run", "--hands", "session.csv", "--speed", "max", "--for", f"{seconds}", "--json"],
        capture_output=True, text=True, cwd=tmp_path, env=environment(), timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    faces = [json.loads(line)["face"] for line in again.stdout.splitlines()[:-1]]
    assert len(faces) == seconds
    assert any(face["operated"] == ["cover", "magnet"] and "ALT" in face["lcd"]["lit"] for face in faces)


@pytest.mark.slow
def test_a_hundred_columns_and_a_second_interrupt_is_not_needed(terminal) -> None:
    run = terminal("run", columns=100)
    assert comes(lambda: bool(run.frame))
    assert {len(line) for line in run.frame} == {80}
    run.process.send_signal(signal.SIGTERM)
    assert run.end() == 0
    assert "metered" in run.text


def test_what_cannot_run_leaves_the_terminal_as_it_was(terminal, tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text("[meter]\nprogram = 'none.toml'\n")
    run = terminal("record", "session.csv")
    assert run.end() == 2
    assert re.search(r"rig: none\.toml does not exist: .*\n", run.text)
    assert [path.name for path in tmp_path.iterdir()] == ["rig.toml"]


@pytest.mark.skipif(Path("/dev/i2c-1").exists(), reason="this machine has an I²C bus")
def test_a_character_display_that_is_not_there_is_said_at_the_start(terminal, tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text("[display]\nlcd = '20x4'\n")
    run = terminal("run")
    assert run.end() == 2
    assert "rig: /dev/i2c-1 does not exist: enable I2C" in run.text


# --- processes that go ------------------------------------------------------------------------------------------


def test_a_metering_process_that_is_killed_ends_the_run_with_a_sentence(terminal, tmp_path: Path) -> None:
    run = terminal("record", "session.csv")
    assert comes(lambda: bool(run.frame))
    (meter,) = children(run.process)
    server, board = sorted(children_of(meter), key=lambda child: b"board_process" in command_line(child))
    assert b"rig.daemon.server" in command_line(server)
    os.kill(meter, signal.SIGKILL)
    assert run.end() == 1
    assert re.search(r"rig: the meter at \S+ has ended without a message, perhaps killed\s*$", run.text)
    assert "Traceback" not in run.text
    assert read_hands(tmp_path / "session.csv.part").edges == ()
    assert comes(lambda: not runs(server) and not runs(board), SOON_S)


def kwh(store: Path) -> float:
    """kWh delivered as saved last."""
    shown = subprocess.run(
        [*COMMAND, "store", "show", str(store), "--json"], capture_output=True, text=True, env=environment(), check=True
    )
    found = json.loads(shown.stdout)["registers"]["kwh_delivered"]
    assert isinstance(found, float)
    return found


def has_metered(run: Terminal) -> bool:
    """Whether its picture is of four seconds or more: a busy computer's board loses time, and has no whole seconds."""
    return re.search(r"^ *(?:[4-9]|\d\d+)\.\d s   → ", run.text, re.MULTILINE) is not None


def test_a_viewer_that_is_killed_is_nothing_to_the_meter(terminal, tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text("[meter]\nstore = 'store'\n[daemon]\nsocket = 'rig.sock'\n")
    run = terminal("run")
    assert comes(lambda: "→ 0.0000" not in run.text and has_metered(run))
    (meter,) = children(run.process)
    run.process.kill()
    run.process.wait()
    first = reading(tmp_path)
    assert comes(lambda: reading(tmp_path)["seconds"] >= first["seconds"] + 2, SOON_S), "it meters on"
    joined = terminal("run")
    assert comes(lambda: bool(joined.frame))
    assert f"a meter runs already (process {meter}): this shows it" in " ".join(joined.text.split())
    joined.type(CONTROL_C)
    assert joined.end() == 0
    assert runs(meter), "who joins it does not end it"
    ended = command(tmp_path, "stop")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert comes(lambda: not runs(meter), SOON_S)
    Store.open(tmp_path / "store").close()  # nobody has it any more
    assert kwh(tmp_path / "store") > first["registers"]["kwh_delivered"] > 0
    assert not (tmp_path / "rig.sock").exists()


@pytest.mark.slow
def test_a_viewer_that_is_stopped_is_nothing_to_the_meter_either(terminal, tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text("[daemon]\nsocket = 'rig.sock'\n")
    run = terminal("run")
    assert comes(lambda: bool(run.frame))
    run.process.send_signal(signal.SIGSTOP)
    first = reading(tmp_path)["seconds"]
    assert comes(lambda: reading(tmp_path)["seconds"] >= first + 3, SOON_S)
    run.process.send_signal(signal.SIGCONT)
    run.type(CONTROL_C)
    assert run.end() == 0


def test_a_service_that_is_stopped_ends_in_good_order(terminal, tmp_path: Path) -> None:
    """systemd sends SIGTERM to every process of a service; which of them has it first nobody knows."""
    (tmp_path / "rig.toml").write_text("[meter]\nstore = 'store'\n")
    run = terminal("run")
    assert comes(lambda: "→ 0.0000" not in run.text and has_metered(run))
    (meter,) = children(run.process)
    os.kill(meter, signal.SIGTERM)
    run.process.send_signal(signal.SIGTERM)
    assert run.end() == 0
    shown = float(re.findall(r"→ (\d+\.\d+) Wh", run.text)[-1])
    assert shown / 1000 <= kwh(tmp_path / "store")


@pytest.mark.slow
def test_a_reader_that_never_reads_stops_nothing(tmp_path: Path) -> None:
    """The state goes into a pipe of one page that nobody empties: what draws is stuck, and the meter meters."""
    (tmp_path / "rig.toml").write_text("[meter]\nstore = 'store'\n")
    reads, writes = os.pipe()
    fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen([*COMMAND, "run", "--json"], stdout=writes, cwd=tmp_path, env=environment())
    os.close(writes)
    try:
        first = b""
        while b"\n" not in first:
            more = os.read(reads, 4096)
            assert more, "it ended before it said anything"
            first += more
        began = time.monotonic()
        (meter,) = children(process)
        time.sleep(8)
        process.send_signal(signal.SIGTERM)
        metered_s = time.monotonic() - began
        first_wh = json.loads(first.partition(b"\n")[0])["energy_wh"]["delivered"]
        # The lively load takes 3 kW and more: what it had when the pipe was full is far less.
        assert comes(lambda: kwh(tmp_path / "store") * 1000 > first_wh + 1500 / 3600 * metered_s, 10)
        assert process.poll() is None, "it still waits for its reader"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) != 0
        assert comes(lambda: not runs(meter), 10)
    finally:
        process.kill()
        process.wait()
        os.close(reads)


# --- other programs ---------------------------------------------------------------------------------------------


def test_a_run_is_watched(terminal, tmp_path: Path) -> None:
    run = terminal("run", "--serve", "rig.sock")

    def watch(*options: str) -> subprocess.CompletedProcess[str]:
        return command(tmp_path, "watch", "rig.sock", *options)

    assert comes(lambda: (tmp_path / "rig.sock").exists())
    assert comes(lambda: bool(run.frame))
    run.type("c")
    assert comes(lambda: run.beside("COVER OFF"), SOON_S)
    state = json.loads(watch("--json").stdout)
    assert state["type"] == "reading"
    assert state["simulated"] is True
    assert state["face"]["operated"] == ["cover"]
    assert state["lcd_trouble"] is None
    text = watch().stdout
    assert "SIMULATED (exact)" in text
    assert "COVER OFF" in text
    assert "twice hold" not in text, "its keys are not here"
    run.type(CONTROL_C)
    assert run.end() == 0
    assert not (tmp_path / "rig.sock").exists()
    gone = watch()
    assert gone.returncode == 2
    assert gone.stderr == "rig: no meter runs at rig.sock: start one with rig run or rig serve\n"


@pytest.mark.slow
def test_a_run_is_followed_line_by_line(terminal, tmp_path: Path) -> None:
    run = terminal("run", "--socket", "rig.sock")
    assert comes(lambda: bool(run.frame))
    follower = subprocess.Popen(
        [*COMMAND, "watch", "--follow", "--socket", "rig.sock"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=tmp_path, env=environment(),
    )  # fmt: skip
    assert follower.stdout is not None
    lines = [follower.stdout.readline() for _ in range(3)]
    seconds = [float(re.findall(r"  (\d+\.\d) s ", line)[0]) for line in lines]
    assert seconds[1] - seconds[0] == pytest.approx(1, abs=0.11)  # the run's seconds, to a tenth
    assert all(line.startswith("SIMULATED (exact)   ") and "kWh delivered" in line for line in lines)
    run.type(CONTROL_C)
    assert run.end() == 0
    rest, errors = follower.communicate(timeout=PATIENCE_S)
    assert follower.returncode == 0, errors
    assert re.search(r"metered +\d", rest), "its end is told to everybody"


@pytest.mark.slow
def test_a_second_meter_on_the_same_socket_or_store_is_refused_with_its_process(terminal, tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text("[meter]\nstore = 'store'\n[daemon]\nsocket = 'rig.sock'\n")
    run = terminal("run")
    assert comes(lambda: bool(run.frame))
    (meter,) = children(run.process)
    for arguments in (["serve"], ["serve", "--socket", "other.sock"], ["run", "--speed", "max", "--for", "1"]):
        second = command(tmp_path, *arguments)
        assert second.returncode == 2, second.stderr
        assert re.fullmatch(rf"rig: the (socket|store) \S+ is in use by process {meter}: .*\n", second.stderr)
    assert command(tmp_path, "run", "--hands", "none.csv").stderr.startswith(
        f"rig: a meter runs already (process {meter}), and --hands is for a new one"
    )
    run.type(CONTROL_C)
    assert run.end() == 0


@pytest.mark.slow
def test_a_service_in_the_foreground_says_nothing_and_ends_with_sigterm(tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text("[meter]\nstore = 'store'\n[daemon]\nsocket = 'rig.sock'\n")
    service = subprocess.Popen(
        [*COMMAND, "serve"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment()
    )
    assert comes(lambda: command(tmp_path, "watch").returncode == 0)
    with MeterClient.connect(tmp_path / "rig.sock") as client:
        assert client.welcome.process == service.pid, "what systemd started is the meter"
    before = reading(tmp_path)["registers"]["kwh_delivered"]
    service.send_signal(signal.SIGTERM)
    assert service.communicate(timeout=PATIENCE_S) == ("", "")
    assert service.returncode == 0
    assert kwh(tmp_path / "store") >= before > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--hands", "none.csv"], r"none\.csv does not exist: give a file that `rig record` wrote"),
        (["run", "--hands", "bad.csv"], r"bad\.csv: line 3: contact is 'scrol', it must be one of scroll, magnet,"),
        (["run", "--hands", "input.csv"], r"input\.csv moves input1, which the program does not use: take"),
        (["run", "--config", "pi.toml", "--hands", "bad.csv"], r"--hands needs the simulated rig: on hardware time"),
        (["record", "bad.csv"], r"bad\.csv exists: choose another name, or overwrite it with --force"),
        (["record", "none/session.csv"], r"none/session\.csv cannot be written \(No such file or directory\): give"),
    ],
)
def test_mistakes_get_one_sentence(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "bad.csv").write_text("# rig hands 1\nns,contact,closed,verdict\n5,scrol,1,accepted\n")
    (tmp_path / "input.csv").write_text("# rig hands 1\nns,contact,closed,verdict\n5,input1,1,accepted\n")
    (tmp_path / "pi.toml").write_text("[hardware]\nkind = 'pi'\n")
    before = {path.name for path in tmp_path.iterdir()}
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, cwd=tmp_path, env=environment(), check=False
    )
    assert done.returncode == 2
    assert re.fullmatch(rf"rig: .*{said}.*\n", done.stderr), done.stderr
    assert done.stdout == ""
    assert {path.name for path in tmp_path.iterdir()} == before
