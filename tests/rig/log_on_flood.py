"""Clients that log on without end, some with wrong keys: `python -m tests.rig.log_on_flood SOCKET`, until it is killed.

    clients              what they do
    1 for each of WRONG  log on from there with a wrong key, 20 times a second
    2                    log on from the command line with the key of level 1, which locks nothing, as often

A wrong key locks its source for longer each time, and is not looked at meanwhile; the right one is compared each time.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from rig.daemon.client import ClientError, MeterClient, RequestRefusedError
from rig.daemon.protocol import LogOn

PAUSE_S = 0.05
"""Between two log-ons of a client: a port is no quicker."""

WRONG = ("optical port", "RS-232", "RS-485", "modem", "panel", "verification")
RIGHT, RIGHT_CLIENTS = "111111", 2
KEYS = '[security]\nlevel_1 = "111111"\nlevel_2 = "222222"\nlevel_3 = "333333"\nlevel_4 = "444444"\n'
"""What the meter's program has."""


def log_on(path: Path, source: str, key: str | None) -> None:
    """Log on with this key, None: with another wrong one each time."""
    wrong = itertools.count(0xA00000)
    while True:
        try:
            with MeterClient.connect(path, source, "flood") as client:
                while True:
                    with suppress(RequestRefusedError):
                        client.ask(LogOn(f"{next(wrong):06X}" if key is None else key))
                    time.sleep(PAUSE_S)
        except ClientError:
            time.sleep(0.1)


def main() -> None:
    path = Path(sys.argv[1])
    clients = [(source, None) for source in WRONG] + [("command line", RIGHT)] * RIGHT_CLIENTS
    threads = [threading.Thread(target=log_on, args=(path, *each), daemon=True) for each in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
