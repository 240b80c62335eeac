"""A module of ours as a process of its own: starting it, its file of errors, ending it with whoever started it."""

from __future__ import annotations

import atexit
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO

import rig

PR_SET_PDEATHSIG = 1
"""Of <linux/prctl.h>."""


def start_process(
    words: Sequence[str], descriptors: Sequence[int], errors: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start this Python with `words` and the open `descriptors`, which end the words; what it prints goes to `errors`.

    It finds the same rig, has the same warnings, and is in a session of its own: neither Ctrl-C nor the end of the
    terminal is for it.
    """
    root = str(Path(rig.__path__[0]).parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    warnings = [f"-W{option}" for option in sys.warnoptions]
    return subprocess.Popen(
        [sys.executable, *warnings, *words, *map(str, descriptors)],
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        env=os.environ | {"PYTHONPATH": path},
        start_new_session=True,
    )


def new_log(path: Path) -> BinaryIO:
    """Open a file for a process's errors. It is a new one: that of a process which is just ending goes with that one.
    Raises OSError."""
    path.unlink(missing_ok=True)
    return path.open("xb")


def leave_no_empty_log() -> None:
    """Have the file that this process's errors go to removed as it ends, if it is still empty and has its name."""
    atexit.register(_remove_empty_log)


def _remove_empty_log() -> None:
    errors = sys.__stderr__
    if errors is None:
        return
    with suppress(OSError, ValueError):
        errors.flush()
        found = os.fstat(errors.fileno())
        path = Path(os.readlink(f"/proc/self/fd/{errors.fileno()}"))
        if stat.S_ISREG(found.st_mode) and not found.st_size and os.path.samestat(found, path.lstat()):
            path.unlink()


def end_with(parent: int) -> None:
    """Have the kernel send SIGTERM to this process when its parent has ended, however that ends (prctl(2),
    PR_SET_PDEATHSIG); a parent that has ended already sends it now."""
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
