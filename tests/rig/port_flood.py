"""A serial port that a peer never leaves in peace: `python -m tests.rig.port_flood SOCKET`, until it is killed.

It serves a port of the meter at SOCKET on a pty and sends it, as fast as a line of 115 200 baud can, packets that begin
a session, that ask without one, that are damaged, and bytes that are none. An RS-232 port: an optical one would take
the LED.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import tty
from contextlib import suppress
from pathlib import Path

from tests.rig.communication.psem_client import packet

PORT = '[meter]\n[[ports]]\nname = "flooded"\nkind = "rs-232"\ndevice = "pty"\n'
COMMAND = (sys.executable, "-c", "from rig.cli.app import main; main()", "port", "serve")

BYTES_A_SECOND = 11_520
"""On such a line, ten bits each."""


def noise(chance: random.Random) -> bytes:
    """Some of what comes, in an order of its own."""
    asked = [packet(b"\x20"), packet(b"\x50\x00\x02" + b"somebody  ", 0x20), packet(b"\x30\x00\x01"), packet(b"\x21")]
    damaged = bytearray(chance.choice(asked))
    damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return chance.choice([*asked, b"\x06", bytes(damaged), chance.randbytes(chance.randrange(1, 80))])


def main() -> None:
    socket = Path(sys.argv[1])
    config = socket.with_name("flooded.toml")
    config.write_text(PORT)
    process = subprocess.Popen(
        [*COMMAND, "--config", str(config), "--socket", str(socket)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    line = os.open(said.split()[-1], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(line)
    chance = random.Random(1)
    while process.poll() is None:
        data = noise(chance)
        with suppress(BlockingIOError):
            os.write(line, data)
        time.sleep(len(data) / BYTES_A_SECOND)
        with suppress(BlockingIOError):
            os.read(line, 4096)


if __name__ == "__main__":
    main()
