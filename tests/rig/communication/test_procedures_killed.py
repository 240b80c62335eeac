"""The metering process killed while clients at its port invoke procedures and write a table, with a real store (X-1).

What was answered as done is done after the next start, once; what was not answered is done once or not at all. The
simulated board dies with the process, so there is no ring in memory to take over: what is left is what the disk has.
"""

from __future__ import annotations

import os
import signal
import struct
import threading
from pathlib import Path
from zlib import crc32

import pytest
from port_bench import PortBench
from psem_client import LineSilent, NotAcknowledged, PsemClient

from rig.daemon.protocol import ReadProgram, ReadSnapshots, ReadState

pytestmark = pytest.mark.slow

PROGRAM = '[demand]\nquantities = ["kW delivered"]\n'
PORTS = "[[ports]]\nname = 'optical'\n"
DEMAND_RESET, SELF_READ = 1, 2
"""Bits of the parameter of procedure 9, remote reset."""


def kill(bench: PortBench) -> None:
    os.kill(bench.meter.welcome.process, signal.SIGKILL)


def started_again(bench: PortBench) -> PortBench:
    """The meter after its process has died."""
    bench.meter.close()
    for process in (bench._launched.process, *bench.ports):
        process.wait(30)
    return PortBench(bench.folder, PROGRAM, PORTS)


def done_so_far(bench: PortBench) -> dict[int, int]:
    """Demand resets and self-reads, as the meter has them."""
    reads = bench.meter.ask(ReadSnapshots(["self read"], 16))["snapshots"]
    return {DEMAND_RESET: bench.meter.ask(ReadState())["resets"], SELF_READ: len(reads)}


def invoke_until_it_dies(client: PsemClient) -> tuple[dict[int, int], int | None]:
    """Invoke the two in turn; how many of each were answered as done, and which was not answered."""
    answered = {DEMAND_RESET: 0, SELF_READ: 0}
    for sequence in range(14):
        which = (DEMAND_RESET, SELF_READ)[sequence % 2]
        try:
            client.write(7, struct.pack("<HBB", 9, sequence, which))
            assert client.read(8)[2:4] == bytes((sequence, 0))
        except (LineSilent, NotAcknowledged, OSError):  # the pty goes with its port's process
            return answered, which
        answered[which] += 1
    return answered, None


def write_the_rest(client: PsemClient, text: bytes) -> None:
    """Stage what comes after 20 bytes, and have it put in force."""
    client.write(2048, text[20:], 20)
    client.write(7, struct.pack("<HBII", 1 << 11, 5, len(text), crc32(text)))
    assert client.read(8)[3] != 0


@pytest.mark.parametrize("after_ms", [20, 45, 110, 260])
def test_killed_in_the_middle_of_procedures(tmp_path: Path, after_ms: int) -> None:
    bench = PortBench(tmp_path, PROGRAM, PORTS)
    with bench.client() as client:
        client.identify()
        client.log_on()
        client.password(b"000000")
        before = done_so_far(bench)
        threading.Timer(after_ms / 1000, kill, (bench,)).start()
        answered, unanswered = invoke_until_it_dies(client)
    again = started_again(bench)
    try:
        after = done_so_far(again)
        for which, count in answered.items():
            done = after[which] - before[which]
            assert done in ({count, count + 1} if which == unanswered else {count}), (which, answered, after)
        with again.client() as client:
            client.identify()
            client.log_on()
            assert client.read(1)[4:12] == b"RXRS4e  "
            client.terminate()
    finally:
        again.close()


def test_killed_in_the_middle_of_a_table_that_is_written(tmp_path: Path) -> None:
    """Half a program is nowhere: the meter has the one it had. That the rest is staged, the port may still say, as it
    has it; that the program is in force nobody says."""
    bench = PortBench(tmp_path, PROGRAM, PORTS)
    digest = bench.meter.ask(ReadProgram())["digest"]
    text = PROGRAM.encode() + b"[meter]\nserial = '7'\n"
    with bench.client() as client:
        client.identify()
        client.negotiate(64, 20)
        client.log_on()
        client.password(b"000000")
        client.write(2048, text[:20], 0)
        kill(bench)
        bench._launched.process.wait(30)
        with pytest.raises((LineSilent, NotAcknowledged, OSError)):
            write_the_rest(client, text)
    again = started_again(bench)
    try:
        assert again.meter.ask(ReadProgram())["digest"] == digest
    finally:
        again.close()
