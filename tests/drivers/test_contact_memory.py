"""What is remembered of the contacts outlives kill -9; what is torn or foreign is unknown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contact_memory import ContactMemory, Remembered
from drivers.gpio import Position
from drivers.pins import GpioError

ROOT = Path(__file__).parents[2]
NAMES = ("kyz1", "kyz2", "kyz3", "kyz4")

WRITER = """
import sys
from pathlib import Path
from drivers.contact_memory import ContactMemory
from drivers.gpio import Position
memory = ContactMemory(Path(sys.argv[1]), ("kyz1", "kyz2", "kyz3", "kyz4"))
position, pulses = Position.KZ, 0
while True:
    position = position.opposite
    pulses += 1
    memory.remember("kyz1", position.value, pulses)
    memory.remember("kyz3", position.opposite.value, pulses)
    print(position.value, pulses, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 2, 1001])
def test_kill_9_loses_nothing(tmp_path: Path, lines: int) -> None:
    """A real process says what it has remembered, and is killed while it goes on."""
    path = tmp_path / "folder" / "contacts"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(lines)]
        os.kill(writer.pid, signal.SIGKILL)
        said += writer.stdout.readlines()
    assert writer.returncode == -signal.SIGKILL
    whole = [line.strip() for line in said if line.endswith("\n")]
    memory = ContactMemory(path, NAMES)
    # It may have remembered one more, or half of one more, than it came to say.
    contact, _, count = whole[-1].partition(" ")
    told, pulses = Position(contact), int(count)
    last = Remembered(told.value, pulses), Remembered(told.opposite.value, pulses)
    more = Remembered(told.opposite.value, pulses + 1), Remembered(told.value, pulses + 1)
    assert (memory.last("kyz1"), memory.last("kyz3")) in [last, (more[0], last[1]), more]
    assert memory.last("kyz2") is None
    memory.close()


def test_it_is_there_again_and_can_be_changed(tmp_path: Path) -> None:
    memory = ContactMemory(tmp_path / "contacts", NAMES)
    assert [memory.last(name) for name in NAMES] == [None] * 4
    memory.remember("kyz2", "K-Y", 7)
    memory.remember("kyz4", "dark", 0)
    memory.close()
    memory.close()
    again = ContactMemory(tmp_path / "contacts", NAMES)
    assert [again.last(name) for name in NAMES] == [None, Remembered("K-Y", 7), None, Remembered("dark", 0)]
    again.remember("kyz2", "K-Z", 8)
    assert again.last("kyz2") == Remembered("K-Z", 8)
    again.remember("kyz1", Position.OPEN.value, 0)
    with pytest.raises(KeyError, match="ajar"):
        again.remember("kyz2", "ajar", 9)
    again.close()


def test_other_outputs_know_nothing_of_it(tmp_path: Path) -> None:
    memory = ContactMemory(tmp_path / "contacts", NAMES)
    for name in NAMES:
        memory.remember(name, "K-Y", 1)
    memory.close()
    fewer = ContactMemory(tmp_path / "contacts", ("kyz1", "kyz3"))
    assert (fewer.last("kyz1"), fewer.last("kyz3")) == (Remembered("K-Y", 1), None)
    fewer.close()


