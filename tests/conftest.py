"""What all tests share: the recordings that exist only where the project is developed, and hypothesis's profile."""

from __future__ import annotations

import faulthandler
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples each time, so that a suite that passed passes again. Time is measured in `make bench`.
settings.register_profile("rig", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None)
settings.load_profile("rig")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let a slow proof take its minutes: the limit on a test that hangs is not for it."""
    if item.get_closest_marker("slow") is not None:
        faulthandler.cancel_dump_traceback_later()


_WAVEFORMS = Path(__file__).parents[2] / "shared" / "waveforms"


@pytest.fixture(scope="session")
def waveforms() -> Path:
    """The folder of real recordings with reference values."""
    if not _WAVEFORMS.is_dir():
        pytest.skip("the recordings (../shared/waveforms) exist only where the project is developed")
    return _WAVEFORMS


@pytest.fixture(autouse=True, scope="session")
def runtime() -> Iterator[Path]:
    """A folder of this process's own for the sockets of meters. Short, since a socket's address has 107 bytes."""
    folder = Path(tempfile.gettempdir(), f"rig-{os.getpid()}")
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    folder.mkdir(exist_ok=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
    if before is None:
        del os.environ["XDG_RUNTIME_DIR"]
    else:
        os.environ["XDG_RUNTIME_DIR"] = before


def _holder(lock: Path) -> int | None:
    """The process that has a lock now; a number that was left in the file may be another process's by now."""
    with suppress(ValueError, IndexError, OSError), lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return int(file.read().split()[0])
    return None


@pytest.fixture(autouse=True)
def no_meter_is_left(request: pytest.FixtureRequest, runtime: Path) -> Iterator[None]:
    """A meter outlives whoever shows it: what still runs at the end of a test, perhaps a failed one, is killed."""
    folders = [runtime]
    if "tmp_path" in request.fixturenames:
        folders.append(request.getfixturevalue("tmp_path"))
    yield
    for folder in folders:
        for lock in folder.rglob("*.sock.lock"):
            if (process := _holder(lock)) not in (None, os.getpid()):
                with suppress(OSError):
                    os.kill(process, signal.SIGKILL)
    for left in runtime.rglob("*"):
        if not left.is_dir():
            left.unlink(missing_ok=True)
