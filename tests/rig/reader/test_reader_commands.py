"""`rig read`, `rig write` and `rig meter` at the optical port of a meter on the simulated rig, and at no port (X-2)."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from own_file import own_file
from port_bench import PortBench
from programmer_bench import ProgrammerBench
from table_decoder import st1, st21, st23, st64

from rig.daemon.protocol import LogOn, ReadState
from rig.reader.line import SerialPort
from rig.reader.meter import MeterAccess
from rig.reader.passwords import Passwords
from rig.reader.reading import TableReading
from rig.reader.reading_file import load_reading
from rig.reader.shown import decoded_of

PROGRAM = """
[meter]
serial = "12 345 678"
[demand]
quantities = ["kW delivered"]
[recorder]
interval_minutes = 1
channels = [{ metric = "kWh delivered", pulse = "1" }]
[security]
level_1 = "111111"
level_2 = "222222"
level_3 = "333333"
level_4 = "444444"
"""
LEVELS = [
    (words, level)
    for line in (Path(__file__).parents[3] / "docs" / "reading.md").read_text().splitlines()
    if (row := re.fullmatch(r"\| (`[a-z-]+.*`) \| .+ \| ([0-4]) \| .+ \|", line))
    for words in re.findall(r"`([^`]+)`", row[1])
    for level in row[2]
]
"""Actions, and the level that each takes, by the table for people."""
PORTS = "[simulation.load]\namps = 40\n[[ports]]\nname = 'optical'\ndevice = 'pty'\n"


@pytest.fixture
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortBench]:
    """A meter with its daemon, its port's process and a pty, which goes on metering as long as it is there."""
    bench = PortBench(tmp_path_factory.mktemp("read"), PROGRAM, PORTS)
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProgrammerBench]:
    made = ProgrammerBench(PROGRAM, tmp_path_factory.mktemp("virtual"))
    yield made
    made.port.close()


@pytest.fixture
def virtual(made: ProgrammerBench, monkeypatch: pytest.MonkeyPatch) -> ProgrammerBench:
    """A meter in this process, whose line every port that is opened is; the time-outs are in virtual time."""
    made.line.pause(120)
    made.port.meter.asked.clear()
    access = partial(MeterAccess, open_line=made.line.open, pause=made.line.pause)
    monkeypatch.setattr("rig.reader.meter.MeterAccess", access)
    return made


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    own_file(path, "111111\n")
    return path


def delivered(energy: dict[str, dict[str, int]]) -> int:
    return energy["q1"]["nwh"] + energy["q4"]["nwh"]