@given(st.integers(0, 199), st.integers(1, 255))
def test_any_byte_changed_costs_its_output_one_change_and_no_other_any(tmp_path_factory, at: int, flip: int) -> None:
    path = tmp_path_factory.mktemp("memory") / "contacts"
    memory = ContactMemory(path, NAMES)
    for name in NAMES:
        memory.remember(name, "K-Y", 1)
        memory.remember(name, "K-Z", 2)
    memory.close()
    data = bytearray(path.read_bytes())
    data[at] ^= flip
    path.write_bytes(data)
    torn = ContactMemory(path, NAMES)
    first, second = Remembered("K-Y", 1), Remembered("K-Z", 2)
    broken = None if at < 8 else NAMES[(at - 8) // 48]
    for name in NAMES:
        allowed = [None] if broken is None else [first, second] if name == broken else [second]
        assert torn.last(name) in allowed
    torn.close()


@pytest.mark.parametrize("content", [b"", b"x", b"contacts", b"[meter]\n" * 100, bytes(10_000)])
def test_a_foreign_file_is_unknown_and_becomes_ours(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "contacts"
    path.write_bytes(content)
    memory = ContactMemory(path, NAMES)
    assert {memory.last(name) for name in NAMES} == {None}
    memory.remember("kyz1", "K-Z", 3)
    memory.close()
    assert path.stat().st_size == 200
    again = ContactMemory(path, NAMES)
    assert again.last("kyz1") == Remembered("K-Z", 3)
    again.close()


def test_a_place_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "contacts", tmp_path):
        with pytest.raises(GpioError, match=rf"{place}, which remembers the contacts .* \(.*\): give the service"):
            ContactMemory(place, NAMES)


def test_a_file_that_someone_cuts_short_is_an_error_and_no_signal(tmp_path: Path) -> None:
    path = tmp_path / "contacts"
    memory = ContactMemory(path, NAMES)
    os.truncate(path, 0)
    memory.remember("kyz1", "K-Y", 1)
    assert memory.last("kyz1") == Remembered("K-Y", 1)
    memory.close()


def test_a_disk_that_is_full_is_told_and_edges_go_on(tmp_path: Path) -> None:
    memory = ContactMemory(tmp_path / "contacts", NAMES)
    os.close(memory._file)
    memory._file = os.open("/dev/full", os.O_WRONLY)
    memory.remember("kyz1", "K-Y", 1)
    assert memory.trouble is not None
    assert "No space left on device" in memory.trouble
    os.close(memory._file)
    memory._file = -1


def disturbed(path: Path, what: str) -> None:
    """Do to the file what a hand may."""
    match what:
        case "removed":
            path.unlink()
        case "moved":
            path.rename(path.with_name("elsewhere"))
        case "folder removed":
            path.unlink()
            path.parent.rmdir()
        case "emptied":
            os.truncate(path, 0)
        case "replaced":
            path.unlink()
            path.write_text("a stranger's")
        case "linked":
            path.rename(path.with_name("elsewhere"))
            path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("removed", "was removed: it is written anew"),
        ("moved", "was removed: it is written anew"),
        ("emptied", "was cut off: it is written anew"),
        ("replaced", "something else is at its name"),
        ("linked", "something else is at its name"),
    ],
)
def test_a_file_that_is_disturbed_meanwhile_is_told_once_and_mended(tmp_path: Path, what: str, words: str) -> None:
    path = tmp_path / "folder" / "contacts"
    memory = ContactMemory(path, NAMES)
    memory.remember("kyz1", "K-Y", 7)
    memory.remember("kyz2", "K-Z", 8)
    assert memory.look() is None
    disturbed(path, what)
    found = memory.look()
    assert found is not None
    assert words in found
    assert memory.look() is None
    memory.remember("kyz1", "K-Z", 8)
    memory.close()
    if what in ("replaced", "linked"):
        assert what == "linked" or path.read_text() == "a stranger's"
        return
    again = ContactMemory(path, NAMES)
    assert [again.last(name) for name in NAMES] == [Remembered("K-Z", 8), Remembered("K-Z", 8), None, None]
    again.close()


def test_a_folder_that_is_gone_is_told_until_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "contacts"
    memory = ContactMemory(path, NAMES)
    memory.remember("kyz1", "K-Y", 7)
    disturbed(path, "folder removed")
    assert memory.look() is None
    assert memory.trouble is not None
    path.parent.mkdir()
    assert memory.look() == f"{path} was removed: it is written anew"
    assert memory.trouble is None
    memory.close()
    again = ContactMemory(path, NAMES)
    assert again.last("kyz1") == Remembered("K-Y", 7)
    again.close()
