"""The simulated meter that a verification starts for itself ends with it, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RIG = str(Path(sys.executable).with_name("rig"))
PATIENCE_S = 100.0


def children(process: int) -> list[int]:
    """Processes that a process has started, and theirs."""
    found = [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return [*found, *(each for child in found for each in children(child))]


def running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def metered(process: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_meter_of_a_verification_that_is_killed_ends_too(number: signal.Signals, tmp_path: Path) -> None:
    """At full speed, and for nobody, it would take a core until the computer is switched off."""
    verify = subprocess.Popen(
        [RIG, "verify", "--load", "20 A", "--pulses", "1000000"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    meters: list[int] = []
    try:
        deadline = time.monotonic() + PATIENCE_S
        while len(meters := children(verify.pid)) < 2 and time.monotonic() < deadline:  # the meter and its server
            time.sleep(0.05)
        assert len(meters) >= 2, "it has started no meter"
        idle = metered(meters[0])
        while metered(meters[0]) < idle + 0.5 and time.monotonic() < deadline:  # it has begun to meter
            time.sleep(0.05)
        verify.send_signal(number)
        verify.communicate(timeout=PATIENCE_S)
        deadline = time.monotonic() + PATIENCE_S
        while any(map(running, meters)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(running, meters))
    finally:
        for each in (verify.pid, *meters):
            if running(each):
                os.kill(each, signal.SIGKILL)
