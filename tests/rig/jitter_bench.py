"""How far edges are off their instants, in real time, with the machine kept busy; run by tests/bench.py.

The metering process is the real one, near MAX, with a store, a ring of states, four outputs and the LED, on a board
that rig simulate runs. Beside it the disk is written and synced without a pause, and a client reads the state 20 times
a second.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

from rig.hardware.config import load
from rig.terminal.show import Audience
from rig.terminal.start import start_and_show

SECONDS = 300.0
SETTLE_NS = 10 * 10**9
"""Compiling what is simulated holds up the first seconds, on a computer and not on a Pi."""

TURN_SETTLE_S = 4.0
"""Clients start, or are gone, within so long."""

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
LOAD = '[simulation.load]\nvolts = 277\namps = 19.8\npf = 0.94\nsense = "lag"\n'
"""99 % of MAX of class 20, and vars for the other outputs."""

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
    """Let a process, and all that it starts, run meanwhile."""
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _board(config: Path) -> Iterator[None]:
    """Let the simulated board run meanwhile."""
    command = [sys.executable, "-c", "from rig.cli.app import main; main()", "simulate", "--config", str(config)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        assert process.stderr.readline().startswith(b"rig: the simulated board runs at")
        yield
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


@contextmanager
def _bare_timer(file: Path) -> Iterator[dict[str, list[int]]]:
    """Let a bare timer run meanwhile; what it found is there afterwards."""
    found: dict[str, list[int]] = {}
    process = subprocess.Popen([sys.executable, "-m", "tests.rig.bare_timer", str(file)])
    try:
        yield found
    finally:
        process.terminate()
        process.wait()
        found |= json.loads(file.read_text())


CROWD = "tests.rig.crowd"
"""Twenty clients, good and bad."""

FLOODED_PORT = "tests.rig.port_flood"
"""A serial port whose line is never free of nonsense."""

LOG_ONS = "tests.rig.log_on_flood"
"""Clients that log on without a pause, for which the meter compares keys that are slow to compare."""


class Guests:
    """A module beside the meter, CROWD, FLOODED_PORT or LOG_ONS, which comes and goes: so many seconds each way.

    `spans` are the times, in ns of the computer's clock, with them (True) and without, each once it has settled.
    """

    def __init__(self, module: str, socket: Path, turn_s: float) -> None:
        self.spans: list[tuple[bool, int, int]] = []
        self._module, self._socket, self._turn_s = module, socket, turn_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Guests:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        there = False
        while not self._over.is_set():
            with _busy("-m", self._module, str(self._socket)) if there else nullcontext():
                self._over.wait(TURN_SETTLE_S)
                begin_ns = time.monotonic_ns()
                self._over.wait(self._turn_s)
                self.spans.append((there, begin_ns, time.monotonic_ns()))
            there = not there


def pulse_jitter(
    seconds: float = SECONDS, turn_s: float | None = None, guests: str = CROWD, more: str = ""
) -> dict[str, float]:
    """`p50_ms`, `p99_ms`, `p999_ms`, `max_ms` of how late the edges came; `edges` and how many were `lost`.

    `timer_p999_ms` is of a bare timer of the same priority in the same run, `vs_timer` the edges' over it.
    `cpu_percent` is of a core, of the metering process and its server; `memory_kb` what they had in the end more than
    after a third of the time. With `turn_s` guests come and go in turns of so long: then all figures but `lost` and
    `memory_kb` are there twice, of the time with them, `crowd_…`, and without. `more` is added to the program.
    """
    with tempfile.TemporaryDirectory() as folder:
        notes, socket = Path(folder, "notes.json"), Path(folder, "rig.sock")
        Path(folder, "meter.toml").write_text(PROGRAM + more)
        Path(folder, "rig.toml").write_text(
            '[meter]\nprogram = "meter.toml"\nstore = "store"\n[simulation]\nboard = "board.sock"\n' + LOAD
        )
        os.environ["JITTER_NOTES"] = str(notes)
        used: list[tuple[int, float, int]] = []
        audience = Audience(lambda reading: used.append(_used(socket)))
        config = load(Path(folder, "rig.toml"))
        crowd = None if turn_s is None else Guests(guests, socket, turn_s)
        try:
            with ExitStack() as stack:
                stack.enter_context(_board(Path(folder, "rig.toml")))
                timer = stack.enter_context(_bare_timer(Path(folder, "timer.json")))
                stack.enter_context(_busy("-c", _DISK, str(Path(folder, "ballast"))))
                stack.enter_context(_busy("-c", _CLIENT, str(socket), str(READS_A_SECOND)))
                if crowd is not None:
                    stack.enter_context(crowd)
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
        late, lost = _late(json.loads(notes.read_text()))
        lates = late, list(zip(timer["instants"], timer["late"], strict=True))
        result: dict[str, float] = {"lost": lost, "memory_kb": used[-1][2] - used[len(used) // 3][2]}
        if crowd is None:
            return result | _figures("", [(late[0][0], late[-1][0])], *lates, used)
        for there, name in ((False, ""), (True, "crowd_")):
            result |= _figures(name, [(a, b) for which, a, b in crowd.spans if which is there], *lates, used)
        return result


Late = list[tuple[int, int]]
"""Instants on the computer's clock, and how late they were met, both in ns."""


