"""The ring of states: what a kill cuts short is noticed, and no file that someone else makes of it does any harm."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.store.errors import StoreError
from rig.store.ring import SLOT, StateRing, default_ring

HEAD = 24
"""Bytes before a state: magic 8, number 8, length 4, CRC 4."""


def newest(path: Path) -> tuple[int, bytes | None]:
    ring = StateRing(path)
    ring.close()
    return ring.number, ring.newest


@given(st.lists(st.binary(max_size=400), max_size=5))
def test_the_last_state_written_is_the_newest(tmp_path_factory, states: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("ring") / "folder" / "meter.ring"
    assert newest(path) == (0, None)
    for state in states:  # each by a process of its own
        ring = StateRing(path)
        assert ring.write(state)
        ring.close()
    assert newest(path) == (len(states), states[-1] if states else None)
    assert path.stat().st_size == 2 * SLOT
    assert path.stat().st_mode & 0o777 == 0o600


@given(st.binary(min_size=1, max_size=200), st.binary(min_size=1, max_size=200), st.data())
def test_a_write_cut_short_at_any_byte_leaves_the_state_before(tmp_path_factory, old: bytes, new: bytes, data) -> None:
    """A kill inside the system call: the slot has a part of the new state, and behind it what was there."""
    path = tmp_path_factory.mktemp("ring") / "meter.ring"
    ring = StateRing(path)
    for state in (b"first", old):
        ring.write(state)
    before = path.read_bytes()
    ring.write(new)
    ring.close()
    after = path.read_bytes()
    cut = data.draw(st.integers(0, HEAD + len(new) - 1))
    at = SLOT  # the third state goes to slot 1
    path.write_bytes(before[:at] + after[at : at + cut] + before[at + cut :])
    found = newest(path)
    whole = before[at + cut : at + HEAD + len(new)] == after[at + cut : at + HEAD + len(new)]
    assert found == ((3, new) if whole else (2, old))


@given(st.integers(0, 2 * SLOT - 1), st.integers(1, 255))
def test_any_byte_changed_costs_one_state_at_most(tmp_path_factory, at: int, flip: int) -> None:
    path = tmp_path_factory.mktemp("ring") / "meter.ring"
    ring = StateRing(path)
    ring.write(b"one")
    ring.write(b"two")
    ring.close()
    content = bytearray(path.read_bytes())
    content[at] ^= flip
    path.write_bytes(content)
    assert newest(path) in [(2, b"two"), (1, b"one")]


def test_what_is_no_ring_is_begun_anew_and_what_is_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "meter.ring"
    path.write_bytes(b"[meter]\n" * 1000)
    assert newest(path) == (0, None)
    path.unlink()
    (tmp_path / "other").write_bytes(b"precious")
    for make in (
        lambda: path.symlink_to(tmp_path / "other"),
        lambda: os.mkfifo(path),
        path.mkdir,
        lambda: os.link(tmp_path / "other", path),
    ):
        make()
        with pytest.raises(StoreError, match=rf"{path} cannot be the ring of states \(.*\): set meter.ring to a file"):
            StateRing(path)
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
        assert (tmp_path / "other").read_bytes() == b"precious"
    with pytest.raises(StoreError, match=r"cannot be the ring of states \(File exists\)"):
        StateRing(tmp_path / "other" / "ring")


def test_a_state_that_is_too_long_and_a_file_cut_short_in_mid_run_are_no_end(tmp_path: Path) -> None:
    ring = StateRing(tmp_path / "meter.ring")
    assert not ring.write(bytes(SLOT))
    assert ring.fault is not None
    assert "too long" in ring.fault
    os.truncate(tmp_path / "meter.ring", 0)
    assert ring.write(b"again")
    assert ring.fault is None
    ring.close()
    assert newest(tmp_path / "meter.ring") == (1, b"again")


def test_a_file_that_is_taken_away_is_made_again_within_a_second(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "meter.ring"
    ring = StateRing(path)
    ring.write(b"state")
    path.unlink()
    path.parent.rmdir()
    for k in range(64):
        assert ring.write(b"%d" % k)
    ring.close()
    assert newest(path)[1] == b"63"


def test_memory_that_is_full_is_told_in_a_sentence_and_metering_goes_on(tmp_path: Path) -> None:
    """The file may not grow: room is taken at the start, or it is refused then; later only a cut file needs more."""
    script = (
        "import os, resource, signal, sys\n"
        "from pathlib import Path\n"
        "from rig.store.errors import StoreError\n"
        "from rig.store.ring import StateRing\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "path = Path(sys.argv[1])\n"
        "ring = StateRing(path)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "print(ring.write(bytes(5000)), ring.fault)\n"
        "try:\n"
        "    StateRing(path.with_name('new.ring'))\n"
        "except StoreError as error:\n"
        "    print(error)\n"
    )
    path = tmp_path / "meter.ring"
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000
    said = done.stdout.splitlines()
    assert said[0].startswith(f"False the ring of states {path} cannot be written (File too large): a crash may cost")
    assert said[1].startswith(f"{tmp_path / 'new.ring'} cannot be the ring of states (File too large): set meter.ring")


def test_each_store_has_a_ring_of_its_own_in_memory(tmp_path: Path) -> None:
    one, other = default_ring(tmp_path / "one"), default_ring(tmp_path / "other")
    assert one != other
    assert one == default_ring(tmp_path / "x" / ".." / "one")
    assert one.parent.parent in (Path(f"/run/user/{os.geteuid()}"), Path("/dev/shm"), Path("/tmp"))
