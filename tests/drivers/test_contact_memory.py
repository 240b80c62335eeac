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

from drivers.contact_memory import ContactMemory
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
position = Position.KZ
while True:
    position = position.opposite
    memory.remember("kyz1", position)
    memory.remember("kyz3", position.opposite)
    print(position.value, flush=True)
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
    found, beside = memory.last("kyz1"), memory.last("kyz3")
    told = Position(whole[-1])
    assert (found, beside) in [(told, told.opposite), (told.opposite, told.opposite), (told.opposite, told)]
    assert memory.last("kyz2") is None
    memory.close()


def test_it_is_there_again_and_can_be_changed(tmp_path: Path) -> None:
    memory = ContactMemory(tmp_path / "contacts", NAMES)
    assert [memory.last(name) for name in NAMES] == [None] * 4
    memory.remember("kyz2", Position.KY)
    memory.remember("kyz4", Position.KZ)
    memory.close()
    memory.close()
    again = ContactMemory(tmp_path / "contacts", NAMES)
    assert [again.last(name) for name in NAMES] == [None, Position.KY, None, Position.KZ]
    again.remember("kyz2", Position.KZ)
    assert again.last("kyz2") is Position.KZ
    with pytest.raises(ValueError, match="kyz2: the contact closed last is K-Y or K-Z"):
        again.remember("kyz2", Position.OPEN)
    again.close()


def test_other_outputs_know_nothing_of_it(tmp_path: Path) -> None:
    memory = ContactMemory(tmp_path / "contacts", NAMES)
    for name in NAMES:
        memory.remember(name, Position.KY)
    memory.close()
    fewer = ContactMemory(tmp_path / "contacts", ("kyz1", "kyz3"))
    assert (fewer.last("kyz1"), fewer.last("kyz3")) == (Position.KY, None)
    fewer.close()


@given(st.integers(0, 39), st.integers(1, 255))
def test_any_byte_changed_makes_its_output_unknown_and_no_other_wrong(tmp_path_factory, at: int, flip: int) -> None:
    path = tmp_path_factory.mktemp("memory") / "contacts"
    memory = ContactMemory(path, NAMES)
    for name in NAMES:
        memory.remember(name, Position.KY)
    memory.close()
    data = bytearray(path.read_bytes())
    data[at] ^= flip
    path.write_bytes(data)
    torn = ContactMemory(path, NAMES)
    broken = set(NAMES) if at < 8 else {NAMES[(at - 8) // 8]}
    assert {name for name in NAMES if torn.last(name) is None} == broken
    torn.close()


@pytest.mark.parametrize("content", [b"", b"x", b"contacts", b"[meter]\n" * 100, bytes(10_000)])
def test_a_foreign_file_is_unknown_and_becomes_ours(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "contacts"
    path.write_bytes(content)
    memory = ContactMemory(path, NAMES)
    assert {memory.last(name) for name in NAMES} == {None}
    memory.remember("kyz1", Position.KZ)
    memory.close()
    assert path.stat().st_size == 40
    again = ContactMemory(path, NAMES)
    assert again.last("kyz1") is Position.KZ
    again.close()


def test_a_place_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "contacts", tmp_path):
        with pytest.raises(GpioError, match=rf"{place}, which remembers the contacts .* \(.*\): give the service"):
            ContactMemory(place, NAMES)
