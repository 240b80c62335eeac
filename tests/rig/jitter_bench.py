"""How far edges are off their instants, in real time, with the machine kept busy; run by tests/bench.py.

The metering process is the real one, near MAX, with a store, four outputs and the LED. Beside it the disk is written
and synced without a pause, and a client reads the state 20 times a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rig.hardware.config import load
from rig.terminal.show import Audience
from rig.terminal.start import start_and_show

SECONDS = 300.0
SETTLE_NS = 10 * 10**9
"""Compiling what is simulated holds up the first seconds, on a computer and not on a Pi."""

READS_A_SECOND = 20
PROGRAM = """
[[outputs]]
name = "KYZ1"
function = "pulses"
kp_wh = "0.09"
[[outputs]]
name = "KYZ2"
function = "pulses"
quantity = "kvarh lagging"
kp_wh = "0.15"
[[outputs]]
name = "KYZ3"
function = "pulses"
quantity = "kVAh rms"
kp_wh = "0.3"
[[outputs]]
name = "KYZ4"
function = "eoi"
[meter]
ks_wh = "0.36"
"""
PINS = {"test_led": "GPIO17", "kyz1": "GPIO22", "kyz2": "GPIO24", "kyz3": "GPIO27"}
"""Of a form C the pin of K–Y: it has an edge at each transition but for the first after rest, which may be K–Z's."""

_DISK = """
import os, sys
file, ballast = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY), os.urandom(1 << 20)
while True:
    os.pwrite(file, ballast, 0)
    os.fsync(file)
"""
_CLIENT = """
import sys, time
from pathlib import Path
from rig.daemon.client import ClientError, MeterClient
from rig.daemon.protocol import ReadState
while True:
    try:
        with MeterClient.connect(Path(sys.argv[1])) as client:
            while True:
                client.ask(ReadState())
                time.sleep(1 / float(sys.argv[2]))
    except ClientError:
        time.sleep(0.1)
"""


@contextmanager
def _busy(*command: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def pulse_jitter(seconds: float = SECONDS, crowd: bool = False) -> dict[str, float]:
    """`p50_ms`, `p99_ms`, `p999_ms`, `max_ms` of how late the edges came; `edges` and how many were `lost`.

    `cpu_percent` is of a core, of the metering process and its server; `memory_kb` what they had in the end more than
    after a third of the time. With `crowd` there are twenty clients, good and bad (tests/rig/crowd.py).
    """
    with tempfile.TemporaryDirectory() as folder:
        notes, socket = Path(folder, "notes.json"), Path(folder, "rig.sock")
        Path(folder, "meter.toml").write_text(PROGRAM)
        Path(folder, "rig.toml").write_text('[meter]\nprogram = "meter.toml"\nstore = "store"\n')
        os.environ["JITTER_NOTES"] = str(notes)
        used: list[tuple[float, int]] = []
        audience = Audience(lambda reading: used.append(_used(socket)))
        config = load(Path(folder, "rig.toml"))
        try:
            with ExitStack() as stack:
                stack.enter_context(_busy("-c", _DISK, str(Path(folder, "ballast"))))
                stack.enter_context(_busy("-c", _CLIENT, str(socket), str(READS_A_SECOND)))
                if crowd:
                    stack.enter_context(_busy("-m", "tests.rig.crowd", str(socket)))
                ended = start_and_show(
                    config,
                    seconds,
                    paced=True,
                    audience=audience,
                    socket=socket,
                    metering=("-m", "tests.rig.jitter_meter"),
                )
        finally:
            del os.environ["JITTER_NOTES"]
        assert ended.failure is None
        third = used[len(used) // 3]
        cpu_s, memory_kb = used[-1][0] - third[0], used[-1][1] - third[1]
        return _judged(json.loads(notes.read_text())) | {
            "cpu_percent": 100 * cpu_s / (len(used) - 1 - len(used) // 3),
            "memory_kb": memory_kb,
        }


def _used(socket: Path) -> tuple[float, int]:
    """Seconds of processor time, and kB of memory, of the daemon on a socket and of its server."""
    pid = int(socket.with_name(socket.name + ".lock").read_text())
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    pids = [pid, *(child for child in children if b"server" in Path(f"/proc/{child}/cmdline").read_bytes())]
    ticks = memory = 0
    for each in pids:
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
        status = Path(f"/proc/{each}/status").read_text()
        memory += int(status.partition("VmRSS:")[2].split()[0])
    return ticks / os.sysconf("SC_CLK_TCK"), memory


def _judged(notes: dict) -> dict[str, float]:
    late: list[float] = []
    lost = 0
    for output, pin in PINS.items():
        due = notes["pulses"][output]
        flashes = output == "test_led"
        came = [abs(at) - notes["begin_ns"] for at in notes["edges"][pin] if at > 0 or not flashes]
        if not flashes and len(came) > len(due):
            came.pop()  # at the end it opens for good
        lost += len(due) - len(came)
        late += [(at - instant) / 1e6 for instant, at in zip(due, came, strict=False) if instant > SETTLE_NS]
    late.sort()
    share = lambda part: late[min(int(len(late) * part), len(late) - 1)]  # noqa: E731
    return {
        "edges": len(late),
        "lost": lost,
        "p50_ms": share(0.5),
        "p99_ms": share(0.99),
        "p999_ms": share(0.999),
        "max_ms": late[-1],
        "early_ms": -late[0],
    }


if __name__ == "__main__":
    print(json.dumps(pulse_jitter(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS, "crowd" in sys.argv)))
