"""Where the socket is: found again, one daemon each, nothing of others taken, and modes as they are told."""

from __future__ import annotations

import grp
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from rig.daemon import address
from rig.daemon.address import Address, AddressError, beside, claim_pins, default_socket, runtime_folder
from rig.files.claim import Claim, ClaimError
from rig.hardware.config import Config

HOLDER = """
import sys
from pathlib import Path
from rig.daemon.address import Address
held = Address(Path(sys.argv[1]))
print("there", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.sock"


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that has the socket, until its standard input ends or it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    return process


def ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# --- one daemon ------------------------------------------------------------------------------------------------


def test_a_socket_that_is_in_use_is_refused_and_the_process_that_has_it_is_named(path: Path) -> None:
    process = holder(path)
    try:
        with pytest.raises(ClaimError, match=rf"the socket {path} is in use by process {process.pid}: "):
            Address(path)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))  # the refused one has not taken the name away
    finally:
        ended(process)


def test_what_a_killed_daemon_left_is_taken_over(path: Path) -> None:
    ended(holder(path))
    assert path.is_socket()
    ours = Address(path)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    ours.close()
    assert list(path.parent.iterdir()) == []


def test_only_its_own_name_goes_with_it(path: Path) -> None:
    """Whoever took the name meanwhile keeps it."""
    ours = Address(path)
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        ours.close()
        assert path.is_socket()


def test_closing_twice_takes_nothing_of_the_next(path: Path) -> None:
    first = Address(path)
    first.close()
    second = Address(path)
    first.close()
    assert path.is_socket()
    with pytest.raises(ClaimError, match=f"process {os.getpid()}"):
        Address(path)
    second.close()


# --- what is in the way ----------------------------------------------------------------------------------------


def test_a_file_in_the_way_stays_and_nothing_is_left(path: Path) -> None:
    path.write_text("a letter")
    with pytest.raises(AddressError, match=f"{path} exists and is not a socket: give a free path"):
        Address(path)
    assert path.read_text() == "a letter"
    assert list(path.parent.iterdir()) == [path]


def test_a_socket_that_was_removed_is_made_anew_and_what_else_stands_there_stays(path: Path) -> None:
    ours = Address(path)
    descriptor = ours.listener.fileno()
    assert not ours.renew()
    path.unlink()
    assert ours.renew()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        ours.listener.accept()[0].close()
    assert (ours.listener.fileno(), mode(path)) == (descriptor, 0o600)
    path.unlink()
    path.write_text("treasure")
    assert not ours.renew()
    ours.close()
    assert path.read_text() == "treasure"


def test_a_link_to_a_socket_is_no_socket(path: Path) -> None:
    ours = Address(path.with_name("other.sock"))
    path.symlink_to(ours.path)
    with pytest.raises(AddressError, match="exists and is not a socket"):
        Address(path)
    assert path.is_symlink()
    ours.close()


def test_a_lock_that_is_a_link_is_not_followed(path: Path) -> None:
    treasure = path.with_name("treasure")
    treasure.write_text("kept")
    path.with_name("m.sock.lock").symlink_to(treasure)
    with pytest.raises(ClaimError, match=r"m\.sock\.lock cannot be written"):
        Address(path)
    assert treasure.read_text() == "kept"


@pytest.mark.parametrize(
    "name", ["no/such/folder/m.sock", "a" * 200 + ".sock", "é" * 60 + ".sock", "file/m.sock"], ids=str
)
def test_a_path_that_cannot_be_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((AddressError, ClaimError), match=re.escape(str(tmp_path / name))):
        Address(tmp_path / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


@pytest.mark.parametrize("folder", [".", "/", "..", "x/.."])
def test_a_folder_is_no_name_for_a_socket(command_line, folder: str) -> None:
    for give in (Address, lambda path: beside(path, "log")):
        with pytest.raises(AddressError, match=f"^{re.escape(folder)} is a folder, and no name for a socket"):
            give(Path(folder))
    refused = command_line("watch", "--socket", folder)
    assert (refused.status, refused.err.count("\n")) == (2, 1), refused.err


def test_meters_in_one_folder_have_files_of_their_own() -> None:
    def files(name: str) -> list[str]:
        return [beside(Path("plant") / name, what).name for what in ("log", "optical.pty", "mqtt.lock")]

    assert files("meter.sock") == ["meter.log", "meter.optical.pty", "meter.mqtt.lock"]
    assert files("meter.north") == ["meter.north.log", "meter.north.optical.pty", "meter.north.mqtt.lock"]
    assert files("meter") == ["meter.log", "meter.optical.pty", "meter.mqtt.lock"]
    assert files("x.log")[0] == "x.log.log"


def test_the_longest_path_that_is_taken_works(tmp_path: Path) -> None:
    path = tmp_path / ("s" * (address.MOST_PATH_BYTES - len(os.fsencode(tmp_path)) - 1))
    Address(path).close()
    with pytest.raises(AddressError, match="too long"):
        Address(path.with_name(path.name + "s"))


# --- who may -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0, 0o022, 0o777])
def test_the_modes(path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        ours = Address(path)
        assert mode(path) == 0o600
        ours.close()
        own_group = grp.getgrgid(os.getgid()).gr_name
        ours = Address(path, own_group)
        assert mode(path) == 0o660
        assert path.lstat().st_gid == os.getgid()
        ours.close()
    finally:
        assert os.umask(before) == mask


@pytest.mark.parametrize("group", ["no-such-group", "", "a\0b"], ids=repr)
def test_a_group_that_is_not_there(path: Path, group: str) -> None:
    with pytest.raises(AddressError) as refused:
        Address(path, group)
    assert str(refused.value) == f"daemon.group is {group!r}, there is no such group: give one of this system"
    assert list(path.parent.iterdir()) == []


# --- found again -------------------------------------------------------------------------------------------------


def test_a_configuration_has_one_socket_however_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, other = tmp_path / "rig.toml", tmp_path / "other.toml"
    file.write_text("")
    other.write_text("")
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    monkeypatch.chdir(tmp_path)
    assert default_socket(Path("rig.toml")) == default_socket(file) == default_socket(link)
    assert len({default_socket(file), default_socket(other), default_socket(None)}) == 3


@pytest.mark.parametrize("what", ["open to others", "a file", "a link"])
def test_a_runtime_folder_that_is_not_ours_alone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "ae0764-rig"
    match what:
        case "open to others":
            folder.mkdir()
            folder.chmod(0o777)
        case "a file":
            folder.write_text("")
        case _:
            (tmp_path / "elsewhere").mkdir(0o700)
            folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AddressError, match=f"{folder} .*--socket"):
        runtime_folder()


def test_without_a_session_the_folder_is_in_tmp_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = runtime_folder()
    assert folder == tmp_path / f"ae0764-rig-{os.getuid()}"
    assert mode(folder) == 0o700
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "not" / "there"))
    with pytest.raises(AddressError, match="cannot be made"):
        runtime_folder()


# --- the pins ------------------------------------------------------------------------------------------------------


def on_hardware(chip: str = "/dev/gpiochip0") -> Config:
    config = Config()
    return msgspec.structs.replace(config, hardware=msgspec.structs.replace(config.hardware, kind="pi", gpio_chip=chip))


def test_one_process_has_the_pins_of_a_chip(tmp_path: Path) -> None:
    claim = claim_pins(on_hardware(), tmp_path)
    assert isinstance(claim, Claim)
    with pytest.raises(ClaimError, match=f"the rig on /dev/gpiochip0 is in use by process {os.getpid()}"):
        claim_pins(on_hardware(), tmp_path)
    other = claim_pins(on_hardware("/dev/gpiochip4"), tmp_path)
    assert other is not None
    other.close()
    claim.close()
    again = claim_pins(on_hardware(), tmp_path)
    assert again is not None
    again.close()


def test_a_simulated_rig_has_pins_of_its_own(tmp_path: Path) -> None:
    assert claim_pins(Config(), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_claim_is_of_the_file_that_is_there_when_it_is_locked(tmp_path: Path) -> None:
    """Between opening and locking the holder before may have taken its file away and a third have made another."""
    path = tmp_path / "lock"
    replaced = []

    class Late(Claim):
        @staticmethod
        def _locked(path: Path, what: str) -> int:
            file = Claim._locked(path, what)
            if not replaced:
                replaced.append(path.lstat())
                (path.parent / "other").touch()
                (path.parent / "other").replace(path)
            return file

    claim = Late(path, "the lock")
    assert len(replaced) == 1
    assert os.path.samestat(claim.opened, path.lstat())
    assert not os.path.samestat(claim.opened, replaced[0])
    with pytest.raises(ClaimError):
        Claim(path, "the lock")
    claim.close()
