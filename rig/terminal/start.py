"""A meter started and shown until it ends: what `rig run` does where none runs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rig.daemon.address import runtime_folder
from rig.daemon.client import MeterClient
from rig.daemon.launch import METERING, Launched
from rig.daemon.protocol import Ended
from rig.daemon.startup import Start
from rig.files.claim import Claim, ClaimError
from rig.hardware.config import Config
from rig.terminal.show import Audience, show

_RUN = re.compile(r"run-(\d+)\.(?:.*\.)?(?:sock|sock\.lock|log)")


def own_socket() -> Path:
    """Give a socket for a run that nobody else is to find; what runs that were killed have left is removed."""
    folder = runtime_folder()
    _remove_leavings(folder)
    return folder / f"run-{os.getpid()}.sock"


def _remove_leavings(folder: Path) -> None:
    """Remove sockets and empty reports of runs that are over: nobody started them that lives, and none has the lock."""
    for path in folder.iterdir():
        found = _RUN.fullmatch(path.name)
        if found is None or Path("/proc", found[1]).exists():
            continue
        with suppress(OSError, ClaimError):
            claim = Claim(folder / f"run-{found[1]}.sock.lock", "the socket", passing=True)
            try:
                if path.suffix == ".sock" or (path.suffix == ".log" and not path.stat().st_size):
                    path.unlink()
            finally:
                claim.close()


def start_and_show(
    config: Config,
    seconds: float | None,
    *,
    paced: bool,
    audience: Audience,
    hands: Path | None = None,
    socket: Path | None = None,
    metering: tuple[str, ...] = METERING,
    listening: Callable[[Path], None] = lambda path: None,
) -> Ended:
    """Start a meter, show it for `seconds` of its time or until Ctrl-C, and wait for its end.

    `hands` is a recording of switch movements for a simulated rig. `listening` is called with the socket once the meter
    listens there. Raises StartError for a meter that could not run,
    and what `show` raises.
    """
    path = socket or own_socket()
    launched = Launched(Start(config, str(path), seconds, paced, None if hands is None else str(hands)), metering)
    try:
        listening(path)
        with MeterClient.connect(path, "command line", "rig run") as client:
            ended = show(client, audience, ours=True, begin=launched.begin)
    except BaseException:
        launched.abandon()
        raise
    launched.wait()
    assert ended is not None, "a run that is ours is shown to its end"
    return ended