@pytest.mark.slow
def test_everything_is_read_as_another_decoder_has_it(bench: PortBench, command_line, password: Path) -> None:
    before = bench.meter.ask(ReadState())["registers"]["energy"]
    done = command_line("read", bench.pty, "--out", "meter.json", "--profile", "--password-file", password)
    after = bench.meter.ask(ReadState())["registers"]["energy"]
    assert (done.status, done.out) == (0, ""), done
    assert "0 refused" in done.err
    reading = load_reading(password.parent / "meter.json")
    data = {table.table: table.bytes for table in reading.tables}
    assert (reading.protocol, reading.simulated, reading.password, reading.sessions) == ("C12.18", True, True, 1)
    assert st1(data[1])["serial"] == "12 345 678"
    dims = st21(data[21])
    values = decoded_of(reading).values(23)["TOT_DATA_BLOCK"]["SUMMATIONS"]
    assert values == st23(data[23], (13, 13), dims)["total"]["summations"]
    assert delivered(before) <= values[0] * 10**12 <= delivered(after)
    assert st64(data[64], {"channels": 1, "formats": 2, "intervals": 1, "flags": 0x440}, len(data[64]) // 8) is not None
    assert not (password.parent / "meter.json.part").exists()
    assert b"111111" not in (password.parent / "meter.json").read_bytes()
    shown = command_line("read", "--show", "meter.json")
    assert shown.status == 0
    assert "AE07 RXRS4e, serial number 12 345 678" in shown.out
    assert "SIMULATED" in shown.out.splitlines()[0]
    plain = json.loads(command_line("read", "--show", "meter.json", "--json").out)
    assert plain["tables"][1]["values"]["ED_MODEL"] == "RXRS4e"
    assert len(plain["tables"]) == len(reading.tables)


def test_without_a_password_and_without_a_file(virtual: ProgrammerBench, command_line) -> None:
    done = command_line("read", "port", "--tables", "12,22-23,mt1")
    assert done.status == 0
    assert [line.split()[:2] for line in done.out.splitlines()[3:5]] == [["kWh", "delivered"], ["kWh", "received"]]
    assert "refused: isc" in done.out
    assert "some need a password" in done.err


def test_a_wrong_password_is_given_once(virtual: ProgrammerBench, command_line, password: Path) -> None:
    password.write_text("ABCDEF")
    done = command_line("read", "port", "--out", "r.json", "--password-file", password)
    assert (done.status, done.out) == (2, "")
    assert "does not take the password" in done.err
    assert "ABCDEF" not in done.err
    assert [asked.key for asked in virtual.port.meter.asked if isinstance(asked, LogOn)] == ["ABCDEF"]
    assert not (password.parent / "r.json").exists()


def test_a_password_of_the_keyring(virtual: ProgrammerBench, command_line, tmp_path: Path) -> None:
    ring = tmp_path / "ring.toml"
    ring.write_text('[passwords]\n"12 345 678" = "111111"\n"*" = "999999"\n')
    ring.chmod(0o644)
    done = command_line("read", "port", "--keyring", ring, "--tables", "MT1")
    assert (done.status, "chmod 600" in done.err) == (2, True)
    ring.chmod(0o600)
    done = command_line("read", "port", "--keyring", ring, "--tables", "MT1", "--json")
    assert done.status == 0, done.err
    assert json.loads(done.out)["tables"][-1]["values"]["SEALED"] == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("passwords = 1", "other tables"),
        ("[passwords]\nx = 1", "is no text"),
        ("[passwords]\nx = 'secret", "is no TOML"),
        ("[passwords]\nx = '123456789012345678901'", "up to 20 characters"),
        ("[other]\nsecret = 2", "other tables"),
        ("\xff", "no TOML"),
    ],
)
def test_keyrings_that_are_none(command_line, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "ring").write_text(text)
    (tmp_path / "ring").chmod(stat.S_IRUSR)
    done = command_line("read", "nowhere", "--keyring", "ring")
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert "secret" not in done.err
    assert "1234567890" not in done.err


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "secret is empty"),
        (b"\r\n\n", "secret is empty"),
        (b"1A2B3C\n4D5E6F\n", "secret has more than one line"),
        (b"1A2B3C\r4D5E6F", "secret has more than one line"),
        (b"\xff\xfe1\0A\0", "it is no text"),
        ("1A2\u00e9".encode(), "no ASCII"),
    ],
)
def test_password_files_that_are_none(command_line, tmp_path: Path, data: bytes, said: str) -> None:
    """Nothing is sent to a meter, where a wrong password counts."""
    (tmp_path / "secret").write_bytes(data)
    done = command_line("read", "nowhere", "--password-file", "secret")
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert "1A2" not in done.err


@pytest.mark.parametrize(("mode", "noted"), [(0o600, False), (0o400, False), (0o644, True), (0o620, True)])
def test_a_password_file_for_others_is_noted(command_line, tmp_path: Path, mode: int, noted: bool) -> None:
    own_file(tmp_path / "secret", "1A2B3C\n").chmod(mode)
    done = command_line("read", "nowhere", "--password-file", "secret")
    assert (done.status, "note: secret can be read" in done.err) == (2, noted)
    assert "nowhere" in done.err


@pytest.mark.parametrize("text", ["1A2B3C", "1A2B3C\n", "1A2B3C\r\n", "\ufeff1A2B3C\r\n"])
def test_a_password_file_as_editors_write_it(tmp_path: Path, text: str) -> None:
    assert Passwords(own_file(tmp_path / "secret", text)).of("", "") == b"1A2B3C"


@pytest.mark.parametrize("text", ["", "\n", "# [meter]\n", "\ufeff"])
@pytest.mark.parametrize(
    "words",
    ["write nowhere new.toml", "ask write-program new.toml", "module METRUM --program-file new.toml"],
)
def test_a_file_without_a_key_is_no_program_to_write(command_line, tmp_path: Path, words: str, text: str) -> None:
    """A disk that was full left it; it would give a meter the factory's keys."""
    (tmp_path / "new.toml").write_text(text)
    done = command_line(*words.split())
    assert (done.status, done.out) == (2, "")
    assert "new.toml has no key" in done.err


