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
from contextlib import contextmanager
from pathlib import Path

from rig.hardware.config import load
from rig.terminal import show as live

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
import sys,time
from pathlib import Path
from rig.daemon.state_server import read_state
from rig.files.strict_toml import ConfigError
while True:
    try: read_state(Path(sys.argv[1]))
    except ConfigError: pass
    time.sleep(1 / float(sys.argv[2]))
"""


@contextmanager
def _busy(*command: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", *command], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def pulse_jitter(seconds: float = SECONDS) -> dict[str, float]:
    """`p50_ms`, `p99_ms`, `p999_ms`, `max_ms` of how late the edges came; `edges` and how many were `lost`."""
    with tempfile.TemporaryDirectory() as folder:
        notes, socket = Path(folder, "notes.json"), Path(folder, "rig.sock")
        Path(folder, "meter.toml").write_text(PROGRAM)
        Path(folder, "rig.toml").write_text('[meter]\nprogram = "meter.toml"\nstore = "store"\n')
        before = live.METERING
        live.METERING = ("-m", "tests.rig.jitter_meter")
        os.environ["JITTER_NOTES"] = str(notes)
        try:
            with _busy(_DISK, str(Path(folder, "ballast"))), _busy(_CLIENT, str(socket), str(READS_A_SECOND)):
                audience = live.Audience(lambda moment: None, serve=socket)
                ended = live.run(load(Path(folder, "rig.toml")), seconds, paced=True, audience=audience)
        finally:
            live.METERING = before
            del os.environ["JITTER_NOTES"]
        assert ended.failure is None
        return _judged(json.loads(notes.read_text()))


def _judged(notes: dict) -> dict[str, float]:
    late: list[float] = []
    lost = 0
    for output, pin in PINS.items():
        due = [at for name, at in notes["pulses"] if name == output]
        flashes = output == "test_led"
        came = [at - notes["begin_ns"] for name, high, at in notes["edges"] if name == pin and (high or not flashes)]
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
    print(json.dumps(pulse_jitter(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)))
