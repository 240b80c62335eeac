"""Clients as a meter may have them, good and bad: `python -m tests.rig.crowd SOCKET`, until it is killed.

    clients     what they do
    12          subscribe to all that a meter publishes by itself, and read it
    5           the same, and never read
    2           subscribe, and are killed with SIGKILL each second; others come
    1           sends bytes that are no frames, again and again

Counts of pulses are read from the board for whoever asks, a frame a poll: asking for them is no part of the crowd.
Prints a line with what the readers have heard each second, so that who started it sees that they are there.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from rig.daemon.client import ClientError, MeterClient
from rig.daemon.protocol import Topic

READERS, SILENT, KILLED = 12, 5, 2
PUBLISHED = Topic.READINGS, Topic.FRONT, Topic.EDGES, Topic.EVENTS, Topic.STATE

_VICTIM = """
import sys, time
from pathlib import Path
from rig.daemon.client import MeterClient
from rig.daemon.protocol import Topic
client = MeterClient.connect(Path(sys.argv[1]))
client.subscribe(Topic.READINGS, Topic.FRONT, Topic.EDGES, Topic.EVENTS, Topic.STATE)
for _ in client.messages(): pass
"""

heard = dict.fromkeys(range(READERS), 0)


def connected(path: Path) -> MeterClient:
    while True:
        try:
            client = MeterClient.connect(path, "panel", "crowd")
        except ClientError:
            time.sleep(0.1)
            continue
        client.subscribe(*PUBLISHED)
        return client


def read(path: Path, number: int) -> None:
    for _ in connected(path).messages():
        heard[number] += 1


def send_garbage(path: Path) -> None:
    """A connection of noise each 20 ms: a client gone mad, not an attack on the processor."""
    chance = random.Random(1)
    while True:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall(chance.randbytes(chance.randrange(1, 4000)))
            client.recv(100)
        time.sleep(0.02)


def kill_some(path: Path) -> None:
    victims: list[subprocess.Popen[bytes]] = []
    while True:
        while len(victims) < KILLED:
            victims.append(subprocess.Popen([sys.executable, "-c", _VICTIM, str(path)], stderr=subprocess.DEVNULL))
        time.sleep(1)
        for victim in victims:
            victim.kill()
            victim.wait()
        victims.clear()


def main() -> None:
    path = Path(sys.argv[1])
    silent = [connected(path) for _ in range(SILENT)]
    assert len(silent) == SILENT
    for number in range(READERS):
        threading.Thread(target=read, args=(path, number), daemon=True).start()
    for work in (send_garbage, kill_some):
        threading.Thread(target=work, args=(path,), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while True:
        print(json.dumps(list(heard.values())), flush=True)
        time.sleep(1)


if __name__ == "__main__":
    main()