def test_what_is_no_port(command_line, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "closed").symlink_to("/dev/pts/9999")
    for port, said in (
        ("file", "is no device"), (".", "is a folder"), ("none", "No such file"), ("closed", "No such file"),
        ("/dev/null", "cannot be had"), ("/dev/full", "cannot be had"), ("a" * 300, "cannot be had"),
    ):  # fmt: skip
        done = command_line("read", port, "--out", "r.json")
        assert (done.status, done.out) == (2, ""), port
        assert said in done.err, port
        assert done.err.count("\n") == 1
    assert not (tmp_path / "r.json.part").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("read", "no port is given"),
        ("read x --show y", "leave the port"),
        ("read x --tables 5000", "0 to 4095"),
        ("read x --tables 9-3", "in order"),
        ("read x --tables ST1,,2", "is no table"),
        ("read x --protocol modbus", "one of auto, c12.18"),
        ("read x --baud 9601", "one of 300"),
        ("read x --address 256", "equal to 255"),
        ("read x --out no/where.json", "does not exist"),
        ("read x --prompt", "needs a terminal"),
        ("read x --password-file none", "cannot be read"),
    ],
)
def test_mistakes(command_line, words: str, said: str) -> None:
    done = command_line(*words.split())
    assert (done.status, done.out) == (2, "")
    assert said in done.err


def test_a_port_that_another_program_has(command_line) -> None:
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)
    holder = SerialPort(name, 9600)
    done = command_line("meter", name, "status")
    holder.close()
    os.close(ours)
    os.close(theirs)
    assert (done.status, done.out) == (2, "")
    assert "another program has it" in done.err


def test_a_port_that_is_unplugged(command_line) -> None:
    """Unplugged once identify has come: that is said at once, not after the time-outs of three protocols."""
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)

    def unplug() -> None:
        os.read(ours, 9)
        os.close(ours)

    hands = threading.Thread(target=unplug)
    hands.start()
    done = command_line("read", name)
    hands.join()
    os.close(theirs)
    assert (done.status, done.out) == (2, "")
    assert "is lost" in done.err


def test_what_stands_where_a_partial_file_would_be(virtual: ProgrammerBench, command_line, tmp_path: Path) -> None:
    part = tmp_path / "r.json.part"
    kinds: list[tuple[Callable[[], object], str]] = [
        (lambda: os.mkfifo(part), "is a FIFO"),
        (part.mkdir, "is a folder"),
        (lambda: part.symlink_to("/dev/zero"), "symbolic link"),
        (lambda: part.write_bytes(b"something else\n"), "is no reading that broke off"),
        (lambda: part.write_bytes(bytes(1 << 26)), "at most so many: delete it"),
    ]
    for make, said in kinds:
        make()
        done = command_line("read", "port", "--out", "r.json")
        assert (done.status, done.out) == (2, ""), said
        assert said in done.err
        part.rmdir() if part.is_dir() and not part.is_symlink() else part.unlink()
    assert [path.name for path in tmp_path.iterdir()] == []


def test_ctrl_c_keeps_what_was_read(virtual: ProgrammerBench, command_line, monkeypatch: pytest.MonkeyPatch) -> None:
    read = TableReading._whole

    def nothing(reading: TableReading, *_: object) -> None:
        raise KeyboardInterrupt

    def interrupts(reading: TableReading, number: int, progress: Callable[[int], None]) -> bytes:
        if number == 12:
            raise KeyboardInterrupt
        return read(reading, number, progress)

    with monkeypatch.context() as at_once:
        at_once.setattr(TableReading, "run", nothing)
        done = command_line("read", "port", "--out", "r.json")
    assert (done.status, done.err) == (130, "rig: interrupted before all was read; nothing is kept\n")
    virtual.line.pause(20)
    monkeypatch.setattr(TableReading, "_whole", interrupts)
    done = command_line("read", "port", "--out", "r.json", "--tables", "0-5,12")
    assert (done.status, done.out) == (130, "")
    assert "the same command goes on" in done.err
    monkeypatch.setattr(TableReading, "_whole", read)
    virtual.line.pause(20)
    done = command_line("read", "port", "--out", "r.json", "--tables", "0-5,12", "--json")
    assert json.loads(done.out)["sessions"] == 2


