"""Starts a module of ours as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import rig


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