def _figures(
    name: str, spans: list[tuple[int, int]], late: Late, timer: Late, used: list[tuple[int, float, int]]
) -> dict[str, float]:
    """The figures of some spans of time."""

    def within(found: Late) -> list[float]:
        return sorted(ns / 1e6 for at, ns in found if any(a <= at <= b for a, b in spans))

    def share(found: list[float], part: float) -> float:
        return found[min(int(len(found) * part), len(found) - 1)]

    edges, wakes = within(late), within(timer)
    busy = elapsed = 0.0
    for a, b in spans:
        inside = [(at, cpu_s) for at, cpu_s, _ in used if a <= at <= b]
        if len(inside) > 1:
            busy, elapsed = busy + inside[-1][1] - inside[0][1], elapsed + (inside[-1][0] - inside[0][0]) / 1e9
    p999, timer_p999 = share(edges, 0.999), share(wakes, 0.999)
    return {
        name + key: value
        for key, value in {
            "edges": len(edges),
            "p50_ms": share(edges, 0.5),
            "p99_ms": share(edges, 0.99),
            "p999_ms": p999,
            "max_ms": edges[-1],
            "early_ms": -edges[0],
            "timer_p99_ms": share(wakes, 0.99),
            "timer_p999_ms": timer_p999,
            "vs_timer": p999 / timer_p999,
            "cpu_percent": 100 * busy / elapsed if elapsed else 0.0,
        }.items()
    }


def _used(socket: Path) -> tuple[int, float, int]:
    """The computer's clock in ns; seconds of processor time, and kB of memory, of a daemon and its server."""
    pid = int(socket.with_name(socket.name + ".lock").read_text().split()[0])
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    pids = [pid, *(child for child in children if b"server" in Path(f"/proc/{child}/cmdline").read_bytes())]
    ticks = memory = 0
    for each in pids:
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
        status = Path(f"/proc/{each}/status").read_text()
        memory += int(status.partition("VmRSS:")[2].split()[0])
    return time.monotonic_ns(), ticks / os.sysconf("SC_CLK_TCK"), memory


def _late(notes: dict) -> tuple[Late, int]:
    """How late each edge was, once the first seconds are over, and how many never came."""
    late: Late = []
    lost = 0
    for output, pin in PINS.items():
        due = notes["pulses"][output]
        flashes = output == "test_led"
        came = [abs(at) - notes["begin_ns"] for at in notes["edges"][pin] if at > 0 or not flashes]
        if not flashes and len(came) > len(due):
            came.pop()  # at the end it opens for good
        lost += len(due) - len(came)
        late += [
            (notes["begin_ns"] + instant, at - instant)
            for instant, at in zip(due, came, strict=False)
            if instant > SETTLE_NS
        ]
    return sorted(late), lost


if __name__ == "__main__":
    words = [float(word) for word in sys.argv[1:]]
    print(json.dumps(pulse_jitter(*words)))