def test_ctrl_c_at_any_stage_of_a_write_says_what_the_meter_has(
    virtual: ProgrammerBench, command_line, tmp_path: Path
) -> None:
    """At a byte of the line: before the meter was asked to apply it, and after."""
    own_file(tmp_path / "level-4", "444444")
    words = ("write", "port", "new.toml", "--password-file", "level-4")

    def interrupt() -> None:
        raise KeyboardInterrupt

    said = set()
    (tmp_path / "new.toml").write_text(PROGRAM.replace("interval_minutes = 1", "interval_minutes = 15"))
    virtual.line.passed = 0
    assert command_line(*words).status == 0
    whole = virtual.line.passed
    for place, minutes in ((whole // 3, 30), (whole * 5 // 6, 15)):
        program = PROGRAM.replace("interval_minutes = 1", f"interval_minutes = {minutes}")
        (tmp_path / "new.toml").write_text(program)
        virtual.line.pause(60)
        before = virtual.digest
        virtual.line.left, virtual.line.on_cut = place, interrupt
        done = command_line(*words)
        virtual.line.left, virtual.line.on_cut = None, lambda: None
        assert (done.status, done.out) == (130, ""), done
        if "it has the program that it had before" in done.err:
            assert virtual.digest == before
        else:
            assert "rig: interrupted while the meter took it: --check says which program it has" in done.err
        said.add(done.err.split(":")[1])
        virtual.line.pause(60)
        assert command_line(*words).status == 0, "and the same command goes on"
    assert len(said) == 2, said


# --- write and meter --------------------------------------------------------------------------------------------


def test_something_is_done_and_said(virtual: ProgrammerBench, command_line, tmp_path: Path) -> None:
    resets = virtual.state["resets"]
    done = command_line("meter", "port", "status")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("metering; ")
    refused = command_line("meter", "port", "reset")
    assert (refused.status, refused.out) == (2, "")
    assert "takes the password" in refused.err
    for words in ("season 9", "season ٣", "test maybe", "relay KYZ9:closed:5", "clock 2026-13-45"):
        refused = command_line("meter", "nosuch", *words.split(" "))
        assert (refused.status, refused.out) == (2, ""), words
        assert "it must be" in refused.err, "before a port is opened"
    own_file(tmp_path / "level-1", "111111")
    refused = command_line("meter", "port", "reset", "--password-file", "level-1")
    assert (refused.status, "not at this level" in refused.err) == (1, True)
    assert virtual.state["resets"] == resets
    own_file(tmp_path / "level-2", "222222\n")
    done = command_line("meter", "port", "reset", "--password-file", "level-2", "--json")
    assert json.loads(done.out)["sentence"] == "demand reset: done"
    assert virtual.state["resets"] == resets + 1


@pytest.mark.parametrize("row", LEVELS, ids=lambda row: row[0])
def test_a_password_is_asked_for_where_the_page_names_a_level(
    virtual: ProgrammerBench, command_line, row: tuple[str, str]
) -> None:
    words, level = row
    done = command_line("meter", "port", *words.split())
    assert done.status == (0 if level == "0" else 2), done
    assert ("takes the password" in done.err) == (level != "0")


def test_a_program_is_written_and_checked(virtual: ProgrammerBench, command_line, tmp_path: Path) -> None:
    own_file(tmp_path / "level-4", "444444")
    (tmp_path / "new.toml").write_text("\ufeff" + PROGRAM.replace("interval_minutes = 1", "interval_minutes = 5"))
    done = command_line("write", "port", "new.toml", "--check", "--password-file", "level-4")
    assert (done.status, done.out) == (1, "")
    assert "they differ in [recorder]" in done.err
    done = command_line("write", "port", "new.toml", "--password-file", "level-4")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("written and read back: ")
    digest = done.out.split()[-1]
    assert virtual.digest == digest
    done = command_line("write", "port", "new.toml", "--check", "--password-file", "level-4")
    assert (done.status, done.out) == (0, f"the meter has this program: {digest}\n")
    (tmp_path / "bad.toml").write_text("[meter]\nform = 'no'\n")
    done = command_line("write", "port", "bad.toml", "--password-file", "level-4")
    assert (done.status, done.out) == (2, "")
    assert "bad.toml" in done.err


def test_the_menu_on_a_pipe(virtual: ProgrammerBench, command_line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registers, something that is not there, the clock without setting it, a value that is none, the end."""
    monkeypatch.setattr("sys.stdin", io.StringIO("1\nx\n3\n\n7\nmaybe\n333333\n"))
    done = command_line("meter", "port")
    assert done.status == 0, done.err
    assert "kWh delivered" in done.out
    assert "'x' is not in the menu" in done.out
    assert "the meter's clock shows" in done.out
    assert "it must be on or off" in done.out
    assert "333333" not in done.out + done.err
    assert "\x1b" not in done.out
