"""How long a start takes to take over from a process that was killed, and what saving a state costs (S-3).

    python -m tests.rig.takeover_bench

The board lives on (rig simulate); the daemon is the real one, started from nothing each time, and killed with SIGKILL
together with its server. `takeover_s` is from its start to its first answer after it has taken over. `state_save_ms_…`
are of the daemon's own program with everything on, at 60 records a second, in a process with the daemon's priority.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from rig.daemon.client import ClientError, MeterClient
from rig.daemon.protocol import ReadContacts
from rig.hardware.config import load
from rig.hardware.realtime import favour_this_process, keep_what_is_loaded
from rig.hardware.selection import open_hardware, program_of
from rig.service.service import Service
from rig.store.store import Store

PROGRAM = Path(__file__).parents[2] / "rig" / "program" / "examples" / "industrial-9s.toml"
RIG = """
[simulation]
board = "board.sock"
[meter]
program = "{program}"
store = "{store}"
ring = "{store}.ring"
[daemon]
socket = "meter.sock"
"""
COMMAND = (sys.executable, "-c", "from rig.cli.entry import main; main()")
PATIENCE_S = 120.0
ALIVE_S = 2.0


def started(folder: Path) -> tuple[subprocess.Popen[bytes], float]:
    """A daemon, and the seconds until it answers what only a meter that has begun answers."""
    begun = time.monotonic()
    daemon = subprocess.Popen([*COMMAND, "serve", "--config", str(folder / "rig.toml")])
    while time.monotonic() < begun + PATIENCE_S:
        with suppress(ClientError):
            with MeterClient.connect(folder / "meter.sock") as client:
                client.ask(ReadContacts(), PATIENCE_S)
                return daemon, time.monotonic() - begun
        time.sleep(0.005)
    raise TimeoutError("the daemon does not answer")


def killed(daemon: subprocess.Popen[bytes]) -> None:
    """Kill it, and its server, at once."""
    children = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split()
    for pid in (daemon.pid, *map(int, children)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    daemon.wait()


def takeover(rounds: int = 3, seconds: float = 20.0) -> dict[str, float]:
    """`takeover_s`, the median of `rounds`; `state_save_ms_p50` and `state_save_ms_p999` over `seconds`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rig.toml").write_text(RIG.format(program=PROGRAM, store="store"))
        (folder / "saves.toml").write_text(RIG.format(program=PROGRAM, store="saves"))
        board = subprocess.Popen(
            [*COMMAND, "simulate", "--config", str(folder / "rig.toml")], stderr=subprocess.PIPE, text=True
        )
        try:
            assert board.stderr is not None
            assert "runs at" in board.stderr.readline()
            daemon, _ = started(folder)
            taken = []
            for _ in range(rounds):
                time.sleep(ALIVE_S)
                killed(daemon)
                daemon, seconds_taken = started(folder)
                taken.append(seconds_taken)
            killed(daemon)
            costs = subprocess.run(
                [sys.executable, "-m", "tests.rig.takeover_bench", "saves", str(folder / "saves.toml"), str(seconds)],
                capture_output=True,
                check=True,
            )
        finally:
            board.terminate()
            board.wait()
            board.stderr.close()
    return {"takeover_s": statistics.median(taken), "takeover_most_s": max(taken), **json.loads(costs.stdout)}


def saves(path: Path, seconds: float) -> dict[str, float]:
    """What each save to the ring took, in a process as the daemon has it."""
    config = load(path)
    program = program_of(config)
    assert config.meter.store is not None
    hardware = open_hardware(config, program.metering.current_class)
    service: Any = Service(hardware, config, program, Store.open(Path(config.meter.store)))
    favour_this_process()
    service.begin()
    keep_what_is_loaded()
    save, taken = service._save_running, []

    def timed() -> None:
        begun = time.perf_counter_ns()
        save()
        taken.append(time.perf_counter_ns() - begun)

    service._save_running = timed
    for _ in service.run(hardware.clock.now_ns() + int(seconds * 1e9)):
        pass
    service.finish()
    hardware.close()
    taken.sort()
    return {
        "state_save_ms_p50": taken[len(taken) // 2] / 1e6,
        "state_save_ms_p999": taken[min(len(taken) - 1, len(taken) * 999 // 1000)] / 1e6,
        "saves": len(taken),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["saves"]:
        print(json.dumps(saves(Path(sys.argv[2]), float(sys.argv[3]))))
    else:
        print(json.dumps(takeover(), indent=1))
